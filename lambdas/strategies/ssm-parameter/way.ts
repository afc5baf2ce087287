// What users notice of a flag that goes off: nothing stops, and applications take the value when they read it again.
import type { Way } from '../way.ts';
import type { SsmParameterTarget } from './manifest.ts';

const effect: Way<SsmParameterTarget>['effect'] = ({ takesEffectSeconds }) => ({
  downtime: 'none', text: 'nothing is restarted', seconds: Math.max(1, takesEffectSeconds), basis: 'known',
});

export const way: Way<SsmParameterTarget> = { order: 5, kind: 'flag-off', effect };
