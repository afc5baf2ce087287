// Is it over? What one round of journeys, alarms, metrics and live state proves. Pure: the same question has the same answer.
import { plural } from '../statistics/wording.ts';
import { at } from './instants.ts';
import { findRecovery, type RecoveryFinding } from './metric-findings.ts';
import type { MetricsReading } from './metrics.ts';
import type { AlarmReading } from './readings.ts';
import { leftHarm, type LeftHarm } from './shared-harm.ts';
import type { Instant, Reason } from './vocabulary.ts';
import type { JourneyResult, JourneyRound, StepConfirmed, Verification, Verified } from './workflow.ts';

/** Journeys that were run for somebody else to judge. */
export interface EvidenceQuestion {
  readonly purpose: 'evidence';
  readonly journeys: JourneyRound;
}

/** Everything that the answer of a round is made from, in one value: kept in the audit, so that it can be given again. */
export interface ProofQuestion {
  readonly purpose: 'proof';
  readonly verification: Verification;
  /** When the change was made: the deadline counts from here. */
  readonly since: Instant;
  /** When the release began that is taken back; null without one. */
  readonly releaseStartedAt: Instant | null;
  /** Rounds in a row that passed before this one. */
  readonly passes: number;
  readonly alarmsAtStart: readonly string[];
  /** False when another rollback has the lock of the service. */
  readonly isLeaseHeld: boolean;
  readonly live: readonly Pick<StepConfirmed, 'stepId' | 'answer' | 'detail'>[];
  readonly journeys: JourneyRound;
  readonly alarms: readonly Pick<AlarmReading, 'name' | 'state' | 'evaluationState' | 'reason'>[];
  /** Absent where metrics have no say. With controls only where the harm that is left would end the proof in vain. */
  readonly metrics?: MetricsReading | undefined;
  /** Present where the service has controls to compare its traffic with. */
  readonly withTraffic?: boolean;
}

export type RoundQuestion = EvidenceQuestion | ProofQuestion;

/** `waitSeconds`: until the next round; 0 when there is none. */
export type RoundVerdict = Pick<Verified, 'answer' | 'passes' | 'reasons' | 'waitSeconds' | 'triesNoMore'>;

export function judgeRound(question: RoundQuestion): RoundVerdict {
  if (question.purpose === 'proof') return proof(question, findRecovery(question.metrics, takenBack(question)));
  // Evidence proves nothing by itself: whoever asked judges it.
  return { answer: 'not-yet', waitSeconds: 0, passes: 0, reasons: failedJourneys(question.journeys.results) };
}

const takenBack = ({ releaseStartedAt, since, withTraffic = false }: ProofQuestion): Parameters<typeof findRecovery>[1] => ({ releaseStartedAt, changedAt: since, withTraffic });

function proof(question: ProofQuestion, metrics: RecoveryFinding | null): RoundVerdict {
  const { verification, since, journeys: { at: now, results } } = question;
  const passes = results.every(({ ok }) => ok) ? question.passes + 1 : 0;
  const left = metrics === null ? null : leftHarm(metrics, question.metrics, question.releaseStartedAt);
  const { lost, missing, ...known } = conditions(question, metrics, left?.isHopeless === true);
  const isFew = metrics?.few?.isClean === true;
  const tooFew = passes >= verification.passesInARow ? [] : [{ code: 'too-few-passes', text: `${passes} of ${verification.passesInARow} rounds in a row passed.` }];
  const open = [...failedJourneys(results), ...tooFew, ...missing];
  const waitSeconds = verification.intervalSeconds;
  const isLate = (at(now) - at(since)) / 1000 >= verification.deadlineSeconds;
  // Nobody was asked before the controls were read: that is no news until then.
  const company = left === null || !(isLate || hasControls(question)) ? [] : left.reasons;
  const noted = [...company, ...known.noted, ...(isFew && isLate && passes > 0 ? journeysPassed(question, passes) : [])];
  if (lost.length > 0) return { answer: 'still-bad', passes, waitSeconds: 0, reasons: [...lost, ...open, ...noted] };
  if (open.length === 0) return { answer: 'recovered', passes, waitSeconds: 0, reasons: [...proven(question, metrics, passes), ...noted] };
  if (!isLate) return { answer: 'not-yet', passes, waitSeconds, reasons: [...open, ...noted] };
  const late = { code: 'deadline', text: `Not proven within ${verification.deadlineSeconds} s of the change.` };
  return { answer: 'still-bad', passes, waitSeconds: 0, reasons: [late, ...open, ...noted], ...(isFew && isUnprovable(metrics, open) || (left !== null && isNoReason(left, metrics, open)) ? { triesNoMore: true } : {}) };
}

const hasControls = ({ metrics }: ProofQuestion): boolean => metrics?.status === 'read' && metrics.controls.length > 0;

/** What harm that is elsewhere too makes of a service's journeys and alarms, by the signal it shows in. Targets that are not as planned are never among it. */
const consequences: Readonly<Record<'errors' | 'latency' | 'traffic', readonly string[]>> = {
  errors: ['journey-failed', 'too-few-passes', 'alarm-firing'], latency: ['journey-failed', 'too-few-passes', 'alarm-firing'], traffic: ['alarm-no-data'],
};

/** Whether all that is open comes of harm that accuses nobody. */
function isNoReason({ accusesNobody, elsewhere }: LeftHarm, metrics: RecoveryFinding | null, open: readonly Reason[]): boolean {
  const explained = new Set(['nothing-to-prove-it', ...[...elsewhere].flatMap((kind) => consequences[kind])]);
  return accusesNobody && open.every((reason) => reason === metrics?.reason || explained.has(reason.code));
}

/** Too few requests say nothing of this way back, and would say as little of the next one. */
const isUnprovable = (metrics: RecoveryFinding, open: readonly Reason[]): boolean => open.every((reason) => reason === metrics.reason || reason.code === 'alarm-no-data' || reason.code === 'nothing-to-prove-it');

/** Journeys stand in for metrics without requests where the service says so, and there is one; not where some of those few requests failed. */
const journeysProve = ({ verification, journeys }: ProofQuestion, metrics: RecoveryFinding | null): boolean =>
  verification.fewRequests !== undefined && journeys.results.length > 0 && metrics?.few?.isClean === true;

/** `lost`: waiting mends nothing. `missing`: not yet as it has to be. `noted`: known, and no obstacle. */
function conditions(question: ProofQuestion, metrics: RecoveryFinding | null, isHopeless: boolean): { readonly lost: Reason[]; readonly missing: Reason[]; readonly noted: Reason[] } {
  const { live, alarms, journeys, isLeaseHeld, alarmsAtStart } = question;
  const others = live.filter(({ answer }) => answer === 'changed-by-someone-else');
  const unproven = live.filter(({ answer }) => answer !== 'yes' && answer !== 'changed-by-someone-else');
  const firing = alarms.filter(({ state }) => state === 'ALARM');
  const older = firing.filter(({ name }) => alarmsAtStart.includes(name));
  // Of an alarm that could not be evaluated only the last state is known.
  const unheard = alarms.filter(({ state, evaluationState }) => state !== 'ALARM' && (state !== 'OK' || evaluationState !== null));
  const isByJourneys = journeysProve(question, metrics);
  // Alarms with a floor of requests have no data for the same reason.
  const silent = unheard.filter(({ state, evaluationState }) => !(isByJourneys && state === 'INSUFFICIENT_DATA' && evaluationState === null));
  return {
    lost: [
      ...others.map(({ stepId, detail }) => ({ code: 'changed-by-someone-else', text: `${stepId}: ${detail}` })),
      ...(isLeaseHeld ? [] : [{ code: 'lock-lost', text: 'Another rollback has the lock of this service.' }]),
      ...(metrics !== null && isHopeless ? [metrics.reason] : []),
    ],
    missing: [
      ...unproven.map(({ stepId, answer, detail }) => ({ code: `live-${answer}`, text: `${stepId}: ${detail}` })),
      ...(live.length > 0 ? [] : [{ code: 'live-unknown', text: 'No step says that its target is live as planned.' }]),
      ...firing.filter((alarm) => !older.includes(alarm)).map(({ name, reason }) => ({ code: 'alarm-firing', text: `Alarm ${name} is in ALARM: ${reason}` })),
      ...(metrics === null || metrics.isProven || isHopeless || isByJourneys ? [] : [metrics.reason]),
      ...silent.map(({ name, state }) => ({ code: 'alarm-no-data', text: `Alarm ${name} ${state === 'missing' ? 'does not exist' : state === 'OK' ? 'could not be evaluated' : 'has no data'}, which is not OK.` })),
      ...(journeys.results.length + alarms.length > 0 || metrics?.isProven === true ? [] : [{ code: 'nothing-to-prove-it', text: 'The service has neither journeys nor alarms, and no metrics that prove it: live state alone proves no recovery.' }]),
    ],
    noted: [
      ...older.map(({ name }) => ({ code: 'alarm-older-than-release', text: `Alarm ${name} is in ALARM since before the release; it does not count.` })),
      ...(isByJourneys ? [{ code: 'proven-by-journeys', text: `With so few requests journeys prove it, as its policy says: ${question.verification.fewRequests ?? ''}` }] : []),
      ...unheard.filter((alarm) => !silent.includes(alarm)).map(({ name }) => ({ code: 'alarm-without-traffic', text: `Alarm ${name} has no data; with so few requests it does not count.` })),
    ],
  };
}

const failedJourneys = (results: readonly JourneyResult[]): Reason[] => results.filter(({ ok }) => !ok).map(({ journey, failedAt, reason, couldNotRun }) => ({
  code: couldNotRun === true ? 'journey-not-run' : 'journey-failed',
  text: `Journey ${journey}${couldNotRun === true ? ' could not be run' : ''}${failedAt === null ? '' : `, request ${failedAt}`}: ${reason ?? 'failed'}`,
}));

function proven({ journeys, alarms, live }: ProofQuestion, metrics: RecoveryFinding | null, passes: number): Reason[] {
  return [
    ...(journeys.results.length === 0 ? [{ code: 'no-journeys', text: 'The service has no journeys: only alarms and live state were checked.' }] : journeysPassed({ journeys }, passes)),
    { code: 'alarms-ok', text: alarms.length === 0 ? 'The service has no alarms of its own.' : `${alarms.filter(({ state }) => state === 'OK').length} of ${alarms.length} alarms are OK.` },
    ...(metrics === null ? [] : [metrics.reason]),
    { code: 'live-as-planned', text: `${plural(live.length, 'target')} live as planned.` },
  ];
}

const journeysPassed = ({ journeys: { results } }: Pick<ProofQuestion, 'journeys'>, passes: number): Reason[] =>
  (results.length === 0 ? [] : [{ code: 'journeys-passed', text: `${plural(results.length, 'journey')} passed in ${plural(passes, 'round')} in a row.` }]);
