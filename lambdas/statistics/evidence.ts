// How strongly one signal speaks: −log10 of the chance of such a move without a release, on the worse of two accounts.
import { counted, countedBase, windowLevel, type Measure } from './measure.ts';
import { placeboOf, type Placebo, type PlaceboReleases } from './placebo.ts';
import { log10CountTail, log10StudentTail } from './tails.ts';

export interface Window {
  /** Points. */
  readonly length: number;
  /** Rise above the base, on the scale of the measure. */
  readonly effect: number;
  /** −log10 of a chance; 0 where something stands against the release and history was not asked. */
  readonly evidence: number;
  readonly placebo: Placebo | null;
}

/** Few errors may be chance however quiet the history was; how much more they vary than chance is what the placebo windows say. */
const countEvidence = (measure: Measure, from: number, until: number): number => {
  const { requests, failed } = counted(measure, from, until);
  return -log10CountTail(failed, requests * countedBase(measure));
};

/** Judges the last `length` points. `measure` holds the history, with wild points cut back. */
export const judgeWindow = (measure: Measure, releases: PlaceboReleases, length: number): Window => {
  const until = measure.release + releases.lag;
  const level = windowLevel(measure, until - length, until);
  const placebo = placeboOf(measure, releases, length);
  const moved = -log10StudentTail((level - releases.base - Math.max(0, placebo.centre)) / placebo.spread, placebo.freedom);
  const evidence = measure.series.kind === 'errors' ? Math.min(moved, countEvidence(measure, until - length, until)) : moved;
  return { length, effect: level - measure.base, evidence, placebo };
};
