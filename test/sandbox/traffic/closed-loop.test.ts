// From a bad version to the alarm's event, with nothing but traffic in between, and back.
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { SpedUpClock } from '../../../sandbox/clock.ts';
import { loadBalancerDimension } from '../../../sandbox/services/elbv2/records.ts';
import { cachingResolver } from '../../../sandbox/shop/resolver.ts';
import { Load } from '../../../sandbox/shop/load.ts';
import { Shop } from '../../../sandbox/shop/shop.ts';
import { rigAtSpeed, until, type Rig } from './rig.ts';

let rig: Rig<SpedUpClock>;
let shop: Shop;
let load: Load | null = null;

const record = (SetIdentifier: string, Weight: number, Value: string) => ({ Name: 'shop.example.com', Type: 'A' as const, SetIdentifier, Weight, TTL: 30, ResourceRecords: [{ Value }] });

beforeEach(async () => {
  rig = rigAtSpeed(60);
  shop = new Shop({ elb: rig.elb, clock: rig.clock, blue: { name: 'v1' }, green: { name: 'v2', sickness: { errorRate: 0.5 } } });
  await shop.start();
  rig.cloudwatch.start();
});

afterEach(async () => {
  load?.stop();
  rig.cloudwatch.stop();
  await shop.stop();
  rig.elb.stop();
  rig.clock.stop();
});

it('raises the alarm when a sick version gets traffic, and clears it when the traffic goes back', async () => {
  const Dimensions = [{ Name: 'LoadBalancer', Value: loadBalancerDimension(shop.loadBalancerArn) }];
  const query = (Id: string, MetricName: string) => ({ Id, ReturnData: false, MetricStat: { Period: 60, Stat: 'Sum', Metric: { Namespace: 'AWS/ApplicationELB', MetricName, Dimensions } } });
  rig.cloudwatch.putMetricAlarm({
    AlarmName: 'error-rate', EvaluationPeriods: 2, DatapointsToAlarm: 2, Threshold: 10, ComparisonOperator: 'GreaterThanThreshold',
    Metrics: [{ Id: 'rate', Expression: '100*FILL(bad,0)/all', ReturnData: true }, query('bad', 'HTTPCode_Target_5XX_Count'), query('all', 'RequestCount')],
  });
  load = new Load({ clock: rig.clock, target: () => shop.url, requestsPerSecond: 60 });
  load.start();
  await until(() => rig.cloudwatch.alarmState('error-rate') === 'OK', 'the alarm is OK');
  shop.shift({ blue: 0, green: 100 });
  await until(() => rig.cloudwatch.alarmState('error-rate') === 'ALARM', 'the alarm is in ALARM');
  expect(load.totals.failed).toBeGreaterThan(10);
  shop.shift({ blue: 100, green: 0 });
  await until(() => rig.cloudwatch.alarmState('error-rate') === 'OK', 'the alarm is OK again');
  expect(rig.bus.events.map(({ detail }) => (detail['state'] as { value: string }).value)).toEqual(['OK', 'ALARM', 'OK']);
});

it('moves the clients of a name only when the change is in sync and their TTL is over', async () => {
  const endpoints: Readonly<Record<string, string>> = Object.fromEntries([['10.0.0.1', shop.blue], ['10.0.0.2', shop.green]].map(([address, fleet]) => [address, `http://127.0.0.1:${(fleet as typeof shop.blue).instances[0]?.port ?? 0}`]));
  rig.route53.createHostedZone({ id: 'Z1', name: 'example.com', records: [record('blue', 0, '10.0.0.1'), record('green', 100, '10.0.0.2')] });
  const resolver = cachingResolver({ route53: rig.route53, clock: rig.clock, zoneId: 'Z1', name: 'shop.example.com', type: 'A' });
  const running = new Load({ clock: rig.clock, target: () => endpoints[resolver.resolve()] ?? '', requestsPerSecond: 60 });
  load = running;
  running.start();
  const answers = (version: string): number => running.seconds.reduce((sum, { versions }) => sum + (versions[version]?.ok ?? 0) + (versions[version]?.failed ?? 0), 0);
  await until(() => answers('v2') > 20, 'green answers');
  const changedAt = rig.clock.now();
  rig.route53.change('Z1', [{ Action: 'UPSERT', ResourceRecordSet: record('blue', 100, '10.0.0.1') }, { Action: 'UPSERT', ResourceRecordSet: record('green', 0, '10.0.0.2') }]);
  await until(() => answers('v1') > 0, 'blue answers');
  expect(rig.clock.now() - changedAt).toBeGreaterThan(20_000);
  await rig.clock.sleep(40_000);
  const before = answers('v2');
  await rig.clock.sleep(30_000);
  expect(answers('v2') - before).toBe(0);
});
