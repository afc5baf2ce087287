// Reading metrics: one question, all pages, and nothing at all where CloudWatch does not vouch for every value.
import { type CloudWatchClient, type GetMetricDataCommand, type GetMetricDataCommandInput, type GetMetricDataCommandOutput, type MetricDataResult } from '@aws-sdk/client-cloudwatch';
import { describe, expect, it } from 'vitest';
import { readMetrics } from '../../../lambdas/adapters/metrics.ts';
import { metricEntry } from '../../../lambdas/config/metric-entries.ts';

const now = new Date('2026-11-20T09:14:30.000Z');
const shop = metricEntry.parse({ kind: 'own', requests: { namespace: 'Shop', name: 'Requests' }, errors: { namespace: 'Shop', name: 'Errors' } });
const payments = metricEntry.parse({ kind: 'lambda', functionName: 'payments' });

/** CloudWatch that answers with these pages in turn. */
function answering(...pages: (Partial<GetMetricDataCommandOutput> | Error)[]) {
  const asked: GetMetricDataCommandInput[] = [];
  const send = async ({ input }: GetMetricDataCommand) => {
    asked.push(input);
    const page = pages.shift();
    if (page instanceof Error) throw page;
    return page ?? {};
  };
  return { asked, client: { send } as unknown as CloudWatchClient };
}

const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 20, 9, minute));
const result = (Id: string, values: [number, number][], StatusCode: MetricDataResult['StatusCode'] = 'Complete'): MetricDataResult =>
  ({ Id, StatusCode, Timestamps: values.map(([minute]) => at(minute)), Values: values.map(([, value]) => value) });

describe('reading metrics', () => {
  it('asks once for signals and controls: a day of closed minutes, oldest first', async () => {
    const { client, asked } = answering({ MetricDataResults: ['m0', 'm1', 'm2', 'm3', 'm4'].map((id) => result(id, [[12, 30], [13, 40]])) });
    const reading = await readMetrics(client, { metrics: [shop], controls: [payments] }, now);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ StartTime: new Date('2026-11-19T09:14:00.000Z'), EndTime: at(14), ScanBy: 'TimestampAscending' });
    expect(asked[0]?.MetricDataQueries?.map(({ MetricStat }) => `${MetricStat?.Metric?.MetricName} ${MetricStat?.Stat} ${MetricStat?.Period}`)).toEqual([
      'Requests Sum 60', 'Errors Sum 60', 'Invocations Sum 60', 'Errors Sum 60', 'Duration p99 60',
    ]);
    expect(reading).toMatchObject({ status: 'read', end: '2026-11-20T09:14:00.000Z', metrics: [{ requests: [30, 40], errors: [30, 40], latency: null }], controls: [{ name: 'payments', latency: [30, 40] }] });
  });

  it('asks for what is computed in the same call, with names that stay apart', async () => {
    const { client, asked } = answering({ MetricDataResults: ['m0', 'm1'].map((id) => result(id, [[13, 40]])) });
    const metrics = { all: { namespace: 'Shop', name: 'All' }, good: { namespace: 'Shop', name: 'Good' } };
    const computed = metricEntry.parse({ kind: 'own', metrics, requests: { expression: 'all' }, errors: { expression: 'IF(all > 10, all - FILL(good, 0))' } });
    expect(await readMetrics(client, { metrics: [computed] }, now)).toMatchObject({ metrics: [{ requests: [40], errors: [40] }] });
    expect(asked).toHaveLength(1);
    expect(asked[0]?.MetricDataQueries?.map(({ Id, Expression, MetricStat, ReturnData }) => `${Id} ${Expression ?? MetricStat?.Metric?.MetricName} ${ReturnData ?? true}`)).toEqual([
      'm0 m0_all true', 'm0_all All false', 'm1 IF(m1_all > 10, m1_all - FILL(m1_good, 0)) true', 'm1_all All false', 'm1_good Good false',
    ]);
  });

  it('puts pages together', async () => {
    const { client, asked } = answering(
      { MetricDataResults: [result('m0', [[12, 30]], 'PartialData'), result('m1', [], 'PartialData')], NextToken: 'more' },
      { MetricDataResults: [result('m0', [[13, 40]]), result('m1', [[13, 4]])] },
    );
    expect(await readMetrics(client, { metrics: [shop] }, now)).toMatchObject({ metrics: [{ requests: [30, 40], errors: [0, 4] }] });
    expect(asked.map(({ NextToken }) => NextToken)).toEqual([undefined, 'more']);
  });

  it.each<[string, (Partial<GetMetricDataCommandOutput> | Error)[], RegExp]>([
    ['only a part comes', [{ MetricDataResults: [result('m0', [[13, 40]], 'PartialData'), result('m1', [])] }], /PartialData for Requests/],
    ['CloudWatch failed inside, and a later page is whole', [{ MetricDataResults: [result('m0', [[13, 40]], 'InternalError')], NextToken: 'more' }, { MetricDataResults: [result('m0', []), result('m1', [])] }], /InternalError/],
    ['a metric is forbidden', [{ MetricDataResults: [result('m0', []), result('m1', [], 'Forbidden')] }], /Forbidden for m1/],
    ['a metric has no result', [{ MetricDataResults: [result('m0', [[13, 40]])] }], /nothing for Errors/],
    ['it allows no more metrics', [{ MetricDataResults: [result('m0', []), result('m1', [])], Messages: [{ Code: 'MaxMetricsExceeded', Value: 'too many' }] }], /too many/],
    ['the call is denied', [Object.assign(new Error('no permission'), { name: 'AccessDenied' })], /denied/],
  ])('is unknown when %s', async (_when, pages, why) => {
    const reading = await readMetrics(answering(...pages).client, { metrics: [shop] }, now);
    expect(reading).toMatchObject({ status: 'unknown', why: expect.stringMatching(why) as string });
  });

  it('asks nothing where none are declared', async () => {
    const { client, asked } = answering();
    expect([await readMetrics(client, { controls: [] }, now), asked]).toEqual([undefined, []]);
  });
});
