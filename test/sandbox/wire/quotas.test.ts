// The account's request rates: burst, refill in sandbox time, and how a refusal looks.
import { CloudWatchClient, GetMetricDataCommand, type MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { expect, test } from 'vitest';
import { Quotas } from '../../../sandbox/aws/quotas.ts';
import { SandboxServer } from '../../../sandbox/aws/server.ts';
import type { SandboxClock } from '../../../sandbox/aws/world.ts';
import { SpedUpClock } from '../../../sandbox/clock.ts';
import { CloudWatch } from '../../../sandbox/services/cloudwatch/cloudwatch.ts';
import { cloudWatchService } from '../../../sandbox/services/cloudwatch/service.ts';
import { ParameterStore } from '../../../sandbox/services/ssm/parameter-store.ts';
import { ssmService } from '../../../sandbox/services/ssm/service.ts';
import { person, place } from './world.ts';

function clockAt(time: { now: number }): SandboxClock {
  return { speed: 1, now: () => time.now, sleep: () => Promise.resolve(), every: () => () => undefined };
}

function taken(quotas: Quotas, service: string, operation: string, tries = 1000): number {
  let count = 0;
  while (count < tries && quotas.take(service, operation)) count += 1;
  return count;
}

test.each([
  ['route53', 'ChangeResourceRecordSets', 5, 5],
  ['elasticloadbalancing', 'ModifyRule', 20, 3],
  ['elasticloadbalancing', 'DescribeRules', 40, 10],
  ['cloudwatch', 'DescribeAlarms', 9, 9],
  ['cloudwatch', 'SetAlarmState', 3, 3],
])('%s:%s: a burst of %i, then %i a second', (service, operation, burst, perSecond) => {
  const time = { now: 0 };
  const quotas = new Quotas(clockAt(time));
  expect(taken(quotas, service, operation)).toBe(burst);
  time.now += 1000;
  expect(taken(quotas, service, operation)).toBe(perSecond);
  time.now += 3_600_000;
  expect(taken(quotas, service, operation)).toBe(burst);
});

test('all calls of Route 53 share one quota; a refused call takes nothing', () => {
  const time = { now: 0 };
  const quotas = new Quotas(clockAt(time));
  expect(taken(quotas, 'route53', 'GetChange', 3)).toBe(3);
  expect(taken(quotas, 'route53', 'ListResourceRecordSets')).toBe(2);
  expect(quotas.take('route53', 'GetChange')).toBe(false);
  time.now += 200;
  expect(quotas.take('route53', 'GetChange')).toBe(true);
});

test('where sandbox time is held, a quota fills up again in the time that it is told', () => {
  let waited = 0;
  const quotas = new Quotas(clockAt({ now: 0 }), { time: (now) => now + waited });
  expect(taken(quotas, 'route53', 'GetChange')).toBe(5);
  waited = 400;
  expect(taken(quotas, 'route53', 'GetChange')).toBe(2);
});

test('reads of a load balancer count against the writes\' account-wide limit, not the other way round', () => {
  const quotas = new Quotas(clockAt({ now: 0 }));
  taken(quotas, 'elasticloadbalancing', 'ModifyRule');
  expect(taken(quotas, 'elasticloadbalancing', 'DescribeRules')).toBe(20);
});

const minute = 60_000;
const now = Date.parse('2026-06-01T12:00:00Z');
const metric = (period: number): MetricDataQuery => ({ Id: 'm', MetricStat: { Metric: { Namespace: 'Shop', MetricName: 'Errors' }, Period: period, Stat: 'Sum' } });
const data = (queries: MetricDataQuery[], hours = 1) => ({ StartTime: new Date(now - hours * 60 * minute), EndTime: new Date(now), MetricDataQueries: queries });
const expression = (Expression: string) => data([{ Id: 'e', Expression }]);

test.each([
  ['a Metrics Insights query', expression('SELECT SUM(Errors) FROM "Shop"'), 10],
  ['a search', expression("SUM(SEARCH('{Shop} Errors', 'Sum', 60))"), 50],
  ['anything else', expression('100 * e / r'), 500],
  // 3,600 datapoints each, at one a second.
  ['what asks for the last three hours', data(Array.from({ length: 5 }, () => metric(1))), 180_000 / (5 * 3600)],
  ['what asks for more', data([metric(60)], 24 * 30), Math.floor(396_000 / (24 * 30 * 60))],
])('GetMetricData: %s is answered so many times a second', (_, input, perSecond) => {
  const time = { now };
  const quotas = new Quotas(clockAt(time));
  const answered = (): number => Array.from({ length: 1000 }, () => quotas.take('cloudwatch', 'GetMetricData', input)).filter(Boolean).length;
  expect(answered()).toBe(perSecond);
  time.now += 1000;
  expect(Math.abs(answered() - perSecond)).toBeLessThanOrEqual(1);
});

test('a request for more datapoints than a second grants is never answered, and takes nothing from the others', () => {
  const quotas = new Quotas(clockAt({ now }));
  expect(quotas.take('cloudwatch', 'GetMetricData', data(Array.from({ length: 51 }, () => metric(1))))).toBe(false);
  expect(quotas.take('cloudwatch', 'GetMetricData', data(Array.from({ length: 50 }, () => metric(1))))).toBe(true);
  expect(quotas.take('cloudwatch', 'GetMetricData', data([metric(60)], 4))).toBe(true);
});

test('a client that asks for too many datapoints is throttled', async () => {
  const clock = new SpedUpClock({ startAt: now });
  const cloudWatch = new CloudWatch({ place, clock, bus: { put: () => { throw new Error('no alarm is here'); } } });
  const server = new SandboxServer({ services: [cloudWatchService(cloudWatch)], place, clock });
  const client = new CloudWatchClient({ endpoint: await server.listen(), region: place.region, credentials: person, maxAttempts: 1 });
  const ask = (metrics: number): Promise<unknown> => client.send(new GetMetricDataCommand(data(Array.from({ length: metrics }, (__, index) => ({ ...metric(1), Id: `m${index}` })))));
  await expect(ask(51)).rejects.toMatchObject({ name: 'ThrottlingException' });
  await expect(ask(1)).resolves.toMatchObject({ MetricDataResults: [{ Id: 'm0' }] });
  client.destroy();
  await server.close();
});

test('what has no published quota, and everything when switched off, is never refused', () => {
  const quotas = new Quotas(clockAt({ now: 0 }));
  expect(taken(quotas, 'dynamodb', 'PutItem')).toBe(1000);
  quotas.enabled = false;
  expect(taken(quotas, 'route53', 'GetChange')).toBe(1000);
});

test('a client sees throttling, and the call takes no effect', async () => {
  const clock = new SpedUpClock();
  const store = new ParameterStore(place, clock);
  const quotas = new Quotas(clock, { quotas: [{ service: 'ssm', operations: /./, burst: 1, perSecond: 0.001 }] });
  const server = new SandboxServer({ services: [ssmService(store)], place, clock, quotas });
  const client = new SSMClient({ endpoint: await server.listen(), region: place.region, credentials: person, maxAttempts: 1 });
  const put = (Name: string): Promise<unknown> => client.send(new PutParameterCommand({ Name, Value: 'x', Type: 'String' }));
  await put('/a');
  await expect(put('/b')).rejects.toMatchObject({ name: 'ThrottlingException', message: 'Rate exceeded' });
  expect(store.below('/', true)).toHaveLength(1);
  client.destroy();
  await server.close();
});
