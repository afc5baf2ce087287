// Definitions with plain function names, and answers of handlers, for tables that play whole workflows.
import type { Assessment, StepApplied, StepConfirmed, StrategyInput, Verified } from '../../lambdas/domain/workflow.ts';
import type { StepRequest } from '../../lambdas/domain/vocabulary.ts';
import { rollbackDefinition } from '../../lib/engine/rollback-definition.ts';
import { watchDefinition } from '../../lib/engine/watch-definition.ts';
import type { Functions } from '../sandbox/engine/machine-rig.ts';

const arn = (name: string): string => `arn:aws:lambda:eu-west-1:111122223333:function:${name}`;

export const strategies = { 'alb-weights': arn('alb'), codedeploy: arn('codedeploy') };
export const rollback = rollbackDefinition(
  { assess: arn('assess'), verify: arn('verify'), approve: arn('approve'), announce: arn('announce'), report: arn('report') }, strategies, 86_400,
);
export const rollbackArn = 'arn:aws:states:eu-west-1:111122223333:stateMachine:m1';
export const watch = watchDefinition({ watch: arn('watch'), verify: arn('verify'), rollback: rollbackArn }, strategies, 86_400);

export const step = (rung: string, targetId: string, strategy = 'alb-weights'): StepRequest => ({
  id: `${rung}/${targetId}`, service: 'checkout', strategy, targetId, target: {}, good: null, release: null,
});

export const assessment = (over: Partial<Assessment> = {}): Assessment => ({
  rollbackId: 'r', service: 'checkout', mode: 'roll-back', verdict: 'roll-back', headline: 'checkout is sick', reasons: [], page: false,
  holdSeconds: 0, wantsEvidence: false, approval: null, release: null, knownGood: null, signals: [],
  rungs: [{ name: 'first', waves: [[step('first', 'web')]] }],
  verification: { intervalSeconds: 1, passesInARow: 1, deadlineSeconds: 60 },
  requestedBy: null, fence: 7, configVersion: 1, codeVersion: 'c', firstSignalAt: null, audit: { length: 1, hash: 'h1' },
  ...over,
});

export const applied = ({ step: one }: StrategyInput, over: Partial<StepApplied> = {}): StepApplied => ({
  stepId: one.id, strategy: one.strategy, targetId: one.targetId, status: 'changed', from: { w: 0 }, to: { w: 1 }, handle: null, summary: 'moved',
  reason: null, at: '2026-11-20T09:00:00.000Z', confirmAfterSeconds: 0, ...over,
});

export const confirmed = ({ step: one }: StrategyInput, over: Partial<StepConfirmed> = {}): StepConfirmed =>
  ({ stepId: one.id, answer: 'yes', detail: '', retryAfterSeconds: 1, ...over });

export const verified = (over: Partial<Verified> = {}): Verified => ({
  answer: 'recovered', passes: 1, round: 1, reasons: [], journeys: { at: '2026-11-20T09:00:00.000Z', results: [] }, waitSeconds: 1, audit: null, ...over,
});

/** A strategy's function that does each verb well, except where a verb is given. */
export const strategyFunction = (verbs: Partial<Record<StrategyInput['verb'], (input: StrategyInput, count: number) => unknown>> = {}) =>
  (input: StrategyInput, count: number): unknown => {
    const given = verbs[input.verb];
    if (given !== undefined) return given(input, count);
    const { id: stepId, strategy, targetId } = input.step;
    return {
      apply: () => applied(input),
      confirm: () => confirmed(input),
      plan: () => ({ stepId, strategy, targetId, outcome: 'change', from: { w: 0 }, to: { w: 1 }, reason: null, summary: 'w 0 → 1', expectedSeconds: 1 }),
      capture: () => ({ targetId, status: 'captured', state: { w: 1 }, reason: null }),
    }[input.verb]();
  };

/** Every handler as it answers when all goes well. */
export const wellAnswers = (over: Functions = {}): Functions => ({
  assess: () => assessment(),
  alb: strategyFunction(),
  codedeploy: strategyFunction(),
  announce: () => ({ sent: true }),
  verify: () => verified(),
  report: ({ error }: { error: unknown }) => ({ rollbackId: 'r', outcome: error === null ? 'recovered' : 'failed', ok: error === null, headline: 'h', auditLength: 1, auditHash: 'h' }),
  ...over,
});
