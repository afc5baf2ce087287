// A pipeline ships the next release while one is rolled back, whatever the order: it is on record once, and nobody takes back what a rollback was not about.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readService } from '../../lambdas/adapters/ledger.ts';
import type { Release } from '../../lambdas/domain/vocabulary.ts';
import type { Watching } from '../../lambdas/domain/workflow.ts';
import { watch } from '../../lambdas/runtime/watch.ts';
import { manyCases, patience } from './many-cases.ts';
import { attached, inputs, Lamp, pause, releaseLeft, rig, turn, withAccount, World } from './interleaving-world.ts';
import { nothingLost } from './interleaving-lost.ts';

withAccount();

/** The pipeline's next release, in minutes after the alarms. */
const began = 10;

const told = (service: string, phase: 'Started' | 'Finished') => ({
  service, event: {
    source: 'ripcord.release', 'detail-type': `Release ${phase}`, time: rig.at(began + (phase === 'Started' ? 0 : 1)),
    detail: { service, releaseId: 'r-3', version: 'v3', previousVersion: 'v2', actor: 'pipeline' },
  },
});

const maybe = fc.option(fc.nat(12), { nil: null });
/** EventBridge delivers at least once, and in any order. */
const anyhow = fc.tuple(fc.nat(6), fc.nat(6), maybe, maybe);
/** Start and end come at the same moment, before anything else moves: each reads the ledger before the other has written. No second end mends what the first one missed. */
const together = maybe.map((first) => [0, 0, first, null] as const);

const setup = fc.record({
  scheduler: fc.scheduler(),
  alarms: fc.array(fc.record({ kind: fc.constantFrom('errors' as const, 'latency' as const), after: fc.integer({ min: 0, max: 10 }) }), { minLength: 1, maxLength: 2 }),
  moves: fc.nat(25),
  events: fc.oneof({ weight: 3, arbitrary: together }, { weight: 1, arbitrary: anyhow }),
});

test('a release that goes out while the one before is rolled back has the last word, and is on record once', async () => {
  await fc.assert(fc.asyncProperty(setup, async ({ scheduler: s, alarms, moves, events }) => {
    const service = await attached();
    await releaseLeft(service, { side: 'green' });
    const lamp = new Lamp(s, () => undefined);
    const world = new World(service, s, lamp.acting);
    world.ahead = began * 60_000;
    const [first, last] = [told(service, 'Started'), told(service, 'Finished')];
    const deliveries = [first, last, first, last].flatMap((input, index) => (events[index] == null ? [] : [{ input, after: events[index], watchId: `w-${index}` }]));
    const [runs, watchings] = await s.waitFor(Promise.all([
      Promise.all(alarms.map(async ({ kind, after }, index) => {
        await pause(s, after);
        return world.run(`${service}-${index}-${kind}`, inputs(service)[kind]);
      })),
      Promise.all(deliveries.map(async ({ input, after, watchId }) => {
        await pause(s, after);
        return await watch({ verb: 'record', watchId, input }, world.parts()) as Watching;
      })),
      (async () => {
        await pause(s, moves);
        await turn(s, async () => void (lamp.side = 'red'));
      })(),
    ]));
    expect(lamp.side, 'the newest release').toBe('red');
    expect(lamp.over.length, 'changes of the target').toBeLessThanOrEqual(1);
    expect(lamp.over.filter((side) => side !== 'green'), 'changes of what the rollback was not about').toEqual([]);
    expect(world.mostActing, 'runs that act at the same time').toBeLessThanOrEqual(1);
    await nothingLost(world, runs);
    checkRecord((await readService(rig.table, service, new Date(rig.clock.now()))).releases, watchings);
  }), { ...manyCases(12), endOnFailure: true });
}, patience(120_000));

function checkRecord(releases: readonly Release[], watchings: readonly Watching[]): void {
  const next = releases.filter(({ version }) => version === 'v3');
  expect(next, 'the next release').toMatchObject([{ id: 'r-3', status: 'finished', finishedAt: expect.any(String) as string }]);
  expect(watchings.filter(({ kind }) => kind === 'started').length, 'watches that see it through its bake').toBe(1);
}
