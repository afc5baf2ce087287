// What one GetMetricData request counts for in the quotas that look into it (CloudWatch user guide, "CloudWatch service quotas").
import type { GetMetricDataInput, MetricDataQuery } from '@aws-sdk/client-cloudwatch';

const threeHours = 3 * 3_600_000;

/** 1 for a request with such an expression, else 0. */
const asks = (what: RegExp) => ({ MetricDataQueries = [] }: GetMetricDataInput): number => Number(MetricDataQueries.some(({ Expression = '' }) => what.test(Expression)));

export const asksInsights = asks(/^\s*SELECT\b/i);
export const asksSearch = asks(/\bSEARCH\s*\(/i);

/** CloudWatch counts the datapoints that the range and the periods leave room for, whether or not there are any. */
const datapoints = ({ StartTime, EndTime, MetricDataQueries = [] }: GetMetricDataInput): number => {
  const seconds = ((EndTime?.getTime() ?? 0) - (StartTime?.getTime() ?? 0)) / 1000;
  const period = ({ MetricStat, Period }: MetricDataQuery): number => Math.max(1, MetricStat?.Period ?? Period ?? 60);
  return MetricDataQueries.filter(({ MetricStat }) => MetricStat !== undefined).reduce((sum, query) => sum + Math.max(0, Math.ceil(seconds / period(query))), 0);
};

const isRecent = ({ StartTime }: GetMetricDataInput, now: number): boolean => StartTime !== undefined && now - StartTime.getTime() <= threeHours;

/** Of a request that begins within the last three hours; of any other 0. @param now sandbox time, epoch milliseconds. */
export const recentDatapoints = (input: GetMetricDataInput, now: number): number => (isRecent(input, now) ? datapoints(input) : 0);

/** Of a request that begins earlier; of any other 0. @param now sandbox time, epoch milliseconds. */
export const olderDatapoints = (input: GetMetricDataInput, now: number): number => (isRecent(input, now) ? 0 : datapoints(input));
