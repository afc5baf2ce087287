// Metrics: statistics, math, the window's edges, paging.
import type { GetMetricDataInput, GetMetricDataOutput, MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import { beforeEach, describe, expect, it } from 'vitest';
import { getMetricData } from '../../../sandbox/services/cloudwatch/get-metric-data.ts';
import { minute, noon, place, refusal, rigOn, StandingClock, type Rig } from './rig.ts';

let rig: Rig<StandingClock>;
const metric = (Id: string, MetricName: string, Stat = 'Sum'): MetricDataQuery => ({ Id, MetricStat: { Metric: { Namespace: 'Shop', MetricName }, Period: 60, Stat } });
const ask = (MetricDataQueries: MetricDataQuery[], over: Partial<GetMetricDataInput> = {}): GetMetricDataOutput => {
  const input: GetMetricDataInput = { MetricDataQueries, StartTime: new Date(noon), EndTime: new Date(noon + 5 * minute), ScanBy: 'TimestampAscending', ...over };
  return getMetricData(rig.cloudwatch).run(input, { caller: { kind: 'root', arn: 'arn:aws:iam::111122223333:root' }, place, clock: rig.clock, requestId: '1' }) as GetMetricDataOutput;
};
const values = (queries: MetricDataQuery[], over: Partial<GetMetricDataInput> = {}) => ask(queries, over).MetricDataResults?.map(({ Values }) => Values);
const put = (name: string, perMinute: readonly (number | null)[]): void => perMinute.forEach((value, index) => {
  if (value !== null) rig.cloudwatch.record({ namespace: 'Shop', name, dimensions: {}, value, at: noon + index * minute });
});

beforeEach(() => {
  rig = rigOn(new StandingClock());
  put('Errors', [2, null, 4, null, 1]);
  put('Requests', [100, 100, null, 50, 0]);
});

describe('GetMetricData', () => {
  it('leaves out periods without data, and the period at EndTime', () => {
    expect(values([metric('m1', 'Errors')])).toEqual([[2, 4, 1]]);
    expect(values([metric('m1', 'Errors')], { EndTime: new Date(noon + 4 * minute) })).toEqual([[2, 4]]);
  });

  it('answers newest first unless asked otherwise', () => {
    expect(values([metric('m1', 'Errors')], { ScanBy: undefined })).toEqual([[1, 4, 2]]);
  });

  it.each([
    ['FILL(e,0)', [2, 0, 4, 0, 1]],
    ['100*FILL(e,0)/r', [2, 0, 0]],
    ['e+r', [102, 1]],
    ['-e + 2*(e-1)', [0, 2, -1]],
    ['IF(FILL(e,0)>1, 1, 0)', [1, 0, 1, 0, 0]],
    ['SUM(e)', [7, 7, 7, 7, 7]],
    ['SUM([e,r])', [102, 100, 4, 50, 1]],
    ['SUM(METRICS())', [102, 100, 4, 50, 1]],
    ['FILL(nothing,0)', [0, 0, 0, 0, 0]],
    ['FILL(e,REPEAT)', [2, 2, 4, 4, 1]],
    ['DIFF(e)', [2, -3]],
    ['RATE(r)', [0, -50 / 120, -50 / 60]],
    ['RUNNING_SUM(r)', [100, 200, 250, 250]],
    ['CEIL(e/3) + FLOOR(e/3)', [1, 3, 1]],
    ['e/PERIOD(e)', [2 / 60, 4 / 60, 1 / 60]],
    ['DATAPOINT_COUNT(e)', [3, 3, 3, 3, 3]],
    ['IF(r >= 100, 100*FILL(e,0)/r)', [2, 0]],
    ['IF(FILL(nothing,0) >= 1, e)', []],
  ])('computes %s', (Expression, expected) => {
    const queries = [{ Id: 'x', Expression }, { ...metric('e', 'Errors'), ReturnData: false }, { ...metric('r', 'Requests'), ReturnData: false }, { ...metric('nothing', 'Nothing'), ReturnData: false }];
    expect(values(Expression.includes('METRICS') ? queries.slice(0, 3) : queries)).toEqual([expected]);
  });

  it.each(['SEARCH(\'{Shop}\',\'Sum\')', 'SELECT SUM(Errors) FROM Shop', 'TIME_SERIES(e)', 'e +', 'ANOMALY_DETECTION_BAND(e)', 'missing + 1', 'x'])('refuses %s', (Expression) => {
    expect(refusal(() => ask([{ Id: 'x', Expression }, metric('e', 'Errors')])).code).toBe('ValidationError');
  });

  it('knows percentiles and the other statistics', () => {
    for (let value = 1; value <= 100; value += 1) rig.cloudwatch.record({ namespace: 'Shop', name: 'Latency', dimensions: {}, value, at: noon });
    const stats = ['p50', 'p99', 'p99.9', 'Average', 'Minimum', 'Maximum', 'SampleCount'];
    expect(values(stats.map((stat, index) => metric(`m${index}`, 'Latency', stat)))).toEqual([[50], [99], [100], [50.5], [1], [100], [100]]);
    expect(refusal(() => ask([metric('m1', 'Latency', 'tm99')])).code).toBe('InvalidParameterValue');
  });

  it('pages plain metrics and marks what is not complete', () => {
    const first = ask([metric('m1', 'Errors'), metric('m2', 'Requests')], { MaxDatapoints: 2 });
    expect(first.MetricDataResults?.map(({ Values, StatusCode }) => [Values, StatusCode])).toEqual([[[2, 4], 'PartialData'], [[], 'PartialData']]);
    const second = ask([metric('m1', 'Errors'), metric('m2', 'Requests')], { MaxDatapoints: 100, NextToken: first.NextToken });
    expect(second.MetricDataResults?.map(({ Values, StatusCode }) => [Values, StatusCode])).toEqual([[[1], 'Complete'], [[100, 100, 50, 0], 'Complete']]);
    expect(second.NextToken).toBeUndefined();
  });
});
