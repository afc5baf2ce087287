// The two alarms of a service of the demo: share of failed requests, and how slow the slowest tenth is.
import type { CloudWatch } from '../services/cloudwatch/cloudwatch.ts';
import type { Workload } from '../scenarios/scenario.ts';
import { alarms, type ServiceAlarms } from '../scenarios/shop-service.ts';

export interface AlarmSettings {
  /** Default: the shop's. */
  readonly names?: ServiceAlarms;
  /** Closed minutes that both look at, all of which have to be bad; default 2. */
  readonly minutes?: number;
}

/** A minute without traffic says nothing (`missing`), a minute without errors has none. */
export function createAlarms(cloudwatch: CloudWatch, { metrics }: Workload, { names = alarms, minutes = 2 }: AlarmSettings = {}): void {
  const Dimensions = Object.entries(metrics.dimensions).map(([Name, Value]) => ({ Name, Value }));
  const sum = (Id: string, MetricName: string) => ({ Id, ReturnData: false, MetricStat: { Metric: { Namespace: metrics.namespace, MetricName, Dimensions }, Period: 60, Stat: 'Sum' } });
  cloudwatch.putMetricAlarm({
    AlarmName: names.errors,
    AlarmDescription: 'More than 5 % of requests fail',
    Metrics: [
      { Id: 'share', Expression: '100 * FILL(errors, 0) / requests', Label: 'failed requests, percent', ReturnData: true },
      sum('errors', metrics.errors),
      sum('requests', metrics.requests),
    ],
    EvaluationPeriods: minutes, DatapointsToAlarm: minutes, Threshold: 5, ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'missing',
  });
  cloudwatch.putMetricAlarm({
    AlarmName: names.latency,
    AlarmDescription: 'One request in ten takes longer than 200 ms',
    Namespace: metrics.namespace, MetricName: metrics.latency, Dimensions, ExtendedStatistic: 'p90', Period: 60,
    EvaluationPeriods: minutes, DatapointsToAlarm: minutes, Threshold: 0.2, ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'missing',
  });
}
