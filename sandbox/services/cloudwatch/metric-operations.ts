// CloudWatch operations on metrics: PutMetricData, ListMetrics, GetMetricStatistics.
import type { Datapoint, GetMetricStatisticsInput, GetMetricStatisticsOutput, ListMetricsInput, ListMetricsOutput, MetricDatum, PutMetricDataInput } from '@aws-sdk/client-cloudwatch';
import { AwsError, type Operation } from '../../aws/world.ts';
import type { CloudWatch } from './cloudwatch.ts';
import { dimensionMap, floorTo, validPeriod } from './metric-queries.ts';
import { merge, observed, type Samples } from './metric-store.ts';
import { statistic } from './statistics.ts';

export const putMetricData = (cloudwatch: CloudWatch): Operation<PutMetricDataInput, object> => ({
  mutating: true,
  authorize: ({ Namespace }) => [{ action: 'cloudwatch:PutMetricData', resources: ['*'], context: { 'cloudwatch:namespace': Namespace ?? '' } }],
  run: ({ Namespace, MetricData = [], EntityMetricData }, { clock, place }) => {
    if (Namespace === undefined || Namespace === '') throw new AwsError('MissingParameter', 'The parameter Namespace is required.');
    if (Namespace.startsWith('AWS/')) throw new AwsError('InvalidParameterValue', 'The value AWS/ for parameter Namespace is invalid.');
    if (EntityMetricData !== undefined) throw new AwsError('InvalidParameterValue', 'EntityMetricData is not supported by the sandbox.');
    const data = MetricData.map((datum) => ({ datum, samples: samplesOf(datum) }));
    for (const { datum, samples } of data) {
      cloudwatch.storeIn(place.region).add({
        namespace: Namespace, name: datum.MetricName ?? '', dimensions: dimensionMap(datum.Dimensions), samples,
        at: datum.Timestamp?.getTime() ?? clock.now(), resolution: datum.StorageResolution === 1 ? 1 : 60, ...(datum.Unit === undefined ? {} : { unit: datum.Unit }),
      });
    }
    return {};
  },
});

function samplesOf({ MetricName, Value, Values, Counts, StatisticValues }: MetricDatum): Samples {
  if ((MetricName ?? '') === '') throw new AwsError('MissingParameter', 'The parameter MetricData.member.MetricName is required.');
  const given = [Value, Values, StatisticValues].filter((part) => part !== undefined).length;
  if (given !== 1) throw new AwsError('InvalidParameterCombination', 'Exactly one of Value, Values and StatisticValues must be specified.');
  if (StatisticValues !== undefined) {
    const { SampleCount = 0, Sum = 0, Minimum = 0, Maximum = 0 } = StatisticValues;
    return { count: SampleCount, sum: Sum, minimum: Minimum, maximum: Maximum, values: null };
  }
  const [first, ...rest] = (Values ?? [Value ?? Number.NaN]).map((value, index) => observed(value, Counts?.[index] ?? 1));
  const samples = first === undefined ? undefined : rest.reduce(merge, first);
  if (samples === undefined || !Number.isFinite(samples.sum)) throw new AwsError('InvalidParameterValue', 'The parameter MetricData.member.Value must be a finite number.');
  return samples;
}

export const listMetrics = (cloudwatch: CloudWatch): Operation<ListMetricsInput, ListMetricsOutput> => ({
  mutating: false,
  authorize: () => [{ action: 'cloudwatch:ListMetrics', resources: ['*'] }],
  run: ({ Namespace, MetricName, Dimensions = [], RecentlyActive, NextToken }, { clock, place }) => {
    const since = RecentlyActive === 'PT3H' ? clock.now() - 3 * 3_600_000 : -Infinity;
    const found = cloudwatch.storeIn(place.region).list().filter((metric) => (Namespace === undefined || metric.namespace === Namespace) && (MetricName === undefined || metric.name === MetricName) && metric.lastAt >= since
      && Dimensions.every(({ Name = '', Value }) => Object.hasOwn(metric.dimensions, Name) && (Value === undefined || metric.dimensions[Name] === Value)));
    const from = Number(NextToken ?? 0);
    const page = found.slice(from, from + 500);
    return {
      Metrics: page.map(({ namespace, name, dimensions }) => ({ Namespace: namespace, MetricName: name, Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })) })),
      ...(from + 500 < found.length ? { NextToken: String(from + 500) } : {}),
    };
  },
});

export const getMetricStatistics = (cloudwatch: CloudWatch): Operation<GetMetricStatisticsInput, GetMetricStatisticsOutput> => ({
  mutating: false,
  authorize: () => [{ action: 'cloudwatch:GetMetricStatistics', resources: ['*'] }],
  run: ({ Namespace = '', MetricName = '', Dimensions, StartTime, EndTime, Period, Statistics = [], ExtendedStatistics = [] }, { place }) => {
    if (StartTime === undefined || EndTime === undefined || StartTime >= EndTime) throw new AwsError('InvalidParameterValue', 'The parameter StartTime must be less than the parameter EndTime.');
    if (Statistics.length + ExtendedStatistics.length === 0) throw new AwsError('MissingParameter', 'At least one of Statistics and ExtendedStatistics must be specified.');
    const periodSeconds = validPeriod(Period);
    const window = { start: floorTo(StartTime.getTime(), periodSeconds), end: EndTime.getTime(), periodSeconds };
    const read = cloudwatch.storeIn(place.region).read({ namespace: Namespace, name: MetricName, dimensions: dimensionMap(Dimensions) }, window);
    const Datapoints = [...read].map(([at, samples]): Datapoint => ({
      Timestamp: new Date(at),
      ...Object.fromEntries(Statistics.map((name) => [name, statistic(name)(samples)])),
      ...(ExtendedStatistics.length === 0 ? {} : { ExtendedStatistics: Object.fromEntries(ExtendedStatistics.flatMap((name) => {
        const value = statistic(name)(samples);
        return value === null ? [] : [[name, value]];
      })) }),
    }));
    return { Label: MetricName, Datapoints };
  },
});
