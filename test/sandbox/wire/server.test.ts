// The server as clients see it: who calls, what is refused and how, and what is recorded of it.
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { GetParameterCommand, GetParametersCommand, PutParameterCommand, SSMClient, SendCommandCommand } from '@aws-sdk/client-ssm';
import * as ssmSchemas from '@aws-sdk/client-ssm';
import { SNSClient, PublishCommand } from '@aws-sdk/client-sns';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { Route53Client, ListHostedZonesCommand } from '@aws-sdk/client-route-53';
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Unsupported } from '../../../sandbox/aws/dispatch.ts';
import type { Operation } from '../../../sandbox/aws/world.ts';
import { snsService } from '../../../sandbox/services/sns/service.ts';
import { Topics } from '../../../sandbox/services/sns/topics.ts';
import { ssmService } from '../../../sandbox/services/ssm/service.ts';
import { ParameterStore } from '../../../sandbox/services/ssm/parameter-store.ts';
import { stsService } from '../../../sandbox/services/sts/sts.ts';
import { SpedUpClock } from '../../../sandbox/clock.ts';
import { place, startWorld, type TestWorld } from './world.ts';

let world: TestWorld;
let store: ParameterStore;
const roleArn = 'arn:aws:iam::111122223333:role/assess';

beforeEach(async () => {
  const clock = new SpedUpClock();
  store = new ParameterStore(place, clock);
  world = await startWorld([ssmService(store), snsService(new Topics(place, clock)), stsService]);
});
afterEach(() => world.close());

const thrownBy = (call: Promise<unknown>): Promise<Error & { $metadata?: { httpStatusCode?: number } }> =>
  call.then(() => Promise.reject(new Error('nothing was thrown')), (error: unknown) => error as Error);

function asRole(actions: string[]): TestWorld['client'] {
  const statement = { Effect: 'Allow', Action: actions, Resource: '*' };
  world.server.iam.putRole({ roleName: 'assess', arn: roleArn, policies: [{ name: 'p', document: { Statement: statement } }] });
  return { ...world.client, credentials: world.server.iam.issueKey(roleArn) };
}

const put = (value: string): PutParameterCommand => new PutParameterCommand({ Name: '/a', Value: value, Type: 'String', Overwrite: true });

/** A POST whose body comes in these parts. */
const sendParts = (parts: readonly Buffer[]): Promise<number> =>
  new Promise((resolve, reject) => {
    const sent = request(world.client.endpoint, { method: 'POST', headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AmazonSSM.GetParameter' } }, ({ statusCode }) => resolve(statusCode ?? 0));
    sent.on('error', reject);
    for (const part of parts) sent.write(part);
    sent.end();
  });

test('a request is read to its end, and one that is longer than any limit of AWS is broken off', async () => {
  const megabyte = Buffer.alloc(1024 * 1024, ' ');
  await expect(sendParts(Array.from({ length: 16 }, () => megabyte))).resolves.toBe(403);
  await expect(sendParts(Array.from({ length: 17 }, () => megabyte))).rejects.toThrow(/ECONNRESET|EPIPE|hang up/);
});

describe('who calls', () => {
  test('the access key tells the role', async () => {
    const { Arn } = await new STSClient(asRole([])).send(new GetCallerIdentityCommand({}));
    expect(Arn).toBe('arn:aws:sts::111122223333:assumed-role/assess/assess');
    expect(world.server.calls.list().at(-1)?.caller).toMatchObject({ kind: 'role', roleName: 'assess' });
  });

  test('a role\'s key with another secret, or without its session token, is refused', async () => {
    const client = asRole(['*']);
    const forged = { ...client.credentials, secretAccessKey: 'guessed' };
    expect(await thrownBy(new SSMClient({ ...client, credentials: forged }).send(put('x')))).toMatchObject({ name: 'SignatureDoesNotMatch' });
    const { accessKeyId, secretAccessKey } = client.credentials;
    expect(await thrownBy(new SSMClient({ ...client, credentials: { accessKeyId, secretAccessKey } }).send(put('x')))).toMatchObject({ name: 'UnrecognizedClientException' });
    expect(world.server.calls.list()).toEqual([]);
  });

  test('a request without a signature is refused and recorded', async () => {
    const response = await fetch(world.client.endpoint, { method: 'POST', body: 'Action=GetCallerIdentity' });
    expect(response.status).toBe(403);
    expect(await response.text()).toContain('MissingAuthenticationToken');
    expect(world.server.calls.list()).toMatchObject([{ operation: 'GetCallerIdentity', errorCode: 'MissingAuthenticationToken' }]);
  });
});

describe('what a role may not do', () => {
  test('is refused as each dialect does it, and changes nothing', async () => {
    const client = asRole(['ssm:GetParameter']);
    expect(await thrownBy(new SSMClient(client).send(put('x')))).toMatchObject({ name: 'AccessDeniedException', $metadata: { httpStatusCode: 400 } });
    expect(store.below('/', true)).toEqual([]);
    const publish = new PublishCommand({ TopicArn: 'arn:aws:sns:eu-west-1:111122223333:t', Message: 'm' });
    expect(await thrownBy(new SNSClient(client).send(publish))).toMatchObject({ name: 'AuthorizationErrorException', $metadata: { httpStatusCode: 403 } });
    expect(world.server.calls.list({ role: 'assess' })).toMatchObject([
      { mutating: false, errorCode: 'AccessDeniedException', permissions: [{ action: 'ssm:PutParameter', allowed: false }] },
      { errorCode: 'AccessDeniedException', permissions: [{ action: 'sns:Publish', allowed: false }] },
    ]);
  });

  test('a call that is allowed records by which statement', async () => {
    await new SSMClient(asRole(['ssm:PutParameter'])).send(put('x'));
    expect(world.server.calls.list()).toMatchObject([{ mutating: true, status: 200, permissions: [{ action: 'ssm:PutParameter', allowed: true, statement: 'p/0' }] }]);
  });
});

describe('what the sandbox does not have', () => {
  test.each([
    ['an operation, in JSON', () => new SSMClient(world.client).send(new SendCommandCommand({ DocumentName: 'd' })), 'ssm:SendCommand'],
    ['a JSON service', () => new DynamoDBClient(world.client).send(new ListTablesCommand({})), '"dynamodb"'],
    ['an XML service', () => new Route53Client(world.client).send(new ListHostedZonesCommand({})), '"route53"'],
  ])('%s is refused by name with 501, and recorded', async (_name, call, said) => {
    const error = await thrownBy(call());
    expect(error).toMatchObject({ name: 'SandboxUnsupported', $metadata: { httpStatusCode: 501 } });
    expect(error.message).toContain(said);
    expect(world.server.calls.unsupported).toHaveLength(1);
  });

  test('an operation that the SDK does not know cannot be registered', () => {
    const operations = { GetParametr: { mutating: false, authorize: () => [], run: () => ({}) } };
    expect(() => world.server.register({ signingName: 'x', iamPrefix: 'x', schemas: ssmSchemas, operations })).toThrow('GetParametr');
  });
});

describe('shapes', () => {
  test('a missing required member of the input is refused before anything happens', async () => {
    const error = await thrownBy(new SSMClient(world.client).send(new PutParameterCommand({ Name: '/a', Value: undefined })));
    expect(error).toMatchObject({ name: 'ValidationException', message: expect.stringContaining("'Value'") as string });
    expect(store.below('/', true)).toEqual([]);
  });

  test('a body that is no JSON is a SerializationException', async () => {
    const headers = { authorization: `AWS4-HMAC-SHA256 Credential=K/20261120/eu-west-1/ssm/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`, 'x-amz-target': 'AmazonSSM.GetParameter', 'content-type': 'application/x-amz-json-1.1' };
    const response = await fetch(world.client.endpoint, { method: 'POST', headers, body: '{"Name": ' });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ __type: 'com.amazonaws.ssm#SerializationException' });
  });

  test('an answer in a shape that AWS does not have is an error of the sandbox, said aloud', async () => {
    const silenced = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const wrong = { mutating: false, authorize: () => [], run: () => ({ Parameter: { Nmae: 'x', Version: '1' } }) };
    const other = await startWorld([{ signingName: 'ssm', iamPrefix: 'ssm', schemas: ssmSchemas, operations: { GetParameter: wrong } }]);
    const error = await thrownBy(new SSMClient(other.client).send(new GetParameterCommand({ Name: 'x' })));
    await other.close();
    expect(error).toMatchObject({ name: 'InternalFailure', $metadata: { httpStatusCode: 500 } });
    expect(error.message).toMatch(/Parameter\.Nmae is no member of Parameter; Parameter\.Version should be a number/);
    expect(silenced).toHaveBeenCalledOnce();
    silenced.mockRestore();
  });
});

describe('calls of the sandbox itself', () => {
  test('go the same way as those from the wire: IAM and the log', async () => {
    asRole(['ssm:GetParameter']);
    const { principal } = world.server.iam.issueKey(roleArn);
    store.put({ name: '/a', value: 'v', type: 'String', by: 'me' });
    const read = await world.server.call(principal, 'ssm', { operation: 'GetParameter', input: { Name: '/a' } });
    expect(read).toMatchObject({ Parameter: { Value: 'v' } });
    await expect(world.server.call(principal, 'sns', { operation: 'ListTopics', input: {} })).rejects.toMatchObject({ code: 'AccessDeniedException' });
    await expect(world.server.call(principal, 'nothing', { operation: 'X', input: {} })).rejects.toBeInstanceOf(Unsupported);
    expect(world.server.calls.list()).toHaveLength(2);
  });
});

describe('invariants', () => {
  test('are checked after each call that changes something, and only then', async () => {
    let checks = 0;
    world.server.calls.addInvariant({ name: 'no bad value', check: () => ((checks += 1), store.below('/', true).some(({ value }) => value === 'bad') ? 'somebody wrote bad' : null) });
    const client = new SSMClient(world.client);
    await client.send(put('good'));
    await client.send(new GetParameterCommand({ Name: '/a' }));
    expect(checks).toBe(1);
    expect(world.server.calls.breaches).toEqual([]);
    await client.send(put('bad'));
    expect(world.server.calls.list().at(-1)?.broken).toEqual(['no bad value: somebody wrote bad']);
    expect(world.server.calls.breaches).toMatchObject([{ invariant: 'no bad value', cause: expect.stringContaining('ssm:PutParameter') as string }]);
  });

  test('can be asked for after a change that no call made', () => {
    world.server.calls.addInvariant({ name: 'i', check: () => 'broken' });
    expect(world.server.calls.checkInvariants('a shift of traffic')).toMatchObject([{ call: null, cause: 'a shift of traffic' }]);
  });
});

test('the log keeps what was asked and answered, though the service changes it later', async () => {
  const answer = { Parameters: [{ Name: 'a' }] };
  const GetParameters: Operation<{ Names?: string[] }> = {
    mutating: false,
    authorize: () => [],
    run: ({ Names }) => {
      Names?.push('added by the service');
      return answer;
    },
  };
  const other = await startWorld([{ signingName: 'ssm', iamPrefix: 'ssm', schemas: ssmSchemas, operations: { GetParameters } }]);
  await new SSMClient(other.client).send(new GetParametersCommand({ Names: ['a'] }));
  await other.close();
  answer.Parameters.push({ Name: 'later' });
  expect(other.server.calls.list({ service: 'ssm', operation: 'GetParameters' })).toMatchObject([{ input: { Names: ['a'] }, output: { Parameters: [{ Name: 'a' }] } }]);
});
