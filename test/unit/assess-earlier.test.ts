// A migration of so many releases ago that the newest rows do not show it: it still forbids what came before, or lets a person decide.
import { beforeEach, describe, expect, it } from 'vitest';
import { putKnownGood, putRelease } from '../../lambdas/adapters/ledger-history.ts';
import { serviceSchema } from '../../lambdas/config/schema.ts';
import { decide } from '../../lambdas/domain/decide.ts';
import type { Question } from '../../lambdas/domain/question.ts';
import type { Release } from '../../lambdas/domain/vocabulary.ts';
import { alarmInput, nextService, rig, service, serviceInput, useRig } from './assess-rig.ts';

useRig('earlier');
beforeEach(() => {
  rig.fire('5xx', 'latency');
});

const blue = { weights: { blue: 100, green: 0 }, strangers: {} };
const green = { weights: { blue: 0, green: 100 }, strangers: {} };
const web = serviceInput.targets['web'] as object;
const sided = { ...web, good: { side: 'blue' } };

/** 2.0.0, which is known good, and after it as many releases, one every 20 minutes, the last ten minutes ago; the first of them migrates. */
async function released(count: number, over: object = {}, change: (n: number) => Partial<Release> = () => ({})): Promise<void> {
  rig.catalogue(service, { name: service, service: serviceSchema.parse({ ...serviceInput, targets: { web }, ...over }) });
  const startOf = (n: number) => -10 - 20 * (count - n);
  const manifest = { approvals: [], backup: null, databaseFloor: '2.0.1', url: null };
  await Promise.all(Array.from({ length: count + 1 }, (_, n) => putRelease(rig.table, {
    ...rig.release(service), id: `r-${n}`, version: `2.0.${n}`, previousVersion: `2.0.${n - 1}`, startedAt: rig.at(startOf(n)), finishedAt: rig.at(startOf(n) + 5), left: { web: n === 0 ? blue : green },
    ...(n === 1 ? { touched: ['code', 'database'] as const, manifest } : {}), ...change(n),
  }, 'w-1')));
  await putKnownGood(rig.table, service, { version: '2.0.0', since: rig.at(startOf(0) + 5), basis: 'baked', states: { web: blue } });
}

async function assessed() {
  const said = await rig.assess(rig.input(service, alarmInput(service)));
  const [row] = await rig.audited(`rb-${service}`);
  const question = row?.['question'] as Question;
  expect(decide(question)).toEqual(row?.['decision']);
  return { said, question, ways: said.ways?.map(({ answer, reasons }) => `${answer} ${reasons.map(({ text }) => text).join(' ')}`.trim()) };
}

describe('a migration of long ago', () => {
  it.each([40, 49, 50, 60, 120])('refuses what came before it after %i releases', async (count) => {
    await released(count);
    const { said, ways, question } = await assessed();
    expect(ways).toEqual(['refused 2.0.0 does not work with the database as it is now: release 2.0.1 says 2.0.1 or later.']);
    expect([said.verdict, said.rungs]).toEqual(['leave', []]);
    expect(question.releases).toHaveLength(Math.min(50, count + 1));
    expect(question.earlier?.releases.map(({ version }) => version) ?? []).toEqual(count < 50 ? [] : count === 50 ? ['2.0.0'] : ['2.0.1', '2.0.0']);
  });

  it('costs a step of calls neither where it is read nor where nothing has to be', async () => {
    const stepsWith = async (count: number) => {
      nextService();
      await released(count);
      const before = rig.steps;
      await assessed();
      return rig.steps - before;
    };
    expect(await stepsWith(60)).toBe(await stepsWith(3));
  });

  it('is looked for behind a known good version that was released again, as that release may be the bad one', async () => {
    await released(70, {}, (n) => (n === 70 ? { version: '2.0.50' } : {}));
    await putKnownGood(rig.table, service, { version: '2.0.50', since: rig.at(-10 - 20 * 20 + 5), basis: 'baked', states: { web: blue } });
    expect((await assessed()).ways).toEqual(['refused 2.0.0 does not work with the database as it is now: release 2.0.1 says 2.0.1 or later.']);
  });

  it('is not looked for where the newest releases reach back to what is known good', async () => {
    await released(70);
    await putKnownGood(rig.table, service, { version: '2.0.50', since: rig.at(-10 - 20 * 20 + 5), basis: 'baked', states: { web: blue } });
    const { said, question } = await assessed();
    expect(question.earlier).toEqual({ releases: [], unreadBefore: question.releases.at(-1)?.startedAt });
    expect([said.verdict, said.knownGood?.version]).toEqual(['roll-back', '2.0.50']);
  });
});

describe('a declared side', () => {
  const withSide = { targets: { web: sided } };

  it('is refused where captures prove that it is older than the migration', async () => {
    await released(2, withSide);
    const { question, ways } = await assessed();
    expect(question.targets['web']?.sideVersion).toMatchObject({ version: '2.0.0' });
    expect(ways).toEqual(['refused 2.0.0 does not work with the database as it is now: release 2.0.1 says 2.0.1 or later.']);
  });

  it('is taken where captures prove that it was promoted after the migration', async () => {
    await released(3, withSide, (n) => (n === 2 ? { left: { web: blue } } : {}));
    const { said, question } = await assessed();
    expect(question.targets['web']?.sideVersion).toMatchObject({ version: '2.0.2' });
    expect(said.verdict).toBe('roll-back');
  });

  it.each<[string, number, object, string]>([
    ['lets a person decide where nothing proves it', 3, {}, 'ask'],
    ['lets a person decide also where the migration is old', 70, {}, 'ask'],
    ['is taken where migrations are declared compatible', 3, { policy: { ...serviceInput.policy, database: { compatible: 'expand, then contract' } } }, 'roll-back'],
  ])('%s', async (_what, count, over, verdict) => {
    await released(count, { ...withSide, ...over }, (n) => ({ left: n === 0 ? { web: blue } : { web: { weights: { blue: 50, green: 50 }, strangers: {} } } }));
    const { said, question } = await assessed();
    expect([said.verdict, question.targets['web']?.sideVersion]).toEqual([verdict, undefined]);
    expect(said.reasons.map(({ code }) => code).includes('floor-unknown')).toBe(verdict === 'ask');
  });

  it('is taken where no release on record touched the database', async () => {
    await released(60, withSide, () => ({ touched: ['code'], left: null }));
    // It names a floor, though it touched nothing.
    expect((await assessed()).said.verdict).toBe('ask');
    nextService();
    await released(60, withSide, (n) => ({ touched: ['code'], left: null, ...(n === 1 ? { manifest: { approvals: [], backup: null, databaseFloor: null, url: null } } : {}) }));
    expect((await assessed()).said.verdict).toBe('roll-back');
  });
});
