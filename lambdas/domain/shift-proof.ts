// What a new version has to show before it is accused beside the version before, and what both versions have. Pure.
import { judgeRelease, type ReleaseQuestion } from '../statistics/judge.ts';
import type { Judgement } from '../statistics/judgement.ts';
import type { Series } from '../statistics/series.ts';
import { fewestBadPoints, fewestRequests } from '../statistics/settings.ts';
import type { SignalJudgement } from '../statistics/signal.ts';
import type { Column, Measured, VersionPair } from './metrics.ts';
import { beside, comparedKinds, provingErrors } from './shift-questions.ts';

/** Of its own a new version needs so many requests a minute, or this part of all: a side with less may be asked by smoke tests alone. */
const leastAMinute = fewestRequests;
const leastPart = 0.02;
/** What is usual is what failed in so many periods before. */
const usualPeriods = 60;
/** Standard deviations of the count by which more fail than usual. */
const moreThanUsual = 2.5;
/** Errors come in bursts: how much more they stray than by chance is seen in so many stretches of so many periods. */
const stretches = 36;
const stretchPeriods = 10;
/** Part of what the new version fails that has to be more than usual: the rest may have failed before, and come to it since. */
const addedPart = 0.5;
/** A series is measured by the versions where both count the same within this factor. */
const sameFactor = 1.25;

interface Counted {
  readonly requests: number;
  readonly errors: number;
}

/**
 * Why the errors of the new version do not prove that it is bad; null when they do.
 * @param periods the last ones, since the harm began.
 */
function doubtOf({ usual, released, before }: VersionPair, periods: number): string | null {
  const own = counted([released], periods);
  const all = counted([released, before], periods);
  if (own.errors < provingErrors) return `only ${own.errors} of its requests failed, and fewer than ${provingErrors} prove nothing`;
  if (own.requests < leastAMinute * periods && own.requests < leastPart * all.requests) return `${own.requests} requests in ${periods} minutes may be nobody's but those of smoke tests`;
  const earlier = { ...usual, requests: [...usual.requests, ...summed(released.requests, before.requests)], errors: [...usual.errors ?? [], ...summed(released.errors ?? [], before.errors ?? [])] };
  const base = [usualPeriods, Math.min(usualPeriods, periods)].map((length) => counted([earlier], length, periods));
  // A client that failed before, and is served by the new version since, makes it fail and the service no worse.
  const spread = spreadOf(earlier, periods);
  return base.every((one) => isMore(all, one, { own: own.errors, spread })) ? null : 'both versions together fail hardly more requests than before it';
}

function isMore(now: Counted, base: Counted, { own, spread }: { readonly own: number; readonly spread: number }): boolean {
  if (base.requests === 0) return false;
  const part = now.requests / base.requests;
  const expected = base.errors * part;
  return now.errors - expected >= Math.max(addedPart * own, moreThanUsual * Math.sqrt(Math.max(1, spread * expected * (1 + part))));
}

/** Variance of the errors of a stretch over what chance alone makes of them; 1 at the least. */
function spreadOf(earlier: Pick<Measured, 'requests' | 'errors'>, without: number): number {
  const each = Array.from({ length: stretches }, (_, index) => counted([earlier], stretchPeriods, without + index * stretchPeriods)).filter(({ requests }) => requests > 0);
  const rate = each.reduce((sum, { errors }) => sum + errors, 0) / Math.max(1, each.reduce((sum, { requests }) => sum + requests, 0));
  const squares = each.map(({ requests, errors }) => (errors - rate * requests) ** 2 / Math.max(1, rate * requests));
  return Math.max(1, squares.reduce((sum, square) => sum + square, 0) / Math.max(1, each.length));
}

/** Of the last so many periods, without the very last ones. */
function counted(all: readonly Pick<Measured, 'requests' | 'errors'>[], periods: number, without = 0): Counted {
  const last = (column: Column): number => total(column.slice(Math.max(0, column.length - without - periods), Math.max(0, column.length - without)));
  return { requests: all.reduce((sum, { requests }) => sum + last(requests), 0), errors: all.reduce((sum, { errors }) => sum + last(errors ?? []), 0) };
}

const summed = (one: Column, other: Column): Column => one.map((value, index) => (value ?? 0) + (other[index] ?? 0));
const total = (counts: ArrayLike<number | null>): number => Array.from(counts).reduce((sum: number, count) => sum + (count ?? 0), 0);

/** Judged again on some of its series; null where none is left. */
const judgedOn = (question: ReleaseQuestion, isKept: (series: Series) => boolean): Judgement | null => {
  const series = question.series.filter((one) => isKept(one));
  return series.length === 0 ? null : judgeRelease({ ...question, series });
};

export interface Beside {
  readonly pair: VersionPair;
  /** Of the service as a whole. */
  readonly whole: Judgement;
  /** Periods since the release began, the one in which it did among them. */
  readonly periods: number;
}

export interface VersionJudged {
  readonly judgement: Judgement;
  /** Why it is not accused though it looks worse; null where it is, or does not. */
  readonly doubt: string | null;
  /** Its harm in what the version before speaks of alone; null where that is not enough. */
  readonly sure: Judgement | null;
}

/** The new version by itself. What is in doubt accuses nobody; what is left may. */
export function judgedVersion(question: ReleaseQuestion, about: Beside): VersionJudged {
  const judgement = judgeRelease(question);
  if (judgement.verdict !== 'worse') return { judgement, doubt: null, sure: null };
  const doubts = new Map(judgement.signals.flatMap((signal) => {
    const doubt = signal.status === 'bad' ? doubtAbout(signal, judgement.points, about) : null;
    return doubt === null ? [] : [[signal.series, doubt] as const];
  }));
  const left = doubts.size === 0 ? judgement : judgedOn(question, (series) => !doubts.has(series));
  if (left?.verdict !== 'worse') return { judgement, doubt: [...doubts.values()][0] ?? null, sure: null };
  const known = comparedKinds(about.pair);
  const sure = judgedOn(question, (series) => !doubts.has(series) && known.has(series.kind));
  return { judgement: left, doubt: null, sure: sure?.verdict === 'worse' ? sure : null };
}

function doubtAbout({ series, shape }: SignalJudgement, points: number, { pair, whole, periods }: Beside): string | null {
  if (whole.signals.some(({ status, series: { kind } }) => status === 'before' && kind === series.kind)) return 'the service as a whole had it before the release';
  const since = points - (shape?.onset ?? 0);
  if (since > periods) return 'it began before the release did';
  return series.kind === 'errors' ? doubtOf(pair, since) : null;
}

/**
 * The service as a whole is judged as ever, with the declared controls; but harm that the version before has too is not the new one's.
 * The version before speaks only of what the two versions measure (not of what a load balancer answers itself), and not against a declared control
 * that stays flat while both versions fail from the first requests of the new one on: that one may have broken what both use.
 */
export function judgedWhole(question: ReleaseQuestion, pairs: readonly VersionPair[]): Judgement {
  const alone = judgeRelease(question);
  if (alone.verdict !== 'worse') return alone;
  const excusing = (signal: SignalJudgement): boolean => pairs.some((pair) => signal.status === 'bad' && isExcused(signal, question, pair));
  const excused = new Set(alone.signals.filter((signal) => excusing(signal)).map(({ series }) => series));
  if (excused.size === 0) return alone;
  const rest = judgedOn(question, (series) => !excused.has(series));
  if (rest?.verdict === 'worse') return rest;
  const series = question.series.filter((one) => excused.has(one));
  return judgeRelease({ ...question, series, controls: beside(pairs, question.series[0]?.values.length ?? 0), dependencies: [] });
}

function isExcused({ series, shape, controls }: SignalJudgement, question: ReleaseQuestion, pair: VersionPair): boolean {
  if (!comparedKinds(pair).has(series.kind) || !isMeasured(series, pair)) return false;
  const first = series.values.length - question.releaseIndex - pair.released.requests.length;
  const isAtOnce = Math.abs((shape?.onset ?? 0) - first) < fewestBadPoints;
  if (controls.length > 0 && isAtOnce) return false;
  const judged = judgeRelease({ ...question, series: [series], controls: beside([pair], series.values.length), dependencies: [] });
  return judged.signals.some(({ status }) => status === 'shared');
}

/** Errors of both versions are those of the series, or its requests where it is a latency. */
function isMeasured({ kind, values, requests = [] }: Series, { released, before }: VersionPair): boolean {
  const periods = released.requests.length;
  const both = counted([released, before], periods);
  const theirs = kind === 'errors' ? both.errors : both.requests;
  const its = total(Array.from(kind === 'errors' ? values : requests).slice(-periods));
  return its <= sameFactor * theirs && theirs <= sameFactor * its;
}
