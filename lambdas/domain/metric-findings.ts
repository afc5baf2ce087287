// What the judge finds in the metrics, as evidence for a verdict, for the Watch, and for the proof of a recovery.
import type { ReleaseQuestion } from '../statistics/judge.ts';
import type { Judgement } from '../statistics/judgement.ts';
import { type HarmLeft, judgeRecovery } from '../statistics/recovery.ts';
import type { Series } from '../statistics/series.ts';
import type { SignalJudgement, SignalStatus } from '../statistics/signal.ts';
import { beforeAndAfter } from './before-after.ts';
import { at, instantOf } from './instants.ts';
import { isTooOldToJudge, lengthOf, type MetricsRead, type MetricsReading, periodSeconds, recoveryQuestionOf, releaseQuestionOf, type TakenBack, type VersionPair } from './metrics.ts';
import { type FewRequests, fewRequests } from './few-requests.ts';
import { type Gone, requestsGone } from './requests-gone.ts';
import { minutesWaitedFor, sharedBy, unreadText } from './metric-company.ts';
import { judgedVersion, judgedWhole } from './shift-proof.ts';
import { comparedKinds, isCompared, pairsOf, questionOfNewVersion, toldOf } from './shift-questions.ts';
import type { Instant, Reason, Release, Signal } from './vocabulary.ts';

/** Name of the one signal and of its group: all metrics of a service together speak once. */
export const metricsSource = 'metrics';

export interface MetricsFinding {
  /**
   * `worse`: by this release. `unrelated`: sick, but not by it. `quiet`: nothing that counts. `unknown`: not read, no data, too few requests,
   * or something that is not proven yet.
   */
  readonly verdict: 'worse' | 'unrelated' | 'quiet' | 'unknown';
  /** When the harm began; null unless `worse`. */
  readonly since: Instant | null;
  readonly text: string;
  /** Present where the new version is worse than the version before in the same minutes. */
  readonly isBesideVersion?: true;
  /** Present where it is `unrelated`, and more than traffic was worse before the release already. */
  readonly isFromBefore?: true;
  /** What accuses; present where it is `worse`. */
  readonly judgement?: Judgement;
}

type Judgeable = Pick<Release, 'startedAt'> & Partial<Pick<Release, 'id' | 'finishedAt'>>;

/** Pure: the same reading and release have the same finding. Null where metrics have no say: none declared, no release, or none to compare it with. */
export function findInMetrics(reading: MetricsReading | undefined, release: Judgeable | null, now: Instant): MetricsFinding | null {
  if (reading === undefined || release === null) return null;
  if (reading.status === 'unknown') return { verdict: 'unknown', since: null, text: `they cannot be read: ${reading.why}` };
  if (isTooOldToJudge(release, now)) return null;
  if (lengthOf(reading) === 0) return { verdict: 'unknown', since: null, text: 'CloudWatch has no value of them at all, in a whole day' };
  const judged = judgedOf(reading, release);
  const found = judged === null ? null : findingOf(judged, pairsOf(reading, release), (at(now) - at(release.startedAt)) / 60_000);
  if (found?.verdict !== 'quiet') return found;
  const gone = requestsGone(reading, { releaseStartedAt: release.startedAt, since: release.startedAt });
  return gone === null ? found : { ...found, verdict: 'unknown', text: sentences(gone.text, found.text) };
}

const quiet: ReadonlySet<SignalStatus> = new Set(['flat', 'passing', 'no-controls']);

/** What is bad right now may only be too young to count; what has no history was not judged, which of traffic nobody takes for well anyway. */
const isQuiet = ({ status, shape, series }: SignalJudgement): boolean =>
  (quiet.has(status) && !(status === 'passing' && shape?.isBadNow === true)) || (status === 'short-history' && series.kind === 'traffic');

/** With a full stop after each that does not end with one. */
const sentences = (...parts: readonly string[]): string => parts.filter((part) => part !== '').map((part) => (/[.:]$/.test(part) ? part : `${part}.`)).join(' ');

interface Judged {
  readonly question: ReleaseQuestion;
  readonly judgement: Judgement;
  readonly reading: MetricsRead;
  /** Controls that could not be read may share what is found. */
  readonly needsUnread: boolean;
  /** Why the new version is not accused though it looks worse. */
  readonly doubt: string | null;
  readonly isBesideVersion: boolean;
}

/** The service as a whole, and before it each version that shares the traffic of the release by itself. Null when the history does not reach back to the release. */
function judgedOf(reading: MetricsRead, release: Judgeable): Judged[] | null {
  const whole = releaseQuestionOf(reading, release.startedAt, release.finishedAt);
  if (whole === null) return null;
  const pairs = pairsOf(reading, release);
  const served = pairs.filter(({ released }) => released.requests.length > 0);
  const judgement = judgedWhole(whole, served);
  const periods = Math.ceil((at(reading.end) - at(release.startedAt)) / (periodSeconds * 1000));
  const all: Judged = { question: whole, judgement, reading, needsUnread: judgement.signals.some(({ status }) => status === 'bad'), doubt: null, isBesideVersion: false };
  return [...served.map((pair) => newVersion(pair, { reading, whole: judgement, periods })), all];
}

/** What needs no silent Region accuses by itself; more harm than that makes nobody wait. */
function newVersion(pair: VersionPair, { reading, whole, periods }: { readonly reading: MetricsRead; readonly whole: Judgement; readonly periods: number }): Judged {
  const question = questionOfNewVersion(pair, reading);
  const { judgement, doubt, sure } = judgedVersion(question, { pair, whole, periods });
  const known = comparedKinds(pair);
  const needsUnread = sure === null && judgement.signals.some(({ status, series }) => status === 'bad' && !known.has(series.kind));
  return { question, judgement: reading.unread === undefined ? judgement : sure ?? judgement, reading, needsUnread, doubt, isBesideVersion: isCompared(pair) };
}

/** Minutes after which a version without any request is taken for one that gets none: its release moves nothing here. */
const waitedForRequests = 15;

/** Harm in any of them is harm; none of them may be unknown where the release is called quiet. */
function findingOf(judged: readonly Judged[], pairs: readonly VersionPair[], minutes: number): MetricsFinding | null {
  const told = pairs.map((pair) => toldOf(pair, judged[0]?.reading ?? { metrics: [] })).join('; ');
  const accusing = judged.filter(({ judgement, doubt }) => judgement.verdict === 'worse' && doubt === null);
  const worst = accusing.find(({ needsUnread }) => !needsUnread) ?? accusing[0];
  if (worst !== undefined) return worse(worst, told);
  const signals = judged.flatMap(({ judgement }) => judgement.signals);
  const [shown] = [...judged.filter(({ judgement }) => judgement.verdict === 'unrelated'), ...judged.filter(({ judgement }) => judgement.verdict !== 'worse')];
  // A service without a day before this release will not have one later.
  if (shown === undefined || signals.every(({ status }) => status === 'short-history')) return null;
  const { question, judgement, reading } = shown;
  const doubts = judged.flatMap(({ doubt }) => (doubt === null ? [] : [`By itself the new version looks worse, but ${doubt}`]));
  // First, as long lines are cut in messages. Only a verdict of harm says by itself how it is and what was expected.
  const text = sentences(unreadText(reading), told, ...doubts, sharedBy(judgement), beforeAndAfter(question), judgement.explanation);
  if (judgement.verdict === 'unrelated') return { verdict: 'unrelated', since: null, text, ...(judgement.signals.some(({ status, series }) => status === 'before' && series.kind !== 'traffic') ? { isFromBefore: true } : {}) };
  const isServed = pairs.every(({ released }) => released.requests.length > 0 || minutes >= waitedForRequests);
  return { verdict: isServed && signals.every((signal) => isQuiet(signal)) ? 'quiet' : 'unknown', since: null, text };
}

/** Controls that could not be read may share the harm or not: they are asked again for a while, as the judge waits for those that have too little data. */
function worse({ question, judgement, reading, needsUnread, isBesideVersion }: Judged, told: string): MetricsFinding {
  const periods = periodsBad(judgement);
  const unread = unreadText(reading);
  const isKnown = unread === '' || !needsUnread || periods >= minutesWaitedFor;
  const since = instantOf(at(reading.end) - periods * periodSeconds * 1000);
  if (isKnown) return { verdict: 'worse', since, judgement, text: sentences(unread, told, judgement.explanation), ...(isBesideVersion ? { isBesideVersion: true } : {}) };
  const waits = `It got worse after the release; whether those controls share it is asked again until it has lasted ${minutesWaitedFor} minutes`;
  return { verdict: 'unknown', since: null, text: sentences(unread, told, beforeAndAfter(question), waits) };
}

/** Since the first accusing signal began. */
function periodsBad({ signals, points }: Judgement): number {
  const onset = Math.min(...signals.flatMap(({ status, shape }) => (status === 'bad' && shape !== null ? [shape.onset] : [])));
  return points - (Number.isFinite(onset) ? onset : 0);
}

/** One signal; harm that comes from elsewhere neither fires nor is it quiet. */
export function metricSignals(finding: MetricsFinding | null): Signal[] {
  if (finding === null) return [];
  const { verdict, since, text } = finding;
  const status = verdict === 'worse' ? 'firing' : verdict === 'quiet' ? 'quiet' : 'unknown';
  // The judge compares with the time before the release, so that what fires is never older.
  return [{ kind: 'metrics', source: metricsSource, group: metricsSource, status, since, isOlderThanRelease: false, summary: `metrics: ${text.replace(/\.$/, '')}` }];
}

export interface RecoveryFinding {
  readonly isProven: boolean;
  /** The harm is still there after so long that waiting does not help; never said of what cannot be read. */
  readonly isHopeless: boolean;
  readonly reason: Reason;
  /** What is there of the harm, signal by signal; empty when it is over or cannot be told. */
  readonly left: readonly HarmLeft[];
  /** Something else can neither be called well nor harmed. */
  readonly isUnclear: boolean;
  /** Present where nothing but the lack of requests leaves it open. */
  readonly few?: FewRequests;
}

/** Null where metrics have no say: none declared, no release that they could be compared across, or too little before it to know what is usual. */
export function findRecovery(reading: MetricsReading | undefined, taken: Omit<TakenBack, 'releaseStartedAt'> & { readonly releaseStartedAt: Instant | null }): RecoveryFinding | null {
  const { releaseStartedAt } = taken;
  if (reading === undefined || releaseStartedAt === null) return null;
  if (reading.status === 'unknown') return { isProven: false, isHopeless: false, reason: { code: 'metrics-unknown', text: `Metrics cannot be read: ${reading.why}.` }, left: [], isUnclear: true };
  const question = recoveryQuestionOf(reading, { ...taken, releaseStartedAt });
  if (question === null) return null;
  const series = question.series.filter(({ values, kind }) => hasHistory(values, kind, question.releaseIndex));
  if (series.length === 0) return null;
  const judged = judgeRecovery({ ...question, series });
  const { verdict, explanation, left, isUnclear } = judged;
  const gone = verdict === 'recovered' ? requestsGone(reading, { releaseStartedAt, since: taken.changedAt }) : null;
  if (gone !== null) return withoutRequests(gone, explanation);
  const found = { isProven: verdict === 'recovered', isHopeless: verdict === 'still-bad', left, isUnclear };
  const few = fewRequests(reading, { ...taken, releaseStartedAt }, judged);
  return few === null ? { ...found, reason: { code: `metrics-${verdict}`, text: explanation } }
    : { ...found, few, reason: { code: 'metrics-few-requests', text: `${few.text} ${explanation}` } };
}

/** A fall of traffic, which accuses nobody: no next way back is tried for it. */
const withoutRequests = ({ text, ...where }: Gone, explanation: string): RecoveryFinding =>
  ({ isProven: false, isHopeless: false, isUnclear: false, left: [{ name: 'traffic', kind: 'traffic', isHopeless: false, ...where }], reason: { code: 'metrics-not-yet', text: sentences(`Not proven: ${text}`, explanation.replace(/^RECOVERED /, '')) } });

/** The judge's base is a median over 45 periods before: a third of them must be there; of other signals than traffic it reaches back to where they are. */
const hasHistory = (values: ArrayLike<number | null>, kind: Series['kind'], release: number): boolean =>
  Array.from(values).slice(kind === 'traffic' ? Math.max(0, release - 45) : release % 5, release).filter((value) => value !== null).length >= 15;
