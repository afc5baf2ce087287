// The default event bus: takes events, matches rules, delivers side by side, and disturbs deliveries where a scenario asks.
import { AwsError, type AwsEvent, type EventBusPort, type Place } from '../../aws/world.ts';
import { ClockStopped } from '../../clock.ts';
import { byChance, uuid } from '../../ids.ts';
import { deliver, type DeliveryParts } from './delivery.ts';
import { checkTarget, makeRule, targetLimit, type Rule, type RuleInput, type RuleTarget } from './rule.ts';

/** How deliveries go wrong; each happens on AWS, rarely. */
export interface Disturbance {
  /** How often each delivery of a matching event is made; default 1. */
  readonly copies?: number;
  /** Sandbox milliseconds each delivery is held back, by its number from 0: unequal delays reorder. */
  readonly delayMs?: (index: number) => number;
  /** The event is never delivered, as best-effort services may lose one. */
  readonly isLost?: true;
  readonly where?: (event: AwsEvent, rule: Rule) => boolean;
}

const keptEvents = 2000;

export class EventBus implements EventBusPort {
  readonly #parts: DeliveryParts & { readonly place: Place };
  readonly #rules = new Map<string, Rule>();
  readonly #events: AwsEvent[] = [];
  readonly #listeners = new Set<(event: AwsEvent) => void>();
  readonly #disturbances = new Set<Disturbance>();
  readonly #deliveries = new Set<Promise<void>>();
  #delivered = 0;
  #stopped = false;

  constructor(parts: DeliveryParts & { readonly place: Place }) {
    this.#parts = parts;
  }

  get arn(): string {
    const { partition, region, account } = this.#parts.place;
    return `arn:${partition}:events:${region}:${account}:event-bus/default`;
  }

  /** The last events, oldest first. */
  get events(): readonly AwsEvent[] {
    return this.#events;
  }

  onEvent(listener: (event: AwsEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  put(event: { source: string; 'detail-type': string; detail: Record<string, unknown>; resources?: string[]; time?: Date }): AwsEvent {
    const { place, clock } = this.#parts;
    const whole: AwsEvent = {
      version: '0',
      id: uuid(this.#parts.ids ?? byChance, 'event'),
      'detail-type': event['detail-type'],
      source: event.source,
      account: place.account,
      // AWS gives whole seconds.
      time: (event.time ?? new Date(clock.now())).toISOString().replace(/\.\d{3}Z$/, 'Z'),
      region: place.region,
      resources: event.resources ?? [],
      detail: structuredClone(event.detail),
    };
    if (this.#stopped) return whole;
    this.#events.push(whole);
    if (this.#events.length > keptEvents) this.#events.shift();
    for (const listener of this.#listeners) listener(whole);
    for (const rule of this.#rules.values()) if (rule.state === 'ENABLED' && rule.matches?.(whole) === true) this.#send(rule, whole);
    return whole;
  }

  /** @throws Error when the pattern or schedule is not supported. */
  putRule(input: RuleInput): Rule {
    const { partition, region, account } = this.#parts.place;
    const rule = makeRule(input, `arn:${partition}:events:${region}:${account}:rule/${input.name}`);
    const old = this.#rules.get(input.name);
    old?.cancelSchedule();
    for (const [id, target] of old?.targets ?? []) rule.targets.set(id, target);
    this.#rules.set(rule.name, rule);
    if (rule.everyMs !== null) rule.cancelSchedule = this.#parts.clock.every(rule.everyMs, () => this.#tick(rule));
    return rule;
  }

  /** @throws Error when the target is not supported. */
  putTarget(ruleName: string, target: RuleTarget): void {
    checkTarget(target);
    const rule = this.rule(ruleName);
    if (!rule.targets.has(target.Id) && rule.targets.size >= targetLimit) throw new AwsError('LimitExceededException', `The requested resource exceeds the maximum number allowed: ${targetLimit} targets a rule`);
    rule.targets.set(target.Id, target);
  }

  rules(): Rule[] {
    return [...this.#rules.values()].toSorted((a, b) => a.name.localeCompare(b.name));
  }

  /** @throws AwsError ResourceNotFoundException */
  rule(name: string): Rule {
    const found = this.#rules.get(name);
    if (found === undefined) throw new AwsError('ResourceNotFoundException', `Rule ${name} does not exist on EventBus default.`);
    return found;
  }

  /** Until the returned function is called, deliveries of matching events are repeated or held back. */
  disturb(disturbance: Disturbance): () => void {
    this.#disturbances.add(disturbance);
    return () => this.#disturbances.delete(disturbance);
  }

  /** Resolves when every delivery so far has ended. */
  async settled(): Promise<void> {
    while (this.#deliveries.size > 0) await Promise.all(this.#deliveries);
  }

  stop(): void {
    this.#stopped = true;
    for (const rule of this.#rules.values()) rule.cancelSchedule();
  }

  #tick(rule: Rule): void {
    if (rule.state !== 'ENABLED' || this.#stopped) return;
    const { place, clock } = this.#parts;
    const time = new Date(clock.now()).toISOString().replace(/\.\d{3}Z$/, 'Z');
    this.#send(rule, { version: '0', id: uuid(this.#parts.ids ?? byChance, 'event'), 'detail-type': 'Scheduled Event', source: 'aws.events', account: place.account, time, region: place.region, resources: [rule.arn], detail: {} });
  }

  #send(rule: Rule, event: AwsEvent): void {
    const disturbances = [...this.#disturbances].filter(({ where }) => where?.(event, rule) ?? true);
    if (disturbances.some(({ isLost }) => isLost)) return;
    const copies = Math.max(1, ...disturbances.map((one) => one.copies ?? 1));
    for (const target of rule.targets.values())
      for (let copy = 0; copy < copies; copy += 1) {
        const index = this.#delivered++;
        const delay = Math.max(0, ...disturbances.map((one) => one.delayMs?.(index) ?? 0));
        this.#track(delay, () => deliver(this.#parts, rule, target, event));
      }
  }

  #track(delayMs: number, run: () => Promise<void>): void {
    const work = (async () => {
      try {
        if (delayMs > 0) await this.#parts.clock.sleep(delayMs);
        if (!this.#stopped) await run();
      } catch (error) {
        if (!(error instanceof ClockStopped)) throw error;
      }
    })();
    this.#deliveries.add(work);
    void work.finally(() => this.#deliveries.delete(work));
  }
}
