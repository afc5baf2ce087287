// What the verbs of a strategy's function share: the question to plan, the plan's answer for the workflow, and failures as reasons.
import type * as z from 'zod';
import { type AwsFault, AwsCallError } from '../adapters/aws-errors.ts';
import type { LockHold } from '../adapters/ledger-lock.ts';
import type { AuditEntry } from '../audit/entry.ts';
import type { Clock } from '../domain/clock.ts';
import type { AuditCursor, JsonObject, Reason, TargetState } from '../domain/vocabulary.ts';
import type { WayEffect } from '../domain/way-effect.ts';
import type { StepApplied, StepCaptured, StepConfirmed, StepPlan, StrategyInput } from '../domain/workflow.ts';
import type { Capture, PlanAnswer, PlanQuestion, Strategy } from '../strategies/strategy.ts';
import type { Log } from './logger.ts';

export interface Surroundings {
  /** Moves the end of the lease. False when this rollback no longer has the lock. */
  readonly renew: (hold: LockHold, now: Date) => Promise<boolean>;
  readonly audit: { append(entry: AuditEntry, cursor: AuditCursor | null): Promise<AuditCursor> };
  readonly clock: Clock;
}

export type StrategyOutput = StepCaptured | StepPlan | StepApplied | StepConfirmed;

/** One call of a strategy's function. */
export interface Work<Target extends JsonObject, State extends TargetState> {
  readonly strategy: Strategy<Target, State>;
  readonly input: StrategyInput;
  readonly target: Target;
  readonly id: { readonly stepId: string; readonly strategy: string; readonly targetId: string };
  readonly log: Log;
  readonly around: Surroundings;
}

/** What a change is marked with where AWS lets us leave a mark. */
export const keyOf = ({ rollbackId, step }: StrategyInput): string => `${rollbackId}/${step.id}`;

function questionOf<Target extends JsonObject, State extends TargetState>(work: Work<Target, State>, live: Capture<State>): PlanQuestion<Target, State> {
  const { step, planned } = work.input;
  return {
    target: work.target,
    live,
    good: step.good === null ? null : { version: step.good.version, state: step.good.state as State | null },
    release: step.release,
    expectedFrom: planned?.outcome === 'change' ? (planned.from as State | null) : null,
  };
}

export type Answered<State extends TargetState> = PlanAnswer<State> & { readonly effect?: WayEffect };

/** The strategy's plan with what users would notice of it; refused where nobody said yes to that. */
export function answerFrom<Target extends JsonObject, State extends TargetState>(work: Work<Target, State>, live: Capture<State>): Answered<State> {
  const answer = work.strategy.plan(questionOf(work, live));
  if (answer.outcome !== 'change') return answer;
  const effect = work.strategy.way.effect(work.target, { state: answer.from, planned: { to: answer.to, facts: live.facts }, isRunning: false });
  const harms = effect.downtime === 'interruption' || effect.downtime === 'unknown';
  if (!harms || work.input.step.mustNotInterrupt !== true) return { ...answer, effect };
  return { outcome: 'impossible', from: answer.from, effect, reason: { code: 'would-interrupt', text: `Users would ${effect.downtime === 'unknown' ? 'perhaps ' : ''}be interrupted (${effect.text}), the policy wants a person's yes to that, and nobody was asked.` } };
}

export function planOf<State extends TargetState>(id: Work<JsonObject, State>['id'], answer: Answered<State>): StepPlan {
  const base = { ...id, from: answer.from, expectedSeconds: answer.outcome === 'change' ? answer.effect?.seconds ?? 0 : 0, ...(answer.effect === undefined ? {} : { effect: answer.effect }) };
  return answer.outcome === 'impossible'
    ? { ...base, outcome: answer.outcome, to: null, reason: answer.reason, summary: answer.reason.text }
    : { ...base, outcome: answer.outcome, to: answer.to, reason: null, summary: answer.summary };
}

const mends: Readonly<Record<AwsFault, string>> = {
  denied: 'The strategy\'s role lacks this permission: deploy the service again so that its role is made from the manifest, and look for a deny in a boundary or an organization policy.',
  gone: 'The catalogue names something that does not exist: correct the target.',
  conflicting: 'Something else is changing the same target: let it finish, or stop it, then start the rollback again.',
  invalid: 'AWS takes no such call for this target as it is now: compare the target in the catalogue with what is live.',
  unknown: 'Read the cause in the function\'s log, and decide by hand.',
  throttled: 'Try again in a moment.',
  unavailable: 'Try again in a moment.',
};

/**
 * The reason of a failure of AWS that no retry mends.
 * @throws the error itself when a retry may help, or when it is no answer of AWS (a bug of ours).
 */
export function failure(error: unknown): Reason {
  if (!(error instanceof AwsCallError) || error.kind === 'retry') throw error;
  return { code: error.fault, text: `${error.message}. ${mends[error.fault]}` };
}

/** The catalogue's target does not fit this strategy's schema: an answer for each verb, and nothing is read or written. */
export function invalidTarget({ strategy, input, id, around }: Work<JsonObject, TargetState>, error: z.ZodError): StrategyOutput {
  const reason = { code: 'invalid-target', text: `Target ${id.targetId} does not fit strategy ${strategy.manifest.name}: ${error.issues.map((issue) => `${issue.path.map(String).join('.')}: ${issue.message}`).join('; ')}` };
  const nothing = { from: null, to: null, reason, summary: reason.text };
  const answers: Readonly<Record<StrategyInput['verb'], () => StrategyOutput>> = {
    capture: () => ({ targetId: id.targetId, status: 'failed', state: null, reason }),
    plan: () => ({ ...id, ...nothing, outcome: 'impossible', expectedSeconds: 0 }),
    apply: () => ({ ...id, ...nothing, status: 'failed', handle: null, at: around.clock.now().toISOString(), confirmAfterSeconds: 0 }),
    confirm: () => ({ stepId: id.stepId, answer: 'cannot-verify', detail: reason.text, retryAfterSeconds: 0 }),
  };
  return answers[input.verb]();
}
