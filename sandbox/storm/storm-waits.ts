// How long refused calls and steps waited before they were tried again, held against the back-off that they have to keep.

/** What a wait is drawn from, evenly from nothing, before the n-th try, in milliseconds; `n` counts from 2. */
export type LimitOf = (nth: number) => number;

/** The AWS SDK's standard back-off of a call that was throttled (`@smithy/core`, `StandardRetryStrategy`): up to 1 s, then 2, 4, …, 20 s. */
export const callLimitMs: LimitOf = (nth) => Math.min(20_000, 1000 * 2 ** (nth - 2));
/** The workflow's `Retry`, with full jitter: up to 1 s, then 2, 4, 8 s; the steps that may wait longer than that wait longer, never shorter. */
export const stepLimitMs: LimitOf = (nth) => Math.min(8000, 1000 * 2 ** (nth - 2));

/** How often a judgement of waits that do keep their back-off is wrong. */
const errorRate = 1e-5;
/**
 * So many waits are judged, or none: with as many a client whose later waits are no longer than its first is told in 99 of 100 judgements,
 * even where this machine adds a tenth of a second to each.
 */
export const fewestWaits = 60;

export interface Waited {
  count: number;
  /** Longer than half of what they were drawn from. */
  long: number;
  /** Milliseconds. */
  total: number;
}

/** Fewer of so many than this are longer than half of their limits once in 100,000 times, at the most: of waits that are drawn evenly half are, and a busy machine only adds to them. */
export function fewestLong(count: number): number {
  let [fewer, logTerm, sum] = [0, -count * Math.LN2, 0];
  for (; fewer <= count; fewer += 1) {
    sum += Math.exp(logTerm);
    if (sum > errorRate) return fewer;
    logTerm += Math.log(count - fewer) - Math.log(fewer + 1);
  }
  return fewer;
}

/** Waits of calls, or of steps: those before a second try, and those before any later one, which have to be longer. */
export class Waits {
  readonly second: Waited = { count: 0, long: 0, total: 0 };
  readonly later: Waited = { count: 0, long: 0, total: 0 };
  readonly #limitOf: LimitOf;

  constructor(limitOf: LimitOf) {
    this.#limitOf = limitOf;
  }

  /** @param nth the try that came after the wait, 2 or more. */
  add(nth: number, milliseconds: number): void {
    const waited = nth === 2 ? this.second : this.later;
    waited.count += 1;
    waited.total += milliseconds;
    if (milliseconds > this.#limitOf(nth) / 2) waited.long += 1;
  }

  /** What is wrong with them, as far as there are enough to say. */
  problems(who: string): string[] {
    const short = ({ count, long }: Waited): boolean => count >= fewestWaits && long < fewestLong(count);
    const found = ({ count, long }: Waited): string => `${long} of ${count} waits were longer than half of what they are drawn from, ${fewestLong(count)} have to be`;
    return [
      ...(short(this.second) ? [`${who} that were refused were tried a second time too soon: ${found(this.second)}`] : []),
      ...(short(this.later) ? [`${who} that were refused again did not wait longer each time: ${found(this.later)}`] : []),
    ];
  }

  /** Of which waits there are too few to say. */
  unjudged(who: string): string[] {
    return ([['a second', this.second], ['a later', this.later]] as const).flatMap(([which, { count }]) =>
      count >= fewestWaits ? [] : [`the waits of ${who} before ${which} try were not judged: there were ${count}, ${fewestWaits} are needed`]);
  }

  get text(): string {
    const one = ({ count, long, total }: Waited): string => (count === 0 ? 'none' : `${count} of ${Math.round(total / count)} ms (${long} long)`);
    return `${one(this.second)}, then ${one(this.later)}`;
  }
}
