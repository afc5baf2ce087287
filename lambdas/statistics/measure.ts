// A signal on the scale where it is judged: worse is up, windows are means, and one release splits it in before and after.
import { clean, median, missing, quantile, runningTotals, type Points } from './samples.ts';
import type { Series } from './series.ts';
import {
  baselineBlock, baselineBlocks, beforeLengths, errorBaseline, healedErrors, healedPoints, healedShare, latencyFloor, levelsBelow, smallestErrors, smallestErrorsCap, smallestErrorsRatio, smallestRatio, smallestTraffic, unseenErrors,
} from './settings.ts';

/** Where the arrays of a measure begin, the release lies and they end, in the indices of the series. */
export interface Span {
  readonly from: number;
  readonly release: number;
  readonly until: number;
}

export interface Measure {
  readonly series: Series;
  /** Level of each point, worse is up: log of latency, minus log of traffic, share of errors. NaN where missing. */
  readonly levels: Float64Array;
  /** Running totals of level × weight and of the weight; the weight is the requests for errors and 1 otherwise. */
  readonly sums: Float64Array;
  readonly weights: Float64Array;
  /** Index of the first point after the release, in these arrays. */
  readonly release: number;
  /** Level expected without the release. */
  readonly base: number;
  /** Smallest rise above the base that counts. */
  readonly smallest: number;
  /** Share of errors over the whole history; NaN for other signals. */
  readonly usual: number;
}

/** Weighted mean level from one index up to another; NaN when nothing is there. */
export const windowLevel = (measure: Pick<Measure, 'sums' | 'weights'>, from: number, until: number): number => {
  const { sums, weights } = measure;
  const weight = (weights[until] as number) - (weights[from] as number);
  return weight > 0 ? ((sums[until] as number) - (sums[from] as number)) / weight : missing;
};

/** Requests and those that failed, from one index up to another; of errors only. */
export const counted = ({ sums, weights }: Pick<Measure, 'sums' | 'weights'>, from: number, until: number): { readonly requests: number; readonly failed: number } =>
  ({ requests: (weights[until] as number) - (weights[from] as number), failed: (sums[until] as number) - (sums[from] as number) });

/** Share of errors to count with: a history without errors does not prove that there are none. */
export const countedBase = ({ base, weights, release }: Pick<Measure, 'base' | 'weights' | 'release'>): number =>
  Math.max(base, unseenErrors / Math.max(1, weights[release] as number));

/** Scratch of `levelBase`, filled anew by each call: an allocation for each placebo costs more than its median. */
const means = new Float64Array(baselineBlocks);

/** Spread of single points around their middle in the last hour with data before the release, as one standard deviation. */
export const pointSpread = ({ series, levels, release }: Measure): number => {
  const before = levels.subarray(0, release).filter((level) => level === level).slice(-errorBaseline).toSorted();
  // Errors by the middle half: an incident of ten minutes is a sixth of the hour.
  const [share, scores] = series.kind === 'errors' ? [0.75, 1.35] : [0.84, 2];
  return (quantile(before, share) - quantile(before, 1 - share)) / scores;
};

type Leveled = Pick<Measure, 'series' | 'sums' | 'weights'>;

/**
 * Median of nine means of five points that end at `at`. Where fewer than a third of them have data (a night without requests), it reaches back until so many have; NaN when
 * none are left. Not of traffic: how many requests came in the evening is not what is usual in the morning.
 */
export const levelBase = (measure: Leveled, at: number): number => {
  const [block, blocks] = [baselineBlock, baselineBlocks];
  const nearest = at - block * blocks;
  const fewest = measure.series.kind === 'traffic' ? 0 : blocks / 3;
  let count = 0;
  for (let end = at; end - block >= 0 && (end > nearest || count < fewest); end -= block) {
    const mean = windowLevel(measure, end - block, end);
    if (mean !== mean) continue;
    // Insertion into the sorted few: a call of sort costs ten times as much, and this runs for every placebo.
    let place = count;
    for (; place > 0 && (means[place - 1] as number) > mean; place -= 1) means[place] = means[place - 1] as number;
    means[place] = mean;
    count += 1;
  }
  if (count * 3 < blocks) return missing;
  return ((means[(count - 1) >> 1] as number) + (means[count >> 1] as number)) / 2;
};

/** What was there right before a release is not its doing: the higher of the base and the lower of two short means before it, so that one wild point does not raise it. */
export const changeBase = (measure: Leveled, at: number): number => {
  const base = levelBase(measure, at);
  const [shorter, longer] = beforeLengths;
  const before = Math.min(windowLevel(measure, Math.max(0, at - shorter), at), windowLevel(measure, Math.max(0, at - longer), at));
  return before > base ? before : base;
};

/** The higher of the share just before `at` and the usual share: errors come in bursts that a quiet hour does not show. A burst that has plainly healed by then is not counted. */
export const errorBase = (measure: Pick<Measure, 'sums' | 'weights' | 'usual'>, at: number): number => {
  const hour = windowLevel(measure, Math.max(0, at - errorBaseline), at);
  const { requests, failed } = counted(measure, Math.max(0, at - healedPoints), at);
  const recent = requests * hour >= healedErrors && failed < requests * hour * healedShare ? failed / requests : hour;
  return recent > measure.usual ? recent : measure.usual;
};

const shareOver = (errors: Points, requests: Points, until: number): number => {
  let failed = 0;
  let all = 0;
  for (let index = 0; index < until; index += 1) {
    const count = requests[index];
    if (!(typeof count === 'number' && count > 0 && count < Infinity)) continue;
    const wrong = errors[index];
    all += count;
    if (typeof wrong === 'number' && wrong > 0) failed += wrong < count ? wrong : count;
  }
  return all > 0 ? failed / all : missing;
};

/** Errors as shares; while there is traffic, a missing count of errors is zero: CloudWatch sends no zeros for errors. */
const errorMeasure = (series: Series, { from, release, until }: Span): Measure => {
  const requests = clean(series.requests ?? [], from, until);
  const errors = clean(series.values, from, until);
  const levels = new Float64Array(until - from);
  for (let index = 0; index < levels.length; index += 1) {
    const count = requests[index] as number;
    const failed = errors[index] as number;
    if (failed !== failed) errors[index] = 0;
    else if (failed > count) errors[index] = count;
    if (!(count > 0)) {
      errors[index] = 0;
      requests[index] = 0;
    }
    levels[index] = (errors[index] as number) / (requests[index] as number);
  }
  const parts = { sums: runningTotals(errors), weights: runningTotals(requests), usual: shareOver(series.values, series.requests ?? [], release) };
  const base = errorBase(parts, release - from);
  const smallest = Math.min(smallestErrorsCap, Math.max(smallestErrors, smallestErrorsRatio * base));
  return { series, levels, ...parts, release: release - from, base, smallest };
};

const levelMeasure = (series: Series, { from, release, until }: Span, floor: number): Measure => {
  const levels = clean(series.values, from, until);
  const present = new Float64Array(levels.length);
  const sign = series.kind === 'traffic' ? -1 : 1;
  for (let index = 0; index < levels.length; index += 1) {
    const value = levels[index] as number;
    if (value !== value) continue;
    levels[index] = sign * Math.log(value > floor ? value : floor);
    present[index] = 1;
  }
  const parts = { sums: runningTotals(levels), weights: runningTotals(present) };
  const ratio = series.kind === 'traffic' ? smallestTraffic : smallestRatio;
  return { series, levels, ...parts, release: release - from, base: levelBase({ series, ...parts }, release - from), smallest: Math.log(ratio), usual: missing };
};

/** A floor far below what is usual, so that a zero has a logarithm. */
const relativeFloor = (series: Series, release: number): number =>
  Math.max(Number.MIN_VALUE, median(clean(series.values, Math.max(0, release - errorBaseline), release)) / levelsBelow);

/** The service's own signal over the hour before the release; over all of the history where that hour has too little data for a base. */
export const recentMeasure = (series: Series, release: number, until: number): Measure => {
  const hour = measureOf(series, { from: Math.max(0, release - errorBaseline), release, until });
  return Number.isFinite(hour.base) ? hour : measureOf(series, { from: 0, release, until });
};

/** A comparison's signal: a dependency of 2 ms that doubles says as much as one of 200 ms, so that there is no floor of notice. */
export const comparedMeasure = (series: Series, span: Span): Measure =>
  series.kind === 'errors' ? errorMeasure(series, span)
    : levelMeasure(series, span, relativeFloor(series, span.release));

/** The service's own signal. */
export const measureOf = (series: Series, span: Span): Measure =>
  series.kind === 'latency' ? levelMeasure(series, span, latencyFloor) : comparedMeasure(series, span);
