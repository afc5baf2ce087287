// The verb that writes: under the lock, from a plan made of the state just read, with the state before recorded first.
import { isFault } from '../adapters/aws-errors.ts';
import type { AuditKind } from '../audit/entry.ts';
import type { AuditCursor, JsonObject, Reason, TargetState } from '../domain/vocabulary.ts';
import type { StepApplied } from '../domain/workflow.ts';
import type { Capture, Made, PlanAnswer } from '../strategies/strategy.ts';
import { answerFrom, failure, keyOf, type Work } from './strategy-work.ts';

type AnyWork = Work<JsonObject, TargetState>;
type Change = Extract<PlanAnswer<TargetState>, { readonly outcome: 'change' }>;

const lockLost: Reason = { code: 'lock-lost', text: 'This rollback does not hold the lock of the service (any more), so it changed nothing.' };

/** @throws Error when a retry may help: the repeat reads the live state again and finds out what was done. */
export async function applyStep(work: AnyWork): Promise<StepApplied> {
  const { input: { step, fence, rollbackId }, around, strategy, target } = work;
  if (fence === null) return refused(work, lockLost, null);
  const hold = { service: step.service, owner: rollbackId, fence };
  const [lease, captured] = await Promise.allSettled([around.renew(hold, around.clock.now()), strategy.capture(target, step)]);
  if (lease.status === 'rejected') throw lease.reason;
  if (!lease.value) return refused(work, lockLost, null);
  if (captured.status === 'rejected') return refused(work, failure(captured.reason), null);
  return fromLive(work, { live: captured.value, mayReadAgain: true, cursor: work.input.audit ?? null });
}

interface Attempt {
  readonly live: Capture;
  /** A conflict means that the world moved between read and write: look once more, then give up. */
  readonly mayReadAgain: boolean;
  readonly cursor: AuditCursor | null;
}

async function fromLive(work: AnyWork, attempt: Attempt): Promise<StepApplied> {
  const answer = answerFrom(work, attempt.live);
  if (answer.outcome === 'impossible') return refused(work, answer.reason, attempt.cursor, answer.from);
  if (answer.outcome === 'already') {
    await record(work, 'change-made', { status: 'already', from: answer.from, to: answer.to, summary: answer.summary }, attempt.cursor);
    return { ...base(work), status: 'already', from: answer.from, to: answer.to, handle: null, summary: answer.summary, reason: null, confirmAfterSeconds: 0 };
  }
  return change(work, attempt, answer);
}

async function change(work: AnyWork, attempt: Attempt, { from, to, summary }: Change): Promise<StepApplied> {
  const { strategy, target, input, log, id } = work;
  const wanted = { key: keyOf(input), target, from, to, live: attempt.live };
  const [recorded, rechecked] = await Promise.allSettled([record(work, 'change-intended', { from, to, summary }, attempt.cursor), strategy.recheck?.(wanted)]);
  if (recorded.status === 'rejected') throw recorded.reason;
  const cursor = recorded.value;
  let made: Made;
  try {
    if (rechecked.status === 'rejected') throw rechecked.reason;
    made = await strategy.apply(wanted);
  } catch (error) {
    return failed(work, { ...attempt, cursor }, error, from);
  }
  const applied: StepApplied = { ...base(work), status: 'changed', from, to, handle: made.handle, summary, reason: null, confirmAfterSeconds: made.confirmAfterSeconds };
  await record(work, 'change-made', { status: 'changed', handle: made.handle, summary }, cursor);
  log.info('step changed', { strategy: id.strategy, target: id.targetId, from: summary, to: made.handle });
  return applied;
}

async function failed(work: AnyWork, { mayReadAgain, cursor }: Attempt, error: unknown, from: TargetState): Promise<StepApplied> {
  const isConflict = isFault(error, 'conflicting') && mayReadAgain;
  if (!isConflict) {
    const text = error instanceof Error ? error.message : String(error);
    if (isFault(error, 'throttled', 'unavailable')) await record(work, 'change-failed', { reason: { code: error.fault, text }, next: 'the workflow tries again' }, cursor);
    return refused(work, failure(error), cursor, from);
  }
  const next = await record(work, 'change-failed', { reason: { code: error.fault, text: error.message }, next: 'the live state is read once more' }, cursor);
  try {
    return await fromLive(work, { live: await work.strategy.capture(work.target, work.input.step), mayReadAgain: false, cursor: next });
  } catch (again) {
    return refused(work, failure(again), next, from);
  }
}

async function refused(work: AnyWork, reason: Reason, cursor: AuditCursor | null, from: TargetState | null = null): Promise<StepApplied> {
  const status = reason.code === 'changed-by-someone-else' ? reason.code : 'failed';
  await record(work, 'change-failed', { status, from, reason: { ...reason } }, cursor ?? work.input.audit ?? null);
  work.log.warn('step not changed', { strategy: work.id.strategy, target: work.id.targetId, verdict: status, reason: reason.text });
  return { ...base(work), status, from, to: null, handle: null, summary: reason.text, reason, confirmAfterSeconds: 0 };
}

const base = ({ id, around }: AnyWork) => ({ ...id, at: around.clock.now().toISOString() });

function record({ input, around, id }: AnyWork, kind: AuditKind, data: JsonObject, cursor: AuditCursor | null): Promise<AuditCursor> {
  return around.audit.append({ rollbackId: input.rollbackId, service: input.step.service, kind, at: around.clock.now().toISOString(), data: { ...id, ...data } }, cursor);
}
