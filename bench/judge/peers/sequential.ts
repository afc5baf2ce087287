// Mixture sequential probability ratio test (Robbins 1970; Johari et al. 2017): may be looked at after each point.
import type { Judge, View } from '../judge.ts';
import { quantileOf } from '../subject.ts';
import { historyOf, levelsOf, present, type Levels } from './levels.ts';

const alpha = 1e-3;

/** Shares get a variance-stabilizing arcsine, the others a logarithm, so that one normal model serves all. */
const scaled = ({ kind, values }: Levels): Float64Array =>
  values.map((value) => (kind === 'errors' ? Math.asin(Math.sqrt(value)) : kind === 'latency' ? Math.log(value + 1e-9) : -Math.log(-value + 1)));

/** Largest ratio over all the looks so far: the test stops when it exceeds 1/α. */
const mixtureRatio = (after: Float64Array, mean: number, variance: number): number => {
  const prior = variance;
  let total = 0;
  let largest = 0;
  for (const [index, value] of after.entries()) {
    total += value - mean;
    const looks = index + 1;
    if (total <= 0) continue;
    const spread = variance + looks * prior;
    const log = 0.5 * Math.log(variance / spread) + (prior * total ** 2) / (2 * variance * spread);
    largest = Math.max(largest, log);
  }
  return largest;
};

const usual = (levels: Levels, atRelease: View): { mean: number; variance: number } => {
  const before = historyOf(scaled(levels), atRelease);
  const width = (quantileOf(before, 0.84) - quantileOf(before, 0.16)) / 2;
  return { mean: quantileOf(before, 0.5), variance: Math.max(width, 1e-3) ** 2 };
};

export const sequentialTest: Judge = {
  name: 'mixture sequential test, α = 0.001',
  begin: (atRelease) => {
    const before = levelsOf(atRelease.service).map((levels) => usual(levels, atRelease));
    return ({ service, release, seen }) => seen >= 2 && levelsOf(service).some(({ kind, values }, index) => {
      const { mean, variance } = before[index] ?? { mean: Number.NaN, variance: 1 };
      const after = scaled({ kind, values: present(values, release, release + seen) });
      return mixtureRatio(after, mean, variance) >= Math.log(1 / alpha);
    });
  },
};
