// Twenty services alarm within a minute: that has a shared cause, so Ripcord acts on a few at most and pages once.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RollbackRun } from '../../sandbox/scenarios/scenario.ts';
import { putRelease } from '../../lambdas/adapters/ledger-history.ts';
import { Rig, type ServiceSetting } from './rig.ts';
import { albTarget, type TargetKind } from './small-services.ts';

const limit = 3;
const names = Array.from({ length: 20 }, (_, index) => `service-${index + 1}`);
/** Blue is the stable side, so that no history is needed. */
const stable: TargetKind = (...about) => {
  const target = albTarget(...about);
  return { ...target, document: { ...target.document, good: { side: 'blue' } } };
};
const one = (name: string): ServiceSetting => ({
  target: stable,
  changes: { signals: { alarms: [{ name: `${name}-errors` }], minimum: 1, holdSeconds: 240, traffic: { none: 'nobody sends it requests here' } } },
});

let rig: Rig;

/** A release as the Watch wrote it a while ago: twenty pipelines at once would only cost time here. */
async function released(name: string): Promise<void> {
  await rig.targets[name]?.release();
  const client = new DynamoDBClient({ endpoint: rig.sandbox.endpoint, region: 'eu-west-1', credentials: { accessKeyId: 'me', secretAccessKey: 'anything' } });
  const at = new Date(rig.sandbox.clock.now() - 10 * 60_000).toISOString();
  await putRelease({ client, name: rig.ledgerTable }, {
    id: `${name}-2`, service: name, version: '2.0.0', previousVersion: '1.0.0', startedAt: at, finishedAt: at, status: 'finished', origin: 'event', actor: 'pipeline', touched: ['code'], left: null, alarmsAtStart: [],
  }, 'seeded');
  client.destroy();
}

beforeAll(async () => {
  rig = await Rig.start({ services: Object.fromEntries(names.map((name) => [name, one(name)])), engine: { storm: { services: limit, minutes: 10 } } });
  await Promise.all(names.map(released));
  // Two rounds of health checks.
  await rig.sandbox.clock.sleep(2 * 60_000);
  for (const name of names) rig.fire(name, 1);
  await rig.until('every run has ended', () => rig.ripcord.rollbacks().length >= names.length && rig.ripcord.rollbacks().every(({ status }) => status !== 'RUNNING'), 90);
}, 180_000);
afterAll(() => rig.stop());

const runsThat = (outcome: string): readonly RollbackRun[] => rig.ripcord.rollbacks().filter((run) => run.outcome === outcome);

/** Whoever comes after on-call was told ends at once, as one that joins. */
const quiet = new Set(['recovered', 'left', 'joined']);

test('at most as many act as the limit allows, all others leave', () => {
  expect(rig.ripcord.rollbacks()).toHaveLength(names.length);
  expect(runsThat('recovered').length).toBeLessThanOrEqual(limit);
  expect(rig.ripcord.rollbacks().filter(({ outcome }) => !quiet.has(outcome ?? '')).map(({ outcome, headline }) => `${outcome}: ${headline}`)).toEqual([]);
  const changed = names.filter((name) => rig.changes(name).length > 0);
  expect(changed).toHaveLength(runsThat('recovered').length);
});

test('those that leave say that it is a storm, and on-call is paged once about it', async () => {
  const codes = await Promise.all([...runsThat('left'), ...runsThat('joined')].map(async ({ rollbackId }) => {
    const decision = (await rig.audit(rollbackId)).find(({ kind }) => kind === 'assessed')?.data['decision'] as { reasons: { code: string }[] };
    return decision.reasons.map(({ code }) => code).join();
  }));
  expect(new Set(codes)).toEqual(new Set(['storm']));
  const pages = rig.ripcord.messages().filter(({ topic, subject }) => topic === 'on-call' && subject.startsWith('PAGE '));
  expect(pages.map(({ subject }) => subject)).toHaveLength(1);
  expect(pages[0]?.text).toContain('shared cause');
});

test('every lock is free, the chain of every run that did not join is sealed, and no role was refused anything', async () => {
  const ledger = await rig.ledger();
  expect(ledger.filter(({ sk, owner }) => sk === 'LOCK' && owner !== undefined)).toEqual([]);
  const kinds = await Promise.all(rig.ripcord.rollbacks().filter(({ outcome }) => outcome !== 'joined').map(async ({ rollbackId }) => (await rig.kinds(rollbackId)).at(-1)));
  expect(new Set(kinds)).toEqual(new Set(['sealed']));
  expect(rig.denials()).toEqual([]);
  expect(rig.sandbox.breaches).toEqual([]);
});
