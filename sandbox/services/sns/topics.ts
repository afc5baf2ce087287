// SNS topics: who listens, and an inbox of everything that was published.
import { AwsError, type Place, type SandboxClock } from '../../aws/world.ts';
import { byChance, uuid, type Ids } from '../../ids.ts';

export interface Published {
  readonly messageId: string;
  readonly topicArn: string;
  readonly subject: string | null;
  readonly message: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Epoch milliseconds, sandbox time. */
  readonly at: number;
  /** ARN of who published. */
  readonly publisher: string;
}

export interface Subscription {
  readonly arn: string;
  readonly topicArn: string;
  /** For example `email`, `sqs`, `lambda`, `https`. */
  readonly protocol: string;
  readonly endpoint: string;
}

const longestMessage = 256 * 1024;

export class Topics {
  readonly #place: Place;
  readonly #clock: SandboxClock;
  readonly #ids: Ids;
  readonly #topics = new Map<string, { readonly displayName: string; readonly keyArn: string | null }>();
  readonly #subscriptions: Subscription[] = [];
  readonly #inbox: Published[] = [];
  readonly #listeners = new Set<(published: Published, subscriptions: readonly Subscription[]) => void>();

  constructor(place: Place, clock: SandboxClock, ids: Ids = byChance) {
    this.#place = place;
    this.#clock = clock;
    this.#ids = ids;
  }

  arn(name: string): string {
    return `arn:aws:sns:${this.#place.region}:${this.#place.account}:${name}`;
  }

  /** @param keyArn of the KMS key that encrypts its messages. */
  create(name: string, displayName = '', keyArn: string | null = null): string {
    if (name.endsWith('.fifo')) throw new Error('the sandbox has no FIFO topics');
    this.#topics.set(this.arn(name), { displayName, keyArn });
    return this.arn(name);
  }

  /** @throws AwsError NotFound */
  subscribe(topicArn: string, protocol: string, endpoint: string): Subscription {
    this.displayName(topicArn);
    const subscription = { arn: `${topicArn}:${uuid(this.#ids, 'subscription')}`, topicArn, protocol, endpoint };
    this.#subscriptions.push(subscription);
    return subscription;
  }

  unsubscribe(subscriptionArn: string): void {
    const index = this.#subscriptions.findIndex(({ arn }) => arn === subscriptionArn);
    if (index >= 0) this.#subscriptions.splice(index, 1);
  }

  /** @throws AwsError NotFound, InvalidParameter */
  publish(topicArn: string, message: { subject?: string; message: string; attributes?: Readonly<Record<string, string>>; publisher: string }): Published {
    this.displayName(topicArn);
    check(message);
    const published: Published = {
      messageId: uuid(this.#ids, 'message'),
      topicArn,
      subject: message.subject ?? null,
      message: message.message,
      attributes: message.attributes ?? {},
      at: this.#clock.now(),
      publisher: message.publisher,
    };
    this.#inbox.push(published);
    const subscriptions = this.subscriptions(topicArn);
    for (const listener of this.#listeners) listener(published, subscriptions);
    return published;
  }

  /** Hears of each message and of the topic's subscriptions: who delivers to functions and queues hooks in here. */
  onPublish(listener: (published: Published, subscriptions: readonly Subscription[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Everything published, oldest first, to one topic or to all. */
  inbox(topicArn?: string): readonly Published[] {
    return this.#inbox.filter((published) => topicArn === undefined || published.topicArn === topicArn);
  }

  get arns(): readonly string[] {
    return [...this.#topics.keys()].toSorted();
  }

  subscriptions(topicArn: string): readonly Subscription[] {
    return this.#subscriptions.filter((subscription) => subscription.topicArn === topicArn);
  }

  /** KMS key of a topic, null without one, or for a topic that does not exist. */
  keyArn(topicArn: string): string | null {
    return this.#topics.get(topicArn)?.keyArn ?? null;
  }

  /** @throws AwsError NotFound, InvalidParameter */
  displayName(topicArn: string): string {
    if (!/^arn:aws:sns:[^:]+:\d{12}:[^:]+$/.test(topicArn)) throw new AwsError('InvalidParameter', 'Invalid parameter: TopicArn');
    const topic = this.#topics.get(topicArn);
    if (topic === undefined) throw new AwsError('NotFound', 'Topic does not exist', { status: 404 });
    return topic.displayName;
  }
}

function check({ subject, message }: { subject?: string; message: string }): void {
  if (message === '') throw new AwsError('InvalidParameter', 'Invalid parameter: Empty message');
  if (Buffer.byteLength(message) > longestMessage) throw new AwsError('InvalidParameter', 'Invalid parameter: Message too long');
  if (subject === undefined) return;
  // SNS API reference, Publish: no line breaks or control characters, at most 100 characters.
  if (subject === '' || subject.length > 100 || /\p{Cc}/u.test(subject)) throw new AwsError('InvalidParameter', 'Invalid parameter: Subject');
}
