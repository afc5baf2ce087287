// Tells people (SNS topics) and machines (EventBridge, source `ripcord`) what happened.
import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { JsonObject } from '../domain/vocabulary.ts';

export type DetailType = 'Rollback Started' | 'Rollback Ended' | 'Rollback Escalated' | 'Approval Needed' | 'Late Signal';

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

/** Who can be told: the two topics, and machines. */
export type Receiver = Message['audience'][number] | 'machines';

/** What became of one message. */
export interface Sent {
  /** All that have it by now, those before included. */
  readonly told: readonly Receiver[];
  readonly failures: readonly Error[];
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

  /** Sends to every receiver but those who were told before; one that fails does not keep the others from being told. Never throws. */
  async send(message: Message, before: readonly Receiver[] = []): Promise<Sent> {
    const { event } = message;
    const all: readonly { readonly who: Receiver; readonly tell: () => Promise<void> }[] = [
      ...message.audience.map((who) => ({ who, tell: () => this.publish(who, message) })),
      ...(event === null ? [] : [{ who: 'machines' as const, tell: () => this.put(event) }]),
    ];
    const open = all.filter(({ who }) => !before.includes(who));
    const sent = await Promise.allSettled(open.map(({ tell }) => tell()));
    return {
      told: [...before, ...open.flatMap(({ who }, index) => (sent[index]?.status === 'fulfilled' ? [who] : []))],
      failures: sent.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : [])),
    };
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
