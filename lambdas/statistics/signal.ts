// Judges one signal of the service: is it worse, is it worse because of the release, and if it cannot be told, why not.
import { movesOf, sharingOf, type ComparisonMove } from './comparison.ts';
import { judgeWindow, type Window } from './evidence.ts';
import { measureOf, windowLevel, type Measure } from './measure.ts';
import { clipped, placeboReleases } from './placebo.ts';
import { quantile } from './samples.ts';
import type { Comparison, Series } from './series.ts';
import { dependencyShare, errorBaseline, fewestBadPoints, fewestRequests, lengthCounts, windowLengths, windowsCompared } from './settings.ts';
import { shapeOf, type Shape } from './shape.ts';

export type SignalStatus =
  /** Nothing can be said: no periods yet, no values since the release, too short a history, no requests, too few of them. */
  | 'too-early' | 'no-data' | 'short-history' | 'no-traffic' | 'few-requests'
  /** Not worse: no move that counts, not enough bad points or over by now, healing by itself. */
  | 'flat' | 'passing' | 'fading'
  /** Worse, but not by the release: was there before, comparisons share it, a dependency has it. */
  | 'before' | 'shared' | 'dependency'
  /** Worse, and the comparisons have too little data to tell whether they share it. */
  | 'undecided'
  /** A fall of traffic with nothing to compare it to: usually somebody else's symptom. */
  | 'no-controls'
  /** Worse, and nothing but the release explains it; whether that is enough is decided over all signals. */
  | 'bad';

export const unrelatedStatuses: ReadonlySet<SignalStatus> = new Set(['before', 'shared', 'dependency']);

export interface SignalJudgement {
  readonly series: Series;
  readonly status: SignalStatus;
  readonly measure: Measure;
  /** The window that speaks loudest; null when none moved. */
  readonly window: Window | null;
  readonly shape: Shape | null;
  readonly controls: readonly ComparisonMove[];
  readonly dependencies: readonly ComparisonMove[];
}

/** What a signal is judged with. */
export interface Circumstances {
  readonly controls: readonly Comparison[];
  readonly dependencies?: readonly Comparison[];
  readonly releaseIndex: number;
}

/** Rise that three of four points of the shortest window reach at least. */
const lastingRise = ({ levels, base }: Measure): number =>
  quantile(levels.slice(-fewestBadPoints).filter((level) => level === level).toSorted(), 0.25) - base;

/** Lengths of the windows that moved by enough, the most telling first: a longer window strays less, but neighbours are alike. */
const tellingLengths = (measure: Measure, lag: number): number[] => {
  const until = measure.release + lag;
  return windowLengths.flatMap((length) => {
    const effect = length <= lag ? windowLevel(measure, until - length, until) - measure.base : Number.NaN;
    return effect >= measure.smallest ? [{ length, telling: effect * length ** lengthCounts }] : [];
  }).toSorted((a, b) => b.telling - a.telling).slice(0, windowsCompared).map((one) => one.length);
};

/** The history is only read and its placebos are only drawn when some window moved by enough: most looks end before that. */
const bestWindow = (quick: Measure, full: () => Measure, lag: number): Window | null => {
  const lengths = tellingLengths(quick, lag);
  if (lengths.length === 0) return null;
  const history = clipped(full(), lastingRise(quick));
  const releases = placeboReleases(history, lag);
  let best: Window | null = null;
  for (const length of lengths) {
    const window = judgeWindow(history, releases, length);
    if (window.effect >= history.smallest && (best === null || window.evidence > best.evidence)) best = window;
  }
  return best;
};

const requestsAfter = (series: Series, release: number): { total: number; present: number } => {
  const counts = series.kind === 'traffic' ? series.values : series.requests;
  if (counts === undefined) return { total: Infinity, present: 1 };
  let total = 0;
  let present = 0;
  for (let index = release; index < series.values.length; index += 1) {
    const count = counts[index];
    if (typeof count !== 'number' || !(count >= 0)) continue;
    total += count;
    present += 1;
  }
  return { total, present };
};

/** Why this signal cannot be judged at all; null when it can. */
const obstacle = (series: Series, measure: Measure, release: number): SignalStatus | null => {
  const until = series.values.length;
  if (until - release < fewestBadPoints) return 'too-early';
  const { total, present } = requestsAfter(series, release);
  if (present === 0) return 'no-data';
  // Traffic that stops altogether is a move to judge, not an obstacle.
  if (series.kind !== 'traffic' && total === 0) return 'no-traffic';
  if (series.kind !== 'traffic' && total < fewestRequests) return 'few-requests';
  if (!(windowLevel(measure, measure.release, measure.levels.length) === windowLevel(measure, measure.release, measure.levels.length))) return 'no-data';
  return Number.isFinite(measure.base) ? null : 'short-history';
};

const courseStatus = (shape: Shape): SignalStatus | null => {
  if (shape.badPoints < fewestBadPoints || !shape.isBadNow || !shape.isMoreThanSpike) return 'passing';
  return shape.isFading ? 'fading' : null;
};

/** One signal of the service, as of its last value. */
export const judgeSignal = (series: Series, { controls, dependencies = [], releaseIndex }: Circumstances): SignalJudgement => {
  const until = series.values.length;
  const span = { from: Math.max(0, releaseIndex - errorBaseline), release: releaseIndex, until };
  const measure = measureOf(series, span);
  const nothing = { series, measure, window: null, shape: null, controls: [], dependencies: [] };
  const hindered = obstacle(series, measure, releaseIndex);
  if (hindered !== null) return { ...nothing, status: hindered };
  const window = bestWindow(measure, () => measureOf(series, { ...span, from: 0 }), until - releaseIndex);
  if (window === null) return { ...nothing, status: 'flat' };
  const shape = shapeOf(measure, window, measure.levels.length);
  const from = Math.min(shape.onset, until - releaseIndex - fewestBadPoints);
  const effect = windowLevel(measure, measure.release + from, measure.levels.length) - measure.base;
  const where = { from, until: until - releaseIndex, effect };
  const found = {
    series, measure, window, shape,
    controls: movesOf(series.kind, controls, releaseIndex, where),
    dependencies: movesOf(series.kind, dependencies, releaseIndex, where),
  };
  if (shape.wasThereBefore) return { ...found, status: 'before' };
  const sharing = sharingOf(found.controls, until - releaseIndex);
  if (sharing !== null) return { ...found, status: sharing };
  if (found.dependencies.some((one) => one.effect >= dependencyShare * effect)) return { ...found, status: 'dependency' };
  if (series.kind === 'traffic' && found.controls.length === 0) return { ...found, status: 'no-controls' };
  return { ...found, status: courseStatus(shape) ?? 'bad' };
};
