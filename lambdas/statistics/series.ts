// What a caller hands in: the signals of one service, and the services it is compared with.
import type { Points } from './samples.ts';

/** One signal of a service; all arrays of one judgement are parallel, one value a period, oldest first. */
export interface Series {
  /** Shown to people, for example `5xx errors`. */
  readonly name: string;
  /** `errors`: count of failed requests, needs `requests`. `latency`: milliseconds. `traffic`: count of requests. */
  readonly kind: 'errors' | 'latency' | 'traffic';
  readonly values: Points;
  /** Requests of the same periods: turns errors into a share, and tells a quiet minute from a missing one. */
  readonly requests?: Points;
  /** A supporting signal adds to the evidence of others but never accuses alone. Default: false. */
  readonly isSupporting?: boolean;
}

/** Requests from a period on, and how many periods know theirs; without requests beside it a signal is never short of them. */
export const requestsSince = (series: Series, from: number): { readonly total: number; readonly present: number } => {
  const counts = series.kind === 'traffic' ? series.values : series.requests;
  if (counts === undefined) return { total: Infinity, present: 1 };
  let total = 0;
  let present = 0;
  for (let index = from; index < series.values.length; index += 1) {
    const count = counts[index];
    if (typeof count !== 'number' || !(count >= 0)) continue;
    total += count;
    present += 1;
  }
  return { total, present };
};

/** Something the release did not touch, or that the service calls. */
export interface Comparison {
  /** Shown to people, for example `payments` or `old version`. */
  readonly name: string;
  readonly series: readonly Series[];
}
