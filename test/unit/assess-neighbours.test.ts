// What Assess reads of the services around one, and what comes of it.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { putRelease } from '../../lambdas/adapters/ledger-history.ts';
import { acquireLock } from '../../lambdas/adapters/ledger-lock.ts';
import { claimSharedPage, readStorm } from '../../lambdas/adapters/ledger-storm.ts';
import { type Neighbour, serviceSchema } from '../../lambdas/config/schema.ts';
import type { Decision } from '../../lambdas/domain/decide.ts';
import type { Question } from '../../lambdas/domain/question.ts';
import { Rig, alarmInput, serviceInput } from './assess-rig.ts';
import { recordRollback } from './rollback-rows.ts';

const rig = new Rig();
beforeAll(async () => {
  await rig.start();
  rig.cloudWatch.putMetricAlarm({ AlarmName: 'payments-5xx', Namespace: 'Shop', MetricName: 'payments', Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 5, ComparisonOperator: 'GreaterThanThreshold' });
});
afterAll(() => rig.stop());
beforeEach(() => {
  rig.calm('5xx', 'latency', 'payments-5xx');
  rig.traffic(500);
});

const neighbour = (over: Partial<Neighbour> = {}): Neighbour => ({ service: 'payments', relation: 'dependency', distance: 1, critical: true, alarms: ['payments-5xx'], sharedWith: [], ...over });

/** A service with v2 released two hours ago, and these services around it. */
async function attach(service: string, around: readonly Neighbour[]): Promise<void> {
  await rig.attach(service);
  rig.catalogue(service, { name: service, service: serviceSchema.parse(serviceInput), around });
}

async function asked(rollbackId: string): Promise<{ question: Question; decision: Decision }> {
  const row = (await rig.audited(rollbackId)).at(-1);
  return row as unknown as { question: Question; decision: Decision };
}

describe('the services around one', () => {
  test('are read with their releases, rollbacks, lock and alarms, and kept in the question', async () => {
    const { table } = rig;
    await putRelease(table, { ...rig.release('payments-a'), id: 'p-1', version: '5.0' }, 'w-1');
    await putRelease(table, { ...rig.release('payments-a'), id: 'p-0', version: '4.0', startedAt: rig.at(-600) }, 'w-0');
    await recordRollback(table, { rollbackId: 'rb-p', service: 'payments-a', startedAt: rig.at(-1), isAutomatic: true, release: { id: 'p-1', version: '5.0' }, goodVersion: '4.0', endedAt: null, outcome: null });
    await recordRollback(table, { rollbackId: 'rb-s', service: 'payments-a', startedAt: rig.at(-2), isAutomatic: true, release: null, goodVersion: null, endedAt: null, outcome: null, isShadow: true });
    await acquireLock(table, 'payments-a', 'rb-p', { now: new Date(rig.clock.now()) });
    await attach('with-payments', [neighbour({ service: 'payments-a' })]);
    rig.fire('5xx', 'latency', 'payments-5xx');
    const said = await rig.assess(rig.input('with-payments', alarmInput('with-payments')));
    const { question } = await asked('rb-with-payments');
    expect(question.alarms.map(({ name }) => name)).toEqual(['5xx', 'latency']);
    expect(question.neighbours).toMatchObject([{
      service: 'payments-a', lockedBy: 'rb-p', alarms: [{ name: 'payments-5xx', state: 'ALARM' }],
      rollbacks: [{ rollbackId: 'rb-p', endedAt: null, release: { id: 'p-1' } }],
    }]);
    expect(question.neighbours?.[0]?.releases.map(({ id }) => id)).toEqual(['p-1']);
    expect(said).toMatchObject({ verdict: 'hold', rungs: [] });
    expect(said.suspects?.map(({ service }) => service)).toEqual(expect.arrayContaining(['payments-a', 'with-payments', '']));
  });

  test('cost no step of calls more', async () => {
    await attach('alone', []);
    await attach('among', [neighbour(), neighbour({ service: 'stock', relation: 'dependent', alarms: [] })]);
    rig.fire('5xx', 'latency');
    const stepsOf = async (service: string): Promise<number> => {
      const before = rig.steps;
      await rig.assess(rig.input(service, alarmInput(service)));
      return rig.steps - before;
    };
    const alone = await stepsOf('alone');
    expect(await stepsOf('among')).toBe(alone);
  });

  test('a lock whose lease is over holds nothing', async () => {
    await acquireLock(rig.table, 'payments-b', 'rb-dead', { now: new Date(rig.clock.now() - 3_600_000) });
    await attach('with-dead', [neighbour({ service: 'payments-b', alarms: [] })]);
    rig.fire('5xx', 'latency');
    await rig.assess(rig.input('with-dead', alarmInput('with-dead')));
    expect((await asked('rb-with-dead')).question.neighbours?.[0]?.lockedBy).toBeNull();
  });

  test('of which one is sick and released nothing, are paged about once by all that depend on it', async () => {
    const around = [neighbour({ service: 'database' })];
    await attach('first', around);
    await attach('second', around);
    rig.fire('payments-5xx', '5xx', 'latency');
    // The hold is over: it began ten minutes ago.
    const ends = async (service: string) => rig.assess(rig.input(service, alarmInput(service), { startedAt: rig.at(-10), look: 1 }));
    expect(await ends('first')).toMatchObject({ verdict: 'leave', page: true, reasons: [{ code: 'shared-dependency' }] });
    expect(await ends('second')).toMatchObject({ verdict: 'leave', page: false, reasons: [{ code: 'shared-dependency' }] });
    const { question, decision } = await asked('rb-second');
    expect(question.storm.isAnnounced).toBe(true);
    expect(decision.suspects[0]).toMatchObject({ kind: 'sickness', service: 'database' });
    // A storm of another cause is told all the same.
    expect((await readStorm(rig.table, 60, new Date(rig.clock.now()))).announcedBy).toBeNull();
  });

  test('an entry whose neighbours nobody can read is refused', async () => {
    await rig.attach('odd');
    rig.catalogue('odd', { name: 'odd', service: serviceSchema.parse(serviceInput), around: [{ service: 'payments' }] });
    await expect(rig.assess(rig.input('odd', alarmInput('odd')))).rejects.toThrow(/the catalogue entry of "odd" cannot be used: around: 0.relation/);
  });
});

test('the page about one dependency is claimed by one run, and says nothing of another', async () => {
  const now = new Date(rig.clock.now() + 86_400_000);
  const claim = (rollbackId: string, dependency: string) => claimSharedPage(rig.table, { rollbackId, dependency, minutes: 10 }, now);
  expect(await claim('rb-1', 'payments')).toBe(true);
  expect(await claim('rb-2', 'payments')).toBe(false);
  expect(await claim('rb-1', 'payments')).toBe(true);
  expect(await claim('rb-2', 'stock')).toBe(true);
});
