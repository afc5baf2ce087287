// The judgement of waits: it has to fail for a client that does not wait longer each time, and only for one.
import { StandardRetryStrategy } from '@smithy/core/retry';
import { afterEach, expect, test, vi } from 'vitest';
import { callLimitMs, fewestLong, fewestWaits, stepLimitMs, Waits, type LimitOf } from '../../sandbox/storm/storm-waits.ts';
import { CallTries, hotTries, StepTries } from '../../sandbox/storm/storm-tries.ts';
import { retries } from '../../lib/engine/asl.ts';

afterEach(() => void vi.restoreAllMocks());

/** Numbers from 0 to 1 that look like chance, the same each time ("mulberry32"). */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    const once = Math.imul(state ^ (state >>> 15), 1 | state);
    const twice = (once + Math.imul(once ^ (once >>> 7), 61 | once)) ^ once;
    return ((twice ^ (twice >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** As many calls that were refused twice, and what was wrong with their waits. @param limitOf what the client draws from. @param addedMs by the machine, to each. */
function problems(limitOf: LimitOf, { seed = 1, count = fewestWaits, addedMs = 0 } = {}): string[] {
  const random = chance(seed);
  const waits = new Waits(callLimitMs);
  for (let n = 0; n < count; n += 1) for (const nth of [2, 3]) waits.add(nth, addedMs + random() * limitOf(nth));
  return waits.problems('calls');
}

/** In how many of a thousand judgements something was wrong. */
const told = (limitOf: LimitOf, options: { readonly count?: number; readonly addedMs?: number } = {}): number =>
  Array.from({ length: 1000 }, (_, seed) => problems(limitOf, { ...options, seed })).filter((found) => found.length > 0).length;

test('waits that are drawn from limits that double are all right, also on a machine that adds to them', () => {
  expect(told(callLimitMs)).toBe(0);
  expect(told(callLimitMs, { addedMs: 400 })).toBe(0);
});

test('a client that tries again at once is told, of both waits', () => {
  expect(problems(() => 20)).toEqual([
    'calls that were refused were tried a second time too soon: 0 of 60 waits were longer than half of what they are drawn from, 14 have to be',
    'calls that were refused again did not wait longer each time: 0 of 60 waits were longer than half of what they are drawn from, 14 have to be',
  ]);
});

test('a client that waits as long the third time as the second is told, in 99 of 100 judgements where the machine adds 100 ms', () => {
  const flat = (): number => 1000;
  expect(told(flat)).toBe(1000);
  expect(told(flat, { addedMs: 100 })).toBeGreaterThanOrEqual(990);
  expect(problems(flat)).toEqual([expect.stringMatching(/^calls that were refused again did not wait longer each time: 0 of 60/) as string]);
});

test('a step is tried again by waits that grow on and on, to eight seconds', () => {
  const waits = new Waits(stepLimitMs);
  for (let n = 0; n < fewestWaits; n += 1) for (const nth of [2, 3, 4, 5]) waits.add(nth, Math.min(2000, stepLimitMs(nth)) * (n / fewestWaits));
  expect(waits.problems('steps')).toEqual([expect.stringMatching(/^steps that were refused again did not wait longer/) as string]);
});

test('too few waits are not judged, and that can be told', () => {
  expect(problems(() => 0, { count: fewestWaits - 1 })).toEqual([]);
  const waits = new Waits(callLimitMs);
  expect(waits.unjudged('calls')).toEqual([
    'the waits of calls before a second try were not judged: there were 0, 60 are needed', 'the waits of calls before a later try were not judged: there were 0, 60 are needed',
  ]);
  for (let n = 0; n < fewestWaits; n += 1) waits.add(2, 600);
  expect(waits.unjudged('calls')).toEqual([expect.stringMatching(/before a later try were not judged: there were 0,/) as string]);
  for (let n = 0; n < fewestWaits; n += 1) waits.add(3, 1200);
  expect(waits.unjudged('calls')).toEqual([]);
});

test('so few long ones come once in 100,000 times by chance', () => {
  // Exact: the shares of 2^count outcomes that have fewer long waits.
  const share = (count: number, fewer: number): number => {
    let [sum, ways] = [0, 1];
    for (let long = 0; long < fewer; long += 1) {
      sum += ways;
      ways = (ways * (count - long)) / (long + 1);
    }
    return sum / 2 ** count;
  };
  for (const count of [1, 16, 17, 40, 60, 200, 900]) {
    expect(share(count, fewestLong(count))).toBeLessThanOrEqual(1e-5);
    expect(share(count, fewestLong(count) + 1)).toBeGreaterThan(1e-5);
  }
  expect(fewestLong(20_000)).toBeGreaterThan(9000);
});

test('in a storm steps are held to their limits, and calls are not: of those that are given up while they wait only the short waits are seen', () => {
  const [calls, steps] = [new CallTries(), new StepTries()];
  for (const { waits } of [calls, steps]) for (let n = 0; n < fewestWaits; n += 1) waits.add(3, 500);
  expect(hotTries(calls, steps)).toEqual([expect.stringMatching(/^steps that were refused again did not wait longer/) as string]);
});

test('the limits of calls are those of the SDK, after a throttled try', async () => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(1);
  const waited = async (): Promise<number[]> => {
    const strategy = new StandardRetryStrategy(() => Promise.resolve(8));
    let token = await strategy.acquireInitialRetryToken('');
    const all: number[] = [];
    while (token.getRetryCount() < 7) {
      const from = Date.now();
      const next = strategy.refreshRetryTokenForRetry(token, { errorType: 'THROTTLING' });
      await vi.runAllTimersAsync();
      token = await next;
      all.push(Date.now() - from);
    }
    return all;
  };
  expect(await waited()).toEqual([2, 3, 4, 5, 6, 7, 8].map(callLimitMs));
  vi.useRealTimers();
});

test('the limits of steps are those of the workflow', () => {
  const [retrier] = retries();
  expect(retrier?.JitterStrategy).toBe('FULL');
  const limits = [0, 1, 2, 3, 4].map((nth) => Math.min(retrier?.MaxDelaySeconds ?? 0, (retrier?.IntervalSeconds ?? 0) * (retrier?.BackoffRate ?? 0) ** nth));
  expect(limits.map((seconds) => 1000 * seconds)).toEqual([2, 3, 4, 5, 6].map(stepLimitMs));
});
