// One round of proof: reads journeys, alarms, metrics and the lock, has them judged, and keeps what the answer was made from.
import type { AuditStore } from '../adapters/audit-store.ts';
import type { Journey } from '../config/schema.ts';
import type { MetricsConfig } from '../adapters/metrics.ts';
import type { Clock } from '../domain/clock.ts';
import { compared, type MetricsReading } from '../domain/metrics.ts';
import { judgeRound, type ProofQuestion, type RoundQuestion, type RoundVerdict } from '../domain/proof.ts';
import type { AlarmReading } from '../domain/readings.ts';
import type { AuditCursor, JsonObject } from '../domain/vocabulary.ts';
import type { JourneyResult, JourneyRound, Verified, VerifyInput } from '../domain/workflow.ts';
import type { Log } from './logger.ts';

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
  readonly codeVersion: string;
}

/** @throws Error for a proof without its conditions: a deadline is never guessed. */
export async function verify(input: VerifyInput, parts: VerifyParts): Promise<Verified> {
  const target = await parts.targetOf(input.service);
  const question = input.purpose === 'evidence' ? await evidenceQuestion(input, target, parts) : await proofQuestion(input, target, parts);
  const round = await withControls(question, target, parts);
  const verdict = judgeRound(round);
  const audit = await record(input, round, { verdict, parts });
  parts.log.info(`round ${input.round}: ${verdict.answer}`, { verdict: verdict.answer, purpose: input.purpose, passes: verdict.passes });
  return { ...verdict, round: input.round + 1, journeys: round.journeys, audit };
}

/** Before the way back is given up for the metrics: harm that the controls share ends it for nobody. Read then alone, as every round would pay for it. */
async function withControls(question: RoundQuestion, { signals }: VerifyTarget, { readMetrics }: VerifyParts): Promise<RoundQuestion> {
  if (question.purpose === 'evidence' || question.metrics?.status !== 'read' || (signals.controls ?? []).length === 0) return question;
  const { answer, reasons } = judgeRound(question);
  if (answer !== 'still-bad' || !reasons.some(({ code }) => code.startsWith('metrics-'))) return question;
  const metrics = await readMetrics({ metrics: signals.metrics, controls: signals.controls });
  return metrics?.status === 'read' ? { ...question, metrics } : question;
}

async function evidenceQuestion(input: VerifyInput, { journeys }: VerifyTarget, parts: VerifyParts): Promise<RoundQuestion> {
  const [, results] = await Promise.all([holds(input, parts), parts.runJourneys(journeys, input.rollbackId)]);
  return { purpose: 'evidence', journeys: roundOf(results, parts) };
}

async function proofQuestion(input: VerifyInput, { journeys, signals }: VerifyTarget, parts: VerifyParts): Promise<ProofQuestion> {
  const { verification, since, passes, alarmsAtStart, releaseStartedAt = null } = input;
  if (verification === null || since === null) throw new Error('proof needs `verification` and `since`: without them there is no end to it');
  const [isLeaseHeld, results, alarms, metrics] = await Promise.all([
    holds(input, parts),
    parts.runJourneys(journeys, input.rollbackId),
    parts.readAlarms(signals.alarms),
    // Nothing is compared with a recovery: the controls are not asked. Without a release there is nothing to be back at.
    releaseStartedAt === null ? undefined : parts.readMetrics({ metrics: signals.metrics }),
  ]);
  return {
    purpose: 'proof', verification, since, releaseStartedAt, passes, alarmsAtStart, isLeaseHeld, journeys: roundOf(results, parts),
    live: input.live.map(({ stepId, answer, detail }) => ({ stepId, answer, detail })),
    alarms: alarms.map(({ name, state, evaluationState, reason }) => ({ name, state, evaluationState, reason })),
    ...(metrics === undefined ? {} : { metrics }),
    ...(compared(signals.controls ?? []).length === 0 ? {} : { withTraffic: true }),
  };
}

const holds = async ({ fence, service, rollbackId }: VerifyInput, { renewLease }: VerifyParts): Promise<boolean> =>
  fence === null || renewLease({ service, owner: rollbackId, fence });

const roundOf = (results: readonly JourneyResult[], { clock }: VerifyParts): JourneyRound => ({ at: clock.now().toISOString(), results });

/** @returns where the audit stands, or what was given for a probe outside a rollback, which leaves no row. */
async function record(input: VerifyInput, question: RoundQuestion, about: { readonly verdict: RoundVerdict; readonly parts: VerifyParts }): Promise<AuditCursor | null> {
  const { verdict, parts } = about;
  if (input.purpose === 'evidence' && input.fence === null) return input.audit;
  const data = { round: input.round, ...verdict, question, codeVersion: parts.codeVersion } as unknown as JsonObject;
  return parts.audit.append({ rollbackId: input.rollbackId, service: input.service, kind: 'verified', at: question.journeys.at, data }, input.audit);
}
