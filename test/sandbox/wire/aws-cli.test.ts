// The AWS CLI, which shares no code with the SDK, drives the sandbox.
import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DynamoDb } from '../../../sandbox/services/dynamodb/dynamodb.ts';
import { snsService } from '../../../sandbox/services/sns/service.ts';
import { Topics } from '../../../sandbox/services/sns/topics.ts';
import { Queues } from '../../../sandbox/services/sqs/queues.ts';
import { sqsService } from '../../../sandbox/services/sqs/service.ts';
import { ParameterStore } from '../../../sandbox/services/ssm/parameter-store.ts';
import { ssmService } from '../../../sandbox/services/ssm/service.ts';
import { stsService } from '../../../sandbox/services/sts/sts.ts';
import { SpedUpClock } from '../../../sandbox/clock.ts';
import { place, startWorld, type TestWorld } from './world.ts';

function cliVersion(): string | null {
  try {
    return execFileSync('aws', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return null;
  }
}

const version = cliVersion();
if (version === null) console.log('aws-cli.test: skipped, because the AWS CLI is not installed');

describe.skipIf(version === null)('the AWS CLI', () => {
  let world: TestWorld;
  let store: ParameterStore;
  const clock = new SpedUpClock();
  const dynamodb = new DynamoDb(place);
  const topics = new Topics(place, clock);
  const queues = new Queues(place, clock);
  const roleArn = 'arn:aws:iam::111122223333:role/viewer';

  beforeAll(async () => {
    store = new ParameterStore(place, clock);
    world = await startWorld([dynamodb.service, ssmService(store), snsService(topics), sqsService(queues), stsService]);
    await dynamodb.createTable({ TableName: 'audit', KeySchema: [{ AttributeName: 'rollbackId', KeyType: 'HASH' }], AttributeDefinitions: [{ AttributeName: 'rollbackId', AttributeType: 'S' }] });
    topics.create('on-call');
    queues.baseUrl = world.client.endpoint;
    queues.create({ name: 'dead' });
    const statement = { Effect: 'Allow', Action: ['ssm:GetParameter', 'sts:*'], Resource: '*' };
    world.server.iam.putRole({ roleName: 'viewer', arn: roleArn, policies: [{ name: 'p', document: { Statement: statement } }] });
  });
  afterAll(() => world.close());

  async function aws(args: readonly string[], key: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } = world.client.credentials): Promise<unknown> {
    const env = {
      PATH: process.env['PATH'], HOME: '/nonexistent', AWS_REGION: place.region, AWS_DEFAULT_REGION: place.region, AWS_PAGER: '', AWS_MAX_ATTEMPTS: '1',
      AWS_ACCESS_KEY_ID: key.accessKeyId, AWS_SECRET_ACCESS_KEY: key.secretAccessKey, ...(key.sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: key.sessionToken }),
    };
    const { stdout } = await promisify(execFile)('aws', [...args, '--endpoint-url', world.client.endpoint, '--output', 'json'], { env });
    return stdout.trim() === '' ? null : JSON.parse(stdout);
  }

  test('asks who it is, as a person and, with a signature that is checked, as a role', async () => {
    expect(await aws(['sts', 'get-caller-identity'])).toMatchObject({ Account: '111122223333', Arn: 'arn:aws:iam::111122223333:root' });
    expect(await aws(['sts', 'get-caller-identity'], world.server.iam.issueKey('viewer'))).toMatchObject({ Arn: 'arn:aws:sts::111122223333:assumed-role/viewer/viewer' });
  });

  test('puts and queries items', async () => {
    await aws(['dynamodb', 'put-item', '--table-name', 'audit', '--item', '{"rollbackId":{"S":"rb-1"},"data":{"S":"ä <b>"}}']);
    const query = ['--key-condition-expression', 'rollbackId = :r', '--expression-attribute-values', '{":r":{"S":"rb-1"}}'];
    expect(await aws(['dynamodb', 'query', '--table-name', 'audit', ...query])).toMatchObject({ Count: 1, Items: [{ rollbackId: { S: 'rb-1' }, data: { S: 'ä <b>' } }] });
  });

  test('writes and reads parameters, and is told what a role may not do', async () => {
    await aws(['ssm', 'put-parameter', '--name', '/ripcord/checkout', '--type', 'String', '--value', '{"a": "b"}']);
    expect(await aws(['ssm', 'get-parameter', '--name', '/ripcord/checkout'], world.server.iam.issueKey('viewer'))).toMatchObject({ Parameter: { Value: '{"a": "b"}', Version: 1 } });
    const denied = aws(['ssm', 'delete-parameter', '--name', '/ripcord/checkout'], world.server.iam.issueKey('viewer'));
    await expect(denied).rejects.toMatchObject({ stderr: expect.stringMatching(/\(AccessDeniedException\).*viewer is not authorized to perform: ssm:DeleteParameter/) as string });
  });

  test('publishes and reads a queue, in the query dialect and in JSON', async () => {
    await aws(['sns', 'publish', '--topic-arn', topics.arn('on-call'), '--subject', 'S', '--message', 'a & b']);
    expect(topics.inbox()).toMatchObject([{ subject: 'S', message: 'a & b' }]);
    await aws(['sqs', 'send-message', '--queue-url', queues.url('dead'), '--message-body', 'x']);
    expect(await aws(['sqs', 'receive-message', '--queue-url', queues.url('dead')])).toMatchObject({ Messages: [{ Body: 'x' }] });
  });

  test('is told what the sandbox does not support', async () => {
    await expect(aws(['ssm', 'list-documents'])).rejects.toMatchObject({ stderr: expect.stringContaining('the sandbox does not support ssm:ListDocuments') as string });
  });
});
