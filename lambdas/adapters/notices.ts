// Tells people (SNS topics) and machines (EventBridge, source `ripcord`) what happened.
import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { JsonObject } from '../domain/vocabulary.ts';

export type DetailType = 'Rollback Started' | 'Rollback Ended' | 'Rollback Escalated' | 'Approval Needed';

/** One message, already written in plain text. */
export interface Message {
  readonly audience: readonly ('on-call' | 'stakeholders')[];
  /** Printable ASCII, less than 100 characters: the limit of SNS. */
  readonly subject: string;
  readonly text: string;
  /** `page`: a person has to act now. Subscriptions can filter by the message attribute `urgency`. */
  readonly urgency: 'page' | 'notice';
  /** The same for machines; null when only people are told. */
  readonly event: { readonly detailType: DetailType; readonly detail: JsonObject } | null;
}

export interface NoticeTopics {
  readonly onCall: string;
  readonly stakeholders: string;
}

export class Notices {
  private readonly clients: { readonly sns: SNSClient; readonly events: EventBridgeClient };
  private readonly topics: NoticeTopics;

  constructor(clients: { readonly sns: SNSClient; readonly events: EventBridgeClient }, topics: NoticeTopics) {
    this.clients = clients;
    this.topics = topics;
  }

  /**
   * Sends to every receiver; one that fails does not keep the others from being told.
   * @throws AggregateError naming each receiver that could not be told.
   */
  async send(message: Message): Promise<void> {
    const sent = await Promise.allSettled([
      ...message.audience.map((who) => this.publish(who, message)),
      ...(message.event === null ? [] : [this.put(message.event)]),
    ]);
    const failures = sent.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []));
    if (failures.length > 0) throw new AggregateError(failures, failures.map((error) => error.message).join('; '));
  }

  private async publish(who: Message['audience'][number], message: Message): Promise<void> {
    const TopicArn = who === 'on-call' ? this.topics.onCall : this.topics.stakeholders;
    await this.clients.sns.send(new PublishCommand({
      // Only on-call is woken: for everybody else it is news.
      TopicArn, Subject: who === 'on-call' ? message.subject : message.subject.replace(/^PAGE /, ''), Message: message.text,
      MessageAttributes: { urgency: { DataType: 'String', StringValue: message.urgency } },
    }));
  }

  private async put(event: NonNullable<Message['event']>): Promise<void> {
    const answer = await this.clients.events.send(new PutEventsCommand({
      Entries: [{ Source: 'ripcord', DetailType: event.detailType, Detail: JSON.stringify(event.detail) }],
    }));
    // PutEvents answers 200 even when the entry was refused.
    const refused = answer.Entries?.find((entry) => entry.ErrorCode !== undefined);
    if (refused !== undefined) throw new Error(`event "${event.detailType}" was refused: ${refused.ErrorCode} ${refused.ErrorMessage ?? ''}`);
  }
}
