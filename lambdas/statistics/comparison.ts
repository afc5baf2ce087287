// Would this have happened without the release? What moved in the same minutes elsewhere answers it.
import { comparedMeasure, countedBase, windowLevel, type Measure, type Span } from './measure.ts';
import { quantile } from './samples.ts';
import type { Comparison, Series } from './series.ts';
import { errorBaseline, fewestBadPoints, leastSpread, oneVoice, patiencePoints, sharedLimit, sharedStrength } from './settings.ts';

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
}

/** ln likelihood ratio of a count under a higher and a lower rate; Poisson, divided by how much the counts spread. */
const countRatio = (count: number, high: number, low: number): number => count * Math.log(high / low) - (high - low);

/** ln likelihood ratio of a shift by `effect` over none, for a normal mean with this spread. */
const shiftRatio = (move: number, shift: number, spread: number): number => (shift * (move - shift / 2)) / spread ** 2;

const bounded = (ratio: number): number => Math.max(-oneVoice, Math.min(oneVoice, ratio));

/** Rather there in this window than not? For errors on the counts, otherwise on the mean against the spread before the release. */
export const likelihoodOf = (measure: Measure, window: CompareWindow): { now: number; atBest: number } => {
  const { from, until, effect } = window;
  if (measure.series.kind === 'errors') {
    const requests = (measure.weights[until] as number) - (measure.weights[from] as number);
    const failed = (measure.sums[until] as number) - (measure.sums[from] as number);
    const low = requests * countedBase(measure);
    // Only what still succeeds can begin to fail: a comparison that fails anyway has nothing to say.
    const high = low + Math.max(0, requests - low) * effect * sharedStrength;
    return requests > 0 ? { now: countRatio(failed, high, low), atBest: countRatio(low, high, low) } : { now: 0, atBest: 0 };
  }
  const move = windowLevel(measure, from, until) - measure.base;
  const spread = spreadOf(measure, until - from);
  const shift = effect * sharedStrength;
  return move === move ? { now: shiftRatio(move, shift, spread), atBest: shiftRatio(0, shift, spread) } : { now: 0, atBest: 0 };
};

/** Spread of single points around their middle in the hour before the release, as one standard deviation. */
export const pointSpread = (measure: Measure): number => {
  const before = measure.levels.subarray(Math.max(0, measure.release - errorBaseline), measure.release).filter((level) => level === level).toSorted();
  return (quantile(before, 0.84) - quantile(before, 0.16)) / 2;
};

/** Spread of a mean over `length` points: neighbours are alike, so that more than a few points hardly help. */
const spreadOf = (measure: Measure, length: number): number =>
  Math.max(leastSpread * measure.smallest, pointSpread(measure) / Math.sqrt(Math.min(length, fewestBadPoints)));

/** Enough points before the release for a base. */
const spanOf = (release: number, until: number): Span => ({ from: Math.max(0, release - errorBaseline), release, until });

/** Every comparison that has a signal of this kind. `window` counts from the release. */
export const movesOf = (kind: Series['kind'], comparisons: readonly Comparison[], release: number, window: CompareWindow): ComparisonMove[] =>
  comparisons.flatMap(({ name, series }) => {
    const same = series.find((one) => one.kind === kind);
    if (same === undefined) return [];
    const measure = comparedMeasure(same, spanOf(release, release + window.until));
    const shifted = { ...window, from: measure.release + window.from, until: measure.release + window.until };
    const effect = windowLevel(measure, shifted.from, shifted.until) - measure.base;
    const { now, atBest } = likelihoodOf(measure, shifted);
    return Number.isFinite(effect) && Number.isFinite(now) ? [{ name, effect, shared: bounded(now), atBest: bounded(atBest) }] : [];
  });

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
