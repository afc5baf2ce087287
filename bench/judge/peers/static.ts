// A static threshold that must be crossed several times in a row: how Argo Rollouts and Flagger end a canary.
import type { Judge } from '../judge.ts';
import { quantileOf } from '../subject.ts';
import { historyOf, lastOf, levelsOf, type Levels } from './levels.ts';

export interface StaticSettings {
  readonly inARow: number;
  /** How far beyond yesterday's quantile: 1.5 is half as much again. */
  readonly factor: number;
  /** Share of errors below which nothing counts. */
  readonly errors: number;
}

/** What an owner would set after a look at yesterday: errors and latency above their 99 % quantile, traffic halved. */
const thresholdOf = (kind: Levels['kind'], history: Float64Array, { factor, errors }: StaticSettings): number => {
  if (kind === 'errors') return Math.max(errors, factor * quantileOf(history, 0.99));
  if (kind === 'latency') return factor * quantileOf(history, 0.99);
  return quantileOf(history, 0.5) / (2 * factor);
};

/** `inARow`: `failureLimit` of an Argo AnalysisTemplate, `threshold` of a Flagger Canary. */
export const staticThreshold = (name: string, settings: StaticSettings): Judge => ({
  name,
  begin: (atRelease) => {
    const { inARow } = settings;
    const thresholds = levelsOf(atRelease.service).map(({ kind, values }) => thresholdOf(kind, historyOf(values, atRelease), settings));
    return ({ service, seen }) => seen >= inARow && levelsOf(service).some(({ values }, index) =>
      lastOf(values, inARow).every((value) => value > (thresholds[index] ?? Infinity)));
  },
});

/** Errors above 1 %, as in the tools' own examples. */
export const plainStatic = (inARow: number): Judge => staticThreshold(`static threshold, ${inARow} in a row`, { inARow, factor: 1, errors: 0.01 });
