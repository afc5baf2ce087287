// How often and after how long a failed state is tried again.
import type { Retrier } from './definition.ts';
import { matchesError } from './errors.ts';

/** Counts the attempts of each retrier of one visit of a state. */
export class RetryCounter {
  readonly #retriers: readonly Retrier[];
  readonly #random: () => number;
  readonly #used = new Map<Retrier, number>();

  constructor(retriers: readonly Retrier[], random: () => number) {
    this.#retriers = retriers;
    this.#random = random;
  }

  /** Seconds until the next attempt, or null when the error is not retried (any more). */
  next(error: string): number | null {
    const retrier = this.#retriers.find((one) => matchesError(one.ErrorEquals, error));
    if (retrier === undefined) return null;
    const used = this.#used.get(retrier) ?? 0;
    if (used >= (retrier.MaxAttempts ?? 3)) return null;
    this.#used.set(retrier, used + 1);
    const delay = Math.min((retrier.IntervalSeconds ?? 1) * (retrier.BackoffRate ?? 2) ** used, retrier.MaxDelaySeconds ?? Number.POSITIVE_INFINITY);
    return retrier.JitterStrategy === 'FULL' ? delay * this.#random() : delay;
  }
}
