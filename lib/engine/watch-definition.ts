// The Watch state machine as data: records a release, looks at its signals through the bake, starts a rollback or calls it known good.
import { call, choice, each, errorText, jsonata, onError, pass, rule, wait, type Definition, type State } from './asl.ts';
import { handlerTimeoutSeconds } from './handler-timeouts.ts';
import { captureStates, type StrategyArns } from './strategy-states.ts';

export interface WatchFunctions {
  readonly watch: string;
  readonly verify: string;
  /** ARN of the Rollback state machine. */
  readonly rollback: string;
}

/** One turn writes about fifteen of the 25,000 events of an execution's history. */
const lookLimit = 1500;

const failed = onError('NotWatched', { assign: { error: jsonata('$states.errorOutput') } });

const watchCall = (functions: WatchFunctions, verb: string, options: { comment: string; next: string; fields?: object; assign?: Record<string, unknown> }): State => call({
  comment: options.comment,
  functionArn: functions.watch,
  functionTimeoutSeconds: handlerTimeoutSeconds.watch,
  payload: {
    verb, watchId: jsonata('$states.context.Execution.Name'),
    ...(verb === 'record' ? { input: jsonata('$states.context.Execution.Input') } : { watch: jsonata('$watch') }),
    ...options.fields,
  },
  assign: options.assign ?? {},
  caught: [failed],
  // Nobody waits for a watch by the second, but losing one leaves a release unguarded.
  maxDelaySeconds: 60,
  next: options.next,
});

/** Of all captures so far: a target that is not there yet is nobody's fault, but a function or a call that is refused is. */
const withRefused = `[$refused, $states.result[status = 'failed' and reason.code in ['capture-failed', 'denied']]]`;

const captureAll = (strategies: StrategyArns, moment: string, comment: string, next: string): State => each({
  comment,
  items: '$watch.steps',
  startAt: `Capture${moment}Step`,
  states: captureStates(strategies, moment),
  assign: { captured: jsonata('[$states.result]'), refused: jsonata(withRefused) },
  output: {},
  caught: [failed],
  next,
});

const noEvidence = { at: jsonata('$states.context.State.EnteredTime'), results: [] };

/** Journeys as evidence. When they cannot be run the round is empty: no data, which is not the same as quiet. */
const probe = (functions: WatchFunctions, next: string): State => call({
  comment: 'Runs the journeys once, as evidence.',
  functionArn: functions.verify,
  functionTimeoutSeconds: handlerTimeoutSeconds.verify,
  payload: {
    purpose: 'evidence', rollbackId: jsonata('$states.context.Execution.Name'), service: jsonata('$watch.service'), fence: null, verification: null,
    since: null, passes: 0, round: 0, live: [], alarmsAtStart: [], audit: null,
  },
  assign: { evidence: jsonata('$states.result.Payload.journeys'), unprobed: null },
  caught: [onError(next, { assign: { evidence: noEvidence, unprobed: errorText } })],
  next,
});

const hasJourneys = (yes: string, no: string): State =>
  choice('Is there a journey to run?', [rule('$watch.hasJourneys = true', yes)], { next: no, assign: { evidence: noEvidence } });

const recording = (functions: WatchFunctions, strategies: StrategyArns): Record<string, State> => ({
  Begin: pass('Sets the variables of this watch.', {
    assign: { watch: null, looked: null, evidence: null, error: null, captured: [], refused: [], unprobed: null, look: 0 }, output: {}, next: 'Record',
  }),
  Record: watchCall(functions, 'record', {
    comment: 'Writes the release into the ledger, or says why it is none of ours.',
    assign: { watch: jsonata('$states.result.Payload') },
    next: 'Recorded',
  }),
  Recorded: choice('A release that began is watched; one that ended is captured; one that failed is rolled back.', [
    rule(`$watch.kind = 'started'`, 'CaptureBefore'),
    rule(`$watch.kind = 'finished'`, 'CaptureAfter'),
    rule(`$watch.kind = 'signal'`, 'StartRollback', { looked: jsonata('{ "answer": "signal", "rollback": $watch.rollback }') }),
    rule(`$watch.kind = 'ignored'`, 'Ended'),
  ], { next: 'NotWatched', assign: { error: { Error: 'UnknownAnswer', Cause: jsonata(`'Watch recorded a release of kind ' & $string($watch.kind)`) } } }),
  CaptureAfter: captureAll(strategies, 'Left', 'What the release left on each target.', 'Left'),
  Left: watchCall(functions, 'left', { comment: 'Keeps what the release left.', fields: { captured: jsonata('[$captured]') }, next: 'Ended' }),
});

const watching = (functions: WatchFunctions, strategies: StrategyArns): Record<string, State> => ({
  CaptureBefore: captureAll(strategies, 'Started', 'How each target looked while the version before was live.', 'ProbeFirst'),
  ProbeFirst: hasJourneys('ProbeStart', 'Start'),
  ProbeStart: probe(functions, 'Start'),
  Start: watchCall(functions, 'start', {
    comment: 'Begins the bake; an alarm that fires already will send no event, so it is read here.',
    fields: { captured: jsonata('[$captured]'), evidence: jsonata('$evidence') },
    assign: { looked: jsonata('$states.result.Payload') },
    next: 'Looked',
  }),
  Looked: choice('Go on, roll back, or call it good.', [
    rule(`$looked.answer = 'continue' and $look < ${lookLimit}`, 'Pause'),
    rule(`$looked.answer = 'signal'`, 'StartRollback'),
    rule(`$looked.answer = 'known-good'`, 'CaptureGood'),
    rule(`$looked.answer = 'ended'`, 'Ended'),
  ], { next: 'NotWatched', assign: { error: { Error: 'UnknownAnswer', Cause: jsonata(`'Watch answered ' & $string($looked.answer) & ' on look ' & $look`) } } }),
  Pause: wait('Until the next look.', '$looked.waitSeconds', 'ProbeNext'),
  ProbeNext: hasJourneys('Probe', 'Look'),
  Probe: probe(functions, 'Look'),
  Look: watchCall(functions, 'look', {
    comment: 'Reads the signals of this release once more.',
    fields: { look: jsonata('$look'), looksLeft: jsonata(`${lookLimit} - $look`), memory: jsonata('$looked.memory ? $looked.memory : null'), evidence: jsonata('$evidence') },
    assign: { looked: jsonata('$states.result.Payload'), look: jsonata('$look + 1') },
    next: 'Looked',
  }),
  CaptureGood: captureAll(strategies, 'Good', 'How a known good version looks on each target.', 'Settle'),
  Settle: watchCall(functions, 'settle', { comment: 'Marks the version known good.', fields: { captured: jsonata('[$captured]'), reasons: jsonata('[$looked.reasons]'), memory: jsonata('$looked.memory ? $looked.memory : null') }, next: 'Ended' }),
});

const ending = (functions: WatchFunctions): Record<string, State> => ({
  StartRollback: {
    Type: 'Task',
    Comment: 'Starts Rollback under a name made of the release and its signal, so that the same ones start it once.',
    Resource: 'arn:aws:states:::states:startExecution',
    Arguments: { StateMachineArn: functions.rollback, Name: jsonata('$looked.rollback.name'), Input: jsonata('$looked.rollback.input') },
    TimeoutSeconds: 30,
    Retry: [{ ErrorEquals: ['StepFunctions.SdkClientException', 'StepFunctions.ThrottlingException', 'States.Timeout'], IntervalSeconds: 1, BackoffRate: 2, MaxAttempts: 6, MaxDelaySeconds: 30, JitterStrategy: 'FULL' }],
    Catch: [
      { ErrorEquals: ['StepFunctions.ExecutionAlreadyExistsException', 'StepFunctions.ExecutionAlreadyExists'], Next: 'RollbackStarted' },
      failed,
    ],
    Output: {},
    Next: 'RollbackStarted',
  },
  // The rollback may leave the release alone: an alarm that blinked, or one signal where two are needed.
  RollbackStarted: choice('A release that was watched is looked at until the ledger says that a rollback of it acted.', [
    rule(`$watch.kind = 'signal'`, 'Ended'),
  ], { next: 'Pause' }),
  Ended: choice('Everything else was done; that a target could not be captured, or that the journeys could not be run to the last, must not stay in a log.', [
    rule('$count($refused) > 0', 'NotWatched', { error: { Error: 'NotCaptured', Cause: jsonata(`$substring($join($refused.(targetId & ': ' & reason.text), '; '), 0, 2000)`) } }),
    rule('$unprobed != null', 'NotWatched', { error: { Error: 'NotProbed', Cause: jsonata('$unprobed') } }),
  ], { next: 'Done' }),
  Done: { Type: 'Succeed', Comment: 'The release is recorded, known good, rolled back, or replaced; the output says which.', Output: jsonata('$looked ? $looked : $watch') },
  NotWatched: {
    Type: 'Fail',
    Comment: 'The release is not being watched, or a target of it could not be captured, or its journeys not be run; an alarm says so.',
    Error: jsonata('$string($error.Error)'),
    Cause: jsonata('$string($error.Cause)'),
  },
});

/** @param timeoutSeconds longer than the longest bake of any attached service. */
export function watchDefinition(functions: WatchFunctions, strategies: StrategyArns, timeoutSeconds: number): Definition {
  return {
    Comment: 'Ripcord: watches one release from its start through its bake.',
    QueryLanguage: 'JSONata',
    TimeoutSeconds: timeoutSeconds,
    StartAt: 'Begin',
    States: { ...recording(functions, strategies), ...watching(functions, strategies), ...ending(functions) },
  };
}
