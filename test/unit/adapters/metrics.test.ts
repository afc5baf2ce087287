// Reading metrics: one question a Region, all pages, and nothing at all of a Region where CloudWatch does not vouch for every value.
import { type CloudWatchClient, type GetMetricDataCommand, type GetMetricDataCommandInput, type GetMetricDataCommandOutput, type MetricDataResult } from '@aws-sdk/client-cloudwatch';
import { describe, expect, it } from 'vitest';
import { type MetricsSources, readMetrics } from '../../../lambdas/adapters/metrics.ts';
import { metricEntry } from '../../../lambdas/config/metric-entries.ts';
import { cloudWatchClients } from '../../../lambdas/runtime/wiring.ts';

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
  return { asked, client: { send, config: { region: async () => 'eu-west-1' } } as unknown as CloudWatchClient };
}

const inOneRegion = (cloudWatch: CloudWatchClient): MetricsSources => ({ cloudWatch, cloudWatchIn: (region) => { throw new Error(`nothing is asked of ${region}`); } });
const inRegions = (cloudWatch: CloudWatchClient, others: Readonly<Record<string, CloudWatchClient>>): MetricsSources =>
  ({ cloudWatch, cloudWatchIn: (region) => others[region] ?? inOneRegion(cloudWatch).cloudWatchIn(region) });

const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 20, 9, minute));
const result = (Id: string, values: [number, number][], StatusCode: MetricDataResult['StatusCode'] = 'Complete'): MetricDataResult =>
  ({ Id, StatusCode, Timestamps: values.map(([minute]) => at(minute)), Values: values.map(([, value]) => value) });

describe('reading metrics', () => {
  it('asks once for signals and controls: 27 hours of closed minutes, oldest first', async () => {
    const { client, asked } = answering({ MetricDataResults: ['m0', 'm1', 'm2', 'm3', 'm4'].map((id) => result(id, [[12, 30], [13, 40]])) });
    const reading = await readMetrics(inOneRegion(client), { metrics: [shop], controls: [payments] }, now);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ StartTime: new Date('2026-11-19T06:14:00.000Z'), EndTime: at(14), ScanBy: 'TimestampAscending' });
    expect(asked[0]?.MetricDataQueries?.map(({ MetricStat }) => `${MetricStat?.Metric?.MetricName} ${MetricStat?.Stat} ${MetricStat?.Period}`)).toEqual([
      'Requests Sum 60', 'Errors Sum 60', 'Invocations Sum 60', 'Errors Sum 60', 'Duration p99 60',
    ]);
    expect(reading).toMatchObject({ status: 'read', end: '2026-11-20T09:14:00.000Z', metrics: [{ requests: [30, 40], errors: [30, 40], latency: null }], controls: [{ name: 'payments', latency: [30, 40] }] });
  });

  it('asks for what is computed in the same call, with names that stay apart', async () => {
    const { client, asked } = answering({ MetricDataResults: ['m0', 'm1'].map((id) => result(id, [[13, 40]])) });
    const metrics = { all: { namespace: 'Shop', name: 'All' }, good: { namespace: 'Shop', name: 'Good' } };
    const computed = metricEntry.parse({ kind: 'own', metrics, requests: { expression: 'all' }, errors: { expression: 'IF(all > 10, all - FILL(good, 0))' } });
    expect(await readMetrics(inOneRegion(client), { metrics: [computed] }, now)).toMatchObject({ metrics: [{ requests: [40], errors: [40] }] });
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
    expect(await readMetrics(inOneRegion(client), { metrics: [shop] }, now)).toMatchObject({ metrics: [{ requests: [30, 40], errors: [0, 4] }] });
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
    const reading = await readMetrics(inOneRegion(answering(...pages).client), { metrics: [shop] }, now);
    expect(reading).toMatchObject({ status: 'unknown', why: expect.stringMatching(why) as string });
  });

  it('asks nothing where none are declared', async () => {
    const { client, asked } = answering();
    expect([await readMetrics(inOneRegion(client), { controls: [] }, now), asked]).toEqual([undefined, []]);
  });
});

describe('reading controls of other Regions', () => {
  const there = (region: string, name = 'shop') => metricEntry.parse({ kind: 'lambda', functionName: name, region });
  const names = (asked: readonly GetMetricDataCommandInput[]) => asked.map(({ MetricDataQueries = [] }) => MetricDataQueries.map(({ Id, MetricStat }) => `${Id} ${MetricStat?.Metric?.Dimensions?.[0]?.Value ?? MetricStat?.Metric?.MetricName}`));
  const three = (value: number) => ({ MetricDataResults: ['m0', 'm1', 'm2'].map((id) => result(id, [[13, value]])) });
  const ours = { MetricDataResults: ['m0', 'm1'].map((id) => result(id, [[13, 40]])) };

  it('asks each Region once, for its own controls alone, up to the same minute, and puts them together', async () => {
    const [own, east, south] = [answering({ MetricDataResults: ['m0', 'm1', 'm2', 'm3', 'm4'].map((id) => result(id, [[13, 40]])) }), answering(three(5)), answering(three(6))];
    const controls = [there('us-east-1'), payments, there('ap-southeast-2', 'mail')];
    const reading = await readMetrics(inRegions(own.client, { 'us-east-1': east.client, 'ap-southeast-2': south.client }), { metrics: [shop], controls }, now);
    expect(names(own.asked)).toEqual([['m0 Requests', 'm1 Errors', 'm2 payments', 'm3 payments', 'm4 payments']]);
    expect([names(east.asked), names(south.asked)]).toEqual([[['m0 shop', 'm1 shop', 'm2 shop']], [['m0 mail', 'm1 mail', 'm2 mail']]]);
    for (const { asked } of [own, east, south]) expect(asked[0]).toMatchObject({ StartTime: new Date('2026-11-19T06:14:00.000Z'), EndTime: at(14) });
    expect(reading).toMatchObject({ metrics: [{ name: 'Shop', requests: [40] }], controls: [{ name: 'payments', requests: [40] }, { name: 'shop in us-east-1', requests: [5] }, { name: 'mail in ap-southeast-2', requests: [6] }] });
    expect(reading).not.toHaveProperty('unread');
  });

  it('asks all Regions side by side', async () => {
    let [open, everybodyAsks] = [0, (): void => undefined];
    const everybody = new Promise<void>((resolve) => { everybodyAsks = resolve; });
    const patient = (page: Partial<GetMetricDataCommandOutput>) => ({
      config: { region: async () => 'eu-west-1' },
      send: async () => {
        open += 1;
        if (open === 3) everybodyAsks();
        await everybody;
        return page;
      },
    }) as unknown as CloudWatchClient;
    const reading = await readMetrics(inRegions(patient(ours), { 'us-east-1': patient(three(5)), 'ap-southeast-2': patient(three(6)) }), { metrics: [shop], controls: [there('us-east-1'), there('ap-southeast-2')] }, now);
    expect(reading).toHaveProperty('controls.length', 2);
  });

  it('takes the engine\'s own Region for none', async () => {
    const own = answering({ MetricDataResults: ['m0', 'm1', 'm2', 'm3', 'm4'].map((id) => result(id, [[13, 40]])) });
    const reading = await readMetrics(inOneRegion(own.client), { metrics: [shop], controls: [there('eu-west-1')] }, now);
    expect(own.asked).toHaveLength(1);
    expect(reading).toMatchObject({ status: 'read', controls: [{ name: 'shop in eu-west-1', requests: [40] }] });
  });

  it('puts the pages of each Region together by themselves', async () => {
    const [own, east] = [answering(ours), answering({ MetricDataResults: [result('m0', [[12, 1]], 'PartialData'), result('m1', [], 'PartialData'), result('m2', [], 'PartialData')], NextToken: 'more' }, three(2))];
    const reading = await readMetrics(inRegions(own.client, { 'us-east-1': east.client }), { metrics: [shop], controls: [there('us-east-1')] }, now);
    expect(reading).toMatchObject({ controls: [{ requests: [1, 2] }] });
    expect([own.asked.map(({ NextToken }) => NextToken), east.asked.map(({ NextToken }) => NextToken)]).toEqual([[undefined], [undefined, 'more']]);
  });

  const late = Object.assign(new Error('no answer within 4000 ms'), { name: 'TimeoutError' });
  it.each<[string, (Partial<GetMetricDataCommandOutput> | Error)[], RegExp]>([
    ['does not answer', [late], /got no answer: TimeoutError: no answer within/],
    ['answers for a part', [{ MetricDataResults: [result('m0', [[13, 9]]), result('m1', [[13, 9]]), result('m2', [], 'PartialData')] }], /PartialData for Duration/],
    ['fails on a later page', [{ MetricDataResults: [result('m0', [[12, 9]], 'PartialData')], NextToken: 'more' }, late], /TimeoutError/],
  ])('keeps everything else when one %s, and nothing of that one', async (_how, pages, why) => {
    const regions = { 'us-east-1': answering(...pages).client, 'ap-southeast-2': answering(three(6)).client };
    const reading = await readMetrics(inRegions(answering(ours).client, regions), { metrics: [shop], controls: [there('us-east-1'), there('us-east-1', 'mail'), there('ap-southeast-2')] }, now);
    expect(reading).toMatchObject({ status: 'read', metrics: [{ requests: [40] }], controls: [{ name: 'shop in ap-southeast-2', requests: [6] }], unread: [{ region: 'us-east-1', names: ['shop in us-east-1', 'mail in us-east-1'], why: expect.stringMatching(why) as string }] });
    expect(reading).toHaveProperty('controls.length', 1);
  });

  it('is unknown as a whole when the engine\'s own Region does not answer', async () => {
    const reading = await readMetrics(inRegions(answering(late).client, { 'us-east-1': answering(three(5)).client }), { metrics: [shop], controls: [there('us-east-1')] }, now);
    expect(reading).toMatchObject({ status: 'unknown', why: expect.stringContaining('TimeoutError') as string });
  });

  it('hides no mistake of the code behind a silent Region', async () => {
    await expect(readMetrics(inRegions(answering(ours).client, { 'us-east-1': answering(new TypeError('a bug')).client }), { metrics: [shop], controls: [there('us-east-1')] }, now)).rejects.toThrow('a bug');
  });
});

describe('a client of another Region', () => {
  it('gives up early, as the rollback waits for it', async () => {
    const { config } = cloudWatchClients()('us-east-1');
    // A handler has read its options only when it is first asked.
    const { connectionTimeout, requestTimeout, throwOnRequestTimeout } = await (config.requestHandler as unknown as { configProvider: Promise<Record<string, unknown>> }).configProvider;
    expect([await config.region(), connectionTimeout, throwOnRequestTimeout]).toEqual(['us-east-1', 1000, true]);
    // The wait between two attempts is at most 0.1 s.
    expect((await config.maxAttempts()) * Number(requestTimeout) + 100).toBeLessThan(5000);
  });

  it('is made once', () => {
    const clientIn = cloudWatchClients();
    expect(clientIn('us-east-1')).toBe(clientIn('us-east-1'));
    expect(clientIn('us-east-1')).not.toBe(clientIn('us-east-2'));
  });
});
