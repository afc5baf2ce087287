// Is it over? After a rollback: every signal that was harmed is back at what it was before the release, and none is newly bad.
import type { JudgeReason } from './judgement.ts';
import { counted, measureOf, windowLevel, type Measure } from './measure.ts';
import { clipped, placeboOf, placeboReleases } from './placebo.ts';
import { missing, quantile, ranked } from './samples.ts';
import { requestsSince, type Series } from './series.ts';
import {
  belowHalf, fewErrorsChance, fewestPlacebos, fewestRequests, hopelessPoints, hopelessShare, mostScore, nowPoints, recoveredShare, recoveryDeadline, recoveryMost, recoveryPoints, recoveryRatio, recoverySettle, smallestErrorsCap, strayFactor,
} from './settings.ts';
import { log10FewTail } from './tails.ts';
import { duration, number, percent } from './wording.ts';

export interface RecoveryQuestion {
  /** Signals of the service up to now, all of one length. */
  readonly series: readonly Series[];
  /** Index of the first period that began after the release. */
  readonly releaseIndex: number;
  /** Index of the first period that began after the rollback took hold. */
  readonly rollbackIndex: number;
  /** Seconds in a period. */
  readonly periodSeconds: number;
}

export interface RecoveryJudgement {
  /**
   * `still-bad`: nearly all of the harm is there after `hopelessPoints`, or more than half of it after `recoveryDeadline` points, so that waiting longer does not help. What is only unreadable stays `not-yet`,
   * and so does a fall of traffic: callers take it away at any time, and no control was asked.
   */
  readonly verdict: 'recovered' | 'not-yet' | 'still-bad';
  /** Periods after the rollback so far. */
  readonly points: number;
  readonly reasons: readonly JudgeReason[];
  readonly explanation: string;
  /** Signals that are worse than they may be, each with what there is of it now; empty when it is over. */
  readonly left: readonly HarmLeft[];
  /** Some signal can neither be called well nor harmed. */
  readonly isUnclear: boolean;
}

/** What is there of a harm after a rollback, over the window that was looked at: indices of the series, the last one excluded. */
export interface HarmLeft {
  readonly name: string;
  readonly kind: Series['kind'];
  readonly from: number;
  readonly until: number;
  /** Rise above the base, on the scale of the measure. */
  readonly effect: number;
  /** It is why the verdict is `still-bad`. */
  readonly isHopeless: boolean;
}

type SignalRecovery = 'back' | 'never-harmed' | 'too-early' | 'no-data' | 'few-requests' | 'unsure' | 'still-up' | 'unmoved' | 'newly-up';

interface Recovered {
  readonly series: Series;
  readonly measure: Measure;
  readonly status: SignalRecovery;
  /** First point of the window looked at. */
  readonly from: number;
  /** Level over the window looked at; NaN without data. */
  readonly level: number;
}

/**
 * Rise over the last points before the rollback: what has to go away again. None where nothing was measured there, as the latency of a service that answered nobody:
 * such a signal must be within what one must be that never was harmed.
 */
const harmOf = (measure: Measure, rollback: number): number => {
  const level = windowLevel(measure, Math.max(measure.release, rollback - recoveryMost), rollback);
  return level === level ? level - measure.base : 0;
};

/** Middle half of the points, as a mean would be drawn off by one spike; counts need all of them. */
const riseSince = (measure: Measure, from: number, until: number): number => {
  if (measure.series.kind === 'errors') return windowLevel(measure, from, until) - measure.base;
  const sorted = ranked(measure.levels.slice(from, until));
  return (quantile(sorted, 0.25) + quantile(sorted, 0.5) + quantile(sorted, 0.75)) / 3 - measure.base;
};

/** How far such a window strays without any harm: one standard deviation and the 95 % quantile. */
const strayOf = (measure: Measure, length: number): { spread: number; most: number } => {
  const { moves, spread } = placeboOf(measure, placeboReleases(measure, length), length);
  return { spread, most: moves.length < fewestPlacebos ? spread * mostScore : quantile(moves, 0.95) };
};

interface Since {
  /** First and last point looked at, in the indices of the measure. */
  readonly from: number;
  readonly until: number;
  /** First point after the rollback settled. */
  readonly settled: number;
  readonly rise: number;
  /** The least of the last `nowPoints`; NaN when one of them is missing. */
  readonly leastNow: number;
  readonly harm: number;
}

/** None of the harm against half of it, and within what is usual; the smallest effect stands in for a harm that never was. */
const statusOf = (measure: Measure, since: Since): SignalRecovery => {
  const { rise, leastNow, harm } = since;
  const { spread, most } = strayOf(measure, since.until - since.from);
  const half = Math.max(harm, measure.smallest) / 2;
  const unnoticed = measure.smallest * recoveredShare;
  if (harm < unnoticed) return rise >= Math.max(measure.smallest, strayFactor * most) ? 'newly-up' : neverHarmed(measure, since);
  const noneOverHalf = (half * (half / 2 - rise)) / spread ** 2;
  const isBack = rise <= Math.min(Math.max(unnoticed, most), half * belowHalf) && noneOverHalf >= recoveryRatio;
  if (isBack) return isBeyondChance(measure, since) ? 'back' : 'few-requests';
  if (rise > 2 * half * hopelessShare && leastNow > half) return 'unmoved';
  return rise > half ? 'still-up' : 'unsure';
};

/** A tenth of the requests failing often leaves eight in a row whole: so few errors must be unlikely, had the harm stayed. */
const isBeyondChance = (measure: Measure, { settled, until, harm }: Since): boolean => {
  if (measure.series.kind !== 'errors') return true;
  const { requests, failed } = counted(measure, settled, until);
  return log10FewTail(failed, requests * (measure.base + harm)) <= fewErrorsChance;
};

/** Among few requests the harm may have hidden before the rollback as well: a tenth of them, or as much again as is usual, must be unlikely now. */
const neverHarmed = (measure: Measure, since: Since): SignalRecovery =>
  (isBeyondChance(measure, { ...since, harm: Math.max(measure.base, smallestErrorsCap) }) ? 'never-harmed' : 'few-requests');

const judgeSeries = (series: Series, question: RecoveryQuestion): Recovered => {
  const until = series.values.length;
  const { releaseIndex, rollbackIndex } = question;
  const points = until - rollbackIndex;
  const raw = measureOf(series, { from: 0, release: releaseIndex, until });
  const harm = harmOf(raw, rollbackIndex);
  const measure = clipped(raw, harm > 0 ? harm : 0);
  const settled = until - Math.max(recoveryPoints, points - recoverySettle);
  const from = Math.max(settled, until - recoveryMost);
  if (points < recoveryPoints) return { series, measure, status: 'too-early', from, level: missing };
  const present = raw.levels.slice(from).filter((level) => level === level).length;
  const level = windowLevel(raw, from, until);
  if (present < recoveryPoints || !Number.isFinite(raw.base)) return { series, measure, status: 'no-data', from, level };
  const isSilent = series.kind !== 'traffic' && requestsSince(series, settled).total < fewestRequests;
  const status = isSilent ? 'few-requests' : statusOf(measure, { from, until, settled, rise: riseSince(raw, from, until), leastNow: Math.min(...raw.levels.slice(until - nowPoints, until)) - raw.base, harm });
  return { series, measure, status, from, level };
};

const words: Readonly<Record<SignalRecovery, string>> = {
  back: 'is back at what it was before the release',
  'never-harmed': 'was not harmed and is as usual',
  'too-early': 'has too few periods since the rollback',
  'no-data': 'has too little data since the rollback; missing data proves nothing',
  'few-requests': 'has had too few requests since the rollback to tell',
  unsure: 'looks better, but is not yet clear of half the harm',
  'still-up': 'is not back',
  unmoved: 'is as bad as before the rollback',
  'newly-up': 'was not harmed before the rollback and is worse now',
};

const sentence = ({ series, measure, status, level }: Recovered): string => {
  if (!Number.isFinite(level) || !Number.isFinite(measure.base)) return `${series.name} ${words[status]}.`;
  const unit = series.kind === 'traffic' ? ' requests a period' : ' ms';
  const sign = series.kind === 'traffic' ? -1 : 1;
  const show = (value: number): string => (series.kind === 'errors' ? percent(value) : number(Math.exp(sign * value)) + unit);
  return `${series.name} ${words[status]}: ${show(level)} now, ${show(measure.base)} expected.`;
};

const isBeyondHope = ({ status, series }: Recovered, points: number): boolean =>
  series.kind !== 'traffic' && ((status === 'unmoved' && points >= hopelessPoints) || (status === 'still-up' && points >= recoveryDeadline));

/** Too few requests are no sign of harm: they are what a fall of traffic that others share leaves. */
const known: ReadonlySet<SignalRecovery> = new Set(['back', 'never-harmed', 'few-requests', 'still-up', 'unmoved', 'newly-up']);
const harmed: ReadonlySet<SignalRecovery> = new Set(['still-up', 'unmoved', 'newly-up']);

const leftOf = (one: Recovered, points: number): HarmLeft[] => {
  const { series: { name, kind, values }, measure, status, from, level } = one;
  return harmed.has(status) ? [{ name, kind, from, until: values.length, effect: level - measure.base, isHopeless: isBeyondHope(one, points) }] : [];
};

const titles = { recovered: 'RECOVERED', 'not-yet': 'NOT YET', 'still-bad': 'STILL BAD' } as const;

/**
 * Judges the time after a rollback; pure, and asked again at every new period.
 * Missing data never recovers, and a service without any signal never does.
 * @throws RangeError when the indices are out of order or outside the series.
 */
export const judgeRecovery = (question: RecoveryQuestion): RecoveryJudgement => {
  const length = question.series[0]?.values.length ?? question.rollbackIndex;
  const points = length - question.rollbackIndex;
  if (!(question.releaseIndex >= 0 && question.rollbackIndex >= question.releaseIndex && points >= 0))
    throw new RangeError(`releaseIndex ${question.releaseIndex} and rollbackIndex ${question.rollbackIndex} do not fit a series of ${length} points`);
  const signals = question.series.map((series) => judgeSeries(series, question));
  const isRecovered = signals.length > 0 && signals.every(({ status }) => status === 'back' || status === 'never-harmed');
  const left = signals.flatMap((one) => leftOf(one, points));
  const verdict = isRecovered ? 'recovered' : left.some(({ isHopeless }) => isHopeless) ? 'still-bad' : 'not-yet';
  const reasons = signals.map((one) => ({ code: one.status, text: sentence(one) }));
  const text = reasons.length === 0 ? 'no signals were given.' : reasons.map((reason) => reason.text).join(' ');
  return { verdict, points, reasons, left, isUnclear: signals.some(({ status }) => !known.has(status)), explanation: `${titles[verdict]} ${duration(points, question.periodSeconds)} after the rollback: ${text}` };
};
