// A made service for the judge's tests: a day of quiet one-minute history, and a harm from a chosen point on.
import { binomial, normal, seeded } from '../../../bench/judge/random.ts';
import type { Comparison, Series } from '../../../lambdas/statistics/series.ts';

export const releaseIndex = 1440;

export interface Made {
  readonly seed?: number;
  /** Periods after the release. */
  readonly after?: number;
  readonly requests?: number;
  /** Share of errors before, and from `onset` on. */
  readonly errorsBefore?: number;
  readonly errorsAfter?: number;
  /** Factor of latency and of traffic from `onset` on, by points since then. */
  readonly slower?: (since: number) => number;
  readonly traffic?: number;
  /** Index relative to the release at which the harm begins. */
  readonly onset?: number;
}

interface Columns {
  readonly requests: number[];
  readonly errors: number[];
  readonly latency: number[];
}

export const columns = (made: Made = {}): Columns => {
  const { seed = 1, after = 10, requests = 300, errorsBefore = 0.002, errorsAfter = errorsBefore, slower = () => 1, traffic = 1, onset = 0 } = made;
  const random = seeded(seed);
  const all: Columns = { requests: [], errors: [], latency: [] };
  for (let index = 0; index < releaseIndex + after; index += 1) {
    const since = index - releaseIndex - onset;
    const isHarmed = since >= 0;
    const count = Math.round(requests * (isHarmed ? traffic : 1) * Math.exp(0.05 * normal(random)));
    all.requests.push(count);
    all.errors.push(binomial(random, count, isHarmed ? errorsAfter : errorsBefore));
    all.latency.push(120 * Math.exp(0.08 * normal(random)) * (isHarmed ? slower(since) : 1));
  }
  return all;
};

export const seriesOf = ({ requests, errors, latency }: { requests: readonly (number | null)[]; errors: readonly (number | null)[]; latency: readonly (number | null)[] }): Series[] => [
  { name: 'error rate', kind: 'errors', values: errors, requests },
  { name: 'latency', kind: 'latency', values: latency, requests },
  { name: 'traffic', kind: 'traffic', values: requests },
];

export const service = (made: Made = {}): Series[] => seriesOf(columns(made));

export const control = (name: string, made: Made = {}): Comparison => ({ name, series: service({ seed: name.length * 977 + name.charCodeAt(0), ...made }) });

export const quiet = (after = 10): Comparison[] => [control('cart', { after }), control('payments', { after }), control('search', { after })];
