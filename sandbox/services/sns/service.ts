// SNS on the wire: which operations are served.
import * as schemas from '@aws-sdk/client-sns';
import type { AwsService } from '../../aws/world.ts';
import { getTopicAttributes, listSubscriptionsByTopic, listTopics, publish, subscribe, unsubscribe } from './operations.ts';
import type { Topics } from './topics.ts';

export const snsService = (topics: Topics): AwsService => ({
  signingName: 'sns',
  iamPrefix: 'sns',
  schemas,
  errorCodes: { accessDenied: 'AuthorizationError' },
  operations: {
    Publish: publish(topics),
    ListTopics: listTopics(topics),
    GetTopicAttributes: getTopicAttributes(topics),
    ListSubscriptionsByTopic: listSubscriptionsByTopic(topics),
    Subscribe: subscribe(topics),
    Unsubscribe: unsubscribe(topics),
  },
});
