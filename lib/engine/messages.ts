// Where Ripcord tells people: an on-call topic, a stakeholder topic, and its own events on the default bus.
import { aws_iam as iam, aws_kms as kms, aws_sns as sns, aws_sns_subscriptions as subscriptions, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Statement } from '../../lambdas/strategies/strategy.ts';
import { explain } from './statements.ts';

export interface MessagesProps {
  readonly engineName: string;
  readonly onCall: readonly string[];
  readonly stakeholders: readonly string[];
}

const muteAlarms = 'CloudWatch\'s alarms can tell nobody that they can tell nobody. Ripcord\'s own messages still come; the game day tries an alarm.';

export class Messages extends Construct {
  readonly onCall: sns.Topic;
  readonly stakeholders: sns.Topic;
  private readonly key: kms.Key;

  constructor(scope: Construct, id: string, props: MessagesProps) {
    super(scope, id);
    // A key of our own: CloudWatch alarms cannot publish to a topic that is encrypted with AWS's key for SNS.
    this.key = new kms.Key(this, 'Key', {
      description: `Encrypts the messages of ${props.engineName}`, enableKeyRotation: true, removalPolicy: RemovalPolicy.DESTROY,
    });
    explain(this.key, {
      uncalled: { 'kms:*': 'KMS writes it into every key: without it no policy of the account would count for this key, and nobody could change it.' },
      quiet: { 'kms:Decrypt': muteAlarms, 'kms:GenerateDataKey': muteAlarms },
    });
    this.key.addToResourcePolicy(new iam.PolicyStatement({
      principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: ['*'],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
    }));
    this.onCall = this.topic('OnCall', `${props.engineName} on call`, props.onCall);
    // A topic with a policy of its own (here: for TLS) has lost the default one, which would let the account's alarms publish.
    this.onCall.addToResourcePolicy(new iam.PolicyStatement({
      principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [this.onCall.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
    }));
    explain(this.onCall, { quiet: { 'sns:Publish': muteAlarms } });
    this.stakeholders = this.topic('Stakeholders', `${props.engineName} stakeholders`, props.stakeholders);
  }

  /** What a function needs that tells everybody. */
  get send(): readonly Statement[] {
    return this.sendTo(this.onCall, this.stakeholders);
  }

  /** What a function needs that tells on-call alone, and the event bus. */
  get sendOnCall(): readonly Statement[] {
    return this.sendTo(this.onCall);
  }

  private sendTo(...topics: readonly sns.Topic[]): readonly Statement[] {
    return [
      { actions: ['sns:Publish'], resources: topics.map(({ topicArn }) => topicArn) },
      { actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [this.key.keyArn] },
      { actions: ['events:PutEvents'], resources: [Stack.of(this).formatArn({ service: 'events', resource: 'event-bus', resourceName: 'default' })] },
    ];
  }

  private topic(id: string, displayName: string, addresses: readonly string[]): sns.Topic {
    const topic = new sns.Topic(this, id, { displayName, masterKey: this.key, enforceSSL: true });
    for (const address of addresses) topic.addSubscription(new subscriptions.EmailSubscription(address));
    return topic;
  }
}
