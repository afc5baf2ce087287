// Evaluates alarms on closed periods, as CloudWatch does: each minute, or each ten seconds for sub-minute periods.
import type { SandboxClock } from '../../aws/world.ts';
import { ClockStopped } from '../../clock.ts';
import type { AlarmState, CompositeAlarmRecord, MetricAlarmRecord } from './alarm.ts';
import { evaluate, evaluationRange, type Datapoint, type Evaluation, type StateValue } from './alarm-evaluation.ts';
import { alarmTime } from './alarm-events.ts';
import { alarmsOf, ruleHolds } from './alarm-rule.ts';
import type { Alarms } from './alarms.ts';
import { metricKey, type MetricStore, type Samples } from './metric-store.ts';
import { floorTo, metricOf, QueryRun } from './metric-queries.ts';
import { percentileOf, samplesNeeded } from './statistics.ts';

const beat = 10_000;
// What a period's last samples take to arrive before it is looked at.
const settling = 1000;

export class AlarmEvaluator {
  readonly #alarms: Alarms;
  readonly #store: MetricStore;
  readonly #clock: SandboxClock;

  constructor(parts: { alarms: Alarms; store: MetricStore; clock: SandboxClock }) {
    this.#alarms = parts.alarms;
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#alarms.onTransition(({ name }) => this.#parentsOf(name));
  }

  /** Starts to evaluate until the returned function is called or the clock stops. */
  start(): () => void {
    const run = { stopped: false };
    void this.#run(run);
    return () => {
      run.stopped = true;
    };
  }

  /** Evaluates every metric alarm now, on the periods closed at `at` (epoch milliseconds; default now). */
  evaluateAll(at = this.#clock.now()): void {
    for (const alarm of this.#alarms.all()) if (alarm.kind === 'metric') this.metric(alarm, at);
  }

  metric(alarm: MetricAlarmRecord, at: number): void {
    // A sliding window: it ends with the last closed minute, however long its periods are ("Alarm evaluation window" of the user guide).
    const end = floorTo(at, Math.min(60, alarm.periodSeconds));
    const range = evaluationRange(alarm.conditions.evaluationPeriods);
    const start = end - range * alarm.periodSeconds * 1000;
    // Most alarms of most minutes: periods without a datapoint count as missing, however many they are.
    if (measuredBy(alarm)?.every((key) => this.#store.isQuietSince(key, start)) === true) return this.#take(alarm, evaluate([], alarm.conditions, alarm.state.value), { at, samples: null });
    const run = new QueryRun(alarm.queries, this.#store, { start, end, anchor: end });
    const answer = run.answer(alarm.watched);
    if (this.#tooFewSamples(alarm, run)) return;
    const datapoints: Datapoint[] = Array.from({ length: range }, (_, index) => {
      const time = start + index * alarm.periodSeconds * 1000;
      return { at: time, value: answer.points.get(time) ?? null };
    });
    this.#take(alarm, evaluate(datapoints, alarm.conditions, alarm.state.value), { at, samples: answer.samples });
  }

  #take(alarm: MetricAlarmRecord, evaluation: Evaluation | null, { at, samples }: { at: number; samples: ReadonlyMap<number, Samples> | null }): void {
    // Not even its words are new then.
    if (evaluation === null || evaluation.state === alarm.state.value) return;
    const counts = new Map([...(samples ?? [])].map(([time, { count }]) => [time, count]));
    this.#alarms.move(alarm, { value: evaluation.state, reason: evaluation.reason, reasonData: reasonData(alarm, evaluation, { at, samples: counts }) });
  }

  /** Brings a composite to the state that its rule says. */
  composite(alarm: CompositeAlarmRecord): void {
    const holds = ruleHolds(alarm.rule, (name) => this.#alarms.find(name)?.state.value ?? 'INSUFFICIENT_DATA');
    this.#suppression(alarm, holds ? 'ALARM' : 'OK');
  }

  // Only a change of a child moves a composite: one that was set by hand stays where it is until then.
  #parentsOf(name: string): void {
    for (const alarm of this.#alarms.all()) {
      if (alarm.kind !== 'composite') continue;
      if (alarmsOf(alarm.rule).includes(name)) this.composite(alarm);
      else if (nameOf(alarm.input.ActionsSuppressor ?? '') === name) this.#suppression(alarm, alarm.state.value);
    }
  }

  async #run(run: { readonly stopped: boolean }): Promise<void> {
    while (!run.stopped) {
      const now = this.#clock.now();
      try {
        await this.#clock.sleep(Math.floor((now - settling) / beat + 1) * beat + settling - now);
      } catch (error) {
        if (error instanceof ClockStopped) return;
        throw error;
      }
      if (!run.stopped) this.#tick();
    }
  }

  #tick(): void {
    const now = this.#clock.now();
    const fullMinute = now % 60_000 < beat;
    for (const alarm of this.#alarms.all()) {
      if (alarm.kind === 'metric' && (fullMinute || alarm.periodSeconds < 60)) this.metric(alarm, now);
      if (alarm.kind === 'composite') this.#suppression(alarm, alarm.state.value);
    }
  }

  #tooFewSamples(alarm: MetricAlarmRecord, run: QueryRun): boolean {
    const fraction = percentileOf(alarm.input.ExtendedStatistic ?? '');
    if (alarm.input.EvaluateLowSampleCountPercentile !== 'ignore' || fraction === null) return false;
    const counts = [...(run.answer(alarm.watched).samples?.values() ?? [])].map(({ count }) => count);
    return counts.length > 0 && Math.min(...counts) < samplesNeeded(fraction);
  }

  #suppression(alarm: CompositeAlarmRecord, value: StateValue): void {
    const suppressedBy = value === 'ALARM' ? this.#suppressedBy(alarm) : null;
    if (value === alarm.state.value && suppressedBy === alarm.state.suppressedBy) return;
    this.#alarms.move(alarm, { value, ...this.#compositeReason(alarm, value), suppressedBy });
  }

  // Alarm: the suppressor is in ALARM. WaitPeriod: it may still get there. ExtensionPeriod: it just left.
  #suppressedBy(alarm: CompositeAlarmRecord): AlarmState['suppressedBy'] {
    const { ActionsSuppressor, ActionsSuppressorWaitPeriod = 0, ActionsSuppressorExtensionPeriod = 0 } = alarm.input;
    if (ActionsSuppressor === undefined) return null;
    if (this.#alarms.find(nameOf(ActionsSuppressor))?.state.value === 'ALARM') return 'Alarm';
    const now = this.#clock.now();
    const begins = alarm.state.suppressedBy === 'Alarm' ? 'ExtensionPeriod' : alarm.state.value === 'ALARM' ? null : 'WaitPeriod';
    if (begins !== null) alarm.suppressionUntil = now + (begins === 'WaitPeriod' ? ActionsSuppressorWaitPeriod : ActionsSuppressorExtensionPeriod) * 1000;
    return now < alarm.suppressionUntil ? begins ?? alarm.state.suppressedBy : null;
  }

  #compositeReason(alarm: CompositeAlarmRecord, value: StateValue): { reason: string; reasonData: string } {
    const children = alarmsOf(alarm.rule).flatMap((name) => this.#alarms.find(name) ?? []);
    const latest = children.toSorted((a, b) => b.state.transitionedAt - a.state.transitionedAt)[0];
    const reason = latest === undefined
      ? `The alarm rule evaluates to ${value}`
      : `${latest.arn} transitioned to ${latest.state.value} at ${alarmTime(latest.state.transitionedAt)}`;
    const triggering = children.filter((child) => child.state.value === 'ALARM' || child === latest);
    return { reason, reasonData: JSON.stringify({ triggeringAlarms: triggering.map(({ arn, state }) => ({ arn, state: { value: state.value, timestamp: alarmTime(state.updatedAt) } })) }) };
  }
}

const measured = new WeakMap<MetricAlarmRecord, readonly string[] | null>();

/** Keys of an alarm's metrics; null when any of its values is computed: there may be one without a datapoint. */
function measuredBy(alarm: MetricAlarmRecord): readonly string[] | null {
  let keys = measured.get(alarm);
  if (keys === undefined) {
    keys = alarm.queries.some(({ MetricStat }) => MetricStat === undefined) ? null : alarm.queries.map((query) => metricKey(metricOf(query)));
    measured.set(alarm, keys);
  }
  return keys;
}

const nameOf = (alarm: string): string => (alarm.startsWith('arn:') ? alarm.split(':').slice(6).join(':') : alarm);

function reasonData(alarm: MetricAlarmRecord, evaluation: Evaluation, { at, samples }: { at: number; samples: ReadonlyMap<number, number> }): string {
  const { Statistic, ExtendedStatistic, Unit } = alarm.input;
  const oldest = evaluation.evaluated[0];
  return JSON.stringify({
    version: '1.0',
    queryDate: alarmTime(at),
    ...(oldest === undefined ? {} : { startDate: alarmTime(oldest.at) }),
    ...(Unit === undefined ? {} : { unit: Unit }),
    ...(Statistic === undefined && ExtendedStatistic === undefined ? {} : { statistic: Statistic ?? ExtendedStatistic }),
    period: alarm.periodSeconds,
    recentDatapoints: evaluation.evaluated.map(({ value }) => value),
    threshold: alarm.conditions.threshold,
    evaluatedDatapoints: evaluation.evaluated.toReversed().map((point) => ({
      timestamp: alarmTime(point.at), ...(samples.has(point.at) ? { sampleCount: samples.get(point.at) } : {}), value: point.value,
    })),
  });
}
