// CloudWatch of the sandbox: metrics in, alarms out.
import type { PutCompositeAlarmInput, PutMetricAlarmInput } from '@aws-sdk/client-cloudwatch';
import type { MetricsPort } from '../../aws/world.ts';
import { AlarmEvaluator } from './alarm-evaluator.ts';
import type { StateValue } from './alarm-evaluation.ts';
import { Alarms, type AlarmParts } from './alarms.ts';
import { MetricStore, observed } from './metric-store.ts';

type RecordedDatum = Parameters<MetricsPort['record']>[0] & { readonly resolution?: 1 | 60 };

export class CloudWatch implements MetricsPort {
  /** Of the sandbox's own Region, which alarms look at. */
  readonly store = new MetricStore();
  readonly #elsewhere = new Map<string, MetricStore>();
  readonly alarms: Alarms;
  readonly parts: AlarmParts;
  readonly #evaluator: AlarmEvaluator;
  #stop: (() => void) | null = null;

  constructor(parts: AlarmParts) {
    this.parts = parts;
    this.alarms = new Alarms(parts);
    this.#evaluator = new AlarmEvaluator({ alarms: this.alarms, store: this.store, clock: parts.clock });
  }

  /** What was measured in a Region: nobody else's metrics are seen there. */
  storeIn(region: string): MetricStore {
    if (region === this.parts.place.region) return this.store;
    const store = this.#elsewhere.get(region) ?? new MetricStore();
    this.#elsewhere.set(region, store);
    return store;
  }

  /** Of every Region in which something was measured. */
  get stores(): readonly MetricStore[] {
    return [this.store, ...this.#elsewhere.values()];
  }

  /** For whoever measures in another Region. */
  portIn(region: string): MetricsPort {
    return { record: (datum) => this.#add(this.storeIn(region), datum) };
  }

  /** One observation in the sandbox's own Region; standard resolution unless told: then it can be read in periods of a second. */
  record(datum: RecordedDatum): void {
    this.#add(this.store, datum);
  }

  #add(store: MetricStore, { namespace, name, dimensions, value, unit, at, resolution }: RecordedDatum): void {
    store.add({ namespace, name, dimensions, samples: observed(value), at: at ?? this.parts.clock.now(), resolution: resolution ?? 60, ...(unit === undefined ? {} : { unit }) });
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
