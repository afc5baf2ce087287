// Several runs against one account, every AWS call of each in whatever order the scheduler picks; and what must hold of all of them in the end.
import * as fc from 'fast-check';
import * as z from 'zod';
import { afterAll, beforeAll, vi } from 'vitest';
import { AuditRecord } from '../../lambdas/adapters/audit-record.ts';
import { AwsCallError } from '../../lambdas/adapters/aws-errors.ts';
import { updateRelease } from '../../lambdas/adapters/ledger-history.ts';
import { signalsOfOthers } from '../../lambdas/adapters/ledger-late-signals.ts';
import { renewLock } from '../../lambdas/adapters/ledger-lock.ts';
import { readService } from '../../lambdas/adapters/ledger.ts';
import type { Notices } from '../../lambdas/adapters/notices.ts';
import type { ServiceInput } from '../../lambdas/config/schema.ts';
import type { JsonObject, StepRequest } from '../../lambdas/domain/vocabulary.ts';
import type { Assessment, ReportInput, StepApplied } from '../../lambdas/domain/workflow.ts';
import { type AssessParts, assess } from '../../lambdas/runtime/assess.ts';
import { endRollback, type ReportParts } from '../../lambdas/runtime/report.ts';
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

/** @param gate what each call waits for before it is sent. */
export function gated<Client extends object>(client: Client, gate: () => Promise<void>): Client {
  const { send } = client as unknown as Calls;
  return Object.assign(Object.create(client) as Client, { send: async (...given: unknown[]) => {
    await gate();
    return send.call(client, ...given);
  } });
}

/** @param done hears of each call that went through. */
function heard<Client extends object>(client: Client, done: (input: { readonly UpdateExpression?: string }) => void): Client {
  const { send } = client as unknown as Calls;
  return Object.assign(Object.create(client) as Client, { send: async (command: { readonly input: object }, ...more: unknown[]) => {
    const answer = await send.call(client, command, ...more);
    done(command.input);
    return answer;
  } });
}

export type Kind = 'errors' | 'latency' | 'external' | 'watch' | 'person';
export const kinds: readonly Kind[] = ['errors', 'latency', 'external', 'watch', 'person'];

/** When the alarms of a service fired. */
const firedAt = new Map<string, string>();
const alarm = (service: string, name: string): unknown => alarmInput(service, name, { state: { value: 'ALARM', timestamp: firedAt.get(service) } });

export const inputs = (service: string): Readonly<Record<Kind, unknown>> => ({
  errors: alarm(service, `${service}-errors`),
  latency: alarm(service, `${service}-latency`),
  external: { service, event: { source: 'ripcord.signal', 'detail-type': 'Signal', detail: { service, tool: 'datadog', id: 'm-1', status: 'firing', summary: 'budget burns' } } },
  watch: { service, event: { source: 'ripcord.watch', 'detail-type': 'Watch Signal', detail: { releaseId: 'r-2', alarms: [`${service}-errors`, `${service}-latency`], journeys: [] } } },
  person: { service, reason: 'customers cannot pay', requestedBy: 'dana' },
});

/** What one run did. */
export interface Ran {
  readonly seen: Assessment;
  /** Null when it was not to act. */
  readonly applied: StepApplied | null;
  /** Of the last round of proof; null where nothing was proven. */
  readonly provenAt: string | null;
}

export interface Acting {
  readonly strategy: Strategy;
  readonly target: JsonObject;
  readonly good: StepRequest['good'];
}

/** One service under its runs; what they change is up to the strategy. */
export class World {
  /** Runs between the verdict to roll back and the end of their lock. */
  readonly acting = new Set<string>();
  mostActing = 0;
  /** How far the clock of runs is ahead of the rig's, in milliseconds. */
  ahead = 0;
  /** What on-call and machines got. */
  readonly sent = recordingNotices();
  #close: () => void = () => undefined;
  /** Until the first run begins to be closed. */
  readonly closing = new Promise<void>((resolve) => { this.#close = resolve; });
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
    if (seen.verdict === 'joined') return { seen, applied: null, provenAt: null };
    await standStill();
    return this.end(seen, input, parts);
  }

  /** From a verdict that needs no further look to the end of the run. */
  async end(seen: Assessment, input: unknown, parts: AssessParts = this.parts(), more: Partial<Pick<ReportInput, 'startedAt' | 'approval' | 'error'>> = {}): Promise<Ran> {
    const { rollbackId } = seen;
    const applied = seen.verdict === 'roll-back' && (more.error ?? null) === null ? await this.act(seen, parts) : null;
    const isDone = applied !== null && (applied.status === 'changed' || applied.status === 'already');
    const proof = isDone ? verified({ journeys: { at: parts.clock.now().toISOString(), results: [] } }) : null;
    this.#close();
    const results = applied === null ? [] : [{ rung: 'lamp', applied, confirmed: null }];
    await endRollback({ rollbackId, startedAt: rig.at(0), input, assessment: seen, plans: [], results, verified: proof, approval: null, error: null, ...more }, this.ending(rollbackId, parts));
    this.acting.delete(rollbackId);
    return { seen, applied, provenAt: proof?.journeys.at ?? null };
  }

  /** What ends a run, which acts no more once its lock is free. */
  ending(rollbackId: string, { table, audit, clock }: AssessParts): ReportParts {
    const client = heard(table.client, ({ UpdateExpression = '' }) => {
      if (UpdateExpression.includes('REMOVE #owner')) this.acting.delete(rollbackId);
    });
    return {
      audit: audit as AuditRecord, table: { ...table, client }, notices: this.#notices(), clock, machineArn, log: silent,
      factsOf: async () => ({ owner: '', runbook: null, coolDownMinutes: 30 }), signalsOfOthers: (about) => signalsOfOthers(table, about),
    };
  }

  /** Other runs go on before a message is out, and before its sender goes on. */
  #notices(): Notices {
    const { notices } = this.sent;
    return Object.assign(Object.create(notices) as Notices, {
      send: async (...given: Parameters<Notices['send']>) => {
        const sent = await turn(this.s, () => notices.send(...given));
        await pause(this.s, 2);
        return sent;
      },
    });
  }

  act(seen: Assessment, { table, audit, clock }: AssessParts, strategy: Strategy = this.#how.strategy): Promise<StepApplied> {
    const { rollbackId, fence, release } = seen;
    const { target, good } = this.#how;
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
  firedAt.set(service, rig.at(0));
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
