// Task states: calls a function or starts an execution, within the task's timeout, and waits for a token where asked.
import { performance } from 'node:perf_hooks';
import type { SandboxClock } from '../../aws/world.ts';
import { pending } from '../../pending.ts';
import { lambdaInvoke, lambdaToken } from './definition.ts';
import { asStateError, Interrupted, limited, StateError } from './errors.ts';
import { evaluate } from './expressions.ts';
import { whole } from './history.ts';
import { bindingsOf, type Visit } from './interpreter.ts';
import { after, orInterrupted } from './machine-time.ts';
import type { TaskTokens } from './task-tokens.ts';

/** What tasks reach outside the machine, with the permissions of the machine's role. */
export interface TaskHost {
  readonly tokens: TaskTokens;
  /** Real milliseconds that Lambda work always gets, however fast sandbox time runs. */
  readonly graceMs: number;
  /** Counts Lambda calls in flight: the machine's own timeout stands still while one is. */
  working(change: 1 | -1): void;
  /** @throws StateError `Lambda.…` or the function's own error. */
  invoke(functionName: string, payload: unknown): Promise<unknown>;
  /** @throws StateError with the integration's own prefix. */
  startExecution(prefix: 'Sfn' | 'StepFunctions', input: Record<string, unknown>): unknown;
}

const nothing = (): void => undefined;

/** @throws StateError */
export async function runTask(visit: Visit): Promise<unknown> {
  const { state, frame } = visit;
  const resource = state.Resource ?? '';
  if (lambdaToken.test(resource)) return runTokenTask(visit);
  const args = await argumentsOf(visit);
  const timeoutSeconds = await seconds(visit, 'TimeoutSeconds');
  schedule(visit, args, timeoutSeconds, null);
  return settle(visit, () => {
    if (!lambdaInvoke.test(resource)) return Promise.resolve(start(visit, args));
    return callFunction(visit, args, timeoutSeconds);
  }, frame.signal);
}

async function argumentsOf(visit: Visit): Promise<Record<string, unknown>> {
  const args = visit.state.Arguments === undefined ? visit.input : await evaluate(visit.state.Arguments, bindingsOf(visit), 'Arguments');
  if (typeof args !== 'object' || args === null || Array.isArray(args)) throw new StateError('States.Runtime', `The arguments of '${visit.name}' must be an object.`);
  limited(args, `The arguments of '${visit.name}'`);
  return args as Record<string, unknown>;
}

async function seconds(visit: Visit, field: 'TimeoutSeconds' | 'HeartbeatSeconds'): Promise<number | null> {
  const given = visit.state[field];
  if (given === undefined) return null;
  const value = await evaluate(given, bindingsOf(visit), field);
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 99_999_999)
    throw new StateError('States.QueryEvaluationError', `The field '${field}' must be a whole number from 1 to 99999999, got ${JSON.stringify(value)}`);
  return value;
}

const kindOf = (resource: string): { resourceType: string; resource: string } => {
  const parts = resource.split(':::')[1]?.split(':') ?? [];
  return { resourceType: parts.slice(0, -1).join(':'), resource: parts.at(-1) ?? '' };
};

const regionOf = (context: Readonly<Record<string, unknown>>): string => (context['StateMachine'] as { Id: string }).Id.split(':')[3] ?? '';

function schedule(visit: Visit, args: unknown, timeoutInSeconds: number | null, heartbeatInSeconds: number | null): void {
  const kind = kindOf(visit.state.Resource ?? '');
  visit.frame.thread.add('TaskScheduled', {
    taskScheduledEventDetails: {
      ...kind,
      region: regionOf(visit.frame.host.context),
      parameters: JSON.stringify(args),
      ...(timeoutInSeconds === null ? {} : { timeoutInSeconds }),
      ...(heartbeatInSeconds === null ? {} : { heartbeatInSeconds }),
    },
  });
  visit.frame.thread.add('TaskStarted', { taskStartedEventDetails: kind });
}

async function settle(visit: Visit, work: () => Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  const kind = kindOf(visit.state.Resource ?? '');
  try {
    const output = await orInterrupted(work(), signal);
    const text = limited(output, `The state/task '${visit.name}' result`);
    visit.frame.thread.add('TaskSucceeded', { taskSucceededEventDetails: { ...kind, output: text, outputDetails: whole } });
    return output;
  } catch (thrown) {
    if (thrown instanceof Interrupted) throw thrown;
    const { error, cause } = asStateError(thrown);
    const timedOut = error === 'States.Timeout' || error === 'States.HeartbeatTimeout';
    const details = { ...kind, error, cause };
    visit.frame.thread.add(timedOut ? 'TaskTimedOut' : 'TaskFailed', timedOut ? { taskTimedOutEventDetails: details } : { taskFailedEventDetails: details });
    throw thrown;
  }
}

function start(visit: Visit, args: Record<string, unknown>): unknown {
  const prefix = (visit.state.Resource ?? '').includes(':aws-sdk:') ? 'Sfn' : 'StepFunctions';
  return visit.frame.host.tasks.startExecution(prefix, args);
}

async function callFunction(visit: Visit, args: Record<string, unknown>, timeoutSeconds: number | null): Promise<unknown> {
  const { tasks, clock } = visit.frame.host;
  const { FunctionName, Payload, InvocationType, Qualifier } = args;
  if (typeof FunctionName !== 'string') throw new StateError('States.Runtime', `The arguments of '${visit.name}' have no FunctionName.`);
  if (InvocationType !== undefined && InvocationType !== 'RequestResponse') throw new StateError('States.Runtime', `InvocationType ${JSON.stringify(InvocationType)} is not supported.`);
  const name = typeof Qualifier === 'string' ? `${FunctionName}:${Qualifier}` : FunctionName;
  tasks.working(1);
  const work = tasks.invoke(name, Payload ?? {}).finally(() => tasks.working(-1));
  const payload = await (timeoutSeconds === null ? work : withinReal(work, realDeadline(clock, timeoutSeconds, tasks.graceMs)));
  return { ExecutedVersion: '$LATEST', Payload: payload, StatusCode: 200, SdkHttpMetadata: { HttpStatusCode: 200 } };
}

/** Real milliseconds a function gets for so many sandbox seconds: never less than the grace, unless AWS would give less. */
export function realDeadline(clock: SandboxClock, timeoutSeconds: number, graceMs: number): number {
  const real = timeoutSeconds * 1000;
  return Math.max(real / clock.speed, Math.min(real, graceMs));
}

function withinReal<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const timer = setTimeout(() => {
      const took = Math.round(performance.now() - startedAt);
      reject(new StateError('States.Timeout', `The task did not finish within its timeout (${took} ms).`));
    }, milliseconds);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

async function runTokenTask(visit: Visit): Promise<unknown> {
  const { tasks } = visit.frame.host;
  const answer = pending<unknown>();
  answer.promise.catch(() => undefined);
  let beat = nothing;
  const token = tasks.tokens.issue({
    succeed: (output) => answer.resolve(JSON.parse(output) as unknown),
    fail: (error, cause) => answer.reject(new StateError(error, cause)),
    heartbeat: () => beat(),
  });
  visit.taskToken = token;
  const cancels: (() => void)[] = [];
  try {
    const args = await argumentsOf(visit);
    const timeoutSeconds = await seconds(visit, 'TimeoutSeconds');
    const heartbeatSeconds = await seconds(visit, 'HeartbeatSeconds');
    schedule(visit, args, timeoutSeconds, heartbeatSeconds);
    return await settle(visit, async () => {
      const result = await Promise.race([callFunction(visit, args, timeoutSeconds), answer.promise.then(() => undefined)]);
      visit.frame.thread.add('TaskSubmitted', { taskSubmittedEventDetails: { ...kindOf(visit.state.Resource ?? ''), output: JSON.stringify(result ?? {}), outputDetails: whole } });
      beat = watchToken(visit, { timeoutSeconds, heartbeatSeconds, expire: answer.reject, cancels });
      return answer.promise;
    }, visit.frame.signal);
  } finally {
    for (const cancel of cancels) cancel();
    tasks.tokens.close(token);
    visit.taskToken = null;
  }
}

interface TokenWatch {
  readonly timeoutSeconds: number | null;
  readonly heartbeatSeconds: number | null;
  readonly expire: (error: StateError) => void;
  readonly cancels: (() => void)[];
}

/** Deadlines count from the moment the function has returned: a slow machine must not eat a person's time. */
function watchToken(visit: Visit, { timeoutSeconds, heartbeatSeconds, expire, cancels }: TokenWatch): () => void {
  const { clock } = visit.frame.host;
  if (timeoutSeconds !== null) cancels.push(after(clock, timeoutSeconds * 1000, () => expire(new StateError('States.Timeout', `Task timed out after ${timeoutSeconds} seconds.`))));
  if (heartbeatSeconds === null) return nothing;
  let cancel = nothing;
  const renew = (): void => {
    cancel();
    cancel = after(clock, heartbeatSeconds * 1000, () => expire(new StateError('States.HeartbeatTimeout', `No heartbeat within ${heartbeatSeconds} seconds.`)));
  };
  renew();
  cancels.push(() => cancel());
  return renew;
}
