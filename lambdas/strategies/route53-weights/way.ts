// What users notice of records whose weights move: resolvers keep the old answer for a TTL, so both sides are used until it is over.
import type { Way } from '../way.ts';
import type { Route53WeightsTarget } from './manifest.ts';
import type { Route53WeightsState } from './plan.ts';

/** How long Route 53 usually takes to bring a change to all its servers. */
const syncSeconds = 60;

const effect: Way<Route53WeightsTarget, Route53WeightsState>['effect'] = (_target, { state }) => {
  const ttl: unknown = state?.ttlSeconds;
  return typeof ttl === 'number'
    ? { downtime: 'mixed', text: `resolvers keep the old answer for up to ${ttl} s, and some for longer`, seconds: syncSeconds + ttl, basis: 'known' }
    : { downtime: 'mixed', text: 'resolvers keep the old answer for a TTL that nobody read yet', seconds: 2 * syncSeconds, basis: 'typical' };
};

export const way: Way<Route53WeightsTarget, Route53WeightsState> = { order: 50, kind: 'traffic-shift', effect };
