// Standard SQS queues: visibility, receive counts and dead-letter queues, on sandbox time.
import { createHash, randomUUID } from 'node:crypto';
import { AwsError, type Place, type SandboxClock } from '../../aws/world.ts';

export interface MessageAttribute {
  readonly dataType: string;
  readonly stringValue: string;
}

export interface QueueMessage {
  readonly messageId: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttribute>>;
  /** Epoch milliseconds, sandbox time. */
  readonly sentAt: number;
  readonly sender: string;
}

export interface QueueDefinition {
  readonly name: string;
  /** Seconds; default 30. */
  readonly visibilityTimeout?: number;
  /** Seconds; default 4 days. */
  readonly retentionPeriod?: number;
  readonly redrive?: { readonly deadLetterTargetArn: string; readonly maxReceiveCount: number };
}

export interface Received {
  readonly message: QueueMessage;
  readonly receiptHandle: string;
  readonly receiveCount: number;
  readonly firstReceivedAt: number;
}

interface Held {
  readonly message: QueueMessage;
  visibleAt: number;
  receiveCount: number;
  firstReceivedAt: number;
  receiptHandle: string | null;
}

interface Queue {
  readonly definition: QueueDefinition;
  readonly createdAt: number;
  held: Held[];
  /** Since they were last taken. */
  sent: number;
}

// SQS: 256 KiB until August 2025, 1 MiB since; a dead-letter queue of EventBridge gets at most an event.
const longestBody = 1024 * 1024;

export class Queues {
  readonly #place: Place;
  readonly #clock: SandboxClock;
  readonly #queues = new Map<string, Queue>();
  /** Set this to the server's endpoint: some clients send a queue's messages to the host of its URL, whatever endpoint they were told. */
  baseUrl: string;

  constructor(place: Place, clock: SandboxClock) {
    this.baseUrl = `https://sqs.${place.region}.amazonaws.com`;
    this.#place = place;
    this.#clock = clock;
  }

  arn(name: string): string {
    return `arn:aws:sqs:${this.#place.region}:${this.#place.account}:${name}`;
  }

  /** Only its last part counts when a client gives it back. */
  url(name: string): string {
    return `${this.baseUrl}/${this.#place.account}/${name}`;
  }

  /** Makes a queue, or changes its definition. */
  create(definition: QueueDefinition): { arn: string; url: string } {
    if (definition.name.endsWith('.fifo')) throw new Error('the sandbox has no FIFO queues');
    const existing = this.#queues.get(definition.name);
    this.#queues.set(definition.name, { definition, createdAt: existing?.createdAt ?? this.#clock.now(), held: existing?.held ?? [], sent: existing?.sent ?? 0 });
    return { arn: this.arn(definition.name), url: this.url(definition.name) };
  }

  get names(): readonly string[] {
    return [...this.#queues.keys()].toSorted();
  }

  has(reference: string): boolean {
    return this.#queues.has(nameOf(reference));
  }

  /** @throws AwsError QueueDoesNotExist, InvalidParameterValue */
  definition(reference: string): QueueDefinition & { readonly createdAt: number } {
    const { definition, createdAt } = this.#queue(reference);
    return { ...definition, createdAt };
  }

  /** By name, ARN or URL. @throws AwsError QueueDoesNotExist, InvalidParameterValue */
  send(reference: string, message: { body: string; attributes?: Readonly<Record<string, MessageAttribute>>; sender: string; delaySeconds?: number }): QueueMessage {
    const queue = this.#queue(reference);
    if (message.body === '') throw new AwsError('InvalidParameterValue', 'The request must contain the parameter MessageBody.');
    if (Buffer.byteLength(message.body) > longestBody) throw new AwsError('InvalidParameterValue', `One or more parameters are invalid. Reason: Message must be shorter than ${longestBody} bytes.`);
    const now = this.#clock.now();
    const sent: QueueMessage = { messageId: randomUUID(), body: message.body, attributes: message.attributes ?? {}, sentAt: now, sender: message.sender };
    queue.held.push({ message: sent, visibleAt: now + (message.delaySeconds ?? 0) * 1000, receiveCount: 0, firstReceivedAt: 0, receiptHandle: null });
    queue.sent += 1;
    return sent;
  }

  /** Takes up to `most` visible messages; they stay hidden for the visibility timeout. @throws AwsError QueueDoesNotExist */
  receive(reference: string, options: { most: number; visibilityTimeout?: number }): readonly Received[] {
    const queue = this.#queue(reference);
    const now = this.#clock.now();
    const received: Received[] = [];
    for (const held of queue.held.filter(({ visibleAt }) => visibleAt <= now)) {
      if (received.length >= options.most || this.#redriven(queue, held)) continue;
      held.receiveCount += 1;
      held.firstReceivedAt = held.firstReceivedAt === 0 ? now : held.firstReceivedAt;
      held.visibleAt = now + (options.visibilityTimeout ?? queue.definition.visibilityTimeout ?? 30) * 1000;
      held.receiptHandle = randomUUID();
      const { message, receiptHandle, receiveCount, firstReceivedAt } = held;
      received.push({ message, receiptHandle, receiveCount, firstReceivedAt });
    }
    return received;
  }

  /** @throws AwsError ReceiptHandleIsInvalid for a handle that is not the message's last one. */
  delete(reference: string, receiptHandle: string): void {
    const queue = this.#queue(reference);
    const index = queue.held.findIndex((held) => held.receiptHandle === receiptHandle);
    if (index < 0) throw new AwsError('ReceiptHandleIsInvalid', `The input receipt handle "${receiptHandle}" is not a valid receipt handle.`);
    queue.held.splice(index, 1);
  }

  /** Everything in the queue, hidden or not, oldest first; nothing is received. */
  peek(reference: string): readonly QueueMessage[] {
    return this.#queue(reference).held.map(({ message }) => message);
  }

  counts(reference: string): { visible: number; hidden: number; delayed: number } {
    const now = this.#clock.now();
    const { held } = this.#queue(reference);
    const visible = held.filter(({ visibleAt }) => visibleAt <= now).length;
    const delayed = held.filter(({ visibleAt, receiveCount }) => visibleAt > now && receiveCount === 0).length;
    return { visible, delayed, hidden: held.length - visible - delayed };
  }

  /** How many were sent since this was last asked. What a redrive policy moved here was not sent: SQS does not count it either. */
  takeSent(reference: string): number {
    const queue = this.#queue(reference);
    const { sent } = queue;
    queue.sent = 0;
    return sent;
  }

  #redriven(queue: Queue, held: Held): boolean {
    const { redrive } = queue.definition;
    if (redrive === undefined || held.receiveCount < redrive.maxReceiveCount) return false;
    queue.held.splice(queue.held.indexOf(held), 1);
    this.#queue(redrive.deadLetterTargetArn).held.push({ ...held, visibleAt: this.#clock.now(), receiveCount: 0, receiptHandle: null });
    return true;
  }

  #queue(reference: string): Queue {
    const queue = this.#queues.get(nameOf(reference));
    if (queue === undefined) throw new AwsError('QueueDoesNotExist', 'The specified queue does not exist.');
    const oldest = this.#clock.now() - (queue.definition.retentionPeriod ?? 345_600) * 1000;
    queue.held = queue.held.filter(({ message }) => message.sentAt >= oldest);
    return queue;
  }
}

/** Name of the queue in an ARN or a URL. */
export function nameOf(reference: string): string {
  return reference.slice(Math.max(reference.lastIndexOf(':'), reference.lastIndexOf('/')) + 1);
}

export function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
