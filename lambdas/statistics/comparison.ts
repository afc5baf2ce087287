// Would this have happened without the release? What moved in the same minutes elsewhere answers it.
import { comparedMeasure, windowLevel, type Measure, type Span } from './measure.ts';
import { quantile } from './samples.ts';
import type { Comparison, Series } from './series.ts';
import { settings } from './settings.ts';

export interface ComparisonMove {
  readonly name: string;
  /** Rise above its own base while the service was bad; on the scale of the service's own measure. */
  readonly effect: number;
  /** ln of the likelihood that it shares the service's harm over that it does not. Above 0: rather shared. */
  readonly shared: number;
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
const shiftRatio = (move: number, effect: number, spread: number): number => (effect * (move - effect / 2)) / spread ** 2;

const bounded = (ratio: number): number => Math.max(-settings.oneVoice, Math.min(settings.oneVoice, ratio));

/** Rather there in this window than not? For errors on the counts, otherwise on the mean against the spread before the release. */
export const likelihoodOf = (measure: Measure, window: CompareWindow): number => {
  const { from, until, effect } = window;
  if (measure.series.kind === 'errors') {
    const requests = (measure.weights[until] as number) - (measure.weights[from] as number);
    const failed = (measure.sums[until] as number) - (measure.sums[from] as number);
    const seen = Math.max(1, measure.weights[measure.release] as number);
    const low = requests * Math.max(measure.base, 0.5 / seen);
    return requests > 0 ? countRatio(failed, low + requests * effect * settings.sharedStrength, low) : 0;
  }
  const move = windowLevel(measure, from, until) - measure.base;
  return move === move ? shiftRatio(move, effect, spreadOf(measure, until - from)) : 0;
};

/** Spread of a mean over `length` points: neighbours are alike, so that more than a few points hardly help. */
const spreadOf = (measure: Measure, length: number): number => {
  const before = measure.levels.subarray(Math.max(0, measure.release - settings.errorBaseline), measure.release).filter((level) => level === level).sort();
  const width = (quantile(before, 0.84) - quantile(before, 0.16)) / 2;
  return Math.max(settings.leastSpread * measure.smallest, width / Math.sqrt(Math.min(length, settings.badPoints)));
};

/** Enough points before the release for a base. */
const spanOf = (release: number, until: number): Span => ({ from: Math.max(0, release - settings.errorBaseline), release, until });

/** Every comparison that has a signal of this kind. `window` counts from the release. */
export const movesOf = (kind: Series['kind'], comparisons: readonly Comparison[], release: number, window: CompareWindow): ComparisonMove[] =>
  comparisons.flatMap(({ name, series }) => {
    const same = series.find((one) => one.kind === kind);
    if (same === undefined) return [];
    const measure = comparedMeasure(same, spanOf(release, release + window.until));
    const shifted = { ...window, from: measure.release + window.from, until: measure.release + window.until };
    const effect = windowLevel(measure, shifted.from, shifted.until) - measure.base;
    return Number.isFinite(effect) ? [{ name, effect, shared: bounded(likelihoodOf(measure, shifted)) }] : [];
  });

/** Is the harm rather elsewhere too? One comparison with a trouble of its own neither excuses nor hides much: each voice is bounded. */
export const isShared = (moves: readonly ComparisonMove[]): boolean =>
  moves.length > 0 && moves.reduce((total, move) => total + move.shared, 0) > settings.sharedLimit;
