// What users notice of an alias that moves: both versions are there, and only the first calls of a version that slept are slower.
import type { Way } from '../way.ts';
import type { LambdaAliasTarget } from './manifest.ts';

const effect: Way<LambdaAliasTarget>['effect'] = () => ({ downtime: 'none', text: 'both versions are there, and calls that run end where they began', seconds: 5, basis: 'typical' });

export const way: Way<LambdaAliasTarget> = { order: 20, kind: 'traffic-shift', effect };
