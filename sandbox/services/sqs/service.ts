// SQS on the wire: send, receive, delete, and look at a queue.
import * as schemas from '@aws-sdk/client-sqs';
import type { AwsService } from '../../aws/world.ts';
import { deleteMessage, receiveMessage, sendMessage } from './message-operations.ts';
import { getQueueAttributes, getQueueUrl, listQueues } from './queue-operations.ts';
import type { Queues } from './queues.ts';

export const sqsService = (queues: Queues): AwsService => ({
  signingName: 'sqs',
  iamPrefix: 'sqs',
  schemas,
  operations: {
    SendMessage: sendMessage(queues),
    ReceiveMessage: receiveMessage(queues),
    DeleteMessage: deleteMessage(queues),
    GetQueueAttributes: getQueueAttributes(queues),
    GetQueueUrl: getQueueUrl(queues),
    ListQueues: listQueues(queues),
  },
});
