// The state machines of the sandbox and their executions.
import { AwsError, type EventBusPort, type LambdaPort, type MetricsPort, type Place, type SandboxClock, type StatesPort } from '../../aws/world.ts';
import { frozen } from '../../frozen.ts';
import { byChance, uuid, type Ids } from '../../ids.ts';
import type { RoleGate } from '../../role-gate.ts';
import { parseDefinition, type Definition } from './definition.ts';
import { StateError } from './errors.ts';
import { compileAll } from './expressions.ts';
import { Execution, type Machine } from './execution.ts';
import { TaskTokens } from './task-tokens.ts';
import type { TaskHost } from './tasks.ts';

export interface StatesParts {
  readonly clock: SandboxClock;
  readonly place: Place;
  readonly bus: EventBusPort;
  readonly lambda: LambdaPort;
  readonly gate: RoleGate;
  /** Real milliseconds that Lambda work always gets before a task times out; default 10000. */
  readonly graceMs?: number;
  /** For the metrics that Step Functions sends of each machine. */
  readonly metrics?: MetricsPort;
  /** For names and task tokens; default: by chance. */
  readonly ids?: Ids;
  /** For the jitter of retries; default Math.random. */
  readonly random?: () => number;
  /** Asked before each state is entered; default: there always is room. */
  readonly transition?: () => Promise<void> | null;
  /** How many closed executions are remembered, the newest; default all of them. */
  readonly keptExecutions?: number;
}

const endMetrics = { RUNNING: null, SUCCEEDED: 'ExecutionsSucceeded', FAILED: 'ExecutionsFailed', TIMED_OUT: 'ExecutionsTimedOut', ABORTED: 'ExecutionsAborted' } as const;
const inputLimitBytes = 256 * 1024;

// By text: all sandboxes of a process that deploy one assembly have the same machines.
const definitions = new Map<string, Definition>();
const keptDefinitions = 100;

/** @throws Error when the definition holds anything the interpreter does not run. */
function definitionOf(text: string): Definition {
  const known = definitions.get(text);
  if (known !== undefined) return known;
  const definition = frozen(parseDefinition(text));
  compileAll(definition);
  if (definitions.size >= keptDefinitions) definitions.clear();
  definitions.set(text, definition);
  return definition;
}

export class StateMachines implements StatesPort {
  readonly tokens: TaskTokens;
  readonly #machines = new Map<string, Machine>();
  readonly #executions = new Map<string, Execution>();
  readonly #closed: string[] = [];
  readonly #listeners = new Set<(execution: Execution) => void>();
  readonly #parts: StatesParts;

  constructor(parts: StatesParts) {
    this.#parts = parts;
    this.tokens = new TaskTokens(parts.ids ?? byChance);
  }

  /** @throws Error when the definition holds anything the interpreter does not run. */
  create(input: { name: string; definition: string; roleArn: string }): Machine {
    const definition = definitionOf(input.definition);
    const machine: Machine = {
      name: input.name,
      arn: this.#arn(`stateMachine:${input.name}`),
      roleArn: input.roleArn,
      definitionText: input.definition,
      definition,
      createdAt: new Date(this.#parts.clock.now()),
    };
    this.#machines.set(machine.arn, machine);
    return machine;
  }

  machines(): Machine[] {
    return [...this.#machines.values()];
  }

  /** Newest first, as ListExecutions. */
  executions(machineArn?: string): Execution[] {
    return [...this.#executions.values()].filter((one) => machineArn === undefined || one.machine.arn === machineArn).toReversed();
  }

  /** Hears of each execution that is over, until the returned function is called. */
  onEnd(listener: (execution: Execution) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @throws AwsError StateMachineDoesNotExist */
  machine(arn: string): Machine {
    const found = this.#machines.get(arn);
    if (found === undefined) throw new AwsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
    return found;
  }

  /** @throws AwsError ExecutionDoesNotExist */
  execution(arn: string): Execution {
    const found = this.#executions.get(arn);
    if (found === undefined) throw new AwsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
    return found;
  }

  startExecution(stateMachineArn: string, input: unknown, name?: string): { executionArn: string; name: string; startedAt: Date } {
    return this.startWithText(stateMachineArn, JSON.stringify(input), name);
  }

  /**
   * Starts an execution; the same name with the same input returns the one that is still running.
   * @throws AwsError StateMachineDoesNotExist, InvalidName, InvalidExecutionInput, ExecutionAlreadyExists
   */
  startWithText(stateMachineArn: string, input: string, name: string = uuid(this.#parts.ids ?? byChance, 'execution')): { executionArn: string; name: string; startedAt: Date } {
    const machine = this.machine(stateMachineArn);
    // AWS allows letters and digits of any script here; space, brackets, wildcards and some signs it does not.
    if (name.length === 0 || name.length > 80 || /[\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]/u.test(name)) throw new AwsError('InvalidName', `Invalid Name: '${name}'`);
    checkInput(input);
    const arn = this.#arn(`execution:${machine.name}:${name}`);
    const known = this.#executions.get(arn);
    if (known !== undefined) {
      if (known.status === 'RUNNING' && known.input === input) return { executionArn: arn, name, startedAt: known.startedAt };
      throw new AwsError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    }
    const { clock, bus, random, transition = () => null } = this.#parts;
    const execution = new Execution({ machine, name, arn, input, clock, bus, tasks: this.#tasksOf(machine), random: random ?? Math.random, transition });
    this.#executions.set(arn, execution);
    this.#count(machine, 'ExecutionsStarted');
    void this.#whenOver(execution);
    execution.start();
    return { executionArn: arn, name, startedAt: execution.startedAt };
  }

  /** Ends all executions without events, when the sandbox stops. */
  close(): void {
    for (const execution of this.#executions.values()) execution.drop();
  }

  async #whenOver(execution: Execution): Promise<void> {
    await execution.finished;
    for (const listener of this.#listeners) listener(execution);
    this.#closed.push(execution.arn);
    if (this.#closed.length > (this.#parts.keptExecutions ?? Infinity)) this.#executions.delete(this.#closed.shift() ?? '');
    const metric = endMetrics[execution.status];
    if (metric !== null) this.#count(execution.machine, metric);
  }

  #count(machine: Machine, name: string): void {
    this.#parts.metrics?.record({ namespace: 'AWS/States', name, dimensions: { StateMachineArn: machine.arn }, value: 1, unit: 'Count' });
  }

  #arn(resource: string): string {
    const { partition, region, account } = this.#parts.place;
    return `arn:${partition}:states:${region}:${account}:${resource}`;
  }

  #tasksOf(machine: Machine): Omit<TaskHost, 'working'> {
    const { lambda, gate, graceMs, place } = this.#parts;
    return {
      tokens: this.tokens,
      graceMs: graceMs ?? 10_000,
      invoke: async (functionName, payload) => {
        const arn = functionName.startsWith('arn:') ? functionName : `arn:${place.partition}:lambda:${place.region}:${place.account}:function:${functionName}`;
        const denied = gate.denies(machine.roleArn, { action: 'lambda:InvokeFunction', resources: [arn] }, machine.arn);
        if (denied !== null) throw new StateError('Lambda.AWSLambdaException', denied);
        return functionResult(await callLambda(lambda, arn, payload));
      },
      startExecution: (prefix, input) => this.#startFrom(machine, prefix, input),
    };
  }

  #startFrom(machine: Machine, prefix: 'Sfn' | 'StepFunctions', input: Record<string, unknown>): unknown {
    const { StateMachineArn, Name, Input } = input;
    const asError = (code: string, text: string): StateError => new StateError(`${prefix}.${code.endsWith('Exception') ? code : `${code}Exception`}`, text);
    if (typeof StateMachineArn !== 'string') throw new StateError('States.Runtime', 'StateMachineArn must be a string.');
    if (prefix === 'Sfn' && Input !== undefined && typeof Input !== 'string') throw new StateError('States.Runtime', 'Input of aws-sdk:sfn:startExecution must be a string.');
    const denied = this.#parts.gate.denies(machine.roleArn, { action: 'states:StartExecution', resources: [StateMachineArn] }, machine.arn);
    if (denied !== null) throw asError('AccessDenied', denied);
    try {
      const text = typeof Input === 'string' ? Input : JSON.stringify(Input ?? {});
      const started = this.startWithText(StateMachineArn, text, Name === undefined ? undefined : typeof Name === 'string' ? Name : JSON.stringify(Name));
      return { ExecutionArn: started.executionArn, StartDate: started.startedAt.toISOString() };
    } catch (error) {
      if (error instanceof AwsError) throw asError(error.code, error.message);
      throw error;
    }
  }
}

async function callLambda(lambda: LambdaPort, arn: string, payload: unknown): Promise<{ payload: unknown; functionError: string | null }> {
  try {
    return await lambda.invoke(arn, payload);
  } catch (error) {
    // Of Lambda's API errors those that the client does not know are called so.
    if (error instanceof AwsError && error.code === 'AccessDeniedException') throw new StateError('Lambda.AWSLambdaException', error.message);
    if (error instanceof AwsError) throw new StateError(`Lambda.${error.code.endsWith('Exception') ? error.code : `${error.code}Exception`}`, error.message);
    throw error;
  }
}

function functionResult({ payload, functionError }: { payload: unknown; functionError: string | null }): unknown {
  if (functionError === null) return payload;
  const { errorType } = (payload ?? {}) as { errorType?: unknown };
  const text = JSON.stringify(payload);
  // Step Functions names a function that died without an answer so; the Lambda API says Runtime.ExitError.
  if (typeof errorType !== 'string' || errorType === 'Runtime.ExitError')
    throw new StateError('Lambda.Unknown', `The cause could not be determined because Lambda did not return an error type. Returned payload: ${text}`);
  throw new StateError(errorType, text);
}

function checkInput(input: string): void {
  if (Buffer.byteLength(input) > inputLimitBytes) throw new AwsError('InvalidExecutionInput', `Invalid State Machine Execution Input: the input is larger than ${inputLimitBytes} bytes`);
  try {
    JSON.parse(input);
  } catch (error) {
    throw new AwsError('InvalidExecutionInput', `Invalid State Machine Execution Input: '${(error as Error).message}'`);
  }
}
