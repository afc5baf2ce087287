// SQS operations on queues.
import type { GetQueueAttributesRequest, GetQueueAttributesResult, GetQueueUrlRequest, GetQueueUrlResult, ListQueuesRequest, ListQueuesResult } from '@aws-sdk/client-sqs';
import { AwsError, type Operation } from '../../aws/world.ts';
import { nameOf, type Queues } from './queues.ts';

export const getQueueAttributes = (queues: Queues): Operation<GetQueueAttributesRequest, GetQueueAttributesResult> => ({
  mutating: false,
  authorize: ({ QueueUrl }) => [{ action: 'sqs:GetQueueAttributes', resources: [queues.arn(nameOf(QueueUrl ?? ''))] }],
  run: ({ QueueUrl, AttributeNames }) => {
    const { name, visibilityTimeout, retentionPeriod, redrive, createdAt } = queues.definition(QueueUrl ?? '');
    const counts = queues.counts(QueueUrl ?? '');
    const all: Record<string, string> = {
      QueueArn: queues.arn(name),
      ApproximateNumberOfMessages: String(counts.visible),
      ApproximateNumberOfMessagesNotVisible: String(counts.hidden),
      ApproximateNumberOfMessagesDelayed: String(counts.delayed),
      CreatedTimestamp: String(Math.floor(createdAt / 1000)),
      VisibilityTimeout: String(visibilityTimeout ?? 30),
      MessageRetentionPeriod: String(retentionPeriod ?? 345_600),
      ...(redrive === undefined ? {} : { RedrivePolicy: JSON.stringify(redrive) }),
    };
    const wanted = (AttributeNames ?? []) as readonly string[];
    for (const attribute of wanted) {
      if (attribute !== 'All' && attribute !== 'RedrivePolicy' && !Object.hasOwn(all, attribute)) {
        throw new AwsError('SandboxUnsupported', `the sandbox's queues have no attribute ${attribute}`, { status: 501 });
      }
    }
    return { Attributes: Object.fromEntries(Object.entries(all).filter(([key]) => wanted.includes('All') || wanted.includes(key))) };
  },
});

export const getQueueUrl = (queues: Queues): Operation<GetQueueUrlRequest, GetQueueUrlResult> => ({
  mutating: false,
  authorize: ({ QueueName }) => [{ action: 'sqs:GetQueueUrl', resources: [queues.arn(QueueName ?? '')] }],
  run: ({ QueueName }) => ({ QueueUrl: queues.url(queues.definition(QueueName ?? '').name) }),
});

export const listQueues = (queues: Queues): Operation<ListQueuesRequest, ListQueuesResult> => ({
  mutating: false,
  authorize: () => [{ action: 'sqs:ListQueues', resources: ['*'] }],
  run: ({ QueueNamePrefix }) => ({ QueueUrls: queues.names.filter((name) => name.startsWith(QueueNamePrefix ?? '')).map((name) => queues.url(name)) }),
});
