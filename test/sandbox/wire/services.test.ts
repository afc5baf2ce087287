// Parameter Store, SNS, SQS and Secrets Manager of the sandbox, through the real clients.
import { GetSecretValueCommand, DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ListSubscriptionsByTopicCommand, PublishCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { DeleteMessageCommand, GetQueueAttributesCommand, GetQueueUrlCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { GetParameterCommand, GetParameterHistoryCommand, GetParametersByPathCommand, GetParametersCommand, PutParameterCommand, SSMClient, type PutParameterCommandInput } from '@aws-sdk/client-ssm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MetricsPort } from '../../../sandbox/aws/world.ts';
import { Secrets } from '../../../sandbox/services/secrets-manager/secrets.ts';
import { secretsManagerService } from '../../../sandbox/services/secrets-manager/service.ts';
import { snsService } from '../../../sandbox/services/sns/service.ts';
import { Topics } from '../../../sandbox/services/sns/topics.ts';
import { startQueueMetrics } from '../../../sandbox/services/sqs/queue-metrics.ts';
import { Queues } from '../../../sandbox/services/sqs/queues.ts';
import { sqsService } from '../../../sandbox/services/sqs/service.ts';
import { ParameterStore } from '../../../sandbox/services/ssm/parameter-store.ts';
import { ssmService } from '../../../sandbox/services/ssm/service.ts';
import { SpedUpClock } from '../../../sandbox/clock.ts';
import { place, startWorld, type TestWorld } from './world.ts';

let world: TestWorld;
let store: ParameterStore;
let topics: Topics;
let queues: Queues;
let secrets: Secrets;

beforeEach(async () => {
  const clock = new SpedUpClock({ speed: 100 });
  [store, topics, queues, secrets] = [new ParameterStore(place, clock), new Topics(place, clock), new Queues(place, clock), new Secrets(place, clock)];
  world = await startWorld([ssmService(store), snsService(topics), sqsService(queues), secretsManagerService(secrets)], 100);
});
afterEach(() => world.close());

const put = (input: Partial<PutParameterCommandInput>) => new SSMClient(world.client).send(new PutParameterCommand({ Name: '/ripcord/checkout', Value: 'v', Type: 'String', ...input }));
const publish = (input: object) => new SNSClient(world.client).send(new PublishCommand({ TopicArn: topics.arn('on-call'), Message: 'm', ...input }));

describe('Parameter Store', () => {
  test('keeps every version, and finds each by number', async () => {
    const ssm = new SSMClient(world.client);
    for (const Value of ['one', 'two', 'three']) await put({ Value, Overwrite: true });
    const latest = (await ssm.send(new GetParameterCommand({ Name: '/ripcord/checkout' }))).Parameter;
    expect(latest).toMatchObject({ Name: '/ripcord/checkout', Type: 'String', Value: 'three', Version: 3, DataType: 'text', ARN: 'arn:aws:ssm:eu-west-1:111122223333:parameter/ripcord/checkout' });
    expect((await ssm.send(new GetParameterCommand({ Name: '/ripcord/checkout:2' }))).Parameter).toMatchObject({ Value: 'two', Version: 2, Selector: ':2' });
    expect((await ssm.send(new GetParameterCommand({ Name: latest?.ARN }))).Parameter?.Version).toBe(3);
    const history = await ssm.send(new GetParameterHistoryCommand({ Name: '/ripcord/checkout' }));
    expect(history.Parameters?.map(({ Value, Version }) => [Value, Version])).toEqual([['one', 1], ['two', 2], ['three', 3]]);
  });

  test.each<[string, Partial<PutParameterCommandInput>, string]>([
    ['a name that is taken', {}, 'ParameterAlreadyExists'],
    ['another type', { Overwrite: true, Type: 'SecureString' }, 'HierarchyTypeMismatchException'],
    ['an empty value', { Overwrite: true, Value: '' }, 'ValidationException'],
    ['more than 4 KiB in the standard tier', { Overwrite: true, Value: 'x'.repeat(4097) }, 'ValidationException'],
    ['more than 8 KiB in the advanced tier', { Overwrite: true, Value: 'x'.repeat(8193), Tier: 'Advanced' }, 'ValidationException'],
    ['a name with a blank', { Name: '/a b' }, 'ValidationException'],
  ])('refuses to put %s', async (_name, input, error) => {
    await put({ Value: 'kept' });
    await expect(put(input)).rejects.toMatchObject({ name: error });
    expect(store.get('/ripcord/checkout').value).toBe('kept');
  });

  test('tells what it does not have', async () => {
    const ssm = new SSMClient(world.client);
    await put({});
    await expect(ssm.send(new GetParameterCommand({ Name: '/missing' }))).rejects.toMatchObject({ name: 'ParameterNotFound' });
    await expect(ssm.send(new GetParameterCommand({ Name: '/ripcord/checkout:9' }))).rejects.toMatchObject({ name: 'ParameterVersionNotFound' });
    const several = await ssm.send(new GetParametersCommand({ Names: ['/ripcord/checkout', '/missing'] }));
    expect([several.Parameters?.length, several.InvalidParameters]).toEqual([1, ['/missing']]);
  });

  test('lists a path in pages of ten, below it only where asked', async () => {
    for (let i = 0; i < 12; i += 1) store.put({ name: `/ripcord/catalogue/s${i}`, value: 'x', type: 'String', by: 'me' });
    store.put({ name: '/ripcord/catalogue/deep/er', value: 'x', type: 'String', by: 'me' });
    const ssm = new SSMClient(world.client);
    const list = async (Recursive: boolean): Promise<number[]> => {
      const sizes: number[] = [];
      let NextToken: string | undefined;
      do {
        const page = await ssm.send(new GetParametersByPathCommand({ Path: '/ripcord/catalogue/', Recursive, NextToken }));
        sizes.push(page.Parameters?.length ?? 0);
        ({ NextToken } = page);
      } while (NextToken !== undefined);
      return sizes;
    };
    expect(await list(false)).toEqual([10, 2]);
    expect(await list(true)).toEqual([10, 3]);
  });
});

describe('SNS', () => {
  test('what is published is in the inbox, and those who listen hear of it', async () => {
    topics.create('on-call');
    const sns = new SNSClient(world.client);
    await sns.send(new SubscribeCommand({ TopicArn: topics.arn('on-call'), Protocol: 'email', Endpoint: 'on-call@example.com' }));
    const heard: string[] = [];
    topics.onPublish(({ message }, subscriptions) => heard.push(`${message} to ${subscriptions[0]?.endpoint}`));
    const { MessageId } = await publish({ Subject: 'Rollback', Message: '<b>&', MessageAttributes: { service: { DataType: 'String', StringValue: 'checkout' } } });
    expect(topics.inbox(topics.arn('on-call'))).toMatchObject([{ messageId: MessageId, subject: 'Rollback', message: '<b>&', attributes: { service: 'checkout' } }]);
    expect(heard).toEqual(['<b>& to on-call@example.com']);
    expect((await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn: topics.arn('on-call') }))).Subscriptions).toMatchObject([{ Protocol: 'email' }]);
  });

  test.each<[string, object, string]>([
    ['a topic that does not exist', { TopicArn: 'arn:aws:sns:eu-west-1:111122223333:other' }, 'NotFoundException'],
    ['an ARN that is none', { TopicArn: 'on-call' }, 'InvalidParameterException'],
    ['a subject of 101 characters', { Subject: 'x'.repeat(101) }, 'InvalidParameterException'],
    ['a subject of two lines', { Subject: 'a\nb' }, 'InvalidParameterException'],
    ['an empty message', { Message: '' }, 'InvalidParameterException'],
    ['a message of more than 256 KiB', { Message: 'x'.repeat(262_145) }, 'InvalidParameterException'],
    ['a message structure without a default', { MessageStructure: 'json', Message: '{"sms":"x"}' }, 'InvalidParameterException'],
  ])('refuses %s', async (_name, input, error) => {
    topics.create('on-call');
    await expect(publish(input)).rejects.toMatchObject({ name: error });
    expect(topics.inbox()).toEqual([]);
  });
});

describe('SQS', () => {
  test('a message is hidden while it is worked on, comes back, and is gone when deleted', async () => {
    const { url } = queues.create({ name: 'dead', visibilityTimeout: 10 });
    const sqs = new SQSClient(world.client);
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'ä <event>', MessageAttributes: { RULE_ARN: { DataType: 'String', StringValue: 'arn:rule' } } }));
    const receive = async (WaitTimeSeconds = 0) => (await sqs.send(new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds, MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] }))).Messages?.[0];
    expect(await receive()).toMatchObject({ Body: 'ä <event>', MessageAttributes: { RULE_ARN: { StringValue: 'arn:rule' } }, Attributes: { ApproximateReceiveCount: '1' } });
    expect(await receive()).toBeUndefined();
    const again = await receive(20);
    expect(again?.Attributes?.['ApproximateReceiveCount']).toBe('2');
    await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: again?.ReceiptHandle }));
    await expect(sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: again?.ReceiptHandle }))).rejects.toMatchObject({ name: 'ReceiptHandleIsInvalid' });
    expect(queues.peek('dead')).toEqual([]);
  });

  test('a queue tells its depth and its ARN', async () => {
    const { arn } = queues.create({ name: 'dead' });
    queues.send(arn, { body: 'x', sender: 'events.amazonaws.com' });
    const sqs = new SQSClient(world.client);
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'dead' }));
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn', 'ApproximateNumberOfMessages'] }));
    expect(Attributes).toEqual({ QueueArn: arn, ApproximateNumberOfMessages: '1' });
    await expect(sqs.send(new GetQueueUrlCommand({ QueueName: 'other' }))).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
  });

  test('what was received too often goes to the dead-letter queue', () => {
    const dead = queues.create({ name: 'dead' });
    queues.create({ name: 'work', visibilityTimeout: 0, redrive: { deadLetterTargetArn: dead.arn, maxReceiveCount: 2 } });
    queues.send('work', { body: 'x', sender: 'me' });
    expect([1, 2, 3].map(() => queues.receive('work', { most: 1 }).length)).toEqual([1, 1, 0]);
    expect(queues.peek('dead').map(({ body }) => body)).toEqual(['x']);
  });

  test('its metrics count each minute what was sent, and not what a redrive policy moved', () => {
    const dead = queues.create({ name: 'dead' });
    queues.create({ name: 'work', visibilityTimeout: 0, redrive: { deadLetterTargetArn: dead.arn, maxReceiveCount: 1 } });
    let minute: () => unknown = () => undefined;
    const sent: string[] = [];
    const metrics: MetricsPort = { record: ({ name, dimensions, value }) => void (name === 'NumberOfMessagesSent' && sent.push(`${dimensions['QueueName']} ${value}`)) };
    const everyMinute = (_: number, run: () => unknown) => { minute = run; return () => undefined; };
    startQueueMetrics(queues, metrics, { speed: 1, now: () => 0, sleep: async () => undefined, every: everyMinute });
    queues.send('work', { body: 'x', sender: 'me' });
    queues.send('work', { body: 'y', sender: 'me' });
    minute();
    for (let times = 0; times < 4; times += 1) queues.receive('work', { most: 1 });
    expect(queues.peek('dead')).not.toEqual([]);
    minute();
    expect(sent).toEqual(['dead 0', 'work 2', 'dead 0', 'work 0']);
  });
});

describe('Secrets Manager', () => {
  test('a secret is found by name, ARN and ARN without suffix; the version before stays', async () => {
    const { arn } = secrets.create('journey-token', 'first');
    secrets.put('journey-token', 'second');
    const client = new SecretsManagerClient(world.client);
    for (const SecretId of ['journey-token', arn, arn.slice(0, -7)]) {
      expect(await client.send(new GetSecretValueCommand({ SecretId }))).toMatchObject({ ARN: arn, Name: 'journey-token', SecretString: 'second', VersionStages: ['AWSCURRENT'] });
    }
    expect((await client.send(new GetSecretValueCommand({ SecretId: arn, VersionStage: 'AWSPREVIOUS' }))).SecretString).toBe('first');
    expect(Object.values((await client.send(new DescribeSecretCommand({ SecretId: arn }))).VersionIdsToStages ?? {})).toEqual([['AWSPREVIOUS'], ['AWSCURRENT']]);
    await expect(client.send(new GetSecretValueCommand({ SecretId: 'other' }))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});
