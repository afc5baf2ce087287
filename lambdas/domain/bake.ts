// One look at a release in its bake: go on, start a rollback, call it known good, or give up. Pure.
import { createHash } from 'node:crypto';
import { baselineBlock, baselineBlocks } from '../statistics/settings.ts';
import { fromBeforeName, harmIn, isNewHarm, namedBy, nameOfSignal, noMemory, quarantinedName, rememberedAt, waitedFor, type WatchMemory, withFromBefore, withHarm, withTold } from './bake-memory.ts';
import { passedBy, replacedBy, waitsFor } from './bake-next.ts';
import { graceMinutes, lateLookSeconds, longestReleaseMinutes, lookSeconds, nextLookSeconds } from './bake-rhythm.ts';
import { at, instantOf } from './instants.ts';
import type { RollbackRecord } from './ledger.ts';
import { findInMetrics, type MetricsFinding, metricSignals } from './metric-findings.ts';
import type { MetricsReading } from './metrics.ts';
import type { TrafficReading } from './readings.ts';
import { type SignalSources, readSignals } from './signals.ts';
import type { JsonObject, Reason, Release, Signal } from './vocabulary.ts';
import type { WatchLooked } from './workflow.ts';

export interface BakeQuestion extends Omit<SignalSources, 'trigger' | 'startedAt'> {
  readonly service: string;
  readonly release: Release;
  readonly rollbacks: readonly RollbackRecord[];
  readonly bakeMinutes: number;
  readonly hasJourneys: boolean;
  readonly metrics?: MetricsReading | undefined;
  /** Present where metrics are declared and were not read: the release is too old for them to say anything. */
  readonly isTooOldToJudge?: true;
  /** Since the release finished; null while it bakes. */
  readonly traffic: TrafficReading | null;
  /** Versions that were rolled back. */
  readonly quarantined: readonly string[];
  /** The rollback that has the service's lock, whatever it is about; null when none has. */
  readonly lockedBy: string | null;
  /** What the ledger said of the release before this look; absent where nobody asked AWS since. */
  readonly statusBefore?: Release['status'];
  /** For how long harm in the metrics from before the release has to last until a person is told of it. Absent in questions of before anybody was. */
  readonly holdSeconds?: number;
  /** A later release ends the watch only when it is out. Absent in questions of before it was waited for: there it ended it at once. */
  readonly waitsForNext?: true;
  /** Looks that the history of the execution can still hold. */
  readonly looksLeft: number;
  /** Of the look before; null at the first. */
  readonly memory: WatchMemory | null;
}

/** What every part of one look needs: the question, what fires, what the metrics say, and what is remembered. */
interface Look {
  readonly question: BakeQuestion;
  readonly signals: readonly Signal[];
  readonly finding: MetricsFinding | null;
  readonly memory: WatchMemory;
}

/** A quarantined version on its way out is looked at so often, in seconds: it is taken back as soon as it is out. */
const heldLookSeconds = 30;
/** Seconds from the start of a rollback to the next look: the ledger then says whether it acts. */
const afterSignalSeconds = 60;
/** The judge compares with so many minutes before a release: harm that began earlier would be what is usual. */
const harmMinutes = baselineBlocks * baselineBlock;

/** When the bake of a release is over, in milliseconds; null while it still goes out. */
export const bakedAtOf = ({ finishedAt }: Pick<Release, 'finishedAt'>, bakeMinutes: number): number | null => (finishedAt === null ? null : at(finishedAt) + bakeMinutes * 60_000);

export function watchLook(question: BakeQuestion): WatchLooked {
  const failed = failedSince(question);
  if (failed !== null) return failed;
  const over = endOf(question);
  if (over !== null) return ended(over);
  const next = question.waitsForNext === true ? waitsFor(question.release, question.releases) : null;
  if (next !== null) return { ...goOn(nextLookSeconds(question), next), memory: question.memory ?? noMemory };
  const finding = findInMetrics(question.metrics, question.release, question.now);
  const known = readSignals({ ...question, startedAt: question.release.startedAt, trigger: { kind: 'watch', releaseId: question.release.id, alarms: [], journeys: [] } }, question.release);
  const signals = [...known, ...metricSignals(finding)];
  const remembered = rememberedAt(question.memory ?? noMemory, signals, question.now);
  const look: Look = { question, signals, finding, memory: question.holdSeconds === undefined ? remembered : withFromBefore(remembered, finding, question.now) };
  const looked = againOut(look) ?? signalFor(look) ?? harmFromBefore(look) ?? bakeState(look);
  return { memory: look.memory, ...looked };
}

/** A quarantined version, until a rollback was started for it; what becomes of it after that, the other signals say. */
function againOut({ question, memory }: Look): WatchLooked | null {
  if (memory.told.includes(quarantinedName)) return null;
  const again = shippedAgain(question);
  if (again?.answer === 'signal') return { ...again, memory: withTold(memory, [quarantinedName]) ?? memory };
  if (again === null) return null;
  if (isOverdue(question)) return null;
  // Twice a minute for hours; after that as often as the history allows.
  return question.looksLeft > 750 ? again : { ...again, waitSeconds: lookSeconds({ ...question, isJudged: false, isRestless: false }) };
}

/** ECS's own word that it failed; its event starts the same rollback, under the same name. */
function failedSince({ service, release, statusBefore, memory }: BakeQuestion): WatchLooked | null {
  if (release.origin !== 'ecs' || release.status !== 'failed' || release.undoneAt !== undefined || statusBefore === undefined || statusBefore === 'failed') return null;
  return {
    answer: 'signal', waitSeconds: afterSignalSeconds, reasons: [{ code: 'failed', text: `ECS says that deployment ${release.id} of ${release.version} failed.` }], memory: memory ?? noMemory,
    rollback: watchSignal(service, { releaseId: release.id, alarms: [], journeys: [] }),
  };
}

const ended = (reason: Reason): WatchLooked => ({ answer: 'ended', waitSeconds: 0, reasons: [reason], rollback: null });

/** Why there is nothing left to watch; null while there is. */
function endOf({ release, releases, rollbacks, waitsForNext, now }: BakeQuestion): Reason | null {
  const rollback = rollbacks.find((record) => record.release?.id === release.id);
  if (rollback !== undefined) return { code: 'rolled-back', text: `Rollback ${rollback.rollbackId} took release ${release.version} over.` };
  if (release.status === 'failed' || release.status === 'stopped') return { code: 'release-over', text: `Release ${release.version} ${release.status === 'failed' ? 'failed' : 'was stopped'}.` };
  const passed = waitsForNext === true ? passedBy(release, releases, rollbacks) : null;
  if (passed !== null) return passed;
  const next = waitsForNext === true ? replacedBy(release, releases, now) : releases.find(({ id, startedAt }) => id !== release.id && at(startedAt) > at(release.startedAt));
  return next === undefined ? null : { code: 'superseded', text: `Release ${next.version} began at ${next.startedAt}; it has a watch of its own.` };
}

/**
 * A version that was rolled back is out again: that exact version is not watched, it goes back at once. The guardrails of a rollback still
 * count, so that a person decides within the cool-down or when the budget is spent. Null for any other version.
 */
export function shippedAgain({ service, release, quarantined }: Pick<BakeQuestion, 'service' | 'release' | 'quarantined'>): WatchLooked | null {
  if (!quarantined.includes(release.version)) return null;
  // What a pipeline announces has moved nothing yet; AWS's own deployments have, and can be stopped.
  if (release.origin === 'event' && release.finishedAt === null)
    return goOn(heldLookSeconds, { code: 'quarantined-version', text: `Version ${release.version} was rolled back before, and is going out again. It goes back as soon as it is out.` });
  return {
    answer: 'signal', waitSeconds: afterSignalSeconds, memory: { ...noMemory, runs: 1, told: [quarantinedName] },
    reasons: [{ code: 'quarantined-version', text: `Version ${release.version} was rolled back before, and is out again.` }],
    rollback: watchSignal(service, { releaseId: release.id, alarms: [], journeys: [], quarantined: true }),
  };
}

/**
 * A fresh alarm or metrics that got worse; or an alarm that fired before the release and so sends no event, together with a journey that passed before
 * and fails now. Null also where a rollback was started for all of them and none was quiet since, and where metrics that were come back too soon: that one decided.
 */
function signalFor({ question: { service, release, now }, signals, finding, memory }: Look): WatchLooked | null {
  const firing = signals.filter(({ status }) => status === 'firing');
  const those = (kind: Signal['kind'], isOlder: boolean) => firing.filter((one) => one.kind === kind && one.isOlderThanRelease === isOlder);
  const fresh = those('alarm', false);
  const older = those('alarm', true);
  const journeys = those('journey', false);
  const worse = those('metrics', false);
  const harm = harmIn(finding);
  const isNews = worse.length > 0 && isNewHarm(memory, harm, now);
  if (fresh.length === 0 && !isNews && (older.length === 0 || journeys.length === 0)) return null;
  const alarms = fresh.length > 0 ? fresh : older;
  const told = withTold(memory, [...alarms, ...journeys].map(nameOfSignal), isNews);
  if (told === null) return null;
  return {
    answer: 'signal', waitSeconds: afterSignalSeconds, memory: worse.length > 0 ? withHarm(told, harm, now) : told,
    reasons: firing.map(({ summary }) => ({ code: 'signal', text: summary })),
    rollback: watchSignal(service, { releaseId: release.id, alarms: sourcesOf(alarms), journeys: sourcesOf(journeys), ...(worse.length > 0 ? { metrics: true } : {}) }, memory.runs),
  };
}

/**
 * Harm that metrics alone see and that was there before the release, as where two releases overlap: the watch of the one that may have brought it has ended.
 * A run looks at it again and pages. Null where something fires that may be about it and had a run; after the first time; and before it has lasted.
 */
function harmFromBefore({ question: { service, release, holdSeconds, now }, signals, finding, memory }: Look): WatchLooked | null {
  const { fromBeforeSince: since } = memory;
  if (holdSeconds === undefined || finding?.isFromBefore !== true || since === undefined || at(now) - at(since) < holdSeconds * 1000) return null;
  const told = withTold(memory, [fromBeforeName]);
  if (told === null || signals.some((signal) => hadRun(signal, release, memory))) return null;
  return {
    answer: 'signal', waitSeconds: afterSignalSeconds, memory: told, reasons: [{ code: 'harm-from-before', text: `The metrics show harm since ${since} that was there before release ${release.version}, and nothing that began with it tells of it: ${finding.text}` }],
    rollback: watchSignal(service, { releaseId: release.id, alarms: [], journeys: [], metrics: true }, memory.runs),
  };
}

/** Whether people heard of what fires, and of this harm with it: an alarm of days ago told of something else, and a journey by itself starts nothing. */
const hadRun = (signal: Signal, { startedAt }: Release, { told }: WatchMemory): boolean => signal.status === 'firing'
  && (told.includes(nameOfSignal(signal)) || (signal.kind !== 'journey' && signal.since !== null && at(signal.since) >= at(startedAt) - harmMinutes * 60_000));

const sourcesOf = (signals: readonly Signal[]): string[] => signals.map(({ source }) => source).toSorted();

/**
 * What starts a rollback of a watched release, under a name that the same release and signals always have.
 * @param runs rollbacks that this watch started before: a signal that comes back starts another one.
 */
export const watchSignal = (service: string, detail: JsonObject, runs = 0): NonNullable<WatchLooked['rollback']> =>
  ({ name: nameOf(service, namedBy(detail, runs)), input: { service, event: { source: 'ripcord.watch', 'detail-type': 'Watch Signal', detail } } });

/** Without a time: a repeat of the same look must not start a second one. */
function nameOf(service: string, about: string): string {
  const digest = createHash('sha256').update(about).digest('hex').slice(0, 24);
  return `watch-${service}-${digest}`;
}

const isOverdue = ({ release, now }: BakeQuestion): boolean => release.finishedAt === null && at(now) - at(release.startedAt) > longestReleaseMinutes * 60_000;

function bakeState(look: Look): WatchLooked {
  const { question, signals, finding } = look;
  const { release, bakeMinutes, now } = question;
  const waitSeconds = lookSeconds({ ...question, isJudged: finding !== null, isRestless: signals.some(({ status }) => status !== 'quiet') });
  const bakedAt = bakedAtOf(release, bakeMinutes);
  if (isOverdue(question)) return ended({ code: 'never-finished', text: `Release ${release.version} did not say that it finished within a day; it is not called good.` });
  const again = waitedFor(look.memory, signals);
  if (bakedAt === null) return goOn(waitSeconds, { code: 'in-progress', text: `Release ${release.version} is still going out.` }, ...again);
  const secondsLeft = Math.ceil((bakedAt - at(now)) / 1000);
  if (secondsLeft > 0) return goOn(Math.min(waitSeconds, Math.max(5, secondsLeft)), { code: 'baking', text: `Release ${release.version} bakes until ${instantOf(bakedAt)}.` }, ...again);
  const doubts = [...notQuiet(question, signals), ...undecided(look)];
  if (doubts.length === 0) return { answer: 'known-good', waitSeconds: 0, reasons: [{ code: 'baked', text: `Release ${release.version} is out, and nothing has fired for ${bakeMinutes} minutes.` }, ...notJudged(look)], rollback: null };
  if (at(now) - bakedAt > graceMinutes(bakeMinutes) * 60_000) return { answer: 'ended', waitSeconds: 0, reasons: doubts, rollback: null };
  return { answer: 'continue', waitSeconds: lateLookSeconds(question, bakedAt), reasons: [...doubts, ...again], rollback: null };
}

const goOn = (waitSeconds: number, ...reasons: readonly Reason[]): WatchLooked => ({ answer: 'continue', waitSeconds, reasons, rollback: null });

/** What only the Watch itself knows to speak against a good version: its own runs, and what its metrics said at an earlier look. */
function undecided({ question: { release, bakeMinutes, now, lockedBy, quarantined }, memory: { worseAt } }: Look): Reason[] {
  return [
    ...(quarantined.includes(release.version) ? [{ code: 'quarantined', text: `${release.version} was rolled back before.` }] : []),
    ...(lockedBy === null ? [] : [{ code: 'rollback-undecided', text: `Rollback ${lockedBy} is at work on the service.` }]),
    ...(worseAt !== null && worseAt !== now && at(now) - at(worseAt) < bakeMinutes * 60_000 ? [{ code: 'not-quiet-long-enough', text: `The metrics were worse at ${worseAt}.` }] : []),
  ];
}

/** Good all the same, as alarms and journeys were quiet; but nobody shall believe that the metrics said so. */
const notJudged = ({ question: { metrics, isTooOldToJudge }, finding, memory: { judgedAt } }: Look): Reason[] => ((metrics === undefined && isTooOldToJudge !== true) || finding !== null ? [] : [{
  code: 'metrics-not-judged',
  text: judgedAt === null ? 'Its metrics never had a say.' : `Its metrics were judged until ${judgedAt}; after that alarms and journeys alone had a say.`,
}]);

type Quiet = Pick<BakeQuestion, 'alarms' | 'evidence' | 'hasJourneys' | 'bakeMinutes' | 'now' | 'traffic'>;

/** Why the service cannot be called quiet for a bake time. No data is a reason, and so is having nothing to look at. */
export function notQuiet({ alarms, evidence, hasJourneys, bakeMinutes, now, traffic }: Quiet, signals: readonly Signal[]): Reason[] {
  const restless = alarms.filter(({ name, state, since }) => state === 'OK' && since !== null && at(now) - at(since) < bakeMinutes * 60_000
    && signals.some(({ source, status }) => source === name && status === 'quiet'));
  return [
    ...(alarms.length === 0 && !signals.some(({ kind, status }) => kind === 'metrics' && status === 'quiet')
      ? [{ code: 'no-alarms', text: 'The service has no alarms and no metrics that were judged, so nothing can say that it is well.' }] : []),
    ...signals.filter(({ status }) => status !== 'quiet').map(({ summary }) => ({ code: 'not-quiet', text: `${summary}.` })),
    ...restless.map(({ name, since }) => ({ code: 'not-quiet-long-enough', text: `Alarm ${name} is OK only since ${since ?? ''}.` })),
    ...(hasJourneys && (evidence?.results ?? []).length === 0 ? [{ code: 'journeys-unknown', text: 'The journeys could not be run.' }] : []),
    ...notUsed(traffic),
  ];
}

/** An alarm that takes missing data for well is OK without a single request. */
function notUsed(traffic: TrafficReading | null): Reason[] {
  if (traffic === null || traffic.status === 'unknown') return [{ code: 'traffic-unknown', text: 'How many requests users made meanwhile cannot be read, so nobody knows what the quiet is worth.' }];
  if (traffic.status === 'too-little') return [{ code: 'too-little-traffic', text: `Only ${traffic.requests ?? 0} requests in ${traffic.minutes ?? 0} minutes; below ${traffic.minimum ?? 0} quiet alarms prove nothing.` }];
  return [];
}
