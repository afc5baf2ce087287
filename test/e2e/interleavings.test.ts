// Things that happen at the same time: two services on one listener, a pipeline that goes on during the rollback, the Watch and two alarms at once.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Rig } from './rig.ts';
import { albTarget, ruleBeside, type SmallTarget, type TargetKind } from './small-services.ts';

let front: SmallTarget;
const remembered: TargetKind = (...about) => (front = albTarget(...about));

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start({ services: { front: { target: remembered }, back: { target: ruleBeside(() => front) }, piped: {}, watched: {} } });
  await rig.release();
});
afterAll(() => rig.stop());

test('two services on one listener go back together: both are proven, and neither undoes what the other did', async () => {
  for (const service of ['front', 'back']) rig.fire(service);
  const runs = await Promise.all(['front', 'back'].map((service) => rig.ended(service)));
  expect(runs.map(({ outcome, headline }) => `${outcome}: ${headline}`)).toEqual([expect.stringMatching(/^recovered/), expect.stringMatching(/^recovered/)]);
  const written = (['ModifyListener', 'ModifyRule'] as const).map((operation) => rig.sandbox.calls.list({ operation, where: ({ input }) => JSON.stringify(input).includes('/front/') }).length);
  expect([rig.targets['front']?.live(), rig.targets['back']?.live(), ...written]).toEqual(['blue', 'blue', 1, 1]);
  for (const { rollbackId } of runs) expect((await rig.kinds(rollbackId)).at(-1)).toBe('sealed');
});

test('a pipeline that goes on shifting during the rollback has the last word: Ripcord stops, says so, and wakes a person', async () => {
  const piped = rig.targets['piped'] as SmallTarget;
  rig.fire('piped');
  await rig.until('the weights are back', () => piped.live() === 'blue');
  await piped.release();
  const run = await rig.ended('piped');
  expect(run.outcome, run.headline).toBe('stopped');
  expect(piped.live()).toBe('green');
  expect(rig.changes('piped')).toEqual(['ModifyListener']);
  const pages = rig.messages(run.rollbackId).filter(({ topic, subject }) => topic === 'on-call' && subject.startsWith('PAGE '));
  expect(pages).toHaveLength(1);
  expect(await rig.lockOwner('piped')).toBeNull();
});

test('the Watch and both alarms start a rollback of the same release at the same moment: one acts, the others join it or find it done', async () => {
  // What the Watch starts, started in the same instant in which the alarms send their events.
  const detail = { releaseId: 'watched-2', alarms: ['watched-errors', 'watched-latency'], journeys: [] };
  rig.fire('watched');
  rig.ask({ service: 'watched', event: { source: 'ripcord.watch', 'detail-type': 'Watch Signal', detail } }, 'watch-watched-2');
  const mine = () => rig.ripcord.rollbacks().filter(({ input }) => (input as { service?: string }).service === 'watched');
  await rig.until('every run has ended', () => mine().length === 3 && mine().every(({ status }) => status !== 'RUNNING'));
  expect(mine().filter(({ outcome }) => outcome === 'recovered')).toHaveLength(1);
  expect(mine().filter(({ outcome }) => outcome !== 'recovered').map(({ outcome }) => outcome)).toEqual([expect.stringMatching(/joined|left/), expect.stringMatching(/joined|left/)]);
  expect(rig.changes('watched')).toEqual(['ModifyListener']);
  expect(rig.targets['watched']?.live()).toBe('blue');
});

test('no role was refused anything, and no invariant broke', () => {
  expect(rig.denials()).toEqual([]);
  expect(rig.sandbox.breaches).toEqual([]);
});
