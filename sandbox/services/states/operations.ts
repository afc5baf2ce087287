// The Step Functions API: starting, reading and stopping executions, and answering waiting tasks.
import * as sfn from '@aws-sdk/client-sfn';
import type * as api from '@aws-sdk/client-sfn';
import { AwsError, type Authorization, type AwsService, type Operation } from '../../aws/world.ts';
import type { Execution } from './execution.ts';
import type { StateMachines } from './state-machines.ts';

const on = (action: string, resource: string | undefined): readonly Authorization[] => [{ action: `states:${action}`, resources: [resource ?? '*'] }];

function read<Input>(action: string, resource: (input: Input) => string | undefined, run: (input: Input) => unknown): Operation {
  return { mutating: false, authorize: (input: Input) => on(action, resource(input)), run };
}

function write<Input>(action: string, resource: (input: Input) => string | undefined, run: (input: Input) => unknown): Operation {
  return { mutating: true, authorize: (input: Input) => on(action, resource(input)), run };
}

function page<Item>(items: readonly Item[], token: string | undefined, size: number): { items: readonly Item[]; nextToken?: string } {
  const offset = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString());
  if (!Number.isInteger(offset) || offset < 0 || (token !== undefined && offset === 0)) throw new AwsError('InvalidToken', `Invalid Token: '${token}'`);
  const end = offset + size;
  return { items: items.slice(offset, end), ...(end < items.length ? { nextToken: Buffer.from(String(end)).toString('base64url') } : {}) };
}

const summary = (execution: Execution): Record<string, unknown> => ({
  executionArn: execution.arn,
  stateMachineArn: execution.machine.arn,
  name: execution.name,
  status: execution.status,
  startDate: execution.startedAt,
  redriveCount: 0,
  ...(execution.stoppedAt === null ? {} : { stopDate: execution.stoppedAt }),
});

const description = (execution: Execution): Record<string, unknown> => ({
  ...summary(execution),
  input: execution.input,
  inputDetails: { included: true },
  redriveStatus: 'NOT_REDRIVABLE',
  ...(execution.output === null ? {} : { output: execution.output, outputDetails: { included: true } }),
  ...(execution.error === null ? {} : { error: execution.error }),
  ...(execution.cause === null ? {} : { cause: execution.cause }),
});

const byExecution = (input: { executionArn: string | undefined }): string | undefined => input.executionArn;

function executionOperations(machines: StateMachines): Record<string, Operation> {
  return {
    StartExecution: write<api.StartExecutionInput>('StartExecution', (input) => input.stateMachineArn, (input) => {
      const started = machines.startWithText(input.stateMachineArn ?? '', input.input ?? '{}', input.name);
      return { executionArn: started.executionArn, startDate: started.startedAt };
    }),
    DescribeExecution: read<api.DescribeExecutionInput>('DescribeExecution', byExecution, (input) => description(machines.execution(input.executionArn ?? ''))),
    GetExecutionHistory: read<api.GetExecutionHistoryInput>('GetExecutionHistory', byExecution, (input) => {
      const { events } = machines.execution(input.executionArn ?? '').history;
      const ordered = input.reverseOrder === true ? events.toReversed() : events;
      const { items, ...next } = page(ordered, input.nextToken, input.maxResults === undefined || input.maxResults === 0 ? 100 : input.maxResults);
      return { events: input.includeExecutionData === false ? items.map(withoutData) : items, ...next };
    }),
    ListExecutions: read<api.ListExecutionsInput>('ListExecutions', (input) => input.stateMachineArn, (input) => {
      const all = machines.executions(machines.machine(input.stateMachineArn ?? '').arn).filter((one) => input.statusFilter === undefined || one.status === input.statusFilter);
      const { items, ...next } = page(all, input.nextToken, input.maxResults === undefined || input.maxResults === 0 ? 100 : input.maxResults);
      return { executions: items.map(summary), ...next };
    }),
    StopExecution: write<api.StopExecutionInput>('StopExecution', byExecution, (input) => {
      const execution = machines.execution(input.executionArn ?? '');
      execution.stop(input.error ?? null, input.cause ?? null);
      return { stopDate: execution.stoppedAt };
    }),
    RedriveExecution: write<api.RedriveExecutionInput>('RedriveExecution', byExecution, (input) => {
      const execution = machines.execution(input.executionArn ?? '');
      throw new AwsError('ExecutionNotRedrivable', `Execution ${execution.arn} is not redrivable: the sandbox does not redrive executions`);
    }),
  };
}

const withoutData = (event: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(event).map(([key, value]) => {
    if (typeof value !== 'object' || value === null || value instanceof Date) return [key, value];
    return [key, Object.fromEntries(Object.entries(value).filter(([field]) => !['input', 'output', 'parameters', 'cause'].includes(field)))];
  }));

function machineOperations(machines: StateMachines): Record<string, Operation> {
  return {
    ListStateMachines: read<api.ListStateMachinesInput>('ListStateMachines', () => '*', (input) => {
      const { items, ...next } = page(machines.machines(), input.nextToken, input.maxResults === undefined || input.maxResults === 0 ? 100 : input.maxResults);
      return { stateMachines: items.map((one) => ({ stateMachineArn: one.arn, name: one.name, type: 'STANDARD', creationDate: one.createdAt })), ...next };
    }),
    DescribeStateMachine: read<api.DescribeStateMachineInput>('DescribeStateMachine', (input) => input.stateMachineArn, (input) => {
      const machine = machines.machine(input.stateMachineArn ?? '');
      return {
        stateMachineArn: machine.arn,
        name: machine.name,
        status: 'ACTIVE',
        definition: machine.definitionText,
        roleArn: machine.roleArn,
        type: 'STANDARD',
        creationDate: machine.createdAt,
      };
    }),
  };
}

function taskOperations(machines: StateMachines): Record<string, Operation> {
  return {
    SendTaskSuccess: write<api.SendTaskSuccessInput>('SendTaskSuccess', () => '*', (input) => {
      machines.tokens.succeed(input.taskToken ?? '', input.output ?? '');
      return {};
    }),
    SendTaskFailure: write<api.SendTaskFailureInput>('SendTaskFailure', () => '*', (input) => {
      machines.tokens.fail(input.taskToken ?? '', input.error ?? '', input.cause ?? '');
      return {};
    }),
    SendTaskHeartbeat: write<api.SendTaskHeartbeatInput>('SendTaskHeartbeat', () => '*', (input) => {
      machines.tokens.heartbeat(input.taskToken ?? '');
      return {};
    }),
  };
}

/** Step Functions as an AWS service of the sandbox. */
export function statesService(machines: StateMachines): AwsService {
  return {
    signingName: 'states',
    iamPrefix: 'states',
    schemas: sfn,
    operations: { ...executionOperations(machines), ...machineOperations(machines), ...taskOperations(machines) },
  };
}
