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

/** Something the release did not touch, or that the service calls. */
export interface Comparison {
  /** Shown to people, for example `payments` or `old version`. */
  readonly name: string;
  readonly series: readonly Series[];
}
