// One look at a release in its bake: go on, start a rollback, call it known good, or give up. Pure.
import { createHash } from 'node:crypto';
import { at, instantOf } from './instants.ts';
import type { RollbackRecord } from './ledger.ts';
import { findInMetrics, metricSignals } from './metric-findings.ts';
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
  /** Since the release finished; null while it bakes. */
  readonly traffic: TrafficReading | null;
  /** Versions that were rolled back. */
  readonly quarantined: readonly string[];
}

/** Seconds between two looks at most; what a look finds late is late by no more. */
const longestLookSeconds = 300;
/** A quarantined version on its way out is looked at so often, in seconds: it is taken back as soon as it is out. */
const heldLookSeconds = 30;

/**
 * Seconds until the next look: a minute at first, later a fifteenth of the time since the release finished, five minutes at most. Most bad releases
 * show in their first minutes, and alarms start a rollback without any look. Where something is not quiet, every minute.
 * A long bake has longer pauses, so that a week of looks fits the history of one execution.
 */
function lookSeconds({ bakeMinutes, release, now }: Pick<BakeQuestion, 'bakeMinutes' | 'release' | 'now'>, signals: readonly Signal[]): number {
  const least = Math.max(60, Math.ceil((bakeMinutes * 60) / 1000));
  if (release.finishedAt === null || signals.some(({ status }) => status !== 'quiet')) return least;
  return Math.max(least, Math.min(longestLookSeconds, Math.floor((at(now) - at(release.finishedAt)) / 15_000)));
}
/** A release that never says it finished is watched for so long, in minutes. */
const longestReleaseMinutes = 24 * 60;

/** When the bake of a release is over, in milliseconds; null while it still goes out. */
export const bakedAtOf = ({ finishedAt }: Pick<Release, 'finishedAt'>, bakeMinutes: number): number | null => (finishedAt === null ? null : at(finishedAt) + bakeMinutes * 60_000);

/** CloudWatch may have the requests of a minute so much later; a shorter bake is not given up before. */
const metricsLateMinutes = 4;

export function watchLook(question: BakeQuestion): WatchLooked {
  const over = endOf(question);
  if (over !== null) return ended(over);
  const again = shippedAgain(question);
  if (again !== null) return again;
  const known = readSignals({ ...question, startedAt: question.release.startedAt, trigger: { kind: 'watch', releaseId: question.release.id, alarms: [], journeys: [] } }, question.release);
  const signals = [...known, ...metricSignals(findInMetrics(question.metrics, question.release, question.now))];
  return signalFor(question, signals) ?? bakeState(question, signals);
}

const ended = (reason: Reason): WatchLooked => ({ answer: 'ended', waitSeconds: 0, reasons: [reason], rollback: null });

/** Why there is nothing left to watch; null while there is. */
function endOf({ release, releases, rollbacks }: BakeQuestion): Reason | null {
  const rollback = rollbacks.find((record) => record.release?.id === release.id);
  if (rollback !== undefined) return { code: 'rolled-back', text: `Rollback ${rollback.rollbackId} took release ${release.version} over.` };
  if (release.status === 'failed' || release.status === 'stopped') return { code: 'release-over', text: `Release ${release.version} ${release.status === 'failed' ? 'failed' : 'was stopped'}.` };
  const next = releases.find(({ id, startedAt }) => id !== release.id && at(startedAt) > at(release.startedAt));
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
    answer: 'signal', waitSeconds: 0,
    reasons: [{ code: 'quarantined-version', text: `Version ${release.version} was rolled back before, and is out again.` }],
    rollback: watchSignal(service, { releaseId: release.id, alarms: [], journeys: [], quarantined: true }),
  };
}

/** A fresh alarm or metrics that got worse; or an alarm that fired before the release and so sends no event, together with a journey that passed before and fails now. */
function signalFor({ service, release }: BakeQuestion, signals: readonly Signal[]): WatchLooked | null {
  const firing = signals.filter(({ status }) => status === 'firing');
  const named = (kind: Signal['kind'], isOlder: boolean) => firing.filter((one) => one.kind === kind && one.isOlderThanRelease === isOlder).map(({ source }) => source).toSorted();
  const fresh = named('alarm', false);
  const older = named('alarm', true);
  const journeys = named('journey', false);
  const isWorse = firing.some(({ kind }) => kind === 'metrics');
  if (fresh.length === 0 && !isWorse && (older.length === 0 || journeys.length === 0)) return null;
  const detail = { releaseId: release.id, alarms: fresh.length > 0 ? fresh : older, journeys, ...(isWorse ? { metrics: true } : {}) };
  return {
    answer: 'signal', waitSeconds: 0,
    reasons: firing.map(({ summary }) => ({ code: 'signal', text: summary })),
    rollback: watchSignal(service, detail),
  };
}

/** What starts a rollback of a watched release, under a name that the same release and signals always have. */
export const watchSignal = (service: string, detail: JsonObject): NonNullable<WatchLooked['rollback']> =>
  ({ name: nameOf(service, detail), input: { service, event: { source: 'ripcord.watch', 'detail-type': 'Watch Signal', detail } } });

/** The same release and signals make the same name, so that they start one execution. Without a time: a repeat must not differ. */
function nameOf(service: string, detail: JsonObject): string {
  const digest = createHash('sha256').update(JSON.stringify(detail)).digest('hex').slice(0, 24);
  return `watch-${service}-${digest}`;
}

function bakeState(question: BakeQuestion, signals: readonly Signal[]): WatchLooked {
  const { release, bakeMinutes, now } = question;
  const bakedAt = bakedAtOf(release, bakeMinutes);
  if (bakedAt === null) {
    if (at(now) - at(release.startedAt) > longestReleaseMinutes * 60_000) return ended({ code: 'never-finished', text: `Release ${release.version} did not say that it finished within a day; it is not called good.` });
    return goOn(lookSeconds(question, signals), { code: 'in-progress', text: `Release ${release.version} is still going out.` });
  }
  const secondsLeft = Math.ceil((bakedAt - at(now)) / 1000);
  if (secondsLeft > 0) return goOn(Math.min(lookSeconds(question, signals), Math.max(5, secondsLeft)), { code: 'baking', text: `Release ${release.version} bakes until ${instantOf(bakedAt)}.` });
  const doubts = notQuiet(question, signals);
  if (doubts.length === 0) return { answer: 'known-good', waitSeconds: 0, reasons: [{ code: 'baked', text: `Nothing fired for ${bakeMinutes} minutes after release ${release.version} finished.` }], rollback: null };
  // As long again as the bake: an alarm that blinked has to be quiet for a whole bake time.
  if (at(now) - bakedAt > Math.max(bakeMinutes, metricsLateMinutes) * 60_000) return { answer: 'ended', waitSeconds: 0, reasons: doubts, rollback: null };
  return { answer: 'continue', waitSeconds: Math.max(60, Math.ceil((bakeMinutes * 60) / 1000)), reasons: doubts, rollback: null };
}

const goOn = (waitSeconds: number, reason: Reason): WatchLooked => ({ answer: 'continue', waitSeconds, reasons: [reason], rollback: null });

type Quiet = Pick<BakeQuestion, 'alarms' | 'evidence' | 'hasJourneys' | 'bakeMinutes' | 'now' | 'traffic'>;

/** Why the service cannot be called quiet for a bake time. No data is a reason, and so is having nothing to look at. */
export function notQuiet({ alarms, evidence, hasJourneys, bakeMinutes, now, traffic }: Quiet, signals: readonly Signal[]): Reason[] {
  const restless = alarms.filter(({ name, state, since }) => state === 'OK' && since !== null && at(now) - at(since) < bakeMinutes * 60_000
    && signals.some(({ source, status }) => source === name && status === 'quiet'));
  return [
    ...(alarms.length === 0 ? [{ code: 'no-alarms', text: 'The service has no alarms, so nothing can say that it is well.' }] : []),
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
