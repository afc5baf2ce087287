// What AWS services send to each other by themselves: topics to their subscribers, alarms to their actions, functions to their failure destinations.
import { AwsError, type MetricsPort, type Place, type Principal } from './aws/world.ts';
import type { SandboxServer } from './aws/server.ts';
import type { Queues } from './services/sqs/queues.ts';
import type { Published, Subscription } from './services/sns/topics.ts';

export interface FanOutParts {
  readonly server: SandboxServer;
  readonly queues: Queues;
  readonly place: Place;
  readonly metrics: MetricsPort;
}

const asService = (service: string, sourceArn: string): Principal => ({ kind: 'service', arn: service, service, sourceArn });

export class FanOut {
  readonly #parts: FanOutParts;

  constructor(parts: FanOutParts) {
    this.#parts = parts;
  }

  /** SNS to queues and functions; e-mail and the like stay in the topic's inbox. */
  published(message: Published, subscriptions: readonly Subscription[]): void {
    for (const { protocol, endpoint, topicArn } of subscriptions) {
      const caller = asService('sns.amazonaws.com', topicArn);
      if (protocol === 'sqs') this.#send(caller, 'sqs', { operation: 'SendMessage', input: { QueueUrl: this.#queueUrl(endpoint), MessageBody: JSON.stringify(envelope(message)) } });
      if (protocol === 'lambda') {
        const record = { EventSource: 'aws:sns', EventVersion: '1.0', EventSubscriptionArn: `${topicArn}:subscription`, Sns: envelope(message) };
        this.#send(caller, 'lambda', { operation: 'Invoke', input: { FunctionName: endpoint, InvocationType: 'Event', Payload: Buffer.from(JSON.stringify({ Records: [record] })) } });
      }
    }
  }

  /** One action of an alarm: a topic or a function. */
  alarmAction({ actionArn, event }: { readonly actionArn: string; readonly event: Readonly<Record<string, unknown>> }): void {
    const kind = actionArn.split(':')[2];
    const alarmArn = (event['resources'] as readonly string[] | undefined)?.[0] ?? '';
    const detail = (event['detail'] ?? {}) as { alarmName?: string; state?: Record<string, unknown>; previousState?: Record<string, unknown>; configuration?: Record<string, unknown> };
    if (kind === 'sns') {
      const message = {
        AlarmName: detail.alarmName,
        AlarmArn: alarmArn,
        AWSAccountId: this.#parts.place.account,
        NewStateValue: detail.state?.['value'],
        NewStateReason: detail.state?.['reason'],
        StateChangeTime: detail.state?.['timestamp'],
        OldStateValue: detail.previousState?.['value'],
      };
      const input = { TopicArn: actionArn, Subject: `${String(message.NewStateValue)}: "${detail.alarmName}"`.slice(0, 100), Message: JSON.stringify(message) };
      this.#send(asService('cloudwatch.amazonaws.com', alarmArn), 'sns', { operation: 'Publish', input });
    } else if (kind === 'lambda') {
      const payload = { source: 'aws.cloudwatch', alarmArn, accountId: this.#parts.place.account, region: this.#parts.place.region, time: detail.state?.['timestamp'], alarmData: detail };
      const input = { FunctionName: actionArn, InvocationType: 'Event', Payload: Buffer.from(JSON.stringify(payload)) };
      this.#send(asService('lambda.alarms.cloudwatch.amazonaws.com', alarmArn), 'lambda', { operation: 'Invoke', input });
    }
  }

  /** The record of a failed asynchronous invocation, sent with the permissions of the function's role. */
  async failure({ functionName, caller: assumed, targetArn }: { readonly functionName: string; readonly caller: () => Principal; readonly targetArn: string }, record: Record<string, unknown>): Promise<void> {
    const body = JSON.stringify(record);
    const kind = targetArn.split(':')[2];
    try {
      const caller = assumed();
      if (kind === 'sqs') await this.#parts.server.call(caller, 'sqs', { operation: 'SendMessage', input: { QueueUrl: this.#queueUrl(targetArn), MessageBody: body } });
      else if (kind === 'sns') await this.#parts.server.call(caller, 'sns', { operation: 'Publish', input: { TopicArn: targetArn, Message: body } });
      else throw new AwsError('InvalidParameterValueException', `failure destination ${targetArn} is not supported`);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      this.#lost('AWS/Lambda', 'DestinationDeliveryFailures', { FunctionName: functionName });
    }
  }

  #queueUrl(arn: string): string {
    return this.#parts.queues.url(arn.split(':').at(-1) ?? '');
  }

  #send(caller: Principal, signingName: string, asked: { operation: string; input: unknown }): void {
    // A refusal is in the call log, as on AWS it is in a metric only.
    this.#parts.server.call(caller, signingName, asked).catch(() => this.#lost('AWS/SNS', 'NumberOfNotificationsFailed', {}));
  }

  #lost(namespace: string, name: string, dimensions: Record<string, string>): void {
    this.#parts.metrics.record({ namespace, name, dimensions, value: 1, unit: 'Count' });
  }
}

const envelope = (message: Published): Record<string, unknown> => ({
  Type: 'Notification',
  MessageId: message.messageId,
  TopicArn: message.topicArn,
  Subject: message.subject,
  Message: message.message,
  Timestamp: new Date(message.at).toISOString(),
  SignatureVersion: '1',
  MessageAttributes: Object.fromEntries(Object.entries(message.attributes).map(([name, Value]) => [name, { Type: 'String', Value }])),
});
