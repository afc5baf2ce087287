// Makes the Lambda handler of one strategy: its four verbs, with the lock, the audit and the errors around them.
import { AwsCallError } from '../adapters/aws-errors.ts';
import { renewLock } from '../adapters/ledger-lock.ts';
import { systemClock } from '../domain/clock.ts';
import type { JsonObject, TargetState } from '../domain/vocabulary.ts';
import type { StepCaptured, StepConfirmed, StepPlan, StrategyInput } from '../domain/workflow.ts';
import type { Strategy } from '../strategies/strategy.ts';
import { fields, handle } from './handle.ts';
import { applyStep } from './strategy-apply.ts';
import { answerFrom, failure, invalidTarget, keyOf, planOf, type StrategyOutput, type Surroundings, type Work } from './strategy-work.ts';
import { auditStore, dynamoClient, ledgerTable } from './wiring.ts';

type AnyWork = Work<JsonObject, TargetState>;

const verbs: Readonly<Record<StrategyInput['verb'], (work: AnyWork) => Promise<StrategyOutput>>> = {
  capture: captureStep,
  plan: planStep,
  apply: applyStep,
  confirm: confirmStep,
};

/**
 * The handler of one strategy's function.
 * @throws Error named `Retryable` when AWS throttled or did not answer; every other failure of AWS is an answer with its reason.
 */
export function strategyHandler<Target extends JsonObject, State extends TargetState>(
  strategy: Strategy<Target, State>, surroundings: () => Surroundings = fromEnvironment,
): (event: unknown) => Promise<StrategyOutput> {
  let around: Surroundings | undefined;
  return handle<StrategyInput, StrategyOutput>({
    name: `strategy-${strategy.manifest.name}`,
    parse: inputFor(strategy.manifest.name),
    about: ({ rollbackId, step }) => ({ rollbackId, service: step.service }),
    run: (input, log) => {
      around ??= surroundings();
      return run({ strategy, input, log, around });
    },
  });
}

async function run({ strategy, input, log, around }: Omit<AnyWork, 'target' | 'id'>): Promise<StrategyOutput> {
  const { step } = input;
  const parsed = strategy.manifest.target.safeParse(step.target);
  const id = { stepId: step.id, strategy: step.strategy, targetId: step.targetId };
  const work = { strategy, input, log, around, id, target: parsed.success ? parsed.data : {} };
  return parsed.success ? verbs[input.verb](work) : invalidTarget(work, parsed.error);
}

function inputFor(strategy: string): (event: unknown) => StrategyInput {
  const parse = fields<StrategyInput>({ verb: 'string', rollbackId: 'string', step: 'object' });
  return (event) => {
    const input = parse(event);
    if (!Object.hasOwn(verbs, input.verb)) throw new Error(`input field "verb" must be one of ${Object.keys(verbs).join(', ')}, not "${input.verb}"`);
    if (input.step.strategy !== strategy) throw new Error(`this function is for strategy "${strategy}", but the step names "${input.step.strategy}"`);
    return input;
  };
}

function fromEnvironment(): Surroundings {
  const client = dynamoClient();
  const table = ledgerTable(client);
  return { audit: auditStore(client), clock: systemClock, renew: (hold, now) => renewLock(table, hold, { now }) };
}

async function captureStep({ strategy, target, input: { step }, around }: AnyWork): Promise<StepCaptured> {
  try {
    const { state } = await strategy.capture(target, null);
    return { targetId: step.targetId, status: 'captured', state, reason: null, at: around.clock.now().toISOString() };
  } catch (error) {
    return { targetId: step.targetId, status: 'failed', state: null, reason: failure(error) };
  }
}

async function planStep(work: AnyWork): Promise<StepPlan> {
  const { strategy, input, id, around } = work;
  const plan = await planned(work);
  const data = { ...id, outcome: plan.outcome, from: plan.from, to: plan.to, summary: plan.summary, effect: plan.effect === undefined ? null : { ...plan.effect }, reason: plan.reason === null ? null : { ...plan.reason } };
  await around.audit.append({ rollbackId: input.rollbackId, service: input.step.service, kind: 'planned', at: around.clock.now().toISOString(), data }, input.audit ?? null);
  work.log.info('step planned', { strategy: strategy.manifest.name, target: id.targetId, verdict: plan.outcome });
  return plan;
}

async function planned(work: AnyWork): Promise<StepPlan> {
  const { strategy, target, input } = work;
  try {
    return planOf(work.id, answerFrom(work, await strategy.capture(target, input.step)));
  } catch (error) {
    const reason = failure(error);
    return { ...work.id, outcome: 'impossible', from: null, to: null, reason, summary: reason.text, expectedSeconds: 0 };
  }
}

async function confirmStep(work: AnyWork): Promise<StepConfirmed> {
  const { input, around, id, log } = work;
  const now = around.clock.now();
  const hold = input.fence === null ? null : { service: input.step.service, owner: input.rollbackId, fence: input.fence };
  const [isHeld, found] = await Promise.all([hold === null ? true : around.renew(hold, now), confirmation(work, now)]);
  const answer: StepConfirmed = isHeld ? found : { ...found, answer: 'failed', detail: 'This rollback lost the lock of the service: another one has it.', retryAfterSeconds: 0 };
  if (answer.answer === 'not-yet' || answer.answer === input.confirmed?.answer) return answer;
  await around.audit.append({
    rollbackId: input.rollbackId, service: input.step.service, kind: 'confirmed', at: now.toISOString(),
    data: { ...id, answer: answer.answer, detail: answer.detail },
  }, input.audit ?? null);
  log.info('step confirmed', { strategy: id.strategy, target: id.targetId, verdict: answer.answer });
  return answer;
}

async function confirmation({ strategy, target, input, id }: AnyWork, now: Date): Promise<StepConfirmed> {
  const { applied } = input;
  if (applied === null || applied.from === null || applied.to === null || (applied.status !== 'changed' && applied.status !== 'already'))
    return { stepId: id.stepId, answer: 'failed', detail: 'Nothing was changed, so there is nothing to confirm.', retryAfterSeconds: 0 };
  try {
    const found = await strategy.confirm({
      key: keyOf(input), target, from: applied.from, to: applied.to, handle: applied.handle, appliedAt: applied.at, now: now.toISOString(),
      progress: input.confirmed?.progress ?? null,
    });
    return { stepId: id.stepId, ...found };
  } catch (error) {
    if (!(error instanceof AwsCallError)) throw error;
    return { stepId: id.stepId, answer: 'cannot-verify', detail: failure(error).text, retryAfterSeconds: 0, progress: input.confirmed?.progress ?? null };
  }
}
