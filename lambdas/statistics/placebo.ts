// How the same series moved over windows of the same length and lag without a release.
import { errorBase, levelBase, windowLevel, type Measure } from './measure.ts';
import { quantile, runningTotals } from './samples.ts';
import { settings } from './settings.ts';

export interface Placebo {
  /** Moves of the placebo windows in rising order. */
  readonly moves: Float64Array;
  readonly centre: number;
  /** One standard deviation of a normal distribution with the same upper tail. */
  readonly spread: number;
  readonly freedom: number;
}

/** The history with wild points cut back to a few smallest effects, or to the lasting rise if that is more, around the level of their time. */
export const clipped = (measure: Measure, lasting: number): Measure => {
  if (measure.series.kind === 'errors') return measure;
  const width = Math.max(settings.clip * measure.smallest, lasting);
  const levels = measure.levels.slice();
  let level = Number.NaN;
  for (let index = 0; index < levels.length; index += 1) {
    if (index >= measure.release) level = measure.base;
    else if (index % settings.baselineBlock === 0) level = levelBase(measure, index);
    const value = levels[index] as number;
    if (value > level + width) levels[index] = level + width;
    else if (value < level - width) levels[index] = level - width;
  }
  return { ...measure, levels, sums: runningTotals(levels) };
};

/** Where placebo releases stand, and the base of each: shared by all window lengths of one look. */
export interface PlaceboReleases {
  readonly at: readonly number[];
  readonly bases: Float64Array;
  readonly lag: number;
}

/** `lag`: points from the release up to now. A placebo's window ends before the real release. */
export const placeboReleases = (measure: Measure, lag: number): PlaceboReleases => {
  const first = settings.baselineBlock * settings.baselineBlocks;
  const last = measure.release - lag;
  const stride = Math.max(1, Math.ceil((last - first + 1) / settings.placebos));
  const at: number[] = [];
  for (let index = last; index >= first; index -= stride) at.push(index);
  const baseAt = measure.series.kind === 'errors' ? errorBase : levelBase;
  return { at, bases: Float64Array.from(at, (index) => baseAt(measure, index)), lag };
};

const upperSpread = (moves: Float64Array, centre: number): number =>
  // Each quantile over its standard normal score; the widest wins, so that a heavy tail counts as a wide spread.
  Math.max(quantile(moves, 0.84) - centre, (quantile(moves, 0.975) - centre) / 1.96, (quantile(moves, 0.99) - centre) / 2.6);

const beforeSpread = (measure: Measure, length: number): number => {
  const levels = measure.levels.subarray(Math.max(0, measure.release - settings.errorBaseline), measure.release).filter((level) => level === level).sort();
  const width = (quantile(levels, 0.84) - quantile(levels, 0.16)) / 2;
  return (settings.shortHistoryFactor * width) / Math.sqrt(Math.min(length, settings.badPoints));
};

/** The placebo windows of `length` points that end where the window after the release ends. */
export const placeboOf = (measure: Measure, releases: PlaceboReleases, length: number): Placebo => {
  const { at, bases, lag } = releases;
  const moves = Float64Array.from(at, (index, place) => windowLevel(measure, index + lag - length, index + lag) - (bases[place] as number))
    .filter((move) => move === move).sort();
  const least = settings.leastSpread * measure.smallest;
  if (moves.length < settings.fewestPlacebos) {
    const spread = Math.max(beforeSpread(measure, length), least);
    return { moves, centre: 0, spread: Number.isFinite(spread) ? spread : measure.smallest, freedom: settings.fewestFreedom };
  }
  const centre = quantile(moves, 0.5);
  const independent = measure.release / (length + settings.baselineBlock);
  const freedom = Math.min(settings.mostFreedom, Math.max(settings.fewestFreedom, Math.floor(independent)));
  return { moves, centre, spread: Math.max(upperSpread(moves, centre), least), freedom };
};
