// What Assess leaves unread in a storm: a run that the ledger alone decides asks neither the catalogue nor an alarm, and is replayed all the same.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { acquireLock } from '../../lambdas/adapters/ledger-lock.ts';
import { addToStorm, claimStormPage, readStorm } from '../../lambdas/adapters/ledger-storm.ts';
import { readService } from '../../lambdas/adapters/ledger.ts';
import { decide } from '../../lambdas/domain/decide.ts';
import type { DoorQuestion } from '../../lambdas/domain/door.ts';
import { alarmInput, Rig, serviceInput } from './assess-rig.ts';

const rig = new Rig();
beforeAll(() => rig.start());
afterAll(() => rig.stop());
let [number, minutes] = [0, 101];
const fresh = (): string => `door-${(number += 1)}`;
const now = (): Date => new Date(rig.clock.now());
afterEach(async () => {
  await rig.forgetStormPage();
  rig.server.faults.clear();
  Object.assign(rig.storm, { services: 1000, minutes: (minutes += 2) });
});

/** What was asked of a service of AWS while `run` ran. */
async function asked<Result>(run: () => Promise<Result>): Promise<{ readonly result: Result; readonly operations: readonly string[] }> {
  const { last } = rig.server.calls;
  const result = await run();
  return { result, operations: rig.server.calls.list({ after: last, where: ({ status }) => status === 200 }).map(({ operation }) => operation) };
}

const signals = ['DescribeAlarms', 'GetMetricData', 'ListDeployments'];
const throttle = (...operations: string[]): void => void rig.server.faults.add({ name: 'busy', when: ({ operation }) => operations.includes(operation), effect: { kind: 'throttle' } });

/** Three other services are sick in this window, and two are the limit. */
async function storm(): Promise<void> {
  rig.storm.services = 2;
  await rig.count(['x', 'y', 'z']);
}

async function replayed(rollbackId: string): Promise<void> {
  const row = (await rig.audited(rollbackId)).at(-1);
  expect(decide(row?.['question'] as DoorQuestion)).toEqual(row?.['decision']);
}

describe('a run that finds the lock taken', () => {
  it('joins without a look at any signal', async () => {
    const service = fresh();
    await rig.attach(service);
    await acquireLock(rig.table, service, 'rb-first', { now: now() });
    const { result, operations } = await asked(() => rig.assess(rig.input(service, alarmInput(service))));
    expect(result).toMatchObject({ verdict: 'joined', page: false, fence: null, reasons: [{ code: 'joined' }] });
    expect(operations.filter((one) => signals.includes(one))).toEqual([]);
    expect((await readService(rig.table, service, now())).signals).toMatchObject([{ source: '5xx', rollbackId: `rb-${service}` }]);
    await replayed(`rb-${service}`);
  });

  it('joins also when the catalogue cannot be read', async () => {
    const service = fresh();
    await rig.attach(service);
    await acquireLock(rig.table, service, 'rb-first', { now: now() });
    throttle('GetParameter');
    expect((await rig.assess(rig.input(service, alarmInput(service)))).verdict).toBe('joined');
  });

  it('looks for itself once the lease is over', async () => {
    const service = fresh();
    await rig.attach(service, { signals: { ...serviceInput.signals, minimum: 1 } });
    rig.fire('5xx');
    await acquireLock(rig.table, service, 'rb-dead', { now: new Date(rig.clock.now() - 3_600_000) });
    expect(await rig.assess(rig.input(service, alarmInput(service)))).toMatchObject({ verdict: 'roll-back', fence: 2 });
    rig.calm('5xx');
  });

  it('is not believed to be joined by a person, whose request goes the whole way', async () => {
    const service = fresh();
    await rig.attach(service);
    await acquireLock(rig.table, service, 'rb-first', { now: now() });
    const { operations } = await asked(() => rig.assess(rig.input(service, { service, reason: 'it is broken', requestedBy: 'ada' })));
    expect(operations).toContain('DescribeAlarms');
  });
});

describe('a run in a storm', () => {
  it('looks at its alarms as long as nobody told on-call, and tells them once', async () => {
    await storm();
    const service = fresh();
    await rig.attach(service);
    rig.fire('5xx');
    const { result, operations } = await asked(() => rig.assess(rig.input(service, alarmInput(service))));
    expect(result).toMatchObject({ verdict: 'leave', page: true, reasons: [{ code: 'storm' }] });
    expect(operations).toContain('DescribeAlarms');
    rig.calm('5xx');
  });

  it('ends at the door, without the lock, once somebody told on-call', async () => {
    await storm();
    await claimStormPage(rig.table, 'rb-herald', rig.storm.minutes, now());
    const service = fresh();
    await rig.attach(service);
    const { result, operations } = await asked(() => rig.assess(rig.input(service, alarmInput(service))));
    expect(result).toMatchObject({ verdict: 'joined', page: false, fence: null, headline: expect.stringContaining('Rollback rb-herald told on-call') as string, reasons: [{ code: 'storm' }] });
    expect(operations.filter((one) => signals.includes(one))).toEqual([]);
    expect((await readService(rig.table, service, now())).lock.owner).toBeNull();
    await replayed(`rb-${service}`);
  });

  it('is not counted, since nobody looked whether its service is sick', async () => {
    await storm();
    await claimStormPage(rig.table, 'rb-herald', rig.storm.minutes, now());
    const service = fresh();
    await rig.attach(service);
    const { operations } = await asked(() => rig.assess(rig.input(service, alarmInput(service))));
    expect(operations).not.toContain('UpdateItem');
  });

  it('looks for itself where too few were found sick in this window, so that the storm does not end with the last one', async () => {
    const length = rig.storm.minutes;
    const before = new Date(rig.clock.now() - length * 60_000);
    rig.storm.services = 2;
    for (const service of ['x', 'y', 'z']) await addToStorm(rig.table, { service, group: service }, length, before);
    await claimStormPage(rig.table, 'rb-herald', length, now());
    const service = fresh();
    await rig.attach(service);
    rig.fire('5xx');
    const { result, operations } = await asked(() => rig.assess(rig.input(service, alarmInput(service))));
    rig.calm('5xx');
    expect(operations).toContain('DescribeAlarms');
    expect(result).toMatchObject({ verdict: 'leave', page: false, reasons: [{ code: 'storm' }] });
    const { current } = await readStorm(rig.table, length, now());
    expect(current).toContainEqual({ service, group: service });
    expect(current.map((one) => one.service)).not.toEqual(expect.arrayContaining(['x']));
  });

  it('frees its lock through Report when the storm comes while it holds', async () => {
    const service = fresh();
    await rig.attach(service);
    await acquireLock(rig.table, service, `rb-${service}`, { now: now() });
    await storm();
    await claimStormPage(rig.table, 'rb-herald', rig.storm.minutes, now());
    expect(await rig.assess(rig.input(service, alarmInput(service), { look: 3 }))).toMatchObject({ verdict: 'leave', page: false, fence: 1 });
  });

  it('tells on-call itself when it can read nothing and nobody did: once, and not in shadow', async () => {
    await storm();
    throttle('DescribeAlarms');
    const [shadow, first, second] = [fresh(), fresh(), fresh()];
    await rig.attach(shadow, { policy: { ...serviceInput.policy, mode: 'shadow' } });
    for (const service of [first, second]) await rig.attach(service);
    expect(await rig.assess(rig.input(shadow, alarmInput(shadow)))).toMatchObject({ verdict: 'leave', page: false, mode: 'shadow', fence: 1 });
    expect(await rig.assess(rig.input(first, alarmInput(first)))).toMatchObject({ verdict: 'leave', page: true, fence: 1 });
    expect(await rig.assess(rig.input(second, alarmInput(second)))).toMatchObject({ verdict: 'joined', page: false });
    await replayed(`rb-${shadow}`);
    await replayed(`rb-${first}`);
  });

  it('tries again when it can read nothing and there is no storm', async () => {
    const service = fresh();
    await rig.attach(service);
    throttle('DescribeAlarms');
    await expect(rig.assess(rig.input(service, alarmInput(service)))).rejects.toMatchObject({ fault: 'throttled' });
  });

  it('hears out a person, and whoever asks with an answer in the hand', async () => {
    await storm();
    await claimStormPage(rig.table, 'rb-herald', rig.storm.minutes, now());
    const service = fresh();
    await rig.attach(service);
    expect(await rig.assess(rig.input(service, { service, reason: 'it is broken', requestedBy: 'ada' }))).toMatchObject({ verdict: 'roll-back' });
  });

  it('keeps a mute on record, storm or not', async () => {
    await storm();
    await claimStormPage(rig.table, 'rb-herald', rig.storm.minutes, now());
    const service = fresh();
    await rig.attach(service);
    const muteDetail = { mutedByArn: 'arn:aws:cloudwatch:eu-west-1:111122223333:alarm-mute-rule:night', muteWindowEnd: '2099-01-01T00:00:00.000+0000' };
    expect(await rig.assess(rig.input(service, alarmInput(service, '5xx', { muteDetail })))).toMatchObject({ verdict: 'leave', reasons: [{ code: 'muted' }] });
    expect((await readService(rig.table, service, now())).signals).toMatchObject([{ mutedUntil: '2099-01-01T00:00:00.000Z' }]);
  });
});
