// An execution is stopped, or dies, while one of its handlers runs, and a second run of the service begins: whatever the order, one acts, each is told of, and nothing is lost.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readAnchor } from '../../lambdas/adapters/audit-anchor.ts';
import { AuditRows } from '../../lambdas/adapters/audit-rows.ts';
import { readLock } from '../../lambdas/adapters/ledger-lock.ts';
import { readService } from '../../lambdas/adapters/ledger.ts';
import { verifyChain } from '../../lambdas/audit/chain.ts';
import { assess } from '../../lambdas/runtime/assess.ts';
import type { Strategy } from '../../lambdas/strategies/strategy.ts';
import { silent } from '../unit/report-samples.ts';
import { manyCases, patience } from './many-cases.ts';
import { nothingLost } from './interleaving-lost.ts';
import { type Stop, StoppedRun } from './interleaving-stopped.ts';
import { attached, inputs, type Kind, Lamp, pause, type Ran, rig, turn, withAccount, World } from './interleaving-world.ts';

withAccount();

interface Write {
  readonly by: string;
  /** Whether the lock of the service was the writer's at that moment. */
  readonly hasLock: boolean;
}

/** A lamp as a load balancer's listener is: whoever is told to turn it turns it, whatever it was before. */
class BlindLamp extends Lamp {
  readonly writes: Write[] = [];
  readonly blind: Strategy;

  constructor(s: fc.Scheduler, service: string) {
    super(s, () => undefined);
    this.blind = {
      ...this.strategy,
      apply: ({ key, to }) => turn(s, async () => {
        const by = key.split('/')[0] ?? '';
        this.writes.push({ by, hasLock: (await readLock(rig.table, service)).owner === by });
        this.side = (to as { readonly side: string }).side;
        return { handle: null, confirmAfterSeconds: 0 };
      }),
    };
  }
}

/** What somebody waits for before they go on: a moment of the stopped run, and so many turns after it. */
interface After {
  readonly moment: 'begin' | 'stop' | 'watchdog' | 'second';
  readonly turns: number;
}

const after = (most: number, ...moments: After['moment'][]): fc.Arbitrary<After> => fc.record({ moment: fc.constantFrom(...moments), turns: fc.nat(most) });
const stopAt = (step: Stop['step'], from: number, to: number, dies: fc.Arbitrary<boolean> = fc.constant(false)): fc.Arbitrary<Stop> => fc.record({ step: fc.constant(step), call: fc.integer({ min: from, max: to }), dies });

interface Order {
  readonly stop: Stop;
  readonly second: Kind;
  readonly begins: After;
  /** When the handler goes on that was running as its execution was stopped. */
  readonly goesOn: After;
  readonly watchdog: After;
  /** EventBridge tells the Watchdog only when the lease has run out. */
  readonly isLate: boolean;
}

const anyone = fc.constantFrom<Kind[]>('latency', 'external', 'watch', 'person', 'person');
const inTime = fc.constant(false);

/** The orders that matter are few among all that there are: each of them has its share. */
const orders: readonly fc.Arbitrary<Order>[] = [
  // A look takes the lock when its record is closed already.
  fc.record({ stop: stopAt('assess', 4, 7), second: anyone, begins: after(6, 'watchdog'), goesOn: after(3, 'watchdog'), watchdog: after(3, 'stop'), isLate: inTime }),
  // It writes its row while the record is being closed.
  fc.record({ stop: stopAt('assess', 8, 9), second: anyone, begins: after(12, 'stop', 'watchdog'), goesOn: after(3, 'stop'), watchdog: after(0, 'stop'), isLate: inTime }),
  // Somebody joins it before it has a row, or while people are told that it is over.
  fc.record({ stop: stopAt('assess', 8, 9, fc.boolean()), second: anyone, begins: after(24, 'stop'), goesOn: after(6, 'watchdog'), watchdog: after(6, 'stop', 'stop', 'second'), isLate: inTime }),
  // A change is announced, and made when the next one has acted.
  fc.record({ stop: stopAt('apply', 3, 3), second: fc.constant<Kind>('person'), begins: after(6, 'watchdog'), goesOn: after(3, 'second'), watchdog: after(6, 'stop'), isLate: inTime }),
  // It has joined the second one, which acts.
  fc.record({ stop: stopAt('assess', 7, 12, fc.boolean()), second: anyone, begins: after(0, 'begin'), goesOn: after(6, 'stop', 'second'), watchdog: after(6, 'stop', 'second'), isLate: inTime }),
  // Anything else.
  fc.record({
    stop: fc.oneof(stopAt('assess', 0, 12, fc.boolean()), stopAt('apply', 0, 6, fc.boolean())), second: anyone,
    begins: after(12, 'begin', 'stop', 'watchdog'), goesOn: after(12, 'stop', 'watchdog', 'second'), watchdog: after(12, 'stop', 'stop', 'second'), isLate: fc.boolean(),
  }),
];

const setup = fc.record({ scheduler: fc.scheduler(), first: fc.constantFrom('errors' as const, 'person' as const), order: fc.oneof(...orders) });

class Played {
  readonly first: StoppedRun;
  readonly #moments: Record<After['moment'], { readonly reached: Promise<void>; readonly reach: () => void }>;
  readonly world: World;
  readonly lamp: BlindLamp;

  constructor(world: World, lamp: BlindLamp, stop: Stop) {
    this.world = world;
    this.lamp = lamp;
    this.first = new StoppedRun(world, `${world.service}-first`, stop);
    const moment = () => {
      let reach: () => void = () => undefined;
      return { reached: new Promise<void>((resolve) => { reach = resolve; }), reach };
    };
    this.#moments = { begin: moment(), stop: moment(), watchdog: moment(), second: moment() };
    this.reach('begin');
  }

  reach(moment: After['moment']): void {
    this.#moments[moment].reach();
  }

  async when({ moment, turns }: After): Promise<void> {
    await this.#moments[moment].reached;
    await pause(this.world.s, turns);
  }

  wait(seconds: number): Promise<void> {
    return turn(this.world.s, async () => {
      this.world.ahead += seconds * 1000;
      this.first.grow(seconds * 1000);
    });
  }

  /** The second run, with the waits of its workflow. */
  async second(kind: Kind): Promise<Ran> {
    const { world } = this;
    const [rollbackId, input, parts] = [`${world.service}-second`, inputs(world.service)[kind], world.parts()];
    const startedAt = parts.clock.now().toISOString();
    let seen = await assess(rig.input(world.service, input, { rollbackId, startedAt }), parts, silent);
    for (let look = 1; seen.verdict === 'hold' && look < 6; look += 1) {
      await this.wait(seen.holdSeconds);
      seen = await assess(rig.input(world.service, input, { rollbackId, startedAt, look, audit: seen.audit }), parts, silent);
    }
    return seen.verdict === 'joined' ? { seen, applied: null, provenAt: null } : world.end(seen, input, parts, { startedAt });
  }
}

test('an execution that is stopped beside a handler of it that goes on, and a second run: one writes, both are told of, nothing is lost', async () => {
  await fc.assert(fc.asyncProperty(setup, async ({ scheduler: s, first, order: { stop, second, begins, goesOn, watchdog, isLate } }) => {
    const service = await attached();
    const lamp = new BlindLamp(s, service);
    const world = new World(service, s, { ...lamp.acting, strategy: lamp.blind });
    const played = new Played(world, lamp, stop);
    const input = inputs(service)[first];
    const [ran] = await s.waitFor(Promise.all([
      (async () => {
        await played.when(begins);
        const one = await played.second(second);
        played.reach('second');
        return one;
      })(),
      played.first.run(input, lamp.blind),
      (async () => {
        const isStopped = await played.first.stopped;
        played.reach('stop');
        if (isStopped) {
          await played.when(watchdog.moment === 'second' && begins.moment === 'watchdog' ? { ...watchdog, moment: 'stop' } : watchdog);
          if (isLate) await played.wait(16 * 60);
          await played.first.watchdog(input);
        }
        played.reach('watchdog');
      })(),
      (async () => {
        await played.when(goesOn);
        played.first.goOn();
      })(),
    ]));
    checkWrites(lamp, played.first.rollbackId);
    await checkFirst(played, ran);
    await nothingLost(world, [ran, ...(played.first.ran === null ? [] : [played.first.ran])]);
    const { rollbacks } = await readService(rig.table, service, new Date(rig.clock.now()));
    expect(rollbacks.filter(({ endedAt }) => endedAt === null), 'rollbacks that never ended').toEqual([]);
  }), { ...manyCases(24), endOnFailure: true });
}, patience(120_000));

function checkWrites({ writes }: BlindLamp, first: string): void {
  expect(new Set(writes.filter(({ hasLock }) => hasLock).map(({ by }) => by)).size, 'executions that wrote with the lock').toBeLessThanOrEqual(1);
  const others = writes.findIndex(({ by }) => by !== first);
  expect(others === -1 ? [] : writes.slice(others).filter(({ by }) => by === first), 'writes of the stopped one after the other had acted').toEqual([]);
}

/** The first is closed, whoever closed it, and one message says how it ended, as one does of the second. */
async function checkFirst({ world, first: { rollbackId, ran } }: Played, second: Ran): Promise<void> {
  const rows = await new AuditRows(rig.table.client, 'audit').read(rollbackId);
  const hasJoined = rows.some(({ kind, data }) => kind === 'assessed' && (JSON.parse(data) as { readonly decision: { readonly verdict: string } }).decision.verdict === 'joined');
  expect(verifyChain(rows, await readAnchor(rig.table, rollbackId) ?? undefined), rollbackId).toMatchObject({ intact: true, isSealed: ran?.seen.verdict !== 'joined', isAnchored: true });
  const endsOf = (id: string): number => world.sent.events.filter(({ type, detail }) => type === 'Rollback Ended' && detail['rollbackId'] === id).length;
  expect([endsOf(rollbackId), endsOf(second.seen.rollbackId)], 'ends told').toEqual([hasJoined ? 0 : 1, second.seen.verdict === 'joined' ? 0 : 1]);
}
