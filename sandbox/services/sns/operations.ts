// SNS operations.
import type {
  GetTopicAttributesInput, GetTopicAttributesResponse, ListSubscriptionsByTopicInput, ListSubscriptionsByTopicResponse, ListTopicsInput, ListTopicsResponse,
  PublishInput, PublishResponse, SubscribeInput, SubscribeResponse, UnsubscribeInput,
} from '@aws-sdk/client-sns';
import { AwsError, type Operation } from '../../aws/world.ts';
import type { Topics } from './topics.ts';

export const publish = (topics: Topics): Operation<PublishInput, PublishResponse> => ({
  mutating: true,
  authorize: ({ TopicArn, TargetArn }) => {
    const key = topics.keyArn(TopicArn ?? TargetArn ?? '');
    // SNS guide, "Key management": who publishes to a topic that is encrypted with a customer managed key needs both on the key.
    const onKey = key === null ? [] : ['kms:GenerateDataKey', 'kms:Decrypt'].map((action) => ({ action, resources: [key] }));
    return [{ action: 'sns:Publish', resources: [TopicArn ?? TargetArn ?? '*'] }, ...onKey];
  },
  run: (input, { caller }) => {
    const topicArn = input.TopicArn ?? input.TargetArn;
    if (topicArn === undefined) throw new AwsError('SandboxUnsupported', 'the sandbox publishes to topics only, not to phone numbers', { status: 501 });
    const published = topics.publish(topicArn, {
      message: messageOf(input),
      publisher: caller.arn,
      attributes: Object.fromEntries(Object.entries(input.MessageAttributes ?? {}).map(([name, { StringValue }]) => [name, StringValue ?? ''])),
      ...(input.Subject === undefined ? {} : { subject: input.Subject }),
    });
    return { MessageId: published.messageId };
  },
});

export const listTopics = (topics: Topics): Operation<ListTopicsInput, ListTopicsResponse> => ({
  mutating: false,
  authorize: () => [{ action: 'sns:ListTopics', resources: ['*'] }],
  run: () => ({ Topics: topics.arns.map((TopicArn) => ({ TopicArn })) }),
});

export const getTopicAttributes = (topics: Topics): Operation<GetTopicAttributesInput, GetTopicAttributesResponse> => ({
  mutating: false,
  authorize: ({ TopicArn }) => [{ action: 'sns:GetTopicAttributes', resources: [TopicArn ?? '*'] }],
  run: ({ TopicArn }, { place }) => ({
    Attributes: {
      TopicArn: TopicArn ?? '',
      Owner: place.account,
      DisplayName: topics.displayName(TopicArn ?? ''),
      SubscriptionsConfirmed: String(topics.subscriptions(TopicArn ?? '').length),
      SubscriptionsPending: '0',
      SubscriptionsDeleted: '0',
    },
  }),
});

export const listSubscriptionsByTopic = (topics: Topics): Operation<ListSubscriptionsByTopicInput, ListSubscriptionsByTopicResponse> => ({
  mutating: false,
  authorize: ({ TopicArn }) => [{ action: 'sns:ListSubscriptionsByTopic', resources: [TopicArn ?? '*'] }],
  run: ({ TopicArn }, { place }) => {
    topics.displayName(TopicArn ?? '');
    return {
      Subscriptions: topics.subscriptions(TopicArn ?? '').map(({ arn, topicArn, protocol, endpoint }) => ({
        SubscriptionArn: arn,
        TopicArn: topicArn,
        Protocol: protocol,
        Endpoint: endpoint,
        Owner: place.account,
      })),
    };
  },
});

export const subscribe = (topics: Topics): Operation<SubscribeInput, SubscribeResponse> => ({
  mutating: true,
  authorize: ({ TopicArn, Protocol, Endpoint }) => [
    {
      action: 'sns:Subscribe',
      resources: [TopicArn ?? '*'],
      context: { ...(Protocol === undefined ? {} : { 'sns:Protocol': Protocol }), ...(Endpoint === undefined ? {} : { 'sns:Endpoint': Endpoint }) },
    },
  ],
  run: ({ TopicArn, Protocol, Endpoint }) => ({ SubscriptionArn: topics.subscribe(TopicArn ?? '', Protocol ?? '', Endpoint ?? '').arn }),
});

export const unsubscribe = (topics: Topics): Operation<UnsubscribeInput, object> => ({
  mutating: true,
  authorize: () => [{ action: 'sns:Unsubscribe', resources: ['*'] }],
  run: ({ SubscriptionArn }) => {
    topics.unsubscribe(SubscriptionArn ?? '');
    return {};
  },
});

function messageOf({ Message, MessageStructure }: PublishInput): string {
  if (MessageStructure !== 'json') return Message ?? '';
  try {
    const parts = JSON.parse(Message ?? '') as Record<string, unknown>;
    if (typeof parts['default'] === 'string') return parts['default'];
  } catch {
    throw new AwsError('InvalidParameter', 'Invalid parameter: Message Structure - JSON message body failed to parse');
  }
  throw new AwsError('InvalidParameter', 'Invalid parameter: Message Structure - No default entry in JSON message body');
}
