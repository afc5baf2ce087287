// Queues, topics and rules of a template.
import type { PolicyDocument } from '../../aws/iam/policy.ts';
import type { RuleTarget } from '../../services/events/rule.ts';
import { number, optionalText, refuse, text, type ResourceType } from '../resource-type.ts';

interface Redrive {
  readonly deadLetterTargetArn: string;
  readonly maxReceiveCount: number | string;
}

const queue: ResourceType = {
  acted: ['QueueName', 'VisibilityTimeout', 'MessageRetentionPeriod', 'RedrivePolicy', 'FifoQueue', 'DelaySeconds'],
  ignored: ['KmsMasterKeyId', 'KmsDataKeyReusePeriodSeconds', 'SqsManagedSseEnabled', 'Tags', 'ReceiveMessageWaitTimeSeconds', 'RedriveAllowPolicy', 'MaximumMessageSize'],
  make: (making) => {
    refuse(making, 'FifoQueue', [false]);
    refuse(making, 'DelaySeconds', [0]);
    const name = making.name('QueueName', 80);
    const redrive = making.properties['RedrivePolicy'] as Redrive | undefined;
    const { arn, url } = making.target.services.queues.create({
      name,
      visibilityTimeout: number(making, 'VisibilityTimeout', 30),
      retentionPeriod: number(making, 'MessageRetentionPeriod', 345_600),
      ...(redrive === undefined ? {} : { redrive: { deadLetterTargetArn: redrive.deadLetterTargetArn, maxReceiveCount: Number(redrive.maxReceiveCount) } }),
    });
    return { ref: url, attributes: { Arn: arn, QueueName: name, QueueUrl: url } };
  },
};

const queuePolicy: ResourceType = {
  acted: ['Queues', 'PolicyDocument'],
  ignored: [],
  make: (making) => {
    const { queues } = making.target.services;
    for (const url of making.properties['Queues'] as string[])
      making.target.iam.putResourcePolicy(queues.arn(url.split('/').at(-1) ?? ''), making.properties['PolicyDocument'] as PolicyDocument, making.logicalId);
    return { ref: making.uuid(), attributes: { Id: making.uuid() } };
  },
};

interface Subscribing {
  readonly Protocol: string;
  readonly Endpoint: string;
}

const topic: ResourceType = {
  acted: ['TopicName', 'DisplayName', 'Subscription', 'FifoTopic', 'KmsMasterKeyId'],
  ignored: ['Tags', 'TracingConfig', 'SignatureVersion', 'DataProtectionPolicy', 'DeliveryStatusLogging'],
  make: (making) => {
    refuse(making, 'FifoTopic', [false]);
    const { topics } = making.target.services;
    const name = making.name('TopicName', 256);
    const key = optionalText(making, 'KmsMasterKeyId');
    // Keys of AWS's own (alias/aws/sns) ask nobody for a permission on them.
    const arn = topics.create(name, optionalText(making, 'DisplayName'), key?.startsWith('arn:') === true ? key : null);
    for (const { Protocol, Endpoint } of (making.properties['Subscription'] ?? []) as Subscribing[]) topics.subscribe(arn, Protocol, Endpoint);
    return { ref: arn, attributes: { TopicArn: arn, TopicName: name } };
  },
};

const topicPolicy: ResourceType = {
  acted: ['Topics', 'PolicyDocument'],
  ignored: [],
  make: (making) => {
    for (const arn of making.properties['Topics'] as string[]) making.target.iam.putResourcePolicy(arn, making.properties['PolicyDocument'] as PolicyDocument, making.logicalId);
    return { ref: making.uuid(), attributes: { Id: making.uuid() } };
  },
};

const subscription: ResourceType = {
  acted: ['TopicArn', 'Protocol', 'Endpoint', 'RawMessageDelivery', 'FilterPolicy', 'FilterPolicyScope', 'RedrivePolicy'],
  ignored: ['Region', 'DeliveryPolicy'],
  make: (making) => {
    for (const property of ['FilterPolicy', 'FilterPolicyScope', 'RedrivePolicy']) refuse(making, property);
    refuse(making, 'RawMessageDelivery', [false]);
    const { arn } = making.target.services.topics.subscribe(text(making, 'TopicArn'), text(making, 'Protocol'), text(making, 'Endpoint'));
    return { ref: arn, attributes: { Arn: arn } };
  },
};

const rule: ResourceType = {
  acted: ['Name', 'EventPattern', 'ScheduleExpression', 'State', 'Targets', 'EventBusName', 'RoleArn', 'Description'],
  ignored: ['Tags'],
  make: (making) => {
    refuse(making, 'EventBusName', ['default', making.target.services.events.arn]);
    refuse(making, 'RoleArn');
    const { EventPattern, State = 'ENABLED', Targets = [] } = making.properties;
    if (State !== 'ENABLED' && State !== 'DISABLED') throw new Error(`State ${JSON.stringify(State)} is not supported`);
    const made = making.target.services.events.putRule({
      name: making.name('Name', 64),
      state: State,
      description: optionalText(making, 'Description'),
      pattern: EventPattern === undefined ? undefined : JSON.stringify(EventPattern),
      schedule: optionalText(making, 'ScheduleExpression'),
    });
    for (const target of Targets as RuleTarget[]) making.target.services.events.putTarget(made.name, withNumbers(target));
    return { ref: made.name, attributes: { Arn: made.arn } };
  },
};

/** Templates may write numbers as text. */
function withNumbers(target: RuleTarget): RuleTarget {
  if (target.RetryPolicy === undefined) return target;
  return { ...target, RetryPolicy: Object.fromEntries(Object.entries<unknown>(target.RetryPolicy).map(([key, value]) => [key, Number(value)])) };
}

export const messagingTypes: Readonly<Record<string, ResourceType>> = {
  'AWS::SQS::Queue': queue,
  'AWS::SQS::QueuePolicy': queuePolicy,
  'AWS::SNS::Topic': topic,
  'AWS::SNS::TopicPolicy': topicPolicy,
  'AWS::SNS::Subscription': subscription,
  'AWS::Events::Rule': rule,
};
