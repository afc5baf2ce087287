// SQS operations on messages.
import { createHash } from 'node:crypto';
import type { DeleteMessageRequest, Message, MessageAttributeValue, ReceiveMessageRequest, ReceiveMessageResult, SendMessageRequest, SendMessageResult } from '@aws-sdk/client-sqs';
import { AwsError, type Operation } from '../../aws/world.ts';
import { md5, nameOf, type MessageAttribute, type Queues, type Received } from './queues.ts';

export const sendMessage = (queues: Queues): Operation<SendMessageRequest, SendMessageResult> => ({
  mutating: true,
  authorize: ({ QueueUrl }) => [{ action: 'sqs:SendMessage', resources: [queues.arn(nameOf(QueueUrl ?? ''))] }],
  run: (input, { caller }) => {
    const attributes = attributesOf(input.MessageAttributes ?? {});
    const message = queues.send(input.QueueUrl ?? '', {
      body: input.MessageBody ?? '',
      attributes,
      sender: caller.arn,
      ...(input.DelaySeconds === undefined ? {} : { delaySeconds: input.DelaySeconds }),
    });
    const digest = Object.keys(attributes).length === 0 ? {} : { MD5OfMessageAttributes: attributesDigest(attributes) };
    return { MessageId: message.messageId, MD5OfMessageBody: md5(message.body), ...digest };
  },
});

export const receiveMessage = (queues: Queues): Operation<ReceiveMessageRequest, ReceiveMessageResult> => ({
  mutating: true,
  authorize: ({ QueueUrl }) => [{ action: 'sqs:ReceiveMessage', resources: [queues.arn(nameOf(QueueUrl ?? ''))] }],
  run: async (input, { clock }) => {
    const most = input.MaxNumberOfMessages ?? 1;
    if (most < 1 || most > 10) throw new AwsError('InvalidParameterValue', `Value ${most} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.`);
    const options = { most, ...(input.VisibilityTimeout === undefined ? {} : { visibilityTimeout: input.VisibilityTimeout }) };
    const giveUpAt = clock.now() + (input.WaitTimeSeconds ?? 0) * 1000;
    let received = queues.receive(input.QueueUrl ?? '', options);
    while (received.length === 0 && clock.now() < giveUpAt) {
      await clock.sleep(100);
      received = queues.receive(input.QueueUrl ?? '', options);
    }
    return received.length === 0 ? {} : { Messages: received.map((item) => messageOf(item, input)) };
  },
});

export const deleteMessage = (queues: Queues): Operation<DeleteMessageRequest, object> => ({
  mutating: true,
  authorize: ({ QueueUrl }) => [{ action: 'sqs:DeleteMessage', resources: [queues.arn(nameOf(QueueUrl ?? ''))] }],
  run: ({ QueueUrl, ReceiptHandle }) => {
    queues.delete(QueueUrl ?? '', ReceiptHandle ?? '');
    return {};
  },
});

function attributesOf(attributes: Readonly<Record<string, MessageAttributeValue>>): Record<string, MessageAttribute> {
  const entries = Object.entries(attributes).map(([name, { DataType, StringValue }]) => {
    if (StringValue === undefined) throw new AwsError('SandboxUnsupported', 'the sandbox has no binary message attributes', { status: 501 });
    return [name, { dataType: DataType ?? 'String', stringValue: StringValue }] as const;
  });
  return Object.fromEntries(entries);
}

function messageOf(item: Received, input: ReceiveMessageRequest): Message {
  const { message } = item;
  const wanted = [...(input.MessageSystemAttributeNames ?? []), ...(input.AttributeNames ?? [])] as readonly string[];
  const system: Record<string, string> = {
    SenderId: message.sender,
    SentTimestamp: String(Math.floor(message.sentAt)),
    ApproximateReceiveCount: String(item.receiveCount),
    ApproximateFirstReceiveTimestamp: String(Math.floor(item.firstReceivedAt)),
  };
  const chosen = Object.entries(system).filter(([name]) => wanted.includes('All') || wanted.includes(name));
  const names = input.MessageAttributeNames ?? [];
  const isWanted = (name: string): boolean => names.some((pattern) => pattern === 'All' || pattern === '.*' || pattern === name || (pattern.endsWith('.*') && name.startsWith(pattern.slice(0, -2))));
  const attributes = Object.entries(message.attributes).filter(([name]) => isWanted(name));
  return {
    MessageId: message.messageId,
    ReceiptHandle: item.receiptHandle,
    Body: message.body,
    MD5OfBody: md5(message.body),
    ...(chosen.length === 0 ? {} : { Attributes: Object.fromEntries(chosen) }),
    ...(attributes.length === 0
      ? {}
      : {
          MessageAttributes: Object.fromEntries(attributes.map(([name, { dataType, stringValue }]) => [name, { DataType: dataType, StringValue: stringValue }])),
          MD5OfMessageAttributes: attributesDigest(Object.fromEntries(attributes)),
        }),
  };
}

// SQS developer guide, "Calculating the MD5 message digest for message attributes".
function attributesDigest(attributes: Readonly<Record<string, MessageAttribute>>): string {
  const hash = createHash('md5');
  const add = (text: string): void => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(text));
    hash.update(length).update(text);
  };
  for (const name of Object.keys(attributes).toSorted()) {
    const attribute = attributes[name];
    if (attribute === undefined) continue;
    add(name);
    add(attribute.dataType);
    hash.update(Buffer.from([1]));
    add(attribute.stringValue);
  }
  return hash.digest('hex');
}
