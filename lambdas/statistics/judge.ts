// Did this release make this service worse? The pipeline in order: signals, windows, evidence, course, comparisons, verdict.
import { explainRelease } from './explanation.ts';
import type { Judgement } from './judgement.ts';
import type { Comparison, Series } from './series.ts';
import { coldEvidence, coldPoints, evidenceNeeded, fewestBadPoints, furtherMost, furtherShare } from './settings.ts';
import { judgeSignal, latenessOf, unrelatedStatuses, type SignalJudgement } from './signal.ts';

export interface ReleaseQuestion {
  /** Signals of the service up to now, all of one length: closed periods only. */
  readonly series: readonly Series[];
  /** What the release did not touch: the old version (the best control there is), other services, another Region. May be empty. */
  readonly controls: readonly Comparison[];
  /** What the service calls: a sick dependency explains a sick caller. */
  readonly dependencies?: readonly Comparison[];
  /** Index of the first period that began after the release. */
  readonly releaseIndex: number;
  /** Periods from there on in which its traffic moved to the new version, so that what it breaks may begin as late. Default: 0. */
  readonly moving?: number;
  /** Seconds in a period. */
  readonly periodSeconds: number;
}

/** What the strength of a signal is reduced by: harm that begins late is less likely the release's, latency that is up at once may be cold caches. */
const strengthOf = (signal: SignalJudgement): number => {
  const { window, shape, series, measure } = signal;
  const isCold = series.kind === 'latency' && (shape?.onset ?? 0) < fewestBadPoints && measure.levels.length - measure.release < coldPoints;
  return Math.max(0, (window?.evidence ?? 0) - latenessOf(signal) - (isCold ? coldEvidence : 0));
};

/** The strongest accusing signal, and part of the others: signals of one service are not independent. */
const evidenceOf = (signals: readonly SignalJudgement[]): number => {
  const bad = signals.filter((one) => one.status === 'bad');
  const accusing = bad.filter((one) => one.series.isSupporting !== true).toSorted((a, b) => strengthOf(b) - strengthOf(a));
  const first = accusing[0];
  if (first === undefined) return 0;
  const further = bad.filter((one) => one !== first).reduce((total, one) => total + strengthOf(one), 0);
  return strengthOf(first) + Math.min(furtherMost, furtherShare * further);
};

/**
 * Judges one release from metrics; pure, and safe to ask again at every new period.
 * Evidence in bounds: unreadable input (no data, too short a history, no traffic) is named in `reasons` and never read as healthy.
 * @throws RangeError when the release index lies outside the series, or series differ in length.
 */
export const judgeRelease = (question: ReleaseQuestion): Judgement => {
  const { series, releaseIndex, periodSeconds } = question;
  const length = series[0]?.values.length ?? releaseIndex;
  const points = length - releaseIndex;
  if (!(releaseIndex >= 0 && points >= 0)) throw new RangeError(`releaseIndex ${releaseIndex} is outside a series of ${length} points`);
  if (series.some(({ values }) => values.length !== length)) throw new RangeError('series differ in length');
  const signals = series.map((one) => judgeSignal(one, question));
  const needed = evidenceNeeded;
  const evidence = evidenceOf(signals);
  const isUnrelated = signals.some((one) => unrelatedStatuses.has(one.status));
  const verdict = evidence >= needed ? 'worse' : isUnrelated ? 'unrelated' : 'not-yet';
  const { reasons, explanation } = explainRelease({ verdict, evidence, needed, points, signals, periodSeconds });
  return { verdict, evidence, needed, points, reasons, explanation, signals };
};
