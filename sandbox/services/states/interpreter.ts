// Runs one state machine graph: enters each state, retries and catches, assigns variables, and finds the next state.
import type { SandboxClock } from '../../aws/world.ts';
import type { Graph, State } from './definition.ts';
import { asStateError, Interrupted, limited, matchesError, StateError } from './errors.ts';
import { evaluate, type Bindings } from './expressions.ts';
import { whole, type Thread } from './history.ts';
import { runBranches, runItems } from './inner-graphs.ts';
import { orInterrupted, pause } from './machine-time.ts';
import { RetryCounter } from './retry.ts';
import { runTask, type TaskHost } from './tasks.ts';

/** What all states of one execution share. */
export interface ExecutionHost {
  readonly clock: SandboxClock;
  readonly tasks: TaskHost;
  /** `Execution` and `StateMachine` of the context object. */
  readonly context: Readonly<Record<string, unknown>>;
  readonly random: () => number;
  /** Asked before each state is entered: null, or a promise for when the account's quota of transitions has room. */
  readonly transition: () => Promise<void> | null;
}

/** Where a graph runs: its variables, its line of history, and what interrupts it. */
export interface Frame {
  readonly host: ExecutionHost;
  readonly thread: Thread;
  readonly signal: AbortSignal;
  readonly variables: Record<string, unknown>;
  readonly mapItem: { readonly Index: number; readonly Value: unknown } | null;
}

/** One visit of one state. */
export interface Visit {
  readonly name: string;
  readonly state: State;
  readonly input: unknown;
  readonly frame: Frame;
  readonly enteredAt: Date;
  retryCount: number;
  taskToken: string | null;
}

interface Leaving {
  /** Evaluated when the state has one; else the output is `otherwise`, taken as it is. */
  readonly output: unknown;
  readonly otherwise: unknown;
  readonly assign: Readonly<Record<string, unknown>> | undefined;
  readonly next: string | null;
  readonly extra: Readonly<Record<string, unknown>>;
}

/**
 * Runs a graph from its first state to its end.
 * @throws StateError with which the graph failed; Interrupted when it was stopped.
 */
export async function runGraph(graph: Graph, input: unknown, frame: Frame): Promise<unknown> {
  let name = graph.StartAt;
  let current = input;
  for (;;) {
    if (frame.signal.aborted) throw new Interrupted();
    if (frame.thread.history.isFull) throw new StateError('States.Runtime', 'The execution reached the maximum number of history events (25000).');
    const room = frame.host.transition();
    if (room !== null) await orInterrupted(room, frame.signal);
    const state = graph.States[name] as State;
    const left = await runState({ name, state, input: current, frame, enteredAt: new Date(frame.host.clock.now()), retryCount: 0, taskToken: null });
    if (left.next === null) return left.output;
    name = left.next;
    current = left.output;
  }
}

async function runState(visit: Visit): Promise<{ output: unknown; next: string | null }> {
  const { name, state, frame } = visit;
  frame.thread.add(`${state.Type}StateEntered`, { stateEnteredEventDetails: { name, input: limited(visit.input, `The state/task '${name}' input`), inputDetails: whole } });
  try {
    return await leave(visit, await withRetry(visit));
  } catch (thrown) {
    if (thrown instanceof Interrupted) {
      if (['Task', 'Parallel', 'Map', 'Wait'].includes(state.Type)) frame.thread.add(`${state.Type}StateAborted`);
      throw thrown;
    }
    return leave(visit, caught(visit, asStateError(thrown)));
  }
}

async function withRetry(visit: Visit): Promise<Leaving> {
  const retries = new RetryCounter(visit.state.Retry ?? [], visit.frame.host.random);
  for (;;) {
    try {
      return await perform(visit);
    } catch (thrown) {
      if (thrown instanceof Interrupted) throw thrown;
      const error = asStateError(thrown);
      recordEvaluationFailure(visit, error);
      const delaySeconds = retries.next(error.error);
      if (delaySeconds === null) throw error;
      visit.retryCount += 1;
      await pause(visit.frame.host.clock, delaySeconds * 1000, visit.frame.signal);
    }
  }
}

function recordEvaluationFailure({ name, frame }: Visit, { error, cause }: StateError): void {
  if (error === 'States.QueryEvaluationError') frame.thread.add('EvaluationFailed', { evaluationFailedEventDetails: { error, cause, state: name } });
}

function caught(visit: Visit, error: StateError): Leaving {
  const catcher = (visit.state.Catch ?? []).find((one) => matchesError(one.ErrorEquals, error.error));
  if (catcher === undefined) throw error;
  const errorOutput = { Error: error.error, Cause: error.cause };
  return { output: catcher.Output, otherwise: errorOutput, assign: catcher.Assign, next: catcher.Next, extra: { errorOutput } };
}

/** What expressions of this state can see. */
export function bindingsOf(visit: Visit, extra: Readonly<Record<string, unknown>> = {}): Bindings {
  const { frame } = visit;
  const context = {
    ...frame.host.context,
    State: { Name: visit.name, EnteredTime: visit.enteredAt.toISOString(), RetryCount: visit.retryCount },
    ...(visit.taskToken === null ? {} : { Task: { Token: visit.taskToken } }),
    ...(frame.mapItem === null ? {} : { Map: { Item: frame.mapItem } }),
  };
  return { variables: frame.variables, states: { input: visit.input, context, ...extra }, now: frame.host.clock.now() };
}

async function leave(visit: Visit, { output, otherwise, assign, next, extra }: Leaving): Promise<{ output: unknown; next: string | null }> {
  const { name, state, frame } = visit;
  const bindings = bindingsOf(visit, extra);
  // Both read the variables as they were before this state assigned anything.
  const [result, assigned] = await Promise.all([
    output === undefined ? otherwise : evaluate(output, bindings, 'Output'),
    evaluate(assign ?? {}, bindings, 'Assign'),
  ]);
  limited(assigned, `The variables assigned by '${name}'`);
  Object.assign(frame.variables, assigned);
  const text = limited(result, `The state/task '${name}' output`);
  if (state.Type !== 'Fail')
    frame.thread.add(`${state.Type}StateExited`, {
      stateExitedEventDetails: {
        name,
        output: text,
        outputDetails: whole,
        ...(assign === undefined
          ? {}
          : { assignedVariables: Object.fromEntries(Object.entries(assigned as object).map(([key, value]) => [key, JSON.stringify(value)])), assignedVariablesDetails: whole }),
      },
    });
  return { output: result, next };
}

function onward({ state }: Visit, otherwise: unknown, extra: Readonly<Record<string, unknown>>): Leaving {
  return { output: state.Output, otherwise, assign: state.Assign, next: state.Next ?? null, extra };
}

const withResult = (visit: Visit, result: unknown): Leaving => onward(visit, result, { result });

async function perform(visit: Visit): Promise<Leaving> {
  switch (visit.state.Type) {
    case 'Task':
      return withResult(visit, await runTask(visit));
    case 'Parallel':
      return withResult(visit, await runBranches(visit));
    case 'Map':
      return withResult(visit, await runItems(visit));
    case 'Wait':
      return onward(visit, await runWait(visit), {});
    case 'Choice':
      return choose(visit);
    case 'Fail':
      return fail(visit);
    default:
      return onward(visit, visit.input, {});
  }
}

async function runWait(visit: Visit): Promise<unknown> {
  const { clock } = visit.frame.host;
  const { Seconds, Timestamp } = visit.state;
  let milliseconds: number;
  if (Timestamp === undefined) {
    const seconds = await evaluate(Seconds, bindingsOf(visit), 'Seconds');
    if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds < 0 || seconds > 99_999_999)
      throw new StateError('States.QueryEvaluationError', `The field 'Seconds' must be a whole number from 0 to 99999999, got ${JSON.stringify(seconds)}`);
    milliseconds = seconds * 1000;
  } else {
    const timestamp = await evaluate(Timestamp, bindingsOf(visit), 'Timestamp');
    milliseconds = Date.parse(String(timestamp)) - clock.now();
    if (Number.isNaN(milliseconds)) throw new StateError('States.QueryEvaluationError', `The field 'Timestamp' is not a timestamp: ${String(timestamp)}`);
  }
  if (milliseconds > 0) await pause(clock, milliseconds, visit.frame.signal);
  return visit.input;
}

async function choose(visit: Visit): Promise<Leaving> {
  for (const [index, rule] of (visit.state.Choices ?? []).entries()) {
    const answer = await evaluate(rule.Condition, bindingsOf(visit), `Choices[${index}]/Condition`);
    if (typeof answer !== 'boolean') throw new StateError('States.QueryEvaluationError', `The condition of choice ${index} of '${visit.name}' is not a boolean: ${JSON.stringify(answer)}`);
    if (answer) return { output: rule.Output, otherwise: visit.input, assign: rule.Assign, next: rule.Next, extra: {} };
  }
  const { Default, Output, Assign } = visit.state;
  if (Default === undefined) throw new StateError('States.NoChoiceMatched', `No choice of '${visit.name}' matched and it has no Default.`);
  return { output: Output, otherwise: visit.input, assign: Assign, next: Default, extra: {} };
}

async function fail(visit: Visit): Promise<never> {
  const bindings = bindingsOf(visit);
  const [error, cause] = await Promise.all([evaluate(visit.state.Error ?? '', bindings, 'Error'), evaluate(visit.state.Cause ?? '', bindings, 'Cause')]);
  throw new StateError(String(error), String(cause));
}
