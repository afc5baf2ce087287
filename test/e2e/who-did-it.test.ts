// Several services around one fault: whose release did it, who goes back first, and who is left alone.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RollbackRun } from '../../sandbox/scenarios/scenario.ts';
import { replayRows } from '../../bin/commands/replay-rows.ts';
import { Rig, type ServiceSetting } from './rig.ts';
import { policyWith } from './small-services.ts';

const minute = 60_000;
const dependsOn = (...dependencies: string[]): ServiceSetting => ({ changes: { dependencies } });
const services: Readonly<Record<string, ServiceSetting>> = {
  // A dependency's release did it, and its own run takes it back.
  web: dependsOn('stock'), stock: {},
  // The same, but nobody takes it back: the dependency is in shadow.
  shop: dependsOn('prices'), prices: { changes: { policy: policyWith({ none: 'nobody has to be asked in this test' }, { mode: 'shadow' }) } },
  // Both depend on a cache, which fell sick without a release of its own.
  reader: dependsOn('cache'), writer: dependsOn('cache'), cache: {},
  // All three went out together, and all are sick.
  gate: dependsOn('core'), core: dependsOn('store'), store: {},
};

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start({ services });
  await rig.release(['web', 'shop', 'reader', 'writer']);
  // Long enough for nobody to think that they went out together.
  await rig.sandbox.clock.sleep(15 * minute);
}, 180_000);
afterAll(() => rig.stop());

const decisions = async ({ rollbackId }: RollbackRun): Promise<{ verdict: string; reasons: { code: string; text: string }[] }[]> =>
  (await rig.audit(rollbackId)).filter(({ kind }) => kind === 'assessed').map(({ data }) => data['decision'] as never);
const codesOf = async (run: RollbackRun): Promise<readonly string[]> => (await decisions(run)).flatMap(({ reasons }) => reasons.map(({ code }) => code));
const pagesOf = ({ rollbackId }: RollbackRun) => rig.messages(rollbackId).filter(({ topic, subject }) => topic === 'on-call' && subject.startsWith('PAGE '));
const endedAt = ({ stoppedAt }: RollbackRun): number => stoppedAt ?? Infinity;
const changedAt = (service: string): readonly number[] => rig.sandbox.calls.list({ mutating: true, where: ({ caller, status, input }) => caller.kind === 'role' && status < 300 && rig.targets[service]?.isTouchedBy(JSON.stringify(input)) === true && JSON.stringify(input).includes('TargetGroups') }).map(({ startedAt }) => startedAt);

describe('a dependency\'s release did it', () => {
  beforeAll(async () => {
    await rig.release(['stock', 'prices']);
    for (const name of ['stock', 'web', 'prices', 'shop']) rig.fire(name);
  }, 120_000);

  test('the caller waits while that is taken back, and is left alone as soon as it is well', async () => {
    const stock = await rig.ended('stock');
    expect(stock.outcome, stock.headline).toBe('recovered');
    // Its first look may come before the run of the dependency has begun.
    await rig.until('the caller has looked again', async () => (await Promise.all(rig.runs('web').map((run) => decisions(run)))).some((looks) => looks.length > 1));
    rig.calm('web');
    const web = await rig.ended('web');
    expect(web.outcome, web.headline).toBe('left');
    const said = await decisions(web);
    expect(said.map(({ verdict }) => verdict)).toEqual([...said.slice(1).map(() => 'hold'), 'leave']);
    expect(await codesOf(web)).toContain('dependency-suspected');
    expect(JSON.stringify(said)).toMatch(/stock 2\.0\.0 \(\d+ %\): .*stock is sick itself/);
    // Whichever the looks of the caller met: the run of the dependency at work, taking it back, or done with it.
    expect(JSON.stringify(said)).toMatch(new RegExp(`Rollback ${stock.rollbackId} is taking 2.0.0 back now|Run ${stock.rollbackId} is at work on stock|[Ii]t was taken back .* ago`));
    expect(rig.changes('web')).toEqual([]);
    expect(pagesOf(web)).toEqual([]);
  });

  test('where nobody takes it back, on-call gets the ranked list, and the caller keeps its version', async () => {
    const shop = await rig.ended('shop');
    expect(shop.outcome, shop.headline).toBe('left');
    expect(rig.changes('shop')).toEqual([]);
    expect(rig.changes('prices')).toEqual([]);
    const [page, ...more] = pagesOf(shop);
    expect(more).toEqual([]);
    expect(page?.text).toMatch(/Who could have done it\n {2}1\. prices 2\.0\.0 \(\d+ %\): .*\n {2}2\. shop 2\.0\.0 \(\d+ %\): /);
    expect(page?.text).toContain('Ripcord rolls back shop for nothing that prices did.');
  });
});

describe('a shared dependency is sick, and released nothing', () => {
  test('nobody who depends on it is rolled back, and on-call is told of it once by them', async () => {
    for (const name of ['cache', 'reader', 'writer']) rig.fire(name);
    const runs = [await rig.ended('reader'), await rig.ended('writer'), await rig.ended('cache')];
    expect(runs.map(({ outcome }) => outcome)).toEqual(['left', 'left', 'left']);
    expect([...rig.changes('reader'), ...rig.changes('writer'), ...rig.changes('cache')]).toEqual([]);
    const [reader, writer, cache] = runs as [RollbackRun, RollbackRun, RollbackRun];
    expect(await codesOf(reader)).toContain('shared-dependency');
    const pages = [...pagesOf(reader), ...pagesOf(writer)];
    expect(pages.map(({ subject }) => subject)).toHaveLength(1);
    expect(pages[0]?.text).toContain('cache itself, without a release');
    expect(pagesOf(cache)).toHaveLength(1);
  });
});

describe('several services went out together', () => {
  test('they go back in reverse order of dependency, each proven before the next; one that is well by then stays', async () => {
    await rig.release(['gate', 'core', 'store']);
    for (const name of ['store', 'core', 'gate']) rig.fire(name);
    const gate = await rig.ended('gate');
    expect(gate.outcome, gate.headline).toBe('recovered');
    await rig.until('core is being taken back', () => rig.changes('core').length > 0);
    // The third was only hurt by the second.
    rig.calm('store');
    const [core, store] = [await rig.ended('core'), await rig.ended('store')];
    expect(core.outcome, core.headline).toBe('recovered');
    expect(store.outcome, store.headline).toBe('left');
    expect(Math.min(...changedAt('core'))).toBeGreaterThanOrEqual(endedAt(gate));
    expect([rig.changes('gate').length, rig.changes('core').length, rig.changes('store').length]).toEqual([1, 1, 0]);
    expect(await codesOf(core)).toContain('dependents-first');
    expect(await codesOf(store)).toContain('dependents-first');
    expect(rig.targets['store']?.live()).toBe('green');
  });
});

test('every decision is made again from its record, every lock is free, and no role was refused anything', async () => {
  const records = await Promise.all(rig.ripcord.rollbacks().map(({ rollbackId }) => rig.ripcord.record(rollbackId)));
  const replayed = records.flatMap(({ rows }) => replayRows(rows));
  expect(replayed.length).toBeGreaterThan(10);
  expect(replayed.filter(({ result }) => result !== 'same')).toEqual([]);
  expect((await rig.ledger()).filter(({ sk, owner }) => sk === 'LOCK' && owner !== undefined)).toEqual([]);
  expect(rig.denials()).toEqual([]);
  expect(rig.sandbox.breaches).toEqual([]);
});
