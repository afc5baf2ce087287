// Is it over? After a rollback: every signal that was harmed is back at what it was before the release, and none is newly bad.
import type { JudgeReason } from './judgement.ts';
import { measureOf, windowLevel, type Measure } from './measure.ts';
import { clipped, placeboOf, placeboReleases } from './placebo.ts';
import { quantile } from './samples.ts';
import type { Series } from './series.ts';
import { fewestPlacebos, recoveryDeadline, recoveryMost, recoveryPoints, recoveryRatio, recoverySettle } from './settings.ts';
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
  /** `still-bad`: not proven within the deadline, whether bad or unreadable; a person is told. */
  readonly verdict: 'recovered' | 'not-yet' | 'still-bad';
  /** Periods after the rollback so far. */
  readonly points: number;
  readonly reasons: readonly JudgeReason[];
  readonly explanation: string;
}

type SignalRecovery = 'back' | 'never-harmed' | 'too-early' | 'no-data' | 'unsure' | 'still-up';

interface Recovered {
  readonly series: Series;
  readonly measure: Measure;
  readonly status: SignalRecovery;
  /** Level over the window looked at; NaN without data. */
  readonly level: number;
}

/** Rise over the last points before the rollback: what has to go away again. */
const harmOf = (measure: Measure, rollback: number): number =>
  windowLevel(measure, Math.max(measure.release, rollback - recoveryMost), rollback) - measure.base;

/** Middle half of the points, as a mean would be drawn off by one spike; counts need all of them. */
const riseSince = (measure: Measure, from: number, until: number): number => {
  if (measure.series.kind === 'errors') return windowLevel(measure, from, until) - measure.base;
  const sorted = measure.levels.slice(from, until).filter((level) => level === level).toSorted();
  return (quantile(sorted, 0.25) + quantile(sorted, 0.5) + quantile(sorted, 0.75)) / 3 - measure.base;
};

/** How far such a window strays without any harm: one standard deviation and the 95 % quantile. */
const strayOf = (measure: Measure, length: number): { spread: number; most: number } => {
  const { moves, spread } = placeboOf(measure, placeboReleases(measure, length), length);
  return { spread, most: moves.length < fewestPlacebos ? spread * 1.65 : quantile(moves, 0.95) };
};

/** None of the harm against half of it, and within what is usual; the smallest effect stands in for a harm that never was. */
const statusOf = (measure: Measure, rise: number, harm: number, length: number): SignalRecovery => {
  const { spread, most } = strayOf(measure, length);
  const wasHarmed = harm >= measure.smallest / 2;
  const half = Math.max(harm, measure.smallest) / 2;
  if (!wasHarmed) return rise < Math.max(measure.smallest, 2 * most) ? 'never-harmed' : 'still-up';
  const noneOverHalf = (half * (half / 2 - rise)) / spread ** 2;
  const limit = Math.max(measure.smallest / 2, most);
  if (rise <= Math.min(limit, half * 0.9) && noneOverHalf >= recoveryRatio) return 'back';
  return rise > half || noneOverHalf <= 0 ? 'still-up' : 'unsure';
};

const judgeSeries = (series: Series, question: RecoveryQuestion): Recovered => {
  const until = series.values.length;
  const { releaseIndex, rollbackIndex } = question;
  const points = until - rollbackIndex;
  const raw = measureOf(series, { from: 0, release: releaseIndex, until });
  const harm = harmOf(raw, rollbackIndex);
  const measure = clipped(raw, harm > 0 ? harm : 0);
  const length = Math.min(recoveryMost, Math.max(recoveryPoints, points - recoverySettle));
  if (points < recoveryPoints) return { series, measure, status: 'too-early', level: Number.NaN };
  const present = raw.levels.slice(until - length).filter((level) => level === level).length;
  const level = windowLevel(raw, until - length, until);
  if (present < recoveryPoints || !Number.isFinite(raw.base)) return { series, measure, status: 'no-data', level };
  return { series, measure, status: statusOf(measure, riseSince(raw, until - length, until), harm, length), level };
};

const words: Readonly<Record<SignalRecovery, string>> = {
  back: 'is back at what it was before the release',
  'never-harmed': 'was not harmed and is as usual',
  'too-early': 'has too few periods since the rollback',
  'no-data': 'has too little data since the rollback; missing data proves nothing',
  unsure: 'looks better, but is not yet clear of half the harm',
  'still-up': 'is not back',
};

const sentence = ({ series, measure, status, level }: Recovered): string => {
  if (!Number.isFinite(level) || !Number.isFinite(measure.base)) return `${series.name} ${words[status]}.`;
  const unit = series.kind === 'traffic' ? ' requests a period' : ' ms';
  const sign = series.kind === 'traffic' ? -1 : 1;
  const show = (value: number): string => (series.kind === 'errors' ? percent(value) : number(Math.exp(sign * value)) + unit);
  return `${series.name} ${words[status]}: ${show(level)} now, ${show(measure.base)} expected.`;
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
  const isRecovered = signals.some((one) => one.status === 'back')
    ? signals.every((one) => one.status === 'back' || one.status === 'never-harmed')
    : signals.length > 0 && signals.every((one) => one.status === 'never-harmed');
  const verdict = isRecovered ? 'recovered' : points >= recoveryDeadline ? 'still-bad' : 'not-yet';
  const reasons = signals.map((one) => ({ code: one.status, text: sentence(one) }));
  const text = reasons.length === 0 ? 'no signals were given.' : reasons.map((reason) => reason.text).join(' ');
  return { verdict, points, reasons, explanation: `${titles[verdict]} ${duration(points, question.periodSeconds)} after the rollback: ${text}` };
};
