// What a request's Region decides: what it is shown, whether it may ask, and that nothing of one Region passes for another's.
import { CloudWatchClient, DescribeAlarmsCommand, GetMetricDataCommand, GetMetricStatisticsCommand, ListMetricsCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { ListHostedZonesCommand, Route53Client } from '@aws-sdk/client-route-53';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readMetrics } from '../../../lambdas/adapters/metrics.ts';
import { metricEntry } from '../../../lambdas/config/metric-entries.ts';
import type { PolicyDocument } from '../../../sandbox/aws/iam/policy.ts';
import { OwnMetrics } from '../../../sandbox/own/alarms.ts';
import { CloudWatch } from '../../../sandbox/services/cloudwatch/cloudwatch.ts';
import { cloudWatchService } from '../../../sandbox/services/cloudwatch/service.ts';
import { Route53 } from '../../../sandbox/services/route53/route53.ts';
import { route53Service } from '../../../sandbox/services/route53/service.ts';
import { ParameterStore } from '../../../sandbox/services/ssm/parameter-store.ts';
import { ssmService } from '../../../sandbox/services/ssm/service.ts';
import { SpedUpClock } from '../../../sandbox/clock.ts';
import { place, startWorld, type TestWorld } from './world.ts';

const [home, away] = [place.region, 'us-east-1'];
let world: TestWorld;
let cloudWatch: CloudWatch;
const clock = new SpedUpClock({ speed: 1 });

beforeEach(async () => {
  const bus = { put: () => { throw new Error('no alarm moves here'); } };
  cloudWatch = new CloudWatch({ place, clock, bus });
  world = await startWorld([cloudWatchService(cloudWatch), ssmService(new ParameterStore(place, clock)), route53Service(new Route53({ clock }))]);
});
afterEach(() => world.close());

const client = (region: string): CloudWatchClient => new CloudWatchClient({ ...world.client, region });
const minute = 60_000;
const at = new Date(Math.floor(clock.now() / minute) * minute - 2 * minute);
const window = { StartTime: at, EndTime: new Date(at.getTime() + minute) };
const put = (region: string, Value: number): Promise<unknown> => client(region).send(new PutMetricDataCommand({ Namespace: 'Shop', MetricData: [{ MetricName: 'Requests', Timestamp: at, Value }] }));
const seen = async (region: string): Promise<unknown> => {
  const { MetricDataResults } = await client(region).send(new GetMetricDataCommand({ ...window, MetricDataQueries: [{ Id: 'm0', MetricStat: { Metric: { Namespace: 'Shop', MetricName: 'Requests' }, Period: 60, Stat: 'Sum' } }] }));
  const { Datapoints } = await client(region).send(new GetMetricStatisticsCommand({ ...window, Namespace: 'Shop', MetricName: 'Requests', Period: 60, Statistics: ['Sum'] }));
  const { Metrics } = await client(region).send(new ListMetricsCommand({ Namespace: 'Shop' }));
  return [MetricDataResults?.[0]?.Values, Datapoints?.map(({ Sum }) => Sum), Metrics?.length];
};
const nameOf = (call: Promise<unknown>): Promise<string> => call.then(() => 'success', (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : ''));

test('metrics are seen in the Region in which they were put, and nowhere else', async () => {
  await put(away, 7);
  expect([await seen(home), await seen(away)]).toEqual([[[], [], 0], [[7], [7], 1]]);
  await put(home, 3);
  cloudWatch.portIn('ap-south-1').record({ namespace: 'Shop', name: 'Requests', dimensions: {}, value: 9, at: at.getTime() });
  cloudWatch.portIn(home).record({ namespace: 'Shop', name: 'Requests', dimensions: {}, value: 1, at: at.getTime() });
  expect([await seen(home), await seen(away), await seen('ap-south-1')]).toEqual([[[4], [4], 1], [[7], [7], 1], [[9], [9], 1]]);
  expect(cloudWatch.stores).toHaveLength(3);
});

test('what the sandbox keeps for one Region alone is refused elsewhere, and a service without Regions is not', async () => {
  expect(await nameOf(client(away).send(new DescribeAlarmsCommand({})))).toContain(`cloudwatch:DescribeAlarms in ${home} alone, and was asked in ${away}`);
  expect(await nameOf(new SSMClient({ ...world.client, region: away }).send(new GetParameterCommand({ Name: '/a' })))).toContain('SandboxUnsupported');
  expect(await nameOf(new Route53Client({ ...world.client, region: away }).send(new ListHostedZonesCommand({})))).toBe('success');
  expect(world.server.calls.list().map(({ operation, region, status }) => `${operation} ${region} ${status}`)).toEqual([`DescribeAlarms ${away} 501`, `GetParameter ${away} 501`, `ListHostedZones ${away} 200`]);
});

test('a stale answer is one of the same Region', async () => {
  await put(home, 3);
  const list = async (region: string) => (await client(region).send(new ListMetricsCommand({ Namespace: 'Shop' }))).Metrics?.length;
  expect([await list(away), await list(home)]).toEqual([0, 1]);
  world.server.faults.add({ name: 'stale', operation: 'ListMetrics', effect: { kind: 'stale' } });
  expect([await list(away), await list(home)]).toEqual([0, 1]);
});

test('a policy on aws:RequestedRegion decides by the Region of the request', async () => {
  const document: PolicyDocument = { Statement: { Effect: 'Allow', Action: 'cloudwatch:ListMetrics', Resource: '*', Condition: { StringEquals: { 'aws:RequestedRegion': away } } } };
  world.server.iam.putRole({ roleName: 'reader', arn: 'arn:aws:iam::111122223333:role/reader', policies: [{ name: 'reads', document }] });
  const credentials = world.server.iam.issueKey('reader');
  const list = (region: string): Promise<string> => nameOf(new CloudWatchClient({ ...world.client, region, credentials }).send(new ListMetricsCommand({})));
  expect([await list(away), await list(home)]).toEqual(['success', expect.stringMatching(/^AccessDenied/)]);
});

test('a reading compares what both Regions have, and outlives the silence of one', async () => {
  for (const [region, failed] of [[home, 30], [away, 5]] as const) {
    const record = cloudWatch.portIn(region);
    const one = (name: string, value: number): void => record.record({ namespace: 'AWS/Lambda', name, dimensions: { FunctionName: 'shop' }, value, at: at.getTime() });
    one('Invocations', 100);
    one('Errors', failed);
    one('Duration', 20);
  }
  const sources = { cloudWatch: client(home), cloudWatchIn: client };
  const shop = metricEntry.parse({ kind: 'lambda', functionName: 'shop' });
  const read = () => readMetrics(sources, { metrics: [shop], controls: [{ ...shop, region: away }] }, new Date(at.getTime() + minute));
  expect(await read()).toMatchObject({ status: 'read', metrics: [{ errors: [30] }], controls: [{ name: `shop in ${away}`, errors: [5] }] });
  world.server.faults.add({ name: 'silent', when: ({ region }) => region === away, effect: { kind: 'reset', after: false } });
  expect(await read()).toMatchObject({ status: 'read', metrics: [{ errors: [30] }], controls: [], unread: [{ region: away, why: expect.stringContaining('got no answer') as string }] });
  world.server.faults.add({ name: 'denied', when: ({ region }) => region === home, effect: { kind: 'deny' } });
  expect(await read()).toMatchObject({ status: 'unknown', why: expect.stringContaining('was denied') as string });
});

test('a rehearsal of one\'s own services.yaml measures a control in its Region, before it begins and while users come', async () => {
  const lambda = { kind: 'lambda', functionName: 'shop' } as const;
  const metrics = new OwnMetrics(cloudWatch, { targets: {}, signals: { traffic: { none: 'nobody counts' }, metrics: [lambda], controls: [{ ...lambda, functionName: 'mail', region: away }] }, verification: { none: 'not here' }, policy: { approval: { none: 'not here' } } }, 20);
  const functions = (region: string) => [...new Set(cloudWatch.storeIn(region).list().filter(({ namespace }) => namespace === 'AWS/Lambda').map(({ dimensions }) => dimensions['FunctionName']))];
  metrics.recordPast(clock.now());
  expect([functions(home), functions(away)]).toEqual([['shop'], ['mail']]);
  const before = cloudWatch.storeIn(away).list()[0]?.lastAt ?? 0;
  metrics.record({ namespace: 'Rehearsal', name: 'Requests', dimensions: {}, value: 1 });
  await Promise.resolve();
  expect(cloudWatch.storeIn(away).list()[0]?.lastAt).toBeGreaterThan(before);
  expect([functions(home), functions(away)]).toEqual([['shop'], ['mail']]);
});
