// What moves the storm brake: services that are sick, and no event that ends as nothing to act on. With the real Assess and a real ledger.
import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { claimStormPage, readStorm } from '../../lambdas/adapters/ledger-storm.ts';
import { alarmInput, Rig, serviceInput } from '../unit/assess-rig.ts';
import { manyCases } from './many-cases.ts';

const rig = new Rig();
let number = 0;
const fresh = (): string => `brake-${(number += 1)}`;
beforeAll(async () => {
  await rig.start();
  // A new alarm has no state yet, which nobody can read.
  rig.calm('5xx', 'latency');
});
afterAll(() => rig.stop());
const now = (): Date => new Date(rig.clock.now());
/** The default brake, with nobody counted. */
async function nobodySick(): Promise<void> {
  Object.assign(rig.storm, { services: 5, minutes: 10, unrelated: 2 });
  await rig.forgetStorm();
}
async function counted(): Promise<string[]> {
  const { previous, current } = await readStorm(rig.table, rig.storm.minutes, now());
  return [...previous, ...current].map(({ service }) => service).toSorted();
}
afterEach(() => {
  rig.server.faults.clear();
  rig.calm('5xx', 'latency');
});

const ofState = (state: object, more: object = {}) => (service: string): unknown => alarmInput(service, '5xx', { state: { value: 'ALARM', timestamp: rig.at(0), ...state }, ...more });
const message = (detail: object) => (service: string): unknown => ({
  service, event: { source: 'ripcord.signal', 'detail-type': 'Signal', time: rig.at(0), detail: { service, tool: 'datadog', id: 'm-1', summary: 'p99', status: 'firing', ...detail } },
});
const failed = (over: { readonly creator?: 'codeDeployRollback'; readonly group?: string }) => (service: string): unknown => {
  const group = over.group ?? 'prod';
  const { id } = rig.deployment({ version: 3, from: -20, to: -10, status: 'Failed', ...over });
  const detail = { deploymentId: id, application: 'shop', deploymentGroup: group, state: 'FAILURE' };
  return { service, event: { source: 'aws.codedeploy', 'detail-type': 'CodeDeploy Deployment State-change Notification', time: rig.at(0), detail } };
};

interface NoSign {
  readonly code: string;
  readonly input: (service: string) => unknown;
}
const noSigns: readonly NoSign[] = [
  { code: 'suppressed', input: ofState({ actionsSuppressedBy: 'Alarm' }) },
  { code: 'not-evaluated', input: ofState({ evaluationState: 'PARTIAL_DATA' }) },
  { code: 'muted', input: ofState({}, { muteDetail: { mutedByArn: 'arn:aws:cloudwatch:eu-west-1:111122223333:alarm-mute-rule:night', muteWindowEnd: '2099-01-01T00:00:00.000+0000' } }) },
  { code: 'no-longer-firing', input: alarmInput },
  { code: 'not-our-alarm', input: (service) => alarmInput(service, 'somebody-elses') },
  { code: 'tool-not-allowed', input: message({ tool: 'grafana' }) },
  { code: 'external-quiet', input: message({ status: 'quiet' }) },
  { code: 'own-rollback', input: failed({ creator: 'codeDeployRollback' }) },
  { code: 'not-our-deployment', input: failed({ group: 'other' }) },
];

test('an event that ends as nothing to act on never moves the brake, and a right rollback beside any number of them goes on', async () => {
  const all = noSigns.flatMap((sign) => [{ sign, isShadow: false }, { sign, isShadow: true }]);
  // Every one of them, in any order.
  await fc.assert(fc.asyncProperty(fc.shuffledSubarray(all, { minLength: all.length }), async (events) => {
    await nobodySick();
    for (const { sign: { code, input }, isShadow } of events) {
      const service = fresh();
      await rig.attach(service, isShadow ? { policy: { ...serviceInput.policy, mode: 'shadow' } } : {});
      const { reasons } = await rig.assess(rig.input(service, input(service)));
      expect(reasons.map((reason) => reason.code)).toEqual([code]);
    }
    expect(await counted()).toEqual([]);
    const sick = fresh();
    await rig.attach(sick);
    rig.fire('5xx', 'latency');
    const { verdict } = await rig.assess(rig.input(sick, alarmInput(sick)));
    rig.calm('5xx', 'latency');
    expect(verdict).toBe('roll-back');
    expect(await counted()).toEqual([sick]);
  }), manyCases(2));
});

test.each(noSigns)('$code does not, also where the service has an alarm that nobody can read', async ({ code, input }) => {
  await nobodySick();
  const service = fresh();
  await rig.attach(service, { signals: { ...serviceInput.signals, alarms: [{ name: '5xx' }, { name: 'never-made' }] } });
  const { reasons } = await rig.assess(rig.input(service, input(service)));
  expect(reasons.map((reason) => reason.code)).toEqual([code]);
  expect(await counted()).toEqual([]);
});

test('a sick service in shadow is counted, and one whose alarms cannot be read', async () => {
  await nobodySick();
  const [shadow, unknown] = [fresh(), fresh()];
  await rig.attach(shadow, { policy: { ...serviceInput.policy, mode: 'shadow' } });
  await rig.attach(unknown, { signals: { ...serviceInput.signals, alarms: [{ name: 'never-made' }] } });
  rig.fire('5xx');
  await rig.assess(rig.input(shadow, alarmInput(shadow)));
  await rig.assess(rig.input(unknown, alarmInput(unknown, 'never-made')));
  expect(await counted()).toEqual([shadow, unknown].toSorted());
});

test('of four services that are sick at once two are left at the least, whoever was looking at the same time', async () => {
  await nobodySick();
  const services = [fresh(), fresh(), fresh(), fresh()];
  for (const service of services) await rig.attach(service);
  rig.fire('5xx', 'latency');
  const said = await Promise.all(services.map((service) => rig.assess(rig.input(service, alarmInput(service)))));
  expect(said.filter(({ verdict }) => verdict === 'roll-back').length).toBeLessThanOrEqual(1);
  expect(said.filter(({ reasons }) => reasons[0]?.code === 'storm').length).toBeGreaterThanOrEqual(2);
  expect(said.filter(({ page }) => page)).toHaveLength(1);
  expect(await counted()).toEqual(services.toSorted());
});

test('one that was counted before sees, right before it acts, who was counted while it looked', async () => {
  await nobodySick();
  const service = fresh();
  await rig.attach(service);
  await rig.count([service]);
  rig.fire('5xx', 'latency');
  rig.server.faults.add({ name: 'meanwhile', when: ({ operation }) => operation === 'DescribeAlarms', effect: { kind: 'before', run: () => rig.count(['x', 'y']) } });
  expect(await rig.assess(rig.input(service, alarmInput(service)))).toMatchObject({ verdict: 'leave', reasons: [{ code: 'storm' }] });
});

test('a storm that was told before the window ended is not told again in the next', async () => {
  await nobodySick();
  const length = rig.storm.minutes * 60_000;
  const end = Math.floor(rig.clock.now() / length) * length;
  await claimStormPage(rig.table, 'rb-herald', rig.storm.minutes, new Date(end - 1000));
  await rig.count(['x', 'y', 'z']);
  const service = fresh();
  await rig.attach(service);
  rig.fire('5xx', 'latency');
  expect(await rig.assess(rig.input(service, alarmInput(service)))).toMatchObject({ verdict: 'leave', page: false, reasons: [{ code: 'storm' }] });
});

test('where the alarms of all cannot be read, each is counted, and the brake engages; where they are asked for too often, none is', async () => {
  await nobodySick();
  rig.storm.services = 2;
  rig.server.faults.add({ name: 'down', when: ({ operation }) => operation === 'DescribeAlarms', effect: { kind: 'error', status: 503 } });
  const [first, second, third, foreign] = [fresh(), fresh(), fresh(), fresh()];
  for (const service of [first, second, third, foreign]) await rig.attach(service);
  const ask = (service: string, alarm?: string) => rig.assess(rig.input(service, alarmInput(service, alarm)));
  await expect(ask(foreign, 'somebody-elses')).rejects.toMatchObject({ fault: 'unavailable' });
  for (const service of [first, second]) await expect(ask(service)).rejects.toMatchObject({ fault: 'unavailable' });
  expect(await ask(third)).toMatchObject({ verdict: 'leave', page: true, reasons: [{ code: 'storm' }] });
  expect(await counted()).toEqual([first, second, third].toSorted());
  await nobodySick();
  rig.server.faults.clear();
  rig.server.faults.add({ name: 'busy', when: ({ operation }) => operation === 'DescribeAlarms', effect: { kind: 'throttle' } });
  await expect(ask(first)).rejects.toMatchObject({ fault: 'throttled' });
  expect(await counted()).toEqual([]);
});
