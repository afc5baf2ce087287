// A state machine on a fast clock with functions written as plain callbacks, for tables of the interpreter.
import { SpedUpClock } from '../../../sandbox/clock.ts';
import type { AwsEvent } from '../../../sandbox/aws/world.ts';
import type { Execution } from '../../../sandbox/services/states/execution.ts';
import { StateMachines } from '../../../sandbox/services/states/state-machines.ts';

export type Functions = Record<string, (payload: never, count: number) => unknown>;

/** Thrown by a function of the rig: its name is the error's name in Step Functions. */
export class Named extends Error {
  constructor(name: string, message = 'as asked') {
    super(message);
    this.name = name;
  }
}

export interface Rig {
  readonly machines: StateMachines;
  readonly clock: SpedUpClock;
  readonly events: AwsEvent[];
  readonly calls: { readonly name: string; readonly payload: unknown; readonly at: number }[];
  readonly denied: Set<string>;
  create(definition: object): string;
  run(definition: object, input?: unknown): Promise<Execution>;
  stop(): void;
}

export function machineRig(functions: Functions = {}, speed = 1000): Rig {
  const clock = new SpedUpClock({ speed });
  const events: AwsEvent[] = [];
  const calls: Rig['calls'] = [];
  const denied = new Set<string>();
  const bus = {
    put: (event: { source: string; 'detail-type': string; detail: Record<string, unknown>; resources?: string[] }) => {
      const whole = { ...event, version: '0', id: String(events.length), account: '111122223333', region: 'eu-west-1', time: '', resources: event.resources ?? [] } as AwsEvent;
      events.push(whole);
      return whole;
    },
  };
  const lambda = {
    invoke: async (arn: string, payload: unknown) => {
      const name = arn.split(':').at(-1) ?? '';
      calls.push({ name, payload, at: clock.now() });
      try {
        const result = await functions[name]?.(payload as never, calls.filter((one) => one.name === name).length);
        return { payload: result ?? null, functionError: null };
      } catch (error) {
        const { name: errorType, message } = error as Error;
        return { payload: { errorType, errorMessage: message }, functionError: 'Unhandled' };
      }
    },
  };
  const gate = { denies: (_role: string, asked: { action: string; resources: readonly string[] }) => (denied.has(asked.action) ? `User is not authorized to perform: ${asked.action}` : null) };
  const machines = new StateMachines({ clock, place: { account: '111122223333', region: 'eu-west-1', partition: 'aws' }, bus, lambda, gate, random: () => 0.5, graceMs: 400 });
  let count = 0;
  const create = (definition: object): string =>
    machines.create({ name: `m${(count += 1)}`, definition: JSON.stringify({ QueryLanguage: 'JSONata', ...definition }), roleArn: 'arn:aws:iam::111122223333:role/machine' }).arn;
  return {
    machines, clock, events, calls, denied, create,
    run: async (definition, input = {}) => {
      const { executionArn } = machines.startExecution(create(definition), input);
      const execution = machines.execution(executionArn);
      await execution.finished;
      return execution;
    },
    stop: () => {
      machines.close();
      clock.stop();
    },
  };
}

/** A one-state machine. */
export const only = (state: object): object => ({ StartAt: 'Only', States: { Only: { End: true, ...state } } });

export const invoke = (name: string, payload: unknown = '{% $states.input %}'): object => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Arguments: { FunctionName: name, Payload: payload },
});

export const outputOf = (execution: Execution): unknown => (execution.output === null ? { error: execution.error, cause: execution.cause } : (JSON.parse(execution.output) as unknown));
