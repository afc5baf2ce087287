// Would this have happened without the release? What moved in the same minutes elsewhere answers it.
import { comparedMeasure, counted, countedBase, pointSpread, windowLevel, type Measure } from './measure.ts';
import type { Comparison, Series } from './series.ts';
import { dependencyLead, dependencyShare, errorBaseline, fewestBadPoints, leastSpread, oneVoice, patiencePoints, sharedLimit, sharedStrength } from './settings.ts';

export interface ComparisonMove {
  readonly name: string;
  /** Rise above its own base while the service was bad; on the scale of the service's own measure. */
  readonly effect: number;
  /** ln of the likelihood that it shares the service's harm over that it does not. Above 0: rather shared. */
  readonly shared: number;
  /** What `shared` would be if it stayed exactly at its base: how much it can say at best. 0 or less. */
  readonly atBest: number;
}

export interface CompareWindow {
  readonly from: number;
  readonly until: number;
  /** Rise of the service in that window. */
  readonly effect: number;
  /** Part of that rise which whatever shares it shows at least; absent: about `sharedStrength`, no less and no more. */
  readonly atLeast?: number;
}

const bounded = (ratio: number): number => Math.max(-oneVoice, Math.min(oneVoice, ratio));

/** Rather there in this window than not? For errors on the counts, otherwise on the mean against the spread before the release. */
export const likelihoodOf = (measure: Measure, window: CompareWindow): { now: number; atBest: number } => {
  const { from, until, effect, atLeast } = window;
  const move = windowLevel(measure, from, until) - measure.base;
  const strength = atLeast === undefined ? sharedStrength : Math.max(atLeast, move / effect);
  if (measure.series.kind === 'errors') {
    const { requests, failed } = counted(measure, from, until);
    const low = requests * countedBase(measure);
    // Only what still succeeds can begin to fail: a comparison that fails anyway has nothing to say.
    const high = low + Math.max(0, requests - low) * effect * strength;
    // ln likelihood ratio of a Poisson count under the higher and the lower rate.
    const ratio = (count: number): number => (requests > 0 ? count * Math.log(high / low) - (high - low) : 0);
    return { now: ratio(failed), atBest: ratio(low) };
  }
  const spread = spreadOf(measure, until - from);
  const shift = effect * strength;
  // ln likelihood ratio of a shift over none, for a normal mean with this spread.
  const ratio = (level: number): number => (move === move ? (shift * (level - shift / 2)) / spread ** 2 : 0);
  return { now: ratio(move), atBest: ratio(0) };
};

/** Spread of a mean over `length` points: neighbours are alike, so that more than a few points hardly help. */
const spreadOf = (measure: Measure, length: number): number =>
  Math.max(leastSpread * measure.smallest, pointSpread(measure) / Math.sqrt(Math.min(length, fewestBadPoints)));

/** Every comparison that has a signal of this kind. `window` counts from the release. */
export const movesOf = (kind: Series['kind'], comparisons: readonly Comparison[], release: number, window: CompareWindow): ComparisonMove[] =>
  comparisons.flatMap(({ name, series }) => {
    const same = series.find((one) => one.kind === kind);
    if (same === undefined) return [];
    const measure = comparedMeasure(same, { from: Math.max(0, release - errorBaseline), release, until: release + window.until });
    const shifted = { ...window, from: measure.release + window.from, until: measure.release + window.until };
    const effect = windowLevel(measure, shifted.from, shifted.until) - measure.base;
    const { now, atBest } = likelihoodOf(measure, shifted);
    return Number.isFinite(effect) && Number.isFinite(now) ? [{ name, effect, shared: bounded(now), atBest: bounded(atBest) }] : [];
  });

/** What the service calls. Whoever has fewer requests calls others less: that they are called less explains nothing. */
export const calledMoves = (kind: Series['kind'], dependencies: readonly Comparison[], release: number, window: CompareWindow): ComparisonMove[] =>
  (kind === 'traffic' ? [] : movesOf(kind, dependencies, release, { ...window, atLeast: dependencyShare }));

/** A called dependency that shows enough of the harm, by more than its own noise, explains it. */
export const explains = ({ shared }: ComparisonMove): boolean => shared >= dependencyLead;

/**
 * Is the harm elsewhere too? One comparison with a trouble of its own neither excuses nor hides much: each voice is bounded.
 * `undecided`: rather not, but with less than the assurance that comparisons with enough data give; null: no.
 */
export const sharingOf = (moves: readonly ComparisonMove[], points: number): 'shared' | 'undecided' | null => {
  if (moves.length === 0) return null;
  const total = moves.reduce((sum, move) => sum + move.shared, 0);
  const atBest = moves.reduce((sum, move) => sum + move.atBest, 0);
  if (total > 0) return 'shared';
  return total > (points < patiencePoints ? sharedLimit : Math.max(sharedLimit, atBest / 2)) ? 'undecided' : null;
};
