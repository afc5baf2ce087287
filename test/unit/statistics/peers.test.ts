// The bench's peers do what their authors say: small samples with a result from the literature or worked out by hand.
import { describe, expect, it } from 'vitest';
import { kayenta, kayentaDefault } from '../../../bench/judge/peers/kayenta.ts';
import { rankTest } from '../../../bench/judge/peers/mann-whitney.ts';
import { sequentialTest } from '../../../bench/judge/peers/sequential.ts';
import { plainStatic, staticThreshold } from '../../../bench/judge/peers/static.ts';
import type { Judge } from '../../../bench/judge/judge.ts';
import type { Service } from '../../../bench/judge/subject.ts';

const latencies = (values: readonly number[]): Service => ({ requests: null, errors: null, latency: Float64Array.from(values) });
const numbers = (count: number, of: (index: number) => number): number[] => Array.from({ length: count }, (_, index) => of(index));

/** Asked after each point after the release, as the bench does. @returns the point at which it first says to roll back; null: never. */
function saidAt(judge: Judge, before: Service, after: Service): number | null {
  const joined = (one: Float64Array | null, other: Float64Array | null): Float64Array | null => (one === null || other === null ? null : Float64Array.from([...one, ...other]));
  const release = (before.latency ?? before.requests ?? new Float64Array()).length;
  const points = (after.latency ?? after.requests ?? new Float64Array()).length;
  const view = (seen: number) => {
    const until = (values: Float64Array | null): Float64Array | null => values?.subarray(0, seen) ?? null;
    const service = {
      requests: joined(before.requests, until(after.requests)), errors: joined(before.errors, until(after.errors)), latency: joined(before.latency, until(after.latency)),
    };
    return { service, controls: [], release, seen, stepSeconds: 60 };
  };
  const isWorse = judge.begin(view(0));
  for (let seen = 1; seen <= points; seen += 1) if (isWorse(view(seen))) return seen;
  return null;
}

describe('the rank test', () => {
  it('estimates the shift of Hollander and Wolfe (1973), permeability of human chorioamnion, as 0.305, at 95 % from −0.15 to 0.76', () => {
    const term = Float64Array.from([0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]);
    const early = Float64Array.from([1.15, 0.88, 0.90, 0.74, 1.21]);
    const { shift, low, high } = rankTest(early, term, 1.96);
    expect(shift).toBeCloseTo(0.305, 10);
    // 25 − 1.96 √(50 · 16 / 12) = 9.0: the ninth smallest and the ninth largest of the fifty differences.
    expect([low, high]).toEqual([expect.closeTo(-0.15, 10), expect.closeTo(0.76, 10)]);
  });

  it('widens with its confidence', () => {
    // Of 900 differences, 450 − 2.326 √(900 · 61 / 12) = 292.7: (30 − 6)(31 − 6) / 2 = 300 of them are six or more below the shift, 276 seven or more.
    const control = Float64Array.from(numbers(30, (index) => index));
    expect(rankTest(control, control.map((value) => value + 20), 2.326)).toEqual({ shift: 20, low: 14, high: 26 });
    // 450 − 1.96 · 67.6 = 317.4: 325 are five or more below.
    expect(rankTest(control, control.map((value) => value + 20), 1.96)).toEqual({ shift: 20, low: 15, high: 25 });
  });
});

describe('Kayenta', () => {
  const control = latencies(numbers(30, (index) => index));
  const shifted = (by: number): Service => latencies(numbers(30, (index) => index + by));

  it('waits for its thirty points, and calls a metric high when the interval lies above a quarter of the shift', () => {
    // The interval reaches six below the shift: 9 − 6 is more than a quarter of 9, and 8 − 6 just a quarter of 8.
    expect(saidAt(kayentaDefault, control, shifted(9))).toBe(30);
    expect(saidAt(kayentaDefault, control, shifted(8))).toBeNull();
    expect(saidAt(kayentaDefault, control, shifted(-9))).toBeNull();
  });

  it('lets a move pass that is smaller than its effect', () => {
    // Means of 14.5 and 23.5: half as much again and a little more.
    expect(saidAt(kayenta('', { from: 30, z: 2.326, effect: 1.6 }), control, shifted(9))).toBe(30);
    expect(saidAt(kayenta('', { from: 30, z: 2.326, effect: 1.7 }), control, shifted(9))).toBeNull();
  });

  it('takes fewer requests for worse, and measures by how many times fewer', () => {
    const requests = (count: (index: number) => number): Service => ({ requests: Float64Array.from(numbers(30, count)), errors: null, latency: null });
    const [usual, half] = [requests((index) => 96 + index % 9), requests((index) => 48 + (index % 9) / 2)];
    expect(saidAt(kayenta('', { from: 30, z: 2.326, effect: 1.9 }), usual, half)).toBe(30);
    expect(saidAt(kayenta('', { from: 30, z: 2.326, effect: 2.1 }), usual, half)).toBeNull();
    expect(saidAt(kayentaDefault, half, usual)).toBeNull();
  });

  it('says nothing on fewer than five points', () => {
    expect(saidAt(kayenta('', { from: 1, z: 2.326, effect: 1 }), latencies([1, 2, 1, 2]), latencies(numbers(20, () => 100)))).toBeNull();
    expect(saidAt(kayenta('', { from: 1, z: 1, effect: 1 }), control, latencies(numbers(20, () => 100)))).toBe(5);
  });
});

describe('the mixture sequential test', () => {
  /** Logarithms of a hundred latencies whose quantiles at 16, 50 and 84 % are −1, 0 and 1: mean 0, variance 1. */
  const standard = latencies(numbers(100, (index) => Math.exp(index < 40 ? -1 : index > 60 ? 1 : 0)));
  const steady = (level: number): Service => latencies(numbers(30, () => Math.exp(level)));

  it('stops when the ratio of the mixture exceeds one in a thousand', () => {
    // n points of level c: ½ ln(1 / (1 + n)) + n² c² / (2 (1 + n)), against ln 1000 = 6.908.
    // c = 2: 5.595 after four, 7.437 after five. c = 1: 6.583 after seventeen, 7.054 after eighteen. c = ½: 2.16 after thirty.
    expect(saidAt(sequentialTest, standard, steady(2))).toBe(5);
    expect(saidAt(sequentialTest, standard, steady(1))).toBe(18);
    expect(saidAt(sequentialTest, standard, steady(0.5))).toBeNull();
  });

  it('may be looked at any time: what was enough once stays enough; and better is not worse', () => {
    const once = latencies([...numbers(5, () => Math.exp(2)), ...numbers(25, () => 1)]);
    const lateLook: Judge = { name: '', begin: (at) => { const isWorse = sequentialTest.begin(at); return (now) => now.seen === 30 && isWorse(now); } };
    expect(saidAt(lateLook, standard, once)).toBe(30);
    expect(saidAt(sequentialTest, standard, steady(-2))).toBeNull();
  });

  it('does not speak after a single point, however far off', () => {
    // One point of 6: ½ ln ½ + 36 / 4 = 8.65, more than enough.
    expect(saidAt(sequentialTest, standard, steady(6))).toBe(2);
  });
});

describe('a static threshold', () => {
  const day = latencies(numbers(100, (index) => index + 1));
  const half = { inARow: 3, factor: 1.5, errors: 0.01 };

  it('counts points in a row beyond the 99 % quantile of the day before, times its factor', () => {
    expect(saidAt(staticThreshold('', half), day, latencies([151, 151, 151]))).toBe(3);
    expect(saidAt(staticThreshold('', half), day, latencies([150, 150, 150, 150]))).toBeNull();
    expect(saidAt(staticThreshold('', half), day, latencies([151, 151, 149, 151, 151, 151]))).toBe(6);
    expect(saidAt(plainStatic(5), day, latencies(numbers(9, () => 101)))).toBe(5);
  });

  it('takes errors above 1 % for too many where the day before had fewer, and requests below half', () => {
    const traffic = (count: number, share: number, points: number): Service =>
      ({ requests: Float64Array.from(numbers(points, () => count)), errors: Float64Array.from(numbers(points, () => count * share)), latency: null });
    const before = traffic(1000, 0.001, 100);
    expect(saidAt(plainStatic(3), before, traffic(1000, 0.011, 5))).toBe(3);
    expect(saidAt(plainStatic(3), before, traffic(1000, 0.01, 5))).toBeNull();
    expect(saidAt(plainStatic(3), before, traffic(499, 0.001, 5))).toBe(3);
    expect(saidAt(plainStatic(3), before, traffic(500, 0.001, 5))).toBeNull();
  });
});
