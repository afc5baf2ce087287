// The states that call a strategy's function: plan, apply and confirm, confirm again, capture. One step each, inside a Map.
import { confirmLimitSeconds } from '../../lambdas/config/schema.ts';
import { call, choice, errorText, jsonata, onError, pass, rule, wait, type State } from './asl.ts';
import { strategyTimeoutSeconds } from './handler-timeouts.ts';

/** Confirm polls ever more slowly, up to this pause in seconds: history holds 25,000 events, and one turn writes about nine. */
const confirmPauseSeconds = 120;

/** Strategy name to function ARN: a constant of the definition, so that no input can choose a function. */
export type StrategyArns = Readonly<Record<string, string>>;

const functionOf = (strategies: StrategyArns, name: string): string => {
  const entries = Object.entries(strategies).map(([strategy, arn]) => `'${strategy}': '${arn}'`);
  return jsonata(`$lookup({${entries.join(', ')}}, ${name})`);
};

const payload = (verb: string, rollbackId: string, fields: Record<string, unknown>): Record<string, unknown> => ({
  verb, rollbackId: jsonata(rollbackId), fence: null, planned: null, applied: null, confirmed: null, audit: null, ...fields,
});

const executionName = '$states.context.Execution.Name';

/** A step that cannot be planned is shown as such; it does not hide the plans of the others. */
export const planStates = (strategies: StrategyArns): Record<string, State> => ({
  Plan: call({
    comment: 'What would be done to this target, from its live state. Changes nothing.',
    functionArn: functionOf(strategies, '$states.input.strategy'),
    functionTimeoutSeconds: strategyTimeoutSeconds,
    payload: payload('plan', executionName, { step: jsonata('$states.input'), fence: jsonata('$assessment.fence'), audit: jsonata('$audit') }),
    output: jsonata('$states.result.Payload'),
    caught: [onError('Planned', {
      output: {
        stepId: jsonata('$states.input.id'), strategy: jsonata('$states.input.strategy'), targetId: jsonata('$states.input.targetId'),
        outcome: 'impossible', from: null, to: null, reason: { code: 'plan-failed', text: errorText },
        summary: 'could not be planned', expectedSeconds: 0,
      },
    })],
    next: 'Planned',
  }),
  Planned: pass('One plan, or why there is none.', {}),
});

const apply = (strategies: StrategyArns): State => call({
  comment: 'Reads the live state, then changes this target. Equal to the goal: nothing to do. Changed by someone else: stop.',
  functionArn: functionOf(strategies, '$states.input.strategy'),
  functionTimeoutSeconds: strategyTimeoutSeconds,
  payload: payload('apply', executionName, {
    step: jsonata('$states.input'),
    fence: jsonata('$assessment.fence'),
    // The second time, and on a later rung, the live state is not what a person saw, but the way they agreed to leads there all the same.
    planned: jsonata('($id := $states.input.id; $seen := $plans[stepId = $id]; $rung = 0 and $exists($seen) and $not($exists($states.input.again)) ? $seen[0] : null)'),
    audit: jsonata('$audit'),
  }),
  assign: { step: jsonata('$states.input'), applied: jsonata('$states.result.Payload'), confirmed: null, checks: 0, waited: 0, pause: 0 },
  caught: [onError('StepDone', {
    assign: {
      step: jsonata('$states.input'), confirmed: null, checks: 0, waited: 0, pause: 0,
      applied: {
        stepId: jsonata('$states.input.id'), strategy: jsonata('$states.input.strategy'), targetId: jsonata('$states.input.targetId'),
        status: 'failed', from: null, to: null, handle: null, summary: 'could not be applied',
        reason: { code: 'apply-failed', text: errorText }, at: jsonata('$states.context.State.EnteredTime'), confirmAfterSeconds: 0,
      },
    },
  })],
  next: 'Applied',
});

const confirmPayload = (item: { step: string; applied: string; confirmed: string }): Record<string, unknown> =>
  payload('confirm', executionName, {
    step: jsonata(item.step), fence: jsonata('$assessment.fence'), applied: jsonata(item.applied), confirmed: jsonata(item.confirmed), audit: jsonata('$audit'),
  });

const cannotVerify = (stepId: string, detail: string): Record<string, unknown> => ({
  stepId: jsonata(stepId), answer: 'cannot-verify', detail, retryAfterSeconds: 0,
});

const confirm = (strategies: StrategyArns): State => call({
  comment: 'Did the change take hold? Yes, not yet, or cannot be verified.',
  functionArn: functionOf(strategies, '$step.strategy'),
  functionTimeoutSeconds: strategyTimeoutSeconds,
  payload: confirmPayload({ step: '$step', applied: '$applied', confirmed: '$confirmed' }),
  assign: {
    confirmed: jsonata('$states.result.Payload'),
    checks: jsonata('$checks + 1'),
    pause: jsonata(`($asked := $states.result.Payload.retryAfterSeconds; $max([1, $asked, $min([${confirmPauseSeconds}, $ceil($asked * $power(1.3, $checks))])]))`),
  },
  caught: [onError('StepDone', { assign: { confirmed: cannotVerify('$step.id', errorText) } })],
  next: 'Confirmed',
});

/** Apply, then Confirm until it says something final. A failure of one step never ends the Map: its siblings report too. */
export const applyStates = (strategies: StrategyArns): Record<string, State> => ({
  Apply: apply(strategies),
  Applied: choice('Only a change that was made, or was there already, can be confirmed.', [
    rule(`$applied.status in ['changed', 'already']`, 'Settle'),
  ], { next: 'StepDone' }),
  Settle: wait('Until a first look makes sense.', '$applied.confirmAfterSeconds', 'Confirm'),
  Confirm: confirm(strategies),
  Confirmed: choice('Ask again, ever more slowly, or give up after an hour.', [
    rule(`$confirmed.answer = 'not-yet' and $waited < ${confirmLimitSeconds}`, 'ConfirmLater', { waited: jsonata('$waited + $pause') }),
    rule(`$confirmed.answer = 'not-yet'`, 'StepDone', {
      confirmed: cannotVerify('$step.id', jsonata(`'still not confirmed after ${confirmLimitSeconds / 60} minutes: ' & $confirmed.detail`)),
    }),
    rule(`$confirmed.answer = 'overtaken' and $not($exists($step.again))`, 'ApplyAgain'),
  ], { next: 'StepDone' }),
  ApplyAgain: pass('The world went past the change before it took hold: the same step, once more.', {
    output: jsonata("$merge([$step, {'again': true}])"), next: 'Apply',
  }),
  ConfirmLater: wait('As long as the strategy asked for, longer with each turn.', '$pause', 'Confirm'),
  StepDone: pass('The whole story of one step.', {
    output: { rung: jsonata('$assessment.rungs[$rung].name'), applied: jsonata('$applied'), confirmed: jsonata('$confirmed') },
  }),
});

/** One fresh Confirm of a step that was changed earlier. The item is `{step, applied, confirmed}`. */
export const recheckStates = (strategies: StrategyArns): Record<string, State> => ({
  ConfirmAgain: call({
    comment: 'Is the live state still what this rollback made it?',
    functionArn: functionOf(strategies, '$states.input.step.strategy'),
    functionTimeoutSeconds: strategyTimeoutSeconds,
    payload: confirmPayload({ step: '$states.input.step', applied: '$states.input.applied', confirmed: '$states.input.confirmed' }),
    output: jsonata('$states.result.Payload'),
    caught: [onError('Rechecked', { output: cannotVerify('$states.input.step.id', errorText) })],
    next: 'Rechecked',
  }),
  Rechecked: pass('A fresh answer, or that there is none.', {}),
});

/** Capture of one target for the Watch. State names carry the moment, because names are unique in a machine. */
export const captureStates = (strategies: StrategyArns, moment: string): Record<string, State> => ({
  [`Capture${moment}Step`]: call({
    comment: 'Reads the live state of one target. Changes nothing.',
    functionArn: functionOf(strategies, '$states.input.strategy'),
    functionTimeoutSeconds: strategyTimeoutSeconds,
    payload: payload('capture', executionName, { step: jsonata('$states.input') }),
    output: jsonata('$states.result.Payload'),
    caught: [onError(`Captured${moment}Step`, {
      output: { targetId: jsonata('$states.input.targetId'), status: 'failed', state: null, reason: { code: 'capture-failed', text: errorText } },
    })],
    next: `Captured${moment}Step`,
  }),
  [`Captured${moment}Step`]: pass('One captured state, or why there is none.', {}),
});
