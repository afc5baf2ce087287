// How the same series moved over windows of the same length and lag without a release.
import { changeBase, errorBase, levelBase, pointSpread, type Measure } from './measure.ts';
import { missing, quantile, runningTotals } from './samples.ts';
import {
  baselineBlock, baselineBlocks, clipEffects, fewestBadPoints, fewestFreedom, fewestPlacebos, leastSpread, mostFreedom, placeboCount, shortHistoryFactor, tailScores,
} from './settings.ts';

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
  const width = Math.max(clipEffects * measure.smallest, lasting);
  const levels = measure.levels.slice();
  let level = missing;
  for (let index = 0; index < levels.length; index += 1) {
    if (index >= measure.release) level = measure.base;
    else if (index % baselineBlock === 0) level = levelBase(measure, index);
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
  /** Base of the real release by the same rule. */
  readonly base: number;
}

const golden = (Math.sqrt(5) - 1) / 2;

/** `lag`: points from the release up to now. A placebo's window ends before the real release. */
export const placeboReleases = (measure: Measure, lag: number): PlaceboReleases => {
  const first = baselineBlock * baselineBlocks;
  const last = measure.release - lag;
  const room = last - first + 1;
  const at: number[] = [];
  // Steps of the golden section never fall in step with a job that runs every hour, as a fixed stride would.
  if (room <= placeboCount) for (let index = first; index <= last; index += 1) at.push(index);
  else for (let place = 1; place <= placeboCount; place += 1) at.push(first + Math.floor(((place * golden) % 1) * room));
  const baseAt = measure.series.kind === 'errors' ? errorBase : changeBase;
  const bases = new Float64Array(at.length);
  for (let place = 0; place < at.length; place += 1) bases[place] = baseAt(measure, at[place] as number);
  return { at, bases, lag, base: baseAt(measure, measure.release) };
};

const upperSpread = (moves: Float64Array, centre: number): number =>
  // Each quantile over its standard normal score; the widest wins, so that a heavy tail counts as a wide spread.
  tailScores.reduce((widest, [share, score]) => Math.max(widest, (quantile(moves, share) - centre) / score), 0);

const movesAt = ({ sums, weights }: Measure, { at, bases, lag }: PlaceboReleases, length: number): Float64Array => {
  const moves = new Float64Array(at.length);
  let count = 0;
  for (let place = 0; place < at.length; place += 1) {
    const end = (at[place] as number) + lag;
    const weight = (weights[end] as number) - (weights[end - length] as number);
    const move = ((sums[end] as number) - (sums[end - length] as number)) / weight - (bases[place] as number);
    if (weight > 0 && move === move) {
      moves[count] = move;
      count += 1;
    }
  }
  return moves.subarray(0, count).toSorted();
};

/** The placebo windows of `length` points that end where the window after the release ends. */
export const placeboOf = (measure: Measure, releases: PlaceboReleases, length: number): Placebo => {
  const moves = movesAt(measure, releases, length);
  const least = leastSpread * measure.smallest;
  if (moves.length < fewestPlacebos) {
    const before = (shortHistoryFactor * pointSpread(measure)) / Math.sqrt(Math.min(length, fewestBadPoints));
    return { moves, centre: 0, spread: Math.max(before, least), freedom: fewestFreedom };
  }
  const centre = quantile(moves, 0.5);
  const independent = measure.release / (length + baselineBlock);
  const freedom = Math.min(mostFreedom, Math.max(fewestFreedom, Math.floor(independent)));
  return { moves, centre, spread: Math.max(upperSpread(moves, centre), least), freedom };
};
