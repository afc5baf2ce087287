// A deployed assembly at work: an event starts a machine, its function calls AWS with its own role, and what fails is parked or refused.
import { DescribeExecutionCommand, GetExecutionHistoryCommand, ListExecutionsCommand, SendTaskSuccessCommand, SFNClient, StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { EventBridgeClient, ListRulesCommand, ListTargetsByRuleCommand, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SignatureV4 } from '@smithy/signature-v4';
import { createHash, createHmac } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Deployed } from '../../../sandbox/deploy/deployer.ts';
import { startSandbox, type Sandbox } from '../../../sandbox/sandbox.ts';
import { AssemblyRig, requireFromRepository, role } from './assembly-rig.ts';

let rig: AssemblyRig;
let sandbox: Sandbox;
let made: Deployed;
let sfn: SFNClient;
let events: EventBridgeClient;
let lambda: LambdaClient;

const writer = `${requireFromRepository}
const { SSMClient, PutParameterCommand } = require('@aws-sdk/client-ssm');
const client = new SSMClient({});
export const handler = async (event) => {
  if (event.token) { globalThis.console.log('token ' + event.token); return 'asked'; }
  await client.send(new PutParameterCommand({ Name: process.env.NAME, Value: JSON.stringify(event), Overwrite: true, Type: 'String' }));
  return { wrote: process.env.NAME };
};`;

const task = (extra: object = {}): object => ({
  QueryLanguage: 'JSONata', StartAt: 'Write', TimeoutSeconds: 3600,
  States: { Write: { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', Arguments: { FunctionName: '${fn}', Payload: '{% $states.input %}' }, Output: '{% $states.result.Payload %}', TimeoutSeconds: 30, End: true, ...extra } },
});
const asking = { QueryLanguage: 'JSONata', StartAt: 'Ask', States: { Ask: { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken', Arguments: { FunctionName: '${fn}', Payload: { token: '{% $states.context.Task.Token %}' } }, TimeoutSeconds: 600, End: true } } };

const attribute = (id: string, name: string): object => ({ 'Fn::GetAtt': [id, name] });
const machine = (definition: object): { Type: string; Properties: object } => ({ Type: 'AWS::StepFunctions::StateMachine', Properties: { RoleArn: attribute('MachineRole', 'Arn'), DefinitionString: JSON.stringify(definition), DefinitionSubstitutions: { fn: attribute('Fn', 'Arn') } } });
const target = (id: string, extra: object = {}): object => ({ Id: 'T', Arn: { Ref: id }, RoleArn: attribute('EventsRole', 'Arn'), DeadLetterConfig: { Arn: attribute('Dead', 'Arn') }, RetryPolicy: { MaximumEventAgeInSeconds: 600, MaximumRetryAttempts: '8' }, ...extra });

beforeAll(async () => {
  rig = new AssemblyRig();
  const code = rig.code('writer', writer);
  rig.stack('Demo', { Resources: {
    FnRole: role('lambda.amazonaws.com', [{ Action: 'ssm:PutParameter', Resource: { 'Fn::Sub': 'arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/seen' } }]),
    Fn: { Type: 'AWS::Lambda::Function', Properties: { Code: code, Handler: 'index.handler', Runtime: 'nodejs24.x', Role: attribute('FnRole', 'Arn'), Timeout: 30, MemorySize: 512, Environment: { Variables: { NAME: '/seen' } } } },
    MachineRole: role('states.amazonaws.com', [{ Action: 'lambda:InvokeFunction', Resource: attribute('Fn', 'Arn') }]),
    Machine: machine(task()),
    AskingMachine: machine(asking),
    EventsRole: role('events.amazonaws.com', [{ Action: 'states:StartExecution', Resource: { Ref: 'Machine' } }]),
    Dead: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'dead' } },
    DeadPolicy: { Type: 'AWS::SQS::QueuePolicy', Properties: { Queues: [{ Ref: 'Dead' }], PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: attribute('Dead', 'Arn'), Condition: { ArnEquals: { 'aws:SourceArn': [attribute('Rule', 'Arn'), attribute('Forbidden', 'Arn')] } } }] } } },
    Rule: { Type: 'AWS::Events::Rule', Properties: { EventPattern: { source: ['shop'], detail: { n: [{ exists: true }] } }, Targets: [target('Machine', { InputTransformer: { InputPathsMap: { n: '$.detail.n', all: '$' }, InputTemplate: '{"service":"checkout","n":<n>,"text":"n is <n>","event":<all>}' } })] } },
    Forbidden: { Type: 'AWS::Events::Rule', Properties: { EventPattern: { source: ['forbidden'] }, Targets: [target('AskingMachine')] } },
    Status: { Type: 'AWS::Events::Rule', Properties: { EventPattern: { source: ['aws.states'], detail: { status: ['ABORTED'], stateMachineArn: [{ Ref: 'AskingMachine' }] } }, Targets: [{ Id: 'Q', Arn: attribute('Seen', 'Arn') }] } },
    Seen: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'seen' } },
    SeenPolicy: { Type: 'AWS::SQS::QueuePolicy', Properties: { Queues: [{ Ref: 'Seen' }], PolicyDocument: { Statement: [{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: attribute('Seen', 'Arn') }] } } },
    Url: { Type: 'AWS::Lambda::Url', Properties: { TargetFunctionArn: attribute('Fn', 'Arn'), AuthType: 'AWS_IAM' } },
    Approver: role('ec2.amazonaws.com'),
    ApproverUrl: { Type: 'AWS::Lambda::Permission', Properties: { Action: 'lambda:InvokeFunctionUrl', FunctionName: attribute('Fn', 'Arn'), Principal: attribute('Approver', 'Arn'), FunctionUrlAuthType: 'AWS_IAM' } },
    ApproverInvoke: { Type: 'AWS::Lambda::Permission', Properties: { Action: 'lambda:InvokeFunction', FunctionName: attribute('Fn', 'Arn'), Principal: attribute('Approver', 'Arn'), InvokedViaFunctionUrl: true } },
  }, Outputs: { Machine: { Value: { Ref: 'Machine' } }, Asking: { Value: { Ref: 'AskingMachine' } }, Url: { Value: attribute('Url', 'FunctionUrl') }, Approver: { Value: { Ref: 'Approver' } } } });
  sandbox = await startSandbox({ speed: 60, handleSignals: false });
  made = await sandbox.deploy(rig.directory);
  const options = { endpoint: sandbox.endpoint, region: 'eu-west-1', credentials: { accessKeyId: 'me', secretAccessKey: 'x' } };
  sfn = new SFNClient(options);
  events = new EventBridgeClient(options);
  lambda = new LambdaClient(options);
});
afterAll(async () => {
  await sandbox.stop();
  rig.remove();
  for (const client of [sfn, events, lambda]) client.destroy();
});

async function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const end = performance.now() + 8000; performance.now() < end; await new Promise((resolve) => setTimeout(resolve, 15))) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error('it did not happen');
}
const put = (Source: string, Detail: object) => events.send(new PutEventsCommand({ Entries: [{ Source, DetailType: 'T', Detail: JSON.stringify(Detail) }] }));
const startAsking = (name: string, input: string) => sfn.send(new StartExecutionCommand({ stateMachineArn: made.outputs['Asking'], name, input }));
const ended = (executionArn: string) => until(async () => {
  const found = await sfn.send(new DescribeExecutionCommand({ executionArn }));
  return found.status === 'RUNNING' ? undefined : found;
});

test('an event goes through rule, transformer, machine, function and IAM to another service', async () => {
  await put('shop', { n: 7 });
  const { executions } = await until(async () => {
    const found = await sfn.send(new ListExecutionsCommand({ stateMachineArn: made.outputs['Machine'], statusFilter: 'SUCCEEDED' }));
    return found.executions?.length === 1 ? found : undefined;
  });
  const execution = await ended(executions?.[0]?.executionArn ?? '');
  expect(JSON.parse(execution.output ?? '')).toEqual({ wrote: '/seen' });
  expect(JSON.parse(sandbox.services.parameters.get('/seen').value)).toMatchObject({ service: 'checkout', n: 7, text: 'n is 7', event: { source: 'shop', detail: { n: 7 } } });
  const call = sandbox.calls.list({ service: 'ssm', operation: 'PutParameter' }).at(-1);
  expect(call?.caller).toMatchObject({ kind: 'role', roleName: made.stacks['Demo']?.resources['FnRole']?.ref });
});

test('history comes in pages, forwards and backwards, and passes the SDK’s own shapes', async () => {
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn: made.outputs['Machine'], input: '{"n":1}' }));
  await ended(executionArn ?? '');
  const first = await sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 3 }));
  const rest = await sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 100, nextToken: first.nextToken }));
  const all = [...(first.events ?? []), ...(rest.events ?? [])];
  expect(all.map((one) => one.type)).toEqual(['ExecutionStarted', 'TaskStateEntered', 'TaskScheduled', 'TaskStarted', 'TaskSucceeded', 'TaskStateExited', 'ExecutionSucceeded']);
  expect(all.map((one) => one.id)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  const reversed = await sfn.send(new GetExecutionHistoryCommand({ executionArn, reverseOrder: true }));
  expect(reversed.events?.[0]?.type).toBe('ExecutionSucceeded');
  expect(all[2]?.taskScheduledEventDetails).toMatchObject({ resourceType: 'lambda', resource: 'invoke', timeoutInSeconds: 30 });
});

test('the same name and input return the same execution, another input is refused', async () => {
  const [one, two] = [await startAsking('once', '{}'), await startAsking('once', '{}')];
  expect(two.executionArn).toBe(one.executionArn);
  await expect(startAsking('once', '{"a":1}')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
});

test('a waiting task ends with the answer to its token, once', async () => {
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn: made.outputs['Asking'], input: '{}' }));
  const taskToken = await until(async () => {
    const { events: seen } = await sfn.send(new GetExecutionHistoryCommand({ executionArn }));
    const asked = seen?.find((one) => one.type === 'TaskSubmitted') && seen.find((one) => one.type === 'TaskScheduled')?.taskScheduledEventDetails?.parameters;
    return asked === undefined ? undefined : (JSON.parse(asked) as { Payload: { token: string } }).Payload.token;
  });
  await sfn.send(new SendTaskSuccessCommand({ taskToken, output: '{"yes":true}' }));
  expect(JSON.parse((await ended(executionArn ?? '')).output ?? '')).toEqual({ yes: true });
  await expect(sfn.send(new SendTaskSuccessCommand({ taskToken, output: '{}' }))).rejects.toMatchObject({ name: 'TaskTimedOut' });
  await expect(sfn.send(new SendTaskSuccessCommand({ taskToken: 'nonsense', output: '{}' }))).rejects.toMatchObject({ name: 'InvalidToken' });
});

test('a stopped execution runs nothing more, and says so on the bus', async () => {
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn: made.outputs['Asking'], input: '{}', name: 'late' }));
  await sfn.send(new StopExecutionCommand({ executionArn, error: 'Operator', cause: 'enough' }));
  const stopped = await ended(executionArn ?? '');
  expect(stopped).toMatchObject({ status: 'ABORTED', error: 'Operator', cause: 'enough' });
  const event = await until(() => sandbox.services.queues.peek('seen').map((one) => JSON.parse(one.body)).find((one) => one.detail.name === 'late'));
  expect(event).toMatchObject({ 'detail-type': 'Step Functions Execution Status Change', resources: [executionArn], detail: { status: 'ABORTED', input: '{}', error: 'Operator' } });
});

test('an event whose target may not be started goes to the dead-letter queue at once, with its reasons', async () => {
  await put('forbidden', { a: 1 });
  const [message] = await until(() => {
    const found = sandbox.services.queues.peek('dead');
    return found.length === 0 ? undefined : found;
  });
  expect(JSON.parse(message?.body ?? '')).toMatchObject({ source: 'forbidden' });
  expect(Object.fromEntries(Object.entries(message?.attributes ?? {}).map(([key, value]) => [key, value.stringValue]))).toMatchObject({ ERROR_CODE: 'NO_PERMISSIONS', RETRY_ATTEMPTS: '0', TARGET_ARN: made.outputs['Asking'], RULE_ARN: expect.stringContaining(':rule/') });
});

test('throttled deliveries are tried again', async () => {
  const fault = sandbox.faults.add({ name: 'busy', service: 'states', operation: 'StartExecution', calls: [1, 2], effect: { kind: 'throttle' } });
  const count = () => sandbox.services.states.executions(made.outputs['Machine']).length;
  const before = count();
  await put('shop', { n: 8 });
  await until(() => (count() > before ? true : undefined));
  expect(fault.injected).toBe(2);
  fault.remove();
});

test('deliveries can be doubled', async () => {
  const undo = sandbox.services.events.disturb({ copies: 2 });
  const count = () => sandbox.services.states.executions(made.outputs['Machine']).length;
  const before = count();
  await put('shop', { n: 9 });
  await until(() => (count() > before ? true : undefined));
  await sandbox.services.events.settled();
  expect(count()).toBe(before + 2);
  undo();
  await until(() => (sandbox.services.states.executions(made.outputs['Machine']).every((one) => one.status !== 'RUNNING') ? true : undefined));
});

test('callers may not send events of AWS', async () => {
  const answer = await put('aws.cloudwatch', {});
  expect(answer).toMatchObject({ FailedEntryCount: 1, Entries: [{ ErrorCode: 'NotAuthorizedForSourceException' }] });
});

test('rules and targets can be read', async () => {
  const { Rules } = await events.send(new ListRulesCommand({}));
  expect(Rules).toHaveLength(3);
  const { Targets } = await events.send(new ListTargetsByRuleCommand({ Rule: Rules?.find((one) => one.EventPattern?.includes('shop'))?.Name }));
  expect(Targets?.[0]).toMatchObject({ Arn: made.outputs['Machine'], RetryPolicy: { MaximumRetryAttempts: 8 } });
});

test('without its permission the function’s call is denied and the machine fails', async () => {
  const roleName = made.stacks['Demo']?.resources['FnRole']?.ref ?? '';
  const giveBack = sandbox.iam.takeAway(roleName, 'ssm:PutParameter');
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn: made.outputs['Machine'], input: '{}' }));
  expect(await ended(executionArn ?? '')).toMatchObject({ status: 'FAILED', error: 'AccessDeniedException' });
  giveBack();
});

test('without its permission the machine cannot call the function', async () => {
  const giveBack = sandbox.iam.takeAway(made.stacks['Demo']?.resources['MachineRole']?.ref ?? '', 'lambda:InvokeFunction');
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn: made.outputs['Machine'], input: '{}' }));
  expect(await ended(executionArn ?? '')).toMatchObject({ status: 'FAILED', error: 'Lambda.AWSLambdaException' });
  giveBack();
});

test('Invoke answers over the wire', async () => {
  const answer = await lambda.send(new InvokeCommand({ FunctionName: made.stacks['Demo']?.resources['Fn']?.ref, Payload: Buffer.from('{"a":2}') }));
  expect(JSON.parse(Buffer.from(answer.Payload ?? []).toString())).toEqual({ wrote: '/seen' });
});

class Sha256 {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', typeof secret === 'string' ? secret : Buffer.from(secret as Uint8Array));
  }
  update(data: Uint8Array): void {
    this.#hash.update(data);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {}
}

async function callUrl(roleName: string, change: (headers: Record<string, string>) => void = () => undefined): Promise<Response> {
  const key = sandbox.iam.issueKey(roleName, 'jane');
  const url = new URL(made.outputs['Url'] ?? '');
  const signer = new SignatureV4({ service: 'lambda', region: 'eu-west-1', credentials: { accessKeyId: key.accessKeyId, secretAccessKey: key.secretAccessKey, sessionToken: key.sessionToken }, sha256: Sha256 });
  const body = '{"answer":"yes"}';
  const request = await signer.sign({ method: 'POST', protocol: 'http:', hostname: url.hostname, port: Number(url.port), path: '/approve', query: { a: '1' }, headers: { host: url.host, 'content-type': 'application/json' }, body });
  const headers = { ...request.headers };
  change(headers);
  return fetch(new URL('/approve?a=1', url), { method: 'POST', body, headers });
}

test('a function URL takes a signed call of who may, and tells the function who it is', async () => {
  const answer = await callUrl(made.outputs['Approver'] ?? '');
  expect(answer.status).toBe(200);
  const event = JSON.parse(sandbox.services.parameters.get('/seen').value) as Record<string, never>;
  expect(event).toMatchObject({ version: '2.0', rawPath: '/approve', rawQueryString: 'a=1', body: '{"answer":"yes"}', isBase64Encoded: false, requestContext: { http: { method: 'POST' }, authorizer: { iam: { userArn: `arn:aws:sts::111122223333:assumed-role/${made.outputs['Approver']}/jane` } } } });
});

test('a function URL refuses a wrong signature, a stranger, and nobody', async () => {
  expect((await callUrl(made.outputs['Approver'] ?? '', (headers) => { headers['x-amz-date'] = '20200101T000000Z'; })).status).toBe(403);
  expect((await callUrl(made.stacks['Demo']?.resources['EventsRole']?.ref ?? '')).status).toBe(403);
  expect((await fetch(made.outputs['Url'] ?? '', { method: 'POST' })).status).toBe(403);
});

test('a handler killed after its first AWS call leaves the effect and no answer', async () => {
  const name = made.stacks['Demo']?.resources['Fn']?.ref ?? '';
  sandbox.services.functions.find(name).killAfterCall(1);
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn: made.outputs['Machine'], input: '{"killed":true}' }));
  expect(await ended(executionArn ?? '')).toMatchObject({ status: 'FAILED', error: 'Lambda.Unknown' });
  expect(JSON.parse(sandbox.services.parameters.get('/seen').value)).toEqual({ killed: true });
});

test('a stopped sandbox leaves no process, no listener and no timer', () => {
  const script = `
    const { startSandbox } = await import(${JSON.stringify(new URL('../../../sandbox/sandbox.ts', import.meta.url).href)});
    const sandbox = await startSandbox({ speed: 60 });
    const made = await sandbox.deploy(${JSON.stringify(rig.directory)});
    const name = made.stacks.Demo.resources.Fn.ref;
    await sandbox.services.functions.invoke(name, { token: 'x' });
    sandbox.services.states.startExecution(made.outputs.Asking, {});
    await sandbox.stop();
    await sandbox.stop();
    await new Promise((resolve) => setTimeout(resolve, 100));
    console.log('handles ' + process.getActiveResourcesInfo().filter((one) => !/TTY|Pipe/.test(one)).join());
  `;
  const out = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { encoding: 'utf8', timeout: 20_000, cwd: new URL('../../..', import.meta.url).pathname });
  expect(out).toContain('handles \n');
});
