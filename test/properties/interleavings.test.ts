// Whatever the order in which AWS answers several runs of one service: one acts at a time, the release is put back once, and no signal is lost.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JourneyRound, Watching, WatchLooked } from '../../lambdas/domain/workflow.ts';
import { watch } from '../../lambdas/runtime/watch.ts';
import { manyCases, patience } from './many-cases.ts';
import { attached, calm, inputs, kinds, Lamp, pause, type Ran, rig, turn, withAccount, World } from './interleaving-world.ts';
import { nothingLost } from './interleaving-lost.ts';

withAccount();

interface Made {
  readonly service: string;
  readonly lamp: Lamp;
  readonly world: World;
}

async function made(s: fc.Scheduler): Promise<Made> {
  const service = await attached();
  const lamp = new Lamp(s, calm(service));
  return { service, lamp, world: new World(service, s, lamp.acting) };
}

/** What holds of every order. */
async function oneActed({ lamp, world }: Made, runs: readonly Ran[]): Promise<void> {
  expect(lamp.over, 'changes of the target').toEqual(['green']);
  expect(lamp.side).toBe('blue');
  expect(world.mostActing, 'runs that act at the same time').toBe(1);
  // A person who asks after it was done gets the same answer without a change; nobody else acts a second time.
  expect(runs.filter(({ seen: { verdict, requestedBy } }) => verdict === 'roll-back' && requestedBy === null).length, 'automatic runs that act').toBeLessThanOrEqual(1);
  await nothingLost(world, runs);
}

test('several runs of one service, their calls in any order: one change, one at a time, nothing lost', async () => {
  expect.hasAssertions();
  await fc.assert(fc.asyncProperty(fc.scheduler(), fc.array(fc.constantFrom(...kinds), { minLength: 2, maxLength: 5 }), async (s, events) => {
    const one = await made(s);
    await oneActed(one, await s.waitFor(Promise.all(events.map((kind, index) => one.world.run(`${one.service}-${index}-${kind}`, inputs(one.service)[kind])))));
  }), { ...manyCases(20), endOnFailure: true });
}, patience(120_000));

test('what comes while a run is being closed is on record, told, or acted on, whatever the order', async () => {
  expect.hasAssertions();
  const late = fc.record({ kind: fc.constantFrom(...kinds), after: fc.nat(40) });
  await fc.assert(fc.asyncProperty(fc.scheduler(), fc.constantFrom(...kinds), fc.array(late, { minLength: 1, maxLength: 3 }), async (s, first, others) => {
    const one = await made(s);
    const { service, world } = one;
    const runs = await s.waitFor(Promise.all([
      world.run(`${service}-first`, inputs(service)[first]),
      ...others.map(async ({ kind, after }, index) => {
        await world.closing;
        await pause(s, after);
        return world.run(`${service}-${index}-${kind}`, inputs(service)[kind]);
      }),
    ]));
    await oneActed(one, runs);
  }), { ...manyCases(20), endOnFailure: true });
}, patience(120_000));

test('a run that stood still for longer than its lease changes nothing that another one has taken over', async () => {
  const event = fc.record({ kind: fc.constantFrom('errors' as const, 'latency' as const, 'external' as const, 'watch' as const), stalls: fc.boolean(), after: fc.nat(40) });
  await fc.assert(fc.asyncProperty(fc.scheduler(), fc.array(event, { minLength: 2, maxLength: 3 }), async (s, events) => {
    const { service, lamp, world } = await made(s);
    /** Between two calls the workflow may stand still for longer than the lease; one call cannot: Lambda ends it after a minute. */
    const standStill = async (): Promise<void> => {
      await turn(s, async () => void (world.ahead += 16 * 60_000));
      await pause(s, 60);
      // Whoever took over may be done by then, and a person have put the release live again.
      if (lamp.over.length > 0) lamp.side = 'green';
    };
    const runs = await s.waitFor(Promise.all(events.map(async ({ kind, stalls, after }, index) => {
      await pause(s, after);
      return world.run(`${service}-${index}-${kind}`, inputs(service)[kind], stalls ? standStill : undefined);
    })));
    expect(lamp.over, 'changes of the target').toHaveLength(1);
    await nothingLost(world, runs);
  }), { ...manyCases(20), endOnFailure: true });
}, patience(120_000));

const noJourneys: JourneyRound = { at: '2026-11-20T09:00:00.000Z', results: [] };

/** The Watch of the release, whose workflow starts what a look asks for: under one name, one execution. */
class Watcher {
  readonly started = new Set<string>();
  readonly runs: Ran[] = [];
  readonly #made: Made;

  constructor(one: Made) {
    this.#made = one;
  }

  async look(): Promise<WatchLooked> {
    const { service, world } = this.#made;
    const watching: Watching = { service, releaseId: 'r-2', kind: 'started', reason: null, steps: [], hasJourneys: true };
    const said = await watch({ verb: 'look', watchId: 'w-1', watch: watching, look: 1, evidence: noJourneys }, world.parts()) as WatchLooked;
    if (said.rollback !== null && !this.started.has(said.rollback.name)) {
      this.started.add(said.rollback.name);
      this.runs.push(await world.run(said.rollback.name, said.rollback.input));
    }
    return said;
  }
}

test('the Watch finds the alarms at the moment in which they send their events: one acts, and the Watch ends with it', async () => {
  const alarm = fc.record({ kind: fc.constantFrom('errors' as const, 'latency' as const), after: fc.nat(12) });
  await fc.assert(fc.asyncProperty(fc.scheduler(), fc.array(alarm, { minLength: 1, maxLength: 3 }), fc.array(fc.nat(12), { minLength: 1, maxLength: 3 }), async (s, alarms, looks) => {
    const one = await made(s);
    const watcher = new Watcher(one);
    const [runs, said] = await s.waitFor(Promise.all([
      Promise.all(alarms.map(async ({ kind, after }, index) => {
        await pause(s, after);
        return one.world.run(`${one.service}-${index}-${kind}`, inputs(one.service)[kind]);
      })),
      // A look is repeated when its answer gets lost.
      Promise.all(looks.map(async (after) => {
        await pause(s, after);
        return watcher.look();
      })),
    ]));
    await oneActed(one, [...runs, ...watcher.runs]);
    expect(watcher.started.size, 'runs that the Watch started').toBeLessThanOrEqual(1);
    const ends = said.flatMap(({ answer, reasons }) => (answer === 'ended' ? reasons.map(({ code }) => code) : []));
    expect(ends.filter((code) => code !== 'rolled-back'), 'why else a look ended the Watch').toEqual([]);
    const last = await s.waitFor(watcher.look());
    expect([last.answer, last.reasons.map(({ code }) => code), rig.cloudWatch.alarmState(`${one.service}-errors`)]).toEqual(['ended', ['rolled-back'], 'OK']);
  }), { ...manyCases(12), endOnFailure: true });
}, patience(120_000));
