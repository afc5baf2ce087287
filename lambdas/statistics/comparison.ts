// Would this have happened without the release? What moved in the same minutes elsewhere answers it.
import { comparedMeasure, windowLevel, type Measure, type Span } from './measure.ts';
import type { Comparison, Series } from './series.ts';
import { settings } from './settings.ts';

export interface ComparisonMove {
  readonly name: string;
  /** Rise above its own base in the window that speaks; on the scale of the service's own measure. */
  readonly effect: number;
}

/** Enough points before the release for a base. */
const spanOf = (release: number, until: number): Span => ({ from: Math.max(0, release - settings.errorBaseline), release, until });

const moveOf = (series: Series, release: number, until: number, length: number): { effect: number; measure: Measure } => {
  const span = spanOf(release, until);
  const measure = comparedMeasure(series, span);
  const end = until - span.from;
  return { effect: windowLevel(measure, end - length, end) - measure.base, measure };
};

/** Every comparison that has a signal of this kind, over the window of `length` points that ends before `until`. */
export const movesOf = (kind: Series['kind'], comparisons: readonly Comparison[], window: { release: number; until: number; length: number }): ComparisonMove[] =>
  comparisons.flatMap(({ name, series }) => {
    const same = series.find((one) => one.kind === kind);
    if (same === undefined) return [];
    const { effect } = moveOf(same, window.release, window.until, window.length);
    return Number.isFinite(effect) ? [{ name, effect }] : [];
  });

/** The middle move: one comparison with a trouble of its own neither excuses nor hides anything. 0 for none. */
export const sharedEffect = (moves: readonly ComparisonMove[]): number => {
  const sorted = moves.map((move) => move.effect).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return 0;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
};
