// A static threshold that must be crossed several times in a row: how Argo Rollouts and Flagger end a canary.
import type { Judge } from '../judge.ts';
import { quantileOf } from '../subject.ts';
import { historyOf, lastOf, levelsOf, type Levels } from './levels.ts';

/** What an owner would set after a look at yesterday: errors above 1 % (the tools' own examples), latency above its 99 % quantile, traffic halved. */
const thresholdOf = (kind: Levels['kind'], history: Float64Array): number => {
  if (kind === 'errors') return Math.max(0.01, quantileOf(history, 0.99));
  if (kind === 'latency') return quantileOf(history, 0.99);
  return quantileOf(history, 0.5) / 2;
};

/** `failureLimit` of an Argo AnalysisTemplate, `threshold` of a Flagger Canary. */
export const staticThreshold = (name: string, inARow: number): Judge => ({
  name,
  begin: (atRelease) => {
    const thresholds = levelsOf(atRelease.service).map(({ kind, values }) => thresholdOf(kind, historyOf(values, atRelease)));
    return ({ service, seen }) => seen >= inARow && levelsOf(service).some(({ values }, index) =>
      lastOf(values, inARow).every((value) => value > (thresholds[index] ?? Infinity)));
  },
});
