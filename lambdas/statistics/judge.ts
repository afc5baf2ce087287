// Did this release make this service worse? The pipeline in order: signals, windows, evidence, course, comparisons, verdict.
import { isShared, movesOf, type ComparisonMove } from './comparison.ts';
import { judgeWindow, type Window } from './evidence.ts';
import { measureOf, windowLevel, type Measure } from './measure.ts';
import { clipped, placeboReleases } from './placebo.ts';
import { quantile } from './samples.ts';
import type { Comparison, Series } from './series.ts';
import { settings } from './settings.ts';
import { shapeOf, type Shape } from './shape.ts';

export interface ReleaseQuestion {
  readonly series: readonly Series[];
  readonly controls: readonly Comparison[];
  readonly dependencies?: readonly Comparison[];
  /** Index of the first period that began after the release. */
  readonly releaseIndex: number;
  readonly periodSeconds: number;
}

export interface SignalJudgement {
  readonly series: Series;
  readonly status: string;
  readonly measure: Measure;
  readonly window: Window | null;
  readonly shape: Shape | null;
  readonly controls: readonly ComparisonMove[];
}

export interface Judgement {
  readonly verdict: 'worse' | 'not-yet' | 'unrelated';
  readonly evidence: number;
  readonly needed: number;
  readonly signals: readonly SignalJudgement[];
}

/** Rise that three of four points of the shortest window reach at least. */
const lastingRise = ({ levels, base }: Measure): number => quantile(levels.slice(-settings.badPoints).sort(), 0.25) - base;

const bestWindow = (quick: Measure, full: () => Measure, lag: number): Window | null => {
  const until = quick.release + lag;
  const lengths = settings.windows.filter((length) => length <= lag
    && windowLevel(quick, until - length, until) - quick.base >= quick.smallest);
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

const judgeSignal = (series: Series, question: ReleaseQuestion): SignalJudgement => {
  const release = question.releaseIndex;
  const until = series.values.length;
  const quick = measureOf(series, { from: Math.max(0, release - settings.errorBaseline), release, until });
  const none = { series, measure: quick, window: null, shape: null, controls: [] };
  if (!Number.isFinite(quick.base)) return { ...none, status: 'no-baseline' };
  const window = bestWindow(quick, () => measureOf(series, { from: 0, release, until }), until - release);
  if (window === null) return { ...none, status: 'flat' };
  const shape = shapeOf(quick, window.effect, quick.levels.length);
  const begin = Math.min(shape.onset, until - release - settings.badPoints);
  const effect = windowLevel(quick, quick.release + begin, quick.levels.length) - quick.base;
  const where = { from: begin, until: until - release, effect };
  const controls = movesOf(series.kind, question.controls, release, where);
  const found = { series, measure: quick, window, shape, controls };
  if (shape.wasThereBefore) return { ...found, status: 'before' };
  if (isShared(controls, until - release)) return { ...found, status: 'shared' };
  const dependencies = movesOf(series.kind, question.dependencies ?? [], release, where);
  if (dependencies.some((one) => one.effect >= settings.dependencyShare * effect)) return { ...found, status: 'dependency' };
  if (series.kind === 'traffic' && controls.length === 0) return { ...found, status: 'no-controls' };
  if (shape.badPoints < settings.badPoints || !shape.isBadNow) return { ...found, status: 'passing' };
  if (shape.isFading) return { ...found, status: 'fading' };
  return { ...found, status: 'bad' };
};

/** A release breaks things at once; what begins later is less and less likely its doing. */
const strengthOf = ({ window, shape }: SignalJudgement): number =>
  Math.max(0, (window?.evidence ?? 0) - settings.late * Math.log10(1 + (shape?.onset ?? 0) / settings.badPoints));

export const judgeRelease = (question: ReleaseQuestion): Judgement => {
  const signals = question.series.map((series) => judgeSignal(series, question));
  const looked = Math.max(1, (question.series[0]?.values.length ?? 0) - question.releaseIndex);
  const needed = settings.needed + Math.log10(looked);
  const bad = signals.filter((one) => one.status === 'bad').map(strengthOf).sort((a, b) => b - a);
  const further = bad.slice(1).reduce((total, one) => total + settings.furtherShare * Math.max(0, one), 0);
  const evidence = (bad[0] ?? 0) + Math.min(settings.furtherMost, further);
  const unrelated = signals.some((one) => ['before', 'shared', 'dependency'].includes(one.status));
  return { verdict: evidence >= needed ? 'worse' : unrelated ? 'unrelated' : 'not-yet', evidence, needed, signals };
};
