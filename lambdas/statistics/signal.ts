// Judges one signal of the service: is it worse, is it worse because of the release, and if it cannot be told, why not.
import { calledMoves, explains, movesOf, sharingOf, type ComparisonMove } from './comparison.ts';
import { judgeWindow, type Window } from './evidence.ts';
import { counted, measureOf, recentMeasure, windowLevel, type Measure } from './measure.ts';
import { clipped, placeboReleases } from './placebo.ts';
import { missing, quantile, ranked } from './samples.ts';
import { requestsSince, type Comparison, type Series } from './series.ts';
import { fewestBadPoints, fewestFailed, fewestRequests, lateMost, latePlacebos, lateScale, lengthCounts, manyRequests, windowLengths, windowsCompared } from './settings.ts';
import { shapeOf, varianceOf, type Shape, type SpeakingWindow } from './shape.ts';

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
  /** Points from the release until its traffic had moved: what begins meanwhile is not late. */
  readonly moving: number;
  readonly controls: readonly ComparisonMove[];
  readonly dependencies: readonly ComparisonMove[];
}

/** How much more evidence a late beginning asks for: without a bound where history cannot say how the signal moves so long after any other moment. */
export const latenessOf = ({ shape, window, series, moving }: SignalJudgement): number => {
  const isBounded = series.kind !== 'traffic' && (window?.placebo?.moves.length ?? 0) >= latePlacebos;
  const onset = shape?.onset ?? 0;
  const meanwhile = Math.min(onset, moving);
  // While the traffic moves any point may be the one: as many as there are ask for so much more.
  return Math.min(isBounded ? lateMost : Infinity, ((onset - meanwhile) / lateScale) ** 2 + Math.log10(1 + meanwhile));
};

/** What a signal is judged with. */
export interface Circumstances {
  readonly controls: readonly Comparison[];
  readonly dependencies?: readonly Comparison[];
  readonly releaseIndex: number;
  readonly moving?: number;
}

/** Rise that three of four points of the shortest window reach at least. */
const lastingRise = ({ levels, base }: Measure): number =>
  quantile(ranked(levels.slice(-fewestBadPoints)), 0.25) - base;

/** The windows that moved by enough, the most telling first: a longer one strays less, but neighbours are alike. */
const movedWindows = (measure: Measure): SpeakingWindow[] => {
  const until = measure.levels.length;
  return windowLengths.flatMap((length) => {
    const effect = length <= until - measure.release ? windowLevel(measure, until - length, until) - measure.base : missing;
    return effect >= measure.smallest ? [{ length, effect }] : [];
  }).toSorted((a, b) => b.effect * b.length ** lengthCounts - a.effect * a.length ** lengthCounts).slice(0, windowsCompared);
};

/** The window that is hardest to explain without a release, among those that moved. */
const bestWindow = (history: Measure, windows: readonly SpeakingWindow[]): Window => {
  const releases = placeboReleases(history, history.levels.length - history.release);
  return windows.map(({ length }) => judgeWindow(history, releases, length)).reduce((best, window) => (window.evidence > best.evidence ? window : best));
};

/** Why this signal cannot be judged at all; null when it can. */
const obstacle = (series: Series, measure: Measure, release: number): SignalStatus | null => {
  const until = series.values.length;
  if (until - release < fewestBadPoints) return 'too-early';
  const { total, present } = requestsSince(series, release);
  if (present === 0) return 'no-data';
  // Traffic that stops altogether is a move to judge, not an obstacle.
  if (series.kind !== 'traffic' && total < fewestRequests) return total === 0 ? 'no-traffic' : 'few-requests';
  if (!Number.isFinite(windowLevel(measure, measure.release, measure.levels.length))) return 'no-data';
  return Number.isFinite(measure.base) ? null : 'short-history';
};

type Found = Pick<SignalJudgement, 'measure' | 'controls' | 'dependencies'> & { readonly shape: Shape };

const courseOf = (shape: Shape): SignalStatus | null => {
  if (shape.badPoints < fewestBadPoints || !shape.isBadNow || !shape.isMoreThanSpike) return 'passing';
  return shape.isFading ? 'fading' : null;
};

/** The most telling window whose course speaks for a harm: a shorter one may not show it yet, or not any more. The most telling of all when none does. */
const carrier = (measure: Measure, windows: readonly [SpeakingWindow, ...SpeakingWindow[]], moving: number): { seen: SpeakingWindow; shape: Shape } => {
  const around = { variance: varianceOf(measure), moving };
  const [telling, ...others] = windows;
  const first = { seen: telling, shape: shapeOf(measure, telling, around) };
  if (courseOf(first.shape) === null) return first;
  for (const seen of others) {
    const shape = shapeOf(measure, seen, around);
    if (courseOf(shape) === null) return { seen, shape };
  }
  return first;
};

/** One client that tries again could have made these errors, of the points from this one on. */
const isOneClient = (measure: Measure, from: number): boolean => {
  const { requests, failed } = counted(measure, measure.release + from, measure.levels.length);
  return measure.series.kind === 'errors' && failed < fewestFailed && requests < manyRequests;
};

/** What stands against the harm being the release's: the first that does, or `bad`. `from`: points from the release to where it is counted from. */
const statusOf = ({ measure, shape, controls, dependencies }: Found, from: number): SignalStatus => {
  const sharing = sharingOf(controls, measure.levels.length - measure.release);
  if (shape.wasThereBefore) return 'before';
  if (sharing !== null) return sharing;
  if (dependencies.some((one) => explains(one))) return 'dependency';
  if (measure.series.kind === 'traffic' && controls.length === 0) return 'no-controls';
  return courseOf(shape) ?? (isOneClient(measure, from) ? 'few-requests' : 'bad');
};

/** One signal of the service, as of its last value. */
export const judgeSignal = (series: Series, { controls, dependencies = [], releaseIndex, moving = 0 }: Circumstances): SignalJudgement => {
  const until = series.values.length;
  const measure = recentMeasure(series, releaseIndex, until);
  const nothing = { series, measure, moving, window: null, shape: null, controls: [], dependencies: [] };
  const hindered = obstacle(series, measure, releaseIndex);
  if (hindered !== null) return { ...nothing, status: hindered };
  const windows = movedWindows(measure);
  const [telling, ...others] = windows;
  if (telling === undefined) return { ...nothing, status: 'flat' };
  const { seen, shape } = carrier(measure, [telling, ...others], moving);
  const from = Math.min(shape.onset, until - releaseIndex - fewestBadPoints);
  const effect = windowLevel(measure, measure.release + from, measure.levels.length) - measure.base;
  const where = { from, until: until - releaseIndex, effect };
  const found = {
    series, measure, shape, moving,
    controls: movesOf(series.kind, controls, releaseIndex, where),
    dependencies: calledMoves(series.kind, dependencies, releaseIndex, where),
  };
  const status = statusOf(found, from);
  // The history is only read, and its placebos are only drawn, when nothing else stands against the release: most looks end before that.
  const window = status === 'bad' ? bestWindow(clipped(measureOf(series, { from: 0, release: releaseIndex, until }), lastingRise(measure)), windows) : { ...seen, evidence: 0, placebo: null };
  return { ...found, status, window };
};
