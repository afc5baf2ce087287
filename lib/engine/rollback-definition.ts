// The Rollback state machine as data: Assess, Approve, Revert, Verify, Report, and every way between them.
import { maximumRounds } from '../../lambdas/config/schema.ts';
import { call, choice, each, jsonata, onError, pass, retries, rule, wait, type Definition, type State } from './asl.ts';
import { handlerTimeoutSeconds } from './handler-timeouts.ts';
import { applyStates, planStates, recheckStates, type StrategyArns } from './strategy-states.ts';

export interface RollbackFunctions {
  readonly assess: string;
  readonly verify: string;
  readonly approve: string;
  readonly announce: string;
  readonly report: string;
}

/** More looks than any hold can need; a Choice without an end would fill the history. */
const lookLimit = 500;
/** Input longer than this (in characters) is described, not passed on: a task's payload may have 256 KiB altogether, and a character can take three bytes, and an assessment goes beside it. */
const inputLimit = 60_000;

const rungs = '$assessment.rungs';
const steps = (rung: string): string => `$reduce(${rungs}[${rung}].waves, $append, [])`;
const allSteps = `$reduce(${rungs}, function($all, $one) { $append($all, $reduce($one.waves, $append, [])) }, [])`;
const failed = onError('Report', { assign: { error: jsonata('$states.errorOutput') } });
const give = (code: string, cause: string): Record<string, unknown> => ({ error: { Error: code, Cause: cause } });

const begin = (): State => pass('Sets the variables of this rollback.', {
  assign: {
    input: jsonata(`($in := $states.context.Execution.Input; $length($string($in)) > ${inputLimit} ? 'input of ' & $length($string($in)) & ' characters, more than the ${inputLimit} allowed; it begins: ' & $substring($string($in), 0, 500) : $in)`),
    assessment: null, audit: null, approval: null, evidence: null, verified: null, error: null, untold: null, reported: null,
    plans: [], results: [], last: [], live: [],
    look: 0, rung: 0, wave: 0, passes: 0, round: 0, since: null,
  },
  output: {},
  next: 'Assess',
});

const assess = (functions: RollbackFunctions): State => call({
  comment: 'Takes the lock, reads every signal at its source, finds the release, applies the guardrails, gives a verdict with reasons.',
  functionArn: functions.assess,
  functionTimeoutSeconds: handlerTimeoutSeconds.assess,
  payload: {
    rollbackId: jsonata('$states.context.Execution.Name'), startedAt: jsonata('$states.context.Execution.StartTime'),
    input: jsonata('$input'), look: jsonata('$look'), approval: jsonata('$approval'), evidence: jsonata('$evidence'), audit: jsonata('$audit'),
  },
  assign: {
    assessment: jsonata('$states.result.Payload'), audit: jsonata('$states.result.Payload.audit'), look: jsonata('$look + 1'), evidence: null,
  },
  caught: [failed],
  next: 'Decide',
});

/** A dry run, or a service in shadow. */
const planOnly = `$assessment.mode in ['dry-run', 'shadow']`;

const decide = (): State => choice('What the verdict asks for.', [
  rule(`$assessment.verdict = 'joined'`, 'Done'),
  rule(`$assessment.verdict = 'leave'`, 'Report'),
  rule(`$assessment.verdict = 'hold' and $look < ${lookLimit}`, 'Hold'),
  rule(`$assessment.verdict = 'ask' or ($assessment.verdict = 'roll-back' and ${planOnly})`, 'PlanSteps'),
  rule(`$assessment.verdict = 'roll-back' and $assessment.mode = 'roll-back' and $count(${rungs}) > 0`, 'Revert'),
], {
  next: 'Report',
  assign: give('UnknownVerdict', jsonata(`'Assess answered ' & $string($assessment.verdict) & ' with ' & $count(${rungs}) & ' rungs on look ' & $look & '; that is refused, nothing was changed'`)),
});

const looks = (functions: RollbackFunctions): Record<string, State> => ({
  Hold: wait('One signal is not enough: wait for a second one.', '$assessment.holdSeconds', 'NeedsEvidence'),
  NeedsEvidence: choice('Do journeys help to decide?', [rule('$assessment.wantsEvidence = true', 'Probe')], { next: 'Assess' }),
  Probe: call({
    comment: 'Runs the journeys once, as evidence.',
    functionArn: functions.verify,
    functionTimeoutSeconds: handlerTimeoutSeconds.verify,
    payload: verifyPayload({ purpose: 'evidence', verification: null, since: null, passes: 0, round: 0, live: [] }),
    assign: { evidence: jsonata('$states.result.Payload.journeys') },
    // No evidence is what Assess is told then; a sick probe must not end a hold.
    caught: [onError('Assess', { assign: { evidence: null } })],
    next: 'Assess',
  }),
});

/**
 * Alarms that fired as the release began cannot be proof against its rollback, unless Assess saw them quiet or accusing the release since:
 * then they were well in between, and have to be well again.
 */
const alarmsAtStart = `[$assessment.release.alarmsAtStart[$not($ in $assessment.signals[kind = 'alarm' and status != 'unknown' and isOlderThanRelease = false].source)]]`;

const verifyPayload = (fields: Record<string, unknown>): Record<string, unknown> => ({
  rollbackId: jsonata('$states.context.Execution.Name'), service: jsonata('$assessment.service'), fence: jsonata('$assessment.fence'),
  alarmsAtStart: jsonata(alarmsAtStart), audit: jsonata('$audit'), ...fields,
});

const asking = (functions: RollbackFunctions, strategies: StrategyArns): Record<string, State> => ({
  PlanSteps: each({
    comment: 'The plan of every rung, from what is live: for a dry run, in shadow, and before a person is asked.',
    items: allSteps,
    startAt: 'Plan',
    states: planStates(strategies),
    assign: { plans: jsonata('[$states.result]') },
    output: {},
    caught: [failed],
    next: 'Planning',
  }),
  Planning: choice('A dry run and a shadow end with their plan.', [
    rule(planOnly, 'Report'),
    rule(`$assessment.mode = 'roll-back' and $exists($assessment.approval.timeoutSeconds)`, 'Approve'),
  ], { next: 'Report', assign: give('NoDeadline', 'Assess wants a person to decide, but gave no deadline; nothing was changed') }),
  Approve: {
    Type: 'Task',
    Comment: 'Asks a person, and waits for the answer or the deadline.',
    Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
    Arguments: {
      FunctionName: functions.approve,
      Payload: { taskToken: jsonata('$states.context.Task.Token'), assessment: jsonata('$assessment'), plans: jsonata('[$plans]') },
    },
    TimeoutSeconds: jsonata('$assessment.approval.timeoutSeconds'),
    Retry: retries(),
    Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'Deadline' }, failed],
    Assign: { approval: jsonata('$states.result') },
    Output: {},
    Next: 'Assess',
  },
  Deadline: pass('Nobody answered in time. What that means was agreed beforehand.', {
    assign: { approval: { answer: 'deadline', by: null, at: jsonata('$states.context.State.EnteredTime'), comment: jsonata(`''`) } },
    output: {},
    next: 'Assess',
  }),
});

const revert = (functions: RollbackFunctions, strategies: StrategyArns): State => ({
  Type: 'Parallel',
  Comment: 'Puts the targets of this wave back, side by side; people are told meanwhile.',
  Branches: [
    {
      StartAt: 'ApplyWave',
      States: {
        ApplyWave: each({
          comment: 'Every target of the wave on its own; each one reports.',
          items: `${rungs}[$rung].waves[$wave]`,
          startAt: 'Apply',
          states: applyStates(strategies),
        }),
      },
    },
    {
      StartAt: 'AnnounceOnce',
      States: {
        AnnounceOnce: choice('Once a rung.', [rule('$wave = 0', 'Announce')], { next: 'Announced' }),
        Announce: call({
          comment: 'Tells people what is being done, and why.',
          functionArn: functions.announce,
          functionTimeoutSeconds: handlerTimeoutSeconds.announce,
          payload: { assessment: jsonata('$assessment'), rung: jsonata('$rung') },
          // A failed message must not stop the other branch, which is saving the service; Report tells of it.
          caught: [onError('Announced', { output: { untold: jsonata('$states.errorOutput') } })],
          next: 'Announced',
        }),
        Announced: pass('People were told, or could not be: why goes on to Report.', {}),
      },
    },
  ],
  Catch: [failed],
  Assign: {
    last: jsonata('[$states.result[0]]'), results: jsonata('[$results, $states.result[0]]'),
    untold: jsonata('$states.result[1].untold ? $states.result[1].untold : $untold'),
  },
  Output: {},
  Next: 'NextWave',
});

const someoneElse = (list: string): string =>
  `$count(${list}[applied.status = 'changed-by-someone-else' or confirmed.answer = 'changed-by-someone-else']) > 0`;

const ways = (): Record<string, State> => ({
  NextWave: choice('Each wave is confirmed before the next; a failed step leads to the next rung.', [
    rule(someoneElse('$last'), 'Report'),
    rule(`$count($last[$not(applied.status in ['changed', 'already'] and confirmed.answer = 'yes')]) > 0`, 'NextRung'),
    rule(`$wave + 1 < $count(${rungs}[$rung].waves)`, 'Revert', { wave: jsonata('$wave + 1') }),
  ], { next: 'Recheck', assign: { passes: 0, round: 0, since: jsonata('$states.context.State.EnteredTime') } }),
  NextRung: choice('The next way back, or the end of what can be tried.', [
    rule(`$rung + 1 < $count(${rungs})`, 'Revert', { rung: jsonata('$rung + 1'), wave: 0 }),
  ], { next: 'Report' }),
});

/** Steps of this rung only: a later rung may move what an earlier one set, and that is no stranger's work. */
const changedSteps = [
  `($steps := ${steps('$rung')}; $name := ${rungs}[$rung].name;`,
  ` $map($results[rung = $name and applied.status in ['changed', 'already']], function($r) {`,
  ` {'step': $steps[id = $r.applied.stepId][0], 'applied': $r.applied, 'confirmed': $r.confirmed} }))`,
].join('');

const withFreshAnswers = [
  `[($fresh := [$states.result]; $map($results, function($r) {`,
  ` ($one := $fresh[stepId = $r.applied.stepId]; $exists($one) ? $merge([$r, {'confirmed': $one[0]}]) : $r) }))]`,
].join('');

const proving = (functions: RollbackFunctions, strategies: StrategyArns): Record<string, State> => ({
  Recheck: each({
    comment: 'Confirms every changed target of this rung again, from its live state.',
    items: changedSteps,
    startAt: 'ConfirmAgain',
    states: recheckStates(strategies),
    assign: { live: jsonata('[$states.result]'), results: jsonata(withFreshAnswers) },
    output: {},
    caught: [failed],
    next: 'StillOurs',
  }),
  StillOurs: choice('A person who changes a target meanwhile has the last word.', [
    rule(`$count($live[answer = 'changed-by-someone-else']) > 0`, 'Report'),
  ], { next: 'Verify' }),
  Verify: call({
    comment: 'Journeys, alarms and live state together: recovered, not yet, or still bad.',
    functionArn: functions.verify,
    functionTimeoutSeconds: handlerTimeoutSeconds.verify,
    payload: verifyPayload({
      purpose: 'proof', verification: jsonata('$assessment.verification'), since: jsonata('$since'),
      releaseStartedAt: jsonata('$assessment.release.startedAt ? $assessment.release.startedAt : null'),
      passes: jsonata('$passes'), round: jsonata('$round'), live: jsonata('[$live]'),
    }),
    assign: {
      verified: jsonata('$states.result.Payload'), passes: jsonata('$states.result.Payload.passes'), round: jsonata('$states.result.Payload.round'),
      audit: jsonata('$states.result.Payload.audit ? $states.result.Payload.audit : $audit'),
    },
    caught: [failed],
    next: 'Proven',
  }),
  Proven: choice('Recovered, look again, the next rung, or a person where no release is to blame for what is left.', [
    rule(`$verified.answer = 'recovered'`, 'Report'),
    rule(`$verified.answer = 'not-yet' and $round < ${maximumRounds}`, 'VerifyLater'),
    rule(`$verified.answer = 'still-bad' and $verified.triesNoMore = true`, 'Report'),
    rule(`$verified.answer in ['still-bad', 'not-yet']`, 'NextRung'),
  ], { next: 'Report', assign: give('UnknownAnswer', jsonata(`'Verify answered ' & $string($verified.answer)`)) }),
  VerifyLater: wait('Until the next round of proof.', '$verified.waitSeconds', 'Recheck'),
});

const ending = (functions: RollbackFunctions): Record<string, State> => ({
  Report: call({
    comment: 'Seals the audit, writes the incident report, tells people, frees the lock. If this fails the Watchdog does it.',
    functionArn: functions.report,
    functionTimeoutSeconds: handlerTimeoutSeconds.report,
    payload: {
      rollbackId: jsonata('$states.context.Execution.Name'), startedAt: jsonata('$states.context.Execution.StartTime'), input: jsonata('$input'),
      assessment: jsonata('$assessment'), plans: jsonata('[$plans]'), results: jsonata('[$results]'),
      verified: jsonata('$verified'), approval: jsonata('$approval'), error: jsonata('$error'), untold: jsonata('$untold'),
    },
    assign: { reported: jsonata('$states.result.Payload') },
    maxDelaySeconds: 30,
    next: 'Outcome',
  }),
  // Failed executions sound an alarm. Whoever mistyped a request reads so where it was typed; nobody else has to wake up for it. An event that is refused is no typing error.
  Outcome: choice('Green only when nothing is left for anybody else to mend.', [
    rule('$reported.ok = true', 'Done'),
    rule(`$reported.outcome = 'refused' and $not($exists($states.context.Execution.Input.event))`, 'Refused'),
  ], { next: 'NotRecovered' }),
  Refused: {
    Type: 'Succeed',
    Comment: 'NOTHING WAS DONE: the request that a person typed was refused. The output says why; start it again with the right input.',
    Output: jsonata('$reported'),
  },
  Done: {
    Type: 'Succeed',
    Comment: 'Nothing is left to do: recovered, left alone for a reason, shown as a dry run, recorded in shadow, or joined to the run that has the lock.',
    Output: jsonata(`$reported ? $reported : {'outcome': 'joined', 'headline': $assessment.headline}`),
  },
  NotRecovered: {
    Type: 'Fail',
    Comment: 'A person is needed, and was called.',
    Error: jsonata('$string($reported.outcome)'),
    Cause: jsonata('$string($reported.headline)'),
  },
});

/** @param timeoutSeconds the longest a rollback of any attached service may take; then the Watchdog closes it. */
export function rollbackDefinition(functions: RollbackFunctions, strategies: StrategyArns, timeoutSeconds: number): Definition {
  return {
    Comment: 'Ripcord: puts a service back on its last known good version, proves that it recovered, and records what was done.',
    QueryLanguage: 'JSONata',
    TimeoutSeconds: timeoutSeconds,
    StartAt: 'Begin',
    States: {
      Begin: begin(),
      Assess: assess(functions),
      Decide: decide(),
      ...looks(functions),
      ...asking(functions, strategies),
      Revert: revert(functions, strategies),
      ...ways(),
      ...proving(functions, strategies),
      ...ending(functions),
    },
  };
}
