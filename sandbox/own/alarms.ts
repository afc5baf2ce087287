// The user's alarms and traffic metric in the sandbox, fed by what the users of the rehearsal really meet.
import type { MetricsPort } from '../aws/world.ts';
import type { CloudWatch } from '../services/cloudwatch/cloudwatch.ts';
import type { Service } from './document.ts';
import { type MetricEntry, recordMet, recordQuietDay } from './service-metrics.ts';

export const namespace = 'Rehearsal';

/** Groups take turns, so that two groups are two independent measurements. Answers alarm to what it watches. */
export function createOwnAlarms(cloudwatch: CloudWatch, { signals }: Service): Map<string, string> {
  const groups = alarmGroups({ signals });
  const watched = new Map<string, string>();
  for (const { name, group = name } of signals.alarms ?? []) {
    if (watched.has(name)) continue;
    const isErrors = groups.indexOf(group) % 2 === 0;
    if (isErrors) watchErrors(cloudwatch, name);
    else watchLatency(cloudwatch, name);
    watched.set(name, isErrors ? 'more than 5 % of requests fail' : 'every second request takes longer than 400 ms');
  }
  return watched;
}

/** Those of the alarms that the file names, and those of the alarms that the stack makes. */
export const alarmGroups = ({ signals: { alarms = [], slo } }: Pick<Service, 'signals'>): readonly string[] =>
  [...new Set([...alarms.map(({ name, group = name }) => group), ...(slo?.availability === undefined ? [] : ['errors']), ...(slo?.latency === undefined ? [] : ['latency'])])];

const twoMinutes = { EvaluationPeriods: 2, DatapointsToAlarm: 2, ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'missing' } as const;

function watchErrors(cloudwatch: CloudWatch, AlarmName: string): void {
  const sum = (Id: string, MetricName: string) => ({ Id, ReturnData: false, MetricStat: { Metric: { Namespace: namespace, MetricName }, Period: 60, Stat: 'Sum' } });
  cloudwatch.putMetricAlarm({
    AlarmName, Threshold: 5, ...twoMinutes,
    Metrics: [{ Id: 'share', Expression: '100 * FILL(errors, 0) / requests', Label: 'failed requests, percent', ReturnData: true }, sum('errors', 'Errors'), sum('requests', 'Requests')],
  });
}

function watchLatency(cloudwatch: CloudWatch, AlarmName: string): void {
  cloudwatch.putMetricAlarm({ AlarmName, Namespace: namespace, MetricName: 'Latency', ExtendedStatistic: 'p50', Period: 60, Threshold: 0.4, ...twoMinutes });
}

/** The front's metrics, and the user's traffic metric beside them; one request may stand for several, so that a laptop is busy enough. */
export class OwnMetrics implements MetricsPort {
  /** How many requests of users one request of the rehearsal stands for. */
  readonly factor: number;
  readonly #cloudwatch: CloudWatch;
  readonly #signals: Service['signals'];
  readonly #perMinute: number;
  #last = { failed: false, seconds: 0 };

  /** @param perMinute requests that the rehearsal makes at least, in a sandbox minute. */
  constructor(cloudwatch: CloudWatch, { signals }: Service, perMinute: number) {
    this.#cloudwatch = cloudwatch;
    this.#signals = signals;
    this.#perMinute = perMinute;
    this.factor = 'none' in signals.traffic ? 1 : Math.max(1, Math.ceil((2 * (signals.traffic.minimumRequests ?? 50)) / ((signals.traffic.minutes ?? 5) * perMinute)));
  }

  /** The service's own metrics, and those of its controls, have a past. */
  recordPast(until: number): void {
    const { metrics = [], controls = [] } = this.#signals;
    for (const entry of [...metrics, ...controls]) recordQuietDay(this.#placeOf(entry), entry, { until, perMinute: this.#perMinute });
  }

  /** What the front records: the metrics of one request come at once, a failure last and only when there is one. */
  record(datum: Parameters<MetricsPort['record']>[0]): void {
    this.#cloudwatch.record(datum);
    if (datum.name === 'Latency') this.#last.seconds = datum.value;
    if (datum.name === 'Errors') this.#last.failed = true;
    if (datum.name !== 'Requests') return;
    const met = { failed: false, seconds: 0 };
    this.#last = met;
    queueMicrotask(() => this.#met(met));
  }

  #met({ failed, seconds }: { readonly failed: boolean; readonly seconds: number }): void {
    const { traffic, metrics = [], controls = [] } = this.#signals;
    if (!('none' in traffic)) this.#recordTraffic(traffic);
    for (const entry of metrics) recordMet(this.#cloudwatch, entry, { failed, seconds });
    for (const entry of controls) recordMet(this.#placeOf(entry), entry, { failed: false, seconds: 0.004 });
  }

  #placeOf({ region }: MetricEntry): MetricsPort {
    return region === undefined ? this.#cloudwatch : this.#cloudwatch.portIn(region);
  }

  #recordTraffic({ metric, minimumRequests = 50, minutes = 5 }: Exclude<Service['signals']['traffic'], { readonly none: string }>): void {
    const { namespace: space, name, dimensions = {}, statistic = 'Sum' } = metric;
    const record = (value: number): void => this.#cloudwatch.record({ namespace: space, name, dimensions: { ...dimensions }, value, unit: 'Count' });
    if (statistic === 'Sum') record(this.factor);
    else if (statistic === 'SampleCount') for (let count = 0; count < this.factor; count += 1) record(1);
    // A gauge of requests per minute: each of its points already stands for all of them.
    else record(Math.ceil((2 * minimumRequests) / minutes));
  }
}
