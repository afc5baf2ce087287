// What users notice of weights that move: nothing stops, but clients can be held where they are, and the good side can be the smaller one.
import type { WayEffect } from '../../domain/way-effect.ts';
import type { SeenState, Way } from '../way.ts';
import type { AlbWeightsTarget } from './manifest.ts';
import type { AlbWeightsFacts, AlbWeightsState } from './plan.ts';

const typical = { seconds: 5, basis: 'typical' } as const;

const effect: Way<AlbWeightsTarget, AlbWeightsState>['effect'] = (target, seen) => {
  const { enabled = false, durationSeconds = null } = (seen.planned?.to ?? seen.state)?.stickiness ?? {};
  const smaller = fewerHealthy(seen);
  if (smaller !== null) return { downtime: 'less-capacity', text: smaller, ...typical };
  if (enabled) return { downtime: 'mixed', text: `clients with a cookie may stay for up to ${durationSeconds ?? '?'} s`, ...(durationSeconds === null ? typical : { seconds: Math.max(5, durationSeconds), basis: 'known' }) };
  if (/:listener(-rule)?\/net\//.test(target.ruleArn ?? target.listenerArn)) return { downtime: 'mixed', text: 'open connections stay where they are', ...typical };
  return { downtime: 'none', text: `traffic moves between targets that run, of which the good side needs ${target.minimumHealthyTargets} healthy`, ...typical } satisfies WayEffect;
};

/** The side before is often scaled in once a release is out: it would take everything with less. Only the live health tells. */
function fewerHealthy({ state, planned }: SeenState<AlbWeightsState>): string | null {
  if (state === null || planned === null) return null;
  const { sides } = planned.facts as AlbWeightsFacts;
  const healthy = (weights: AlbWeightsState['weights']): number => Object.keys(weights).reduce((sum, side) => sum + ((weights[side] ?? 0) > 0 ? (sides[side]?.targets?.['healthy'] ?? 0) : 0), 0);
  const [before, after] = [healthy(state.weights), healthy(planned.to.weights)];
  return after < before ? `${after} healthy targets take what ${before} have now` : null;
}

export const way: Way<AlbWeightsTarget, AlbWeightsState> = { order: 10, kind: 'traffic-shift', effect };
