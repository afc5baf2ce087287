// Whatever the order in which AWS answers several runs of one service: one acts at a time, the release is put back once, and no signal is lost.
import * as fc from 'fast-check';
import * as z from 'zod';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { AuditStore } from '../../lambdas/adapters/audit-store.ts';
import { signalsOfOthers } from '../../lambdas/adapters/ledger-late-signals.ts';
import { readLock, renewLock } from '../../lambdas/adapters/ledger-lock.ts';
import { verifyChain } from '../../lambdas/audit/chain.ts';
import type { JsonObject } from '../../lambdas/domain/vocabulary.ts';
import type { Assessment, StepApplied } from '../../lambdas/domain/workflow.ts';
import { type AssessParts, assess } from '../../lambdas/runtime/assess.ts';
import { endRollback } from '../../lambdas/runtime/report.ts';
import { strategyHandler } from '../../lambdas/runtime/strategy-handler.ts';
import type { Strategy } from '../../lambdas/strategies/strategy.ts';
import { alarmInput, Rig, serviceInput } from '../unit/assess-rig.ts';
import { machineArn, recordingNotices, silent, verified } from '../unit/report-samples.ts';

const rig = new Rig();
beforeAll(() => {
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
  return rig.start();
});
afterAll(() => rig.stop());

type Kind = 'errors' | 'latency' | 'external' | 'watch' | 'person';
const kinds: readonly Kind[] = ['errors', 'latency', 'external', 'watch', 'person'];

type Calls = { readonly send: (...given: unknown[]) => Promise<unknown> };

type Settled<Answer> = { readonly answer: Answer } | { readonly error: unknown };

/** Waits until the scheduler picks it; then it runs whole. The scheduler itself sees neither the answer, which it would print, nor the error, which it would pass to nobody. */
async function turn<Answer>(s: fc.Scheduler, run: () => Promise<Answer>): Promise<Answer> {
  let settled: Settled<Answer> | null = null;
  await s.scheduleFunction(async () => {
    settled = await run().then((answer) => ({ answer }), (error: unknown) => ({ error }));
  })();
  const said = settled as Settled<Answer> | null;
  if (said === null) throw new Error('the scheduler let a turn pass that was never taken');
  if ('error' in said) throw said.error;
  return said.answer;
}

/** Every AWS call of every run takes its turn. */
function scheduled<Client extends object>(client: Client, s: fc.Scheduler): Client {
  const { send } = client as unknown as Calls;
  return Object.assign(Object.create(client) as Client, { send: (...given: unknown[]) => turn(s, () => send.call(client, ...given)) });
}

const inputs = (service: string): Readonly<Record<Kind, unknown>> => ({
  errors: alarmInput(service, `${service}-errors`),
  latency: alarmInput(service, `${service}-latency`),
  external: { service, event: { source: 'ripcord.signal', 'detail-type': 'Signal', detail: { service, tool: 'datadog', id: 'm-1', status: 'firing', summary: 'budget burns' } } },
  watch: { service, event: { source: 'ripcord.watch', 'detail-type': 'Watch Signal', detail: { releaseId: 'r-2', alarms: [`${service}-errors`, `${service}-latency`], journeys: [] } } },
  person: { service, reason: 'customers cannot pay', requestedBy: 'dana' },
});

type Side = { readonly side: string };

/** One service whose target is a lamp that the release left at `green`. */
class World {
  side = 'green';
  writes = 0;
  /** Runs between the verdict to roll back and their end. */
  readonly acting = new Set<string>();
  mostActing = 0;
  /** How far the runs' clock is ahead of the rig's, in milliseconds. */
  #ahead = 0;
  readonly s: fc.Scheduler;
  readonly service: string;

  constructor(service: string, s: fc.Scheduler) {
    this.service = service;
    this.s = s;
  }

  readonly strategy: Strategy<JsonObject, Side> = {
    manifest: { name: 'lamp', summary: '', order: 1, way: 'traffic-shift', target: z.strictObject({ lamp: z.string() }), expectedSeconds: 1, states: { same: () => false, isSplit: () => false } },
    capture: () => turn(this.s, async () => ({ state: { side: this.side }, facts: {} })),
    plan: ({ live: { state } }) => (state.side === 'blue' ? { outcome: 'already', from: state, to: state, summary: 'blue' } : { outcome: 'change', from: state, to: { side: 'blue' }, summary: 'green → blue' }),
    apply: async ({ to }) => {
      await turn(this.s, async () => { this.writes += 1; this.side = to.side; this.#calm(); });
      return { handle: null, confirmAfterSeconds: 0 };
    },
    confirm: () => Promise.reject(new Error('not asked here')),
  };

  #calm(): void {
    rig.calm(`${this.service}-errors`, `${this.service}-latency`);
  }

  /** A quarter of an hour goes by, in which others get on. Whoever took over may be done by then, and a person have put the release live again. */
  async #standStill(): Promise<void> {
    await turn(this.s, async () => void (this.#ahead += 16 * 60_000));
    await this.pause(60);
    if (this.writes > 0) this.side = 'green';
  }

  async pause(turns: number): Promise<void> {
    for (let left = turns; left > 0; left -= 1) await turn(this.s, () => Promise.resolve());
  }

  parts(): AssessParts {
    const dynamo = scheduled(rig.table.client, this.s);
    const clock = { now: () => new Date(rig.clock.now() + this.#ahead) };
    return { ...rig.parts, clock, table: { client: dynamo, name: 'ledger' }, audit: new AuditStore(dynamo, 'audit'), cloudWatch: scheduled(rig.parts.cloudWatch, this.s) };
  }

  /** The workflow of one run, without its waits: Assess again while it holds, Apply, Report. */
  async run(rollbackId: string, input: unknown, stalls = false): Promise<Assessment> {
    const parts = this.parts();
    let seen = await assess(rig.input(this.service, input, { rollbackId }), parts, silent);
    for (let look = 1; seen.verdict === 'hold' && look < 3; look += 1)
      seen = await assess(rig.input(this.service, input, { rollbackId, look, audit: seen.audit }), parts, silent);
    if (seen.verdict === 'joined') return seen;
    // Between two calls the workflow may stand still for longer than the lease; one call cannot: Lambda ends it after a minute.
    if (stalls) await this.#standStill();
    const results = seen.verdict === 'roll-back' ? [{ rung: 'lamp', applied: await this.#act(seen, parts), confirmed: null }] : [];
    const isDone = results.every(({ applied: { status } }) => status !== 'failed');
    await endRollback({ rollbackId, startedAt: rig.at(0), input, assessment: seen, plans: [], results, verified: isDone ? verified({ answer: results.length > 0 ? 'recovered' : 'not-yet' }) : null, approval: null, error: null }, {
      audit: parts.audit as AuditStore, table: parts.table, notices: recordingNotices().notices, clock: parts.clock, machineArn, log: silent,
      factsOf: async () => ({ owner: '', runbook: null, coolDownMinutes: 30 }), signalsOfOthers: (about) => signalsOfOthers(parts.table, about),
    });
    this.acting.delete(rollbackId);
    return seen;
  }

  #act(seen: Assessment, { table, audit, clock }: AssessParts): Promise<StepApplied> {
    const { rollbackId, fence } = seen;
    this.acting.add(rollbackId);
    this.mostActing = Math.max(this.mostActing, this.acting.size);
    const handler = strategyHandler(this.strategy, () => ({ audit, clock, renew: (hold, now) => renewLock(table, hold, { now }) }));
    const step = { id: 'lamp/it', service: this.service, strategy: 'lamp', targetId: 'it', target: { lamp: 'it' }, good: null, release: null };
    return handler({ verb: 'apply', rollbackId, step, fence, planned: null, applied: null, audit: seen.audit }) as Promise<StepApplied>;
  }
}

let count = 0;

async function attached(): Promise<string> {
  const service = `order-${(count += 1)}`;
  const alarms = [`${service}-errors`, `${service}-latency`];
  for (const AlarmName of alarms) rig.cloudWatch.putMetricAlarm({ AlarmName, Namespace: 'Shop', MetricName: AlarmName, Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 5, ComparisonOperator: 'GreaterThanThreshold' });
  const { web } = serviceInput.targets;
  await rig.attach(service, { targets: { web }, signals: { ...serviceInput.signals, alarms: alarms.map((name) => ({ name })), traffic: { none: 'nobody sends it requests here' } } });
  rig.fire(...alarms);
  return service;
}

/** What must hold of every run, whatever happened: it is on record, and what it stood for is not lost. */
async function nothingLost(service: string, seen: readonly Assessment[]): Promise<void> {
  const store = new AuditStore(rig.table.client, 'audit');
  const signals = await signalsOfOthers(rig.table, { service, rollbackId: 'nobody', from: rig.at(-60) });
  for (const { rollbackId, verdict } of seen) {
    const rows = await store.read(rollbackId);
    expect(rows[0]?.kind, `first row of ${rollbackId}`).toBe('assessed');
    expect(verifyChain(rows), rollbackId).toMatchObject({ intact: true, isSealed: verdict !== 'joined' });
  }
  const joined = seen.filter(({ verdict }) => verdict === 'joined').map(({ rollbackId }) => rollbackId);
  expect(signals.map(({ rollbackId }) => rollbackId), 'signals that joined').toEqual(expect.arrayContaining(joined));
  expect((await readLock(rig.table, service)).owner, 'the lock').toBeNull();
}

test('several runs of one service, their calls in any order: one change, one at a time, nothing lost', async () => {
  await fc.assert(fc.asyncProperty(fc.scheduler(), fc.array(fc.constantFrom(...kinds), { minLength: 2, maxLength: 5 }), async (s, events) => {
    const service = await attached();
    const world = new World(service, s);
    const seen = await s.waitFor(Promise.all(events.map((kind, index) => world.run(`${service}-${index}-${kind}`, inputs(service)[kind]))));
    expect(world.writes, 'changes of the target').toBe(1);
    expect(world.side).toBe('blue');
    expect(world.mostActing, 'runs that act at the same time').toBe(1);
    // A person who asks after it was done gets the same answer without a change; nobody else acts a second time.
    expect(seen.filter(({ verdict, requestedBy }) => verdict === 'roll-back' && requestedBy === null).length, 'automatic runs that act').toBeLessThanOrEqual(1);
    await nothingLost(service, seen);
  }), { numRuns: 30, endOnFailure: true });
}, 120_000);

test('a run that stood still for longer than its lease changes nothing that another one has taken over', async () => {
  const event = fc.record({ kind: fc.constantFrom('errors' as const, 'latency' as const, 'external' as const, 'watch' as const), stalls: fc.boolean(), after: fc.nat(40) });
  await fc.assert(fc.asyncProperty(fc.scheduler(), fc.array(event, { minLength: 2, maxLength: 3 }), async (s, events) => {
    const service = await attached();
    const world = new World(service, s);
    const seen = await s.waitFor(Promise.all(events.map(async ({ kind, stalls, after }, index) => {
      await world.pause(after);
      return world.run(`${service}-${index}-${kind}`, inputs(service)[kind], stalls);
    })));
    expect(world.writes, 'changes of the target').toBe(1);
    await nothingLost(service, seen);
  }), { numRuns: 30, endOnFailure: true });
}, 120_000);
