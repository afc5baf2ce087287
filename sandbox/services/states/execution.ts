// One execution of a state machine: its status, its deadline, its history, and the events its status changes send.
import type { EventBusPort, SandboxClock } from '../../aws/world.ts';
import type { Definition } from './definition.ts';
import { asStateError, Interrupted, limited } from './errors.ts';
import { History, Thread, whole } from './history.ts';
import { runGraph } from './interpreter.ts';
import { after } from './machine-time.ts';
import type { TaskHost } from './tasks.ts';

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

export interface Machine {
  readonly name: string;
  readonly arn: string;
  readonly roleArn: string;
  readonly definitionText: string;
  readonly definition: Definition;
  readonly createdAt: Date;
}

export interface ExecutionParts {
  readonly machine: Machine;
  readonly name: string;
  readonly arn: string;
  /** The input as text, exactly as it was given. */
  readonly input: string;
  readonly clock: SandboxClock;
  readonly bus: EventBusPort;
  readonly tasks: Omit<TaskHost, 'working'>;
  readonly random: () => number;
  readonly transition: () => Promise<void> | null;
}

export class Execution {
  readonly machine: Machine;
  readonly name: string;
  readonly arn: string;
  readonly input: string;
  readonly startedAt: Date;
  readonly history: History;
  /** Settles, never rejects, when the execution is over. */
  readonly finished: Promise<void>;
  status: ExecutionStatus = 'RUNNING';
  stoppedAt: Date | null = null;
  output: string | null = null;
  error: string | null = null;
  cause: string | null = null;
  readonly #parts: ExecutionParts;
  readonly #thread: Thread;
  readonly #abort = new AbortController();
  #cancelDeadline = (): void => undefined;
  #finish = (): void => undefined;
  #inFlight = 0;
  #workingSince = 0;
  /** Sandbox milliseconds during which Lambda worked: they do not count towards the machine's timeout. */
  #worked = 0;

  constructor(parts: ExecutionParts) {
    this.#parts = parts;
    this.machine = parts.machine;
    this.name = parts.name;
    this.arn = parts.arn;
    this.input = parts.input;
    this.startedAt = new Date(parts.clock.now());
    this.history = new History(() => parts.clock.now());
    this.#thread = new Thread(this.history);
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  start(): void {
    const { machine, input } = this;
    this.#thread.add('ExecutionStarted', { executionStartedEventDetails: { input, inputDetails: whole, roleArn: machine.roleArn } });
    this.#announce();
    const timeout = machine.definition.TimeoutSeconds;
    if (timeout !== undefined) this.#watchDeadline(timeout * 1000, 0);
    void this.#run();
  }

  /** Ends a running execution at once: no Catch runs, and Lambda functions at work go on. */
  stop(error: string | null, cause: string | null): void {
    const details = { ...(error === null ? {} : { error }), ...(cause === null ? {} : { cause }) };
    this.#end('ABORTED', { error, cause }, ['ExecutionAborted', { executionAbortedEventDetails: details }]);
  }

  /** Ends it without a trace, because the sandbox stops. */
  drop(): void {
    this.#cancelDeadline();
    this.#abort.abort();
    this.#finish();
  }

  async #run(): Promise<void> {
    try {
      const output = await runGraph(this.machine.definition, JSON.parse(this.input) as unknown, {
        host: { clock: this.#parts.clock, tasks: { ...this.#parts.tasks, working: (change) => this.#working(change) }, context: this.#context(), random: this.#parts.random, transition: this.#parts.transition },
        thread: this.#thread,
        signal: this.#abort.signal,
        variables: {},
        mapItem: null,
      });
      const text = limited(output, 'The execution output');
      this.#end('SUCCEEDED', { output: text }, ['ExecutionSucceeded', { executionSucceededEventDetails: { output: text, outputDetails: whole } }]);
    } catch (thrown) {
      if (thrown instanceof Interrupted) return;
      const { error, cause } = asStateError(thrown);
      this.#end('FAILED', { error, cause }, ['ExecutionFailed', { executionFailedEventDetails: { error, cause } }]);
    }
  }

  #context(): Record<string, unknown> {
    const { machine } = this;
    return {
      Execution: { Id: this.arn, Input: JSON.parse(this.input) as unknown, Name: this.name, RoleArn: machine.roleArn, StartTime: this.startedAt.toISOString(), RedriveCount: 0 },
      StateMachine: { Id: machine.arn, Name: machine.name },
    };
  }

  #working(change: 1 | -1): void {
    const now = this.#parts.clock.now();
    if (change === 1 && this.#inFlight === 0) this.#workingSince = now;
    this.#inFlight += change;
    if (change === -1 && this.#inFlight === 0) this.#worked += now - this.#workingSince;
  }

  #workedSoFar(): number {
    return this.#worked + (this.#inFlight > 0 ? this.#parts.clock.now() - this.#workingSince : 0);
  }

  #watchDeadline(milliseconds: number, credited: number): void {
    this.#cancelDeadline = after(this.#parts.clock, milliseconds, () => {
      const worked = this.#workedSoFar();
      // Where sandbox time is sped up, Lambda's real milliseconds look long; they are given back.
      const credit = this.#parts.clock.speed > 1 ? worked - credited : 0;
      if (credit > 1) return this.#watchDeadline(credit, worked);
      this.#end('TIMED_OUT', {}, ['ExecutionTimedOut', { executionTimedOutEventDetails: {} }]);
    });
  }

  #end(status: ExecutionStatus, result: { output?: string; error?: string | null; cause?: string | null }, event: [string, Record<string, unknown>]): void {
    if (this.status !== 'RUNNING') return;
    this.status = status;
    this.stoppedAt = new Date(this.#parts.clock.now());
    this.output = result.output ?? null;
    this.error = result.error ?? null;
    this.cause = result.cause ?? null;
    this.#cancelDeadline();
    this.#abort.abort();
    // The states that were interrupted write their own last event first.
    setImmediate(() => {
      this.#thread.add(...event);
      this.#announce();
      this.#finish();
    });
  }

  #announce(): void {
    this.#parts.bus.put({
      source: 'aws.states',
      'detail-type': 'Step Functions Execution Status Change',
      resources: [this.arn],
      detail: {
        executionArn: this.arn,
        stateMachineArn: this.machine.arn,
        name: this.name,
        status: this.status,
        startDate: this.startedAt.getTime(),
        stopDate: this.stoppedAt?.getTime() ?? null,
        input: this.input,
        output: this.output,
        stateMachineVersionArn: null,
        stateMachineAliasArn: null,
        redriveCount: 0,
        redriveDate: null,
        redriveStatus: this.status === 'RUNNING' ? 'NOT_REDRIVABLE' : 'REDRIVABLE',
        redriveStatusReason: null,
        inputDetails: { included: true },
        outputDetails: this.output === null ? null : { included: true },
        error: this.error,
        cause: this.cause,
      },
    });
  }
}
