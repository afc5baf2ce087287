// CloudWatch of the sandbox: metrics in, alarms out.
import type { PutCompositeAlarmInput, PutMetricAlarmInput } from '@aws-sdk/client-cloudwatch';
import type { MetricsPort } from '../../aws/world.ts';
import { AlarmEvaluator } from './alarm-evaluator.ts';
import type { StateValue } from './alarm-evaluation.ts';
import { Alarms, type AlarmParts } from './alarms.ts';
import { MetricStore, observed } from './metric-store.ts';

export class CloudWatch implements MetricsPort {
  readonly store = new MetricStore();
  readonly alarms: Alarms;
  readonly parts: AlarmParts;
  readonly #evaluator: AlarmEvaluator;
  #stop: (() => void) | null = null;

  constructor(parts: AlarmParts) {
    this.parts = parts;
    this.alarms = new Alarms(parts);
    this.#evaluator = new AlarmEvaluator({ alarms: this.alarms, store: this.store, clock: parts.clock });
  }

  /** One observation; standard resolution unless told: then it can be read in periods of a second. */
  record(datum: { namespace: string; name: string; dimensions: Record<string, string>; value: number; unit?: string; at?: number; resolution?: 1 | 60 }): void {
    const { namespace, name, dimensions, value, unit, at, resolution } = datum;
    this.store.add({ namespace, name, dimensions, samples: observed(value), at: at ?? this.parts.clock.now(), resolution: resolution ?? 60, ...(unit === undefined ? {} : { unit }) });
  }

  /** Starts the evaluation of alarms; stop with `stop()` or by stopping the clock. */
  start(): void {
    this.#stop ??= this.#evaluator.start();
  }

  stop(): void {
    this.#stop?.();
    this.#stop = null;
  }

  /** @throws AwsError as PutMetricAlarm would answer. */
  putMetricAlarm(input: PutMetricAlarmInput): void {
    this.alarms.putMetric(input);
  }

  /** @throws AwsError as PutCompositeAlarm would answer. */
  putCompositeAlarm(input: PutCompositeAlarmInput): void {
    this.#evaluator.composite(this.alarms.putComposite(input));
  }

  /** null when there is no such alarm. */
  alarmState(name: string): StateValue | null {
    return this.alarms.find(name)?.state.value ?? null;
  }

  /** As SetAlarmState: a metric alarm comes back to its true state at the next evaluation, a composite when a child changes. */
  setAlarmState(name: string, value: StateValue, reason: string, reasonData: string | null = null): void {
    this.alarms.move(this.alarms.get(name), { value, reason, reasonData });
  }

  /** Sends a `CloudWatch Alarm Contributor State Change`: the sandbox evaluates no Metrics Insights query, so a scenario says which series changed. */
  setContributorState(name: string, contributor: { id: string; attributes: Record<string, string> }, state: { value: StateValue; reason: string }): void {
    this.alarms.moveContributor(name, contributor, state);
  }

  /** Evaluates all metric alarms at once instead of waiting for the next minute; `at` in epoch milliseconds. */
  evaluateAlarms(at?: number): void {
    this.#evaluator.evaluateAll(at);
  }
}
