// One round of proof: journeys, alarms, metrics and live state together say recovered, not yet, or still bad.
import type { AuditStore } from '../adapters/audit-store.ts';
import type { Journey } from '../config/schema.ts';
import type { MetricsConfig } from '../adapters/metrics.ts';
import type { Clock } from '../domain/clock.ts';
import { findRecovery, type RecoveryFinding } from '../domain/metric-findings.ts';
import type { MetricsReading } from '../domain/metrics.ts';
import type { AlarmReading } from '../domain/readings.ts';
import type { AuditCursor, JsonObject, Reason } from '../domain/vocabulary.ts';
import type { JourneyResult, JourneyRound, Verified, VerifyInput } from '../domain/workflow.ts';
import type { Log } from './logger.ts';
import { counted } from './messages-text.ts';

export interface VerifyTarget {
  readonly journeys: Readonly<Record<string, Journey>>;
  readonly signals: MetricsConfig & { readonly alarms: readonly { readonly name: string }[] };
}

export interface VerifyParts {
  readonly targetOf: (service: string) => Promise<VerifyTarget>;
  readonly runJourneys: (journeys: VerifyTarget['journeys'], rollbackId: string) => Promise<JourneyResult[]>;
  readonly readAlarms: (alarms: VerifyTarget['signals']['alarms']) => Promise<readonly AlarmReading[]>;
  /** Undefined when the service declares no metrics. */
  readonly readMetrics: (metrics: MetricsConfig) => Promise<MetricsReading | undefined>;
  /** False when the lock of the service is no longer this rollback's. */
  readonly renewLease: (hold: { readonly service: string; readonly owner: string; readonly fence: number }) => Promise<boolean>;
  readonly audit: Pick<AuditStore, 'append'>;
  readonly clock: Clock;
  readonly log: Log;
}

interface Round {
  readonly journeys: JourneyRound;
  readonly alarms: readonly AlarmReading[];
  /** Null where metrics have no say. */
  readonly metrics: RecoveryFinding | null;
  readonly isLeaseHeld: boolean;
}

/** @throws Error for a proof without its conditions: a deadline is never guessed. */
export async function verify(input: VerifyInput, parts: VerifyParts): Promise<Verified> {
  const target = await parts.targetOf(input.service);
  const round = await runRound(input, target, parts);
  const verdict = input.purpose === 'evidence' ? evidence(round) : proof(input, round);
  const audit = await record(input, round, { verdict, parts });
  parts.log.info(`round ${input.round}: ${verdict.answer}`, { verdict: verdict.answer, purpose: input.purpose, passes: verdict.passes });
  return { ...verdict, round: input.round + 1, journeys: round.journeys, audit };
}

async function runRound(input: VerifyInput, { journeys, signals }: VerifyTarget, parts: VerifyParts): Promise<Round> {
  const hold = input.fence === null ? null : { service: input.service, owner: input.rollbackId, fence: input.fence };
  const [isLeaseHeld, results, alarms, metrics] = await Promise.all([
    hold === null ? true : parts.renewLease(hold),
    parts.runJourneys(journeys, input.rollbackId),
    input.purpose === 'proof' ? parts.readAlarms(signals.alarms) : [],
    // Nothing is compared with a recovery: whether the controls are well is not asked.
    input.purpose === 'proof' ? parts.readMetrics({ metrics: signals.metrics }) : undefined,
  ]);
  return { isLeaseHeld, journeys: { at: parts.clock.now().toISOString(), results }, alarms, metrics: findRecovery(metrics, input.releaseStartedAt ?? null, input.since) };
}

type Verdict = Pick<Verified, 'answer' | 'passes' | 'reasons' | 'waitSeconds'>;

/** Evidence proves nothing by itself: whoever asked judges it. */
const evidence = ({ journeys }: Round): Verdict => ({
  answer: 'not-yet', waitSeconds: 0, passes: 0, reasons: failedJourneys(journeys.results),
});

function proof(input: VerifyInput, round: Round): Verdict {
  const { verification, since } = input;
  if (verification === null || since === null) throw new Error('proof needs `verification` and `since`: without them there is no end to it');
  const results = round.journeys.results;
  const passes = results.every(({ ok }) => ok) ? input.passes + 1 : 0;
  const { lost, missing, noted } = conditions(input, round);
  const tooFew = passes >= verification.passesInARow ? [] : [{ code: 'too-few-passes', text: `${passes} of ${verification.passesInARow} rounds in a row passed.` }];
  const open = [...failedJourneys(results), ...tooFew, ...missing];
  const waitSeconds = verification.intervalSeconds;
  if (lost.length > 0) return { answer: 'still-bad', passes, waitSeconds: 0, reasons: [...lost, ...open, ...noted] };
  if (open.length === 0) return { answer: 'recovered', passes, waitSeconds: 0, reasons: [...proven(input, round, passes), ...noted] };
  const elapsedSeconds = (Date.parse(round.journeys.at) - Date.parse(since)) / 1000;
  if (elapsedSeconds < verification.deadlineSeconds) return { answer: 'not-yet', passes, waitSeconds, reasons: [...open, ...noted] };
  const late = { code: 'deadline', text: `Not proven within ${verification.deadlineSeconds} s of the change.` };
  return { answer: 'still-bad', passes, waitSeconds: 0, reasons: [late, ...open, ...noted] };
}

/** `lost`: waiting mends nothing. `missing`: not yet as it has to be. `noted`: known, and no obstacle. */
function conditions(input: VerifyInput, round: Round): { readonly lost: Reason[]; readonly missing: Reason[]; readonly noted: Reason[] } {
  const others = input.live.filter(({ answer }) => answer === 'changed-by-someone-else');
  const unproven = input.live.filter(({ answer }) => answer !== 'yes' && answer !== 'changed-by-someone-else');
  const firing = round.alarms.filter(({ state }) => state === 'ALARM');
  const older = firing.filter(({ name }) => input.alarmsAtStart.includes(name));
  // Of an alarm that could not be evaluated only the last state is known.
  const silent = round.alarms.filter(({ state, evaluationState }) => state !== 'ALARM' && (state !== 'OK' || evaluationState !== null));
  return {
    lost: [
      ...others.map(({ stepId, detail }) => ({ code: 'changed-by-someone-else', text: `${stepId}: ${detail}` })),
      ...(round.isLeaseHeld ? [] : [{ code: 'lock-lost', text: 'Another rollback has the lock of this service.' }]),
    ],
    missing: [
      ...unproven.map(({ stepId, answer, detail }) => ({ code: `live-${answer}`, text: `${stepId}: ${detail}` })),
      ...(input.live.length > 0 ? [] : [{ code: 'live-unknown', text: 'No step says that its target is live as planned.' }]),
      ...firing.filter((alarm) => !older.includes(alarm)).map(({ name, reason }) => ({ code: 'alarm-firing', text: `Alarm ${name} is in ALARM: ${reason}` })),
      ...(round.metrics === null || round.metrics.isProven ? [] : [round.metrics.reason]),
      ...silent.map(({ name, state }) => ({ code: 'alarm-no-data', text: `Alarm ${name} ${state === 'missing' ? 'does not exist' : state === 'OK' ? 'could not be evaluated' : 'has no data'}, which is not OK.` })),
      ...(round.journeys.results.length + round.alarms.length > 0 ? [] : [{ code: 'nothing-to-prove-it', text: 'The service has neither journeys nor alarms: live state alone proves no recovery.' }]),
    ],
    noted: older.map(({ name }) => ({ code: 'alarm-older-than-release', text: `Alarm ${name} is in ALARM since before the release; it does not count.` })),
  };
}

const failedJourneys = (results: readonly JourneyResult[]): Reason[] => results.filter(({ ok }) => !ok).map(({ journey, failedAt, reason, couldNotRun }) => ({
  code: couldNotRun === true ? 'journey-not-run' : 'journey-failed',
  text: `Journey ${journey}${couldNotRun === true ? ' could not be run' : ''}${failedAt === null ? '' : `, request ${failedAt}`}: ${reason ?? 'failed'}`,
}));

function proven(input: VerifyInput, { journeys, alarms, metrics }: Round, passes: number): Reason[] {
  return [
    journeys.results.length === 0
      ? { code: 'no-journeys', text: 'The service has no journeys: only alarms and live state were checked.' }
      : { code: 'journeys-passed', text: `${counted(journeys.results.length, 'journey')} passed in ${counted(passes, 'round')} in a row.` },
    { code: 'alarms-ok', text: alarms.length === 0 ? 'The service has no alarms of its own.' : `${alarms.filter(({ state }) => state === 'OK').length} of ${alarms.length} alarms are OK.` },
    ...(metrics === null ? [] : [metrics.reason]),
    { code: 'live-as-planned', text: `${counted(input.live.length, 'target')} live as planned.` },
  ];
}

/** @returns where the audit stands, or what was given for a probe outside a rollback, which leaves no row. */
async function record(input: VerifyInput, round: Round, about: { readonly verdict: Verdict; readonly parts: VerifyParts }): Promise<AuditCursor | null> {
  const { verdict, parts } = about;
  if (input.purpose === 'evidence' && input.fence === null) return input.audit;
  const data = {
    purpose: input.purpose, round: input.round, answer: verdict.answer, passes: verdict.passes, reasons: verdict.reasons.map((reason) => ({ ...reason })),
    journeys: { at: round.journeys.at, results: round.journeys.results.map((result) => ({ ...result })) },
    alarms: Object.fromEntries(round.alarms.map(({ name, state }) => [name, state])),
    live: input.live.map(({ stepId, answer, detail }) => ({ stepId, answer, detail })),
  } satisfies JsonObject;
  return parts.audit.append({ rollbackId: input.rollbackId, service: input.service, kind: 'verified', at: round.journeys.at, data }, input.audit);
}
