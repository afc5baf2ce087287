// Several runs against one account, every AWS call of each in whatever order the scheduler picks; and what must hold of all of them in the end.
import * as fc from 'fast-check';
import * as z from 'zod';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { readAnchor } from '../../lambdas/adapters/audit-anchor.ts';
import { AuditRows } from '../../lambdas/adapters/audit-rows.ts';
import { AuditRecord } from '../../lambdas/adapters/audit-record.ts';
import { AwsCallError } from '../../lambdas/adapters/aws-errors.ts';
import { updateRelease } from '../../lambdas/adapters/ledger-history.ts';
import { signalsOfOthers } from '../../lambdas/adapters/ledger-late-signals.ts';
import { readLock, renewLock } from '../../lambdas/adapters/ledger-lock.ts';
import { readService } from '../../lambdas/adapters/ledger.ts';
import { verifyChain } from '../../lambdas/audit/chain.ts';
import type { ServiceInput } from '../../lambdas/config/schema.ts';
import type { JsonObject, StepRequest } from '../../lambdas/domain/vocabulary.ts';
import type { Assessment, StepApplied } from '../../lambdas/domain/workflow.ts';
import { type AssessParts, assess } from '../../lambdas/runtime/assess.ts';
import { endRollback } from '../../lambdas/runtime/report.ts';
import { strategyHandler } from '../../lambdas/runtime/strategy-handler.ts';
import type { WatchParts } from '../../lambdas/runtime/watch.ts';
import type { Strategy } from '../../lambdas/strategies/strategy.ts';
import { alarmInput, Rig, serviceInput } from '../unit/assess-rig.ts';
import { machineArn, recordingNotices, silent, verified } from '../unit/report-samples.ts';

export const rig = new Rig();

/** Starts and stops the account around the tests of a file. */
export function withAccount(): void {
  beforeAll(() => {
    vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
    return rig.start();
  });
  afterAll(() => rig.stop());
}

type Calls = { readonly send: (...given: unknown[]) => Promise<unknown> };

type Settled<Answer> = { readonly answer: Answer } | { readonly error: unknown };

/** Waits until the scheduler picks it; then it runs whole. The scheduler itself sees neither the answer, which it would print, nor the error, which it would pass to nobody. */
export async function turn<Answer>(s: fc.Scheduler, run: () => Promise<Answer>): Promise<Answer> {
  let settled: Settled<Answer> | null = null;
  await s.scheduleFunction(async () => {
    settled = await run().then((answer) => ({ answer }), (error: unknown) => ({ error }));
  })();
  const said = settled as Settled<Answer> | null;
  if (said === null) throw new Error('the scheduler let a turn pass that was never taken');
  if ('error' in said) throw said.error;
  return said.answer;
}

export async function pause(s: fc.Scheduler, turns: number): Promise<void> {
  for (let left = turns; left > 0; left -= 1) await turn(s, () => Promise.resolve());
}

/** Every AWS call of every run takes its turn. */
export function scheduled<Client extends object>(client: Client, s: fc.Scheduler): Client {
  const { send } = client as unknown as Calls;
  return Object.assign(Object.create(client) as Client, { send: (...given: unknown[]) => turn(s, () => send.call(client, ...given)) });
}

export type Kind = 'errors' | 'latency' | 'external' | 'watch' | 'person';
export const kinds: readonly Kind[] = ['errors', 'latency', 'external', 'watch', 'person'];

export const inputs = (service: string): Readonly<Record<Kind, unknown>> => ({
  errors: alarmInput(service, `${service}-errors`),
  latency: alarmInput(service, `${service}-latency`),
  external: { service, event: { source: 'ripcord.signal', 'detail-type': 'Signal', detail: { service, tool: 'datadog', id: 'm-1', status: 'firing', summary: 'budget burns' } } },
  watch: { service, event: { source: 'ripcord.watch', 'detail-type': 'Watch Signal', detail: { releaseId: 'r-2', alarms: [`${service}-errors`, `${service}-latency`], journeys: [] } } },
  person: { service, reason: 'customers cannot pay', requestedBy: 'dana' },
});

/** What one run did. */
export interface Ran {
  readonly seen: Assessment;
  /** Null when it was not to act. */
  readonly applied: StepApplied | null;
}

export interface Acting {
  readonly strategy: Strategy;
  readonly target: JsonObject;
  readonly good: StepRequest['good'];
}

/** One service under its runs; what they change is up to the strategy. */
export class World {
  /** Runs between the verdict to roll back and their end. */
  readonly acting = new Set<string>();
  mostActing = 0;
  /** How far the clock of runs is ahead of the rig's, in milliseconds. */
  ahead = 0;
  readonly s: fc.Scheduler;
  readonly service: string;
  readonly #how: Acting;

  constructor(service: string, s: fc.Scheduler, how: Acting) {
    this.service = service;
    this.s = s;
    this.#how = how;
  }

  parts(): AssessParts & WatchParts {
    const dynamo = scheduled(rig.table.client, this.s);
    const clock = { now: () => new Date(rig.clock.now() + this.ahead) };
    return { ...rig.parts, clock, table: { client: dynamo, name: 'ledger' }, audit: new AuditRecord(dynamo, 'audit', 'ledger'), cloudWatch: scheduled(rig.parts.cloudWatch, this.s) };
  }

  /** The workflow of one run, without its waits: Assess again while it holds, Apply, Report. @param standStill between its verdict and its change. */
  async run(rollbackId: string, input: unknown, standStill: () => Promise<void> = () => Promise.resolve()): Promise<Ran> {
    const parts = this.parts();
    let seen = await assess(rig.input(this.service, input, { rollbackId }), parts, silent);
    for (let look = 1; seen.verdict === 'hold' && look < 3; look += 1)
      seen = await assess(rig.input(this.service, input, { rollbackId, look, audit: seen.audit }), parts, silent);
    if (seen.verdict === 'joined') return { seen, applied: null };
    await standStill();
    return this.end(seen, input, parts);
  }

  /** From a verdict that needs no further look to the end of the run. */
  async end(seen: Assessment, input: unknown, parts: AssessParts = this.parts()): Promise<Ran> {
    const { rollbackId } = seen;
    const applied = seen.verdict === 'roll-back' ? await this.#act(seen, parts) : null;
    const isDone = applied !== null && (applied.status === 'changed' || applied.status === 'already');
    const answer = applied === null ? 'not-yet' : 'recovered';
    await endRollback({ rollbackId, startedAt: rig.at(0), input, assessment: seen, plans: [], results: applied === null ? [] : [{ rung: 'lamp', applied, confirmed: null }], verified: isDone || applied === null ? verified({ answer }) : null, approval: null, error: null }, {
      audit: parts.audit as AuditRecord, table: parts.table, notices: recordingNotices().notices, clock: parts.clock, machineArn, log: silent,
      factsOf: async () => ({ owner: '', runbook: null, coolDownMinutes: 30 }), signalsOfOthers: (about) => signalsOfOthers(parts.table, about),
    });
    this.acting.delete(rollbackId);
    return { seen, applied };
  }

  #act(seen: Assessment, { table, audit, clock }: AssessParts): Promise<StepApplied> {
    const { rollbackId, fence, release } = seen;
    const { strategy, target, good } = this.#how;
    this.acting.add(rollbackId);
    this.mostActing = Math.max(this.mostActing, this.acting.size);
    const handler = strategyHandler(strategy, () => ({ audit, clock, renew: (hold, now) => renewLock(table, hold, { now }) }));
    const step: StepRequest = {
      id: 'lamp/it', service: this.service, strategy: strategy.manifest.name, targetId: 'it', target, good,
      release: release === null ? null : { id: release.id, version: release.version, startedAt: release.startedAt, isFinished: release.finishedAt !== null, left: release.left?.['it'] ?? null },
    };
    return handler({ verb: 'apply', rollbackId, step, fence, planned: null, applied: null, audit: seen.audit }) as Promise<StepApplied>;
  }
}

type Side = { readonly side: string };

/** A target that is one word; the release left it at `green`, and good is `blue`. */
export class Lamp {
  side = 'green';
  /** What each change took the place of. */
  readonly over: string[] = [];
  readonly #s: fc.Scheduler;
  readonly #calm: () => void;

  /** @param calm what a change makes well again. */
  constructor(s: fc.Scheduler, calm: () => void) {
    this.#s = s;
    this.#calm = calm;
  }

  readonly strategy: Strategy<JsonObject, Side> = {
    manifest: { name: 'lamp', summary: '', target: z.strictObject({ lamp: z.string() }), states: { same: () => false, isSplit: () => false } },
    way: { order: 1, kind: 'traffic-shift', effect: () => ({ downtime: 'none', text: 'a lamp', seconds: 1, basis: 'known' }) },
    capture: () => turn(this.#s, async () => ({ state: { side: this.side }, facts: {} })),
    plan: ({ live: { state }, release }) => {
      if (state.side === 'blue') return { outcome: 'already', from: state, to: state, summary: 'blue' };
      const left = (release?.left as Side | null | undefined)?.side ?? null;
      if (left !== null && left !== state.side) return { outcome: 'impossible', from: state, reason: { code: 'changed-by-someone-else', text: `The lamp is ${state.side}, and the release left it ${left}.` } };
      return { outcome: 'change', from: state, to: { side: 'blue' }, summary: `${state.side} → blue` };
    },
    apply: async ({ from, to }) => {
      await turn(this.#s, async () => {
        if (this.side !== from.side) throw new AwsCallError('conflicting', { action: 'lamp:Turn', awsCode: 'Conflict', text: `it is ${this.side} meanwhile` }, null);
        this.over.push(this.side);
        this.side = to.side;
        this.#calm();
      });
      return { handle: null, confirmAfterSeconds: 0 };
    },
    confirm: () => Promise.reject(new Error('not asked here')),
  };

  get acting(): Acting {
    return { strategy: this.strategy, target: { lamp: 'it' }, good: null };
  }
}

let count = 0;

/** A service with two alarms that fire since its release, which left the lamp at green. */
export async function attached(policy: Partial<ServiceInput['policy']> = {}): Promise<string> {
  const service = `order-${(count += 1)}`;
  const alarms = [`${service}-errors`, `${service}-latency`];
  for (const AlarmName of alarms) rig.cloudWatch.putMetricAlarm({ AlarmName, Namespace: 'Shop', MetricName: AlarmName, Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 5, ComparisonOperator: 'GreaterThanThreshold' });
  const { web } = serviceInput.targets;
  await rig.attach(service, { targets: { web }, policy: { ...serviceInput.policy, ...policy }, signals: { ...serviceInput.signals, alarms: alarms.map((name) => ({ name })), traffic: { none: 'nobody sends it requests here' } } });
  rig.fire(...alarms);
  return service;
}

export const calm = (service: string) => (): void => { rig.calm(`${service}-errors`, `${service}-latency`); };

/** Says what the release left on the only target. */
export async function releaseLeft(service: string, state: JsonObject): Promise<void> {
  const { releases: [release] } = await readService(rig.table, service, new Date(rig.clock.now()));
  if (release === undefined) throw new Error(`${service} has no release`);
  await updateRelease(rig.table, release, { left: { it: state } });
}

/** What must hold of every run, whatever happened: it is on record, and what it stood for is not lost. */
export async function nothingLost(service: string, runs: readonly Ran[]): Promise<void> {
  const store = new AuditRows(rig.table.client, 'audit');
  const signals = await signalsOfOthers(rig.table, { service, rollbackId: 'nobody', from: rig.at(-60) });
  const seen = runs.map((run) => run.seen);
  for (const { rollbackId, verdict } of seen) {
    const rows = await store.read(rollbackId);
    expect(rows[0]?.kind, `first row of ${rollbackId}`).toBe('assessed');
    expect(verifyChain(rows, await readAnchor(rig.table, rollbackId) ?? undefined), rollbackId).toMatchObject({ intact: true, isSealed: verdict !== 'joined', isAnchored: true });
  }
  const joined = seen.filter(({ verdict }) => verdict === 'joined').map(({ rollbackId }) => rollbackId);
  expect(signals.map(({ rollbackId }) => rollbackId), 'signals that joined').toEqual(expect.arrayContaining(joined));
  expect((await readLock(rig.table, service)).owner, 'the lock').toBeNull();
}
