// The permissions that the sandbox's services ask for are those that AWS publishes.
import { expect, test } from 'vitest';
import type { AwsService, OperationContext } from '../../../sandbox/aws/world.ts';
import { DynamoDb } from '../../../sandbox/services/dynamodb/dynamodb.ts';
import { Secrets } from '../../../sandbox/services/secrets-manager/secrets.ts';
import { secretsManagerService } from '../../../sandbox/services/secrets-manager/service.ts';
import { snsService } from '../../../sandbox/services/sns/service.ts';
import { Topics } from '../../../sandbox/services/sns/topics.ts';
import { Queues } from '../../../sandbox/services/sqs/queues.ts';
import { sqsService } from '../../../sandbox/services/sqs/service.ts';
import { ParameterStore } from '../../../sandbox/services/ssm/parameter-store.ts';
import { ssmService } from '../../../sandbox/services/ssm/service.ts';
import { SpedUpClock } from '../../../sandbox/clock.ts';
import { permissionProblem } from './authorization-data.ts';
import { place } from './world.ts';

const clock = new SpedUpClock();
const context: OperationContext = { clock, place, requestId: 'r', caller: { kind: 'root', arn: 'arn:aws:iam::111122223333:root' } };

// Every member that an authorization is made from.
const input = {
  Name: '/ripcord/catalogue/checkout', Names: ['/a', 'b'], Path: '/ripcord/', TableName: 'ledger', Statement: 'UPDATE "ledger" SET a = 1', RequestItems: {}, SecretId: 'token',
  QueueUrl: 'https://sqs.eu-west-1.amazonaws.com/111122223333/dead', QueueName: 'dead', TopicArn: 'arn:aws:sns:eu-west-1:111122223333:on-call',
};

const services: readonly AwsService[] = [
  new DynamoDb(place).service,
  ssmService(new ParameterStore(place, clock)),
  snsService(new Topics(place, clock)),
  sqsService(new Queues(place, clock)),
  secretsManagerService(new Secrets(place, clock)),
];

const operations = services.flatMap((service) => Object.entries(service.operations).map(([name, operation]) => [`${service.iamPrefix}:${name}`, operation] as const));

test.each(operations)('%s asks for permissions that AWS has, on resources that it takes', async (_name, operation) => {
  for (const { action, resources } of operation.authorize(input as never, context)) {
    for (const resource of resources) expect(await permissionProblem({ action, resource })).toBeNull();
  }
});

test('an invented action, a wrong resource and a resource where AWS takes none are found out', async () => {
  expect(await permissionProblem({ action: 'ssm:ReadParameter', resource: '*' })).toContain('no action');
  expect(await permissionProblem({ action: 'ssm:GetParameter', resource: 'arn:aws:sns:eu-west-1:111122223333:x' })).toContain('takes');
  expect(await permissionProblem({ action: 'elasticloadbalancing:DescribeRules', resource: 'arn:aws:elasticloadbalancing:eu-west-1:1:x' })).toContain('cannot be limited');
});
