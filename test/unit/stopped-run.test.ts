// A rollback that somebody ended from outside while a handler of it went on: what that handler can still do, and what the next run waits for.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { joinSignal } from '../../lambdas/adapters/ledger-history.ts';
import { signalsOfOthers } from '../../lambdas/adapters/ledger-late-signals.ts';
import { acquireLock, ownFence, readLock } from '../../lambdas/adapters/ledger-lock.ts';
import { readService } from '../../lambdas/adapters/ledger.ts';
import type { AuditRecord } from '../../lambdas/adapters/audit-record.ts';
import type { AuditKind, AuditRow } from '../../lambdas/audit/entry.ts';
import { type AssessParts, assess } from '../../lambdas/runtime/assess.ts';
import type { ReportParts } from '../../lambdas/runtime/report.ts';
import { longestChangeSeconds, unsettledUntil } from '../../lambdas/runtime/unsettled.ts';
import { endDead } from '../../lambdas/runtime/watchdog.ts';
import { strategyTimeoutSeconds } from '../../lib/engine/handler-timeouts.ts';
import { alarmInput, Rig } from './assess-rig.ts';
import { machineArn, recordingNotices, silent } from './report-samples.ts';

const rig = new Rig();
let count = 0;
beforeAll(() => rig.start());
afterAll(() => rig.stop());
afterEach(() => { rig.calm('5xx', 'latency'); });

/** A sick service of its own, and what ends its rollback. */
async function sick() {
  const service = `ended-${(count += 1)}`;
  await rig.attach(service);
  rig.fire('5xx', 'latency');
  const sent = recordingNotices();
  const audit = rig.parts.audit as AuditRecord;
  const parts: ReportParts = {
    audit, table: rig.table, notices: sent.notices, clock: rig.parts.clock, machineArn, log: silent, factsOf: async () => null, signalsOfOthers: (about) => signalsOfOthers(rig.table, about),
  };
  const look = (over: Partial<AssessParts> = {}) => assess(rig.input(service, alarmInput(service)), { ...rig.parts, ...over }, silent);
  const stop = (over: Partial<ReportParts> = {}) => endDead({ detail: { name: `rb-${service}`, status: 'ABORTED', startDate: rig.clock.now(), input: JSON.stringify(alarmInput(service)) } }, { ...parts, ...over });
  return { service, rollbackId: `rb-${service}`, sent, parts, audit, look, stop, ledger: () => readService(rig.table, service, new Date(rig.clock.now())) };
}

/** The same, but something happens before the first call of that name. */
function before<Store extends object>(store: Store, name: keyof Store, happens: () => Promise<unknown>): Store {
  let isFirst = true;
  return new Proxy(store, { get: (target, called) => async (...given: unknown[]) => {
    const isNow = isFirst && called === name;
    if (isNow) isFirst = false;
    if (isNow) await happens();
    return (target[called as keyof Store] as (...given: unknown[]) => Promise<unknown>).apply(target, given);
  } });
}

describe('a look that goes on', () => {
  it('begins no rollback on record, and frees nothing that is not its own', async () => {
    const { look, stop, ledger, audit } = await sick();
    await expect(look({ audit: before(audit, 'append', stop) })).rejects.toThrow('is sealed at row');
    expect(await ledger()).toMatchObject({ rollbacks: [], lock: { owner: null } });
  });

  it('takes the lock no more, so that nobody can join it', async () => {
    const { service, look, stop } = await sick();
    await stop();
    await expect(look()).rejects.toMatchObject({ name: 'Stopped', code: 'ended' });
    expect(await readLock(rig.table, service)).toMatchObject({ owner: null, fence: 0 });
    expect(await acquireLock(rig.table, service, 'rb-next', { now: new Date(rig.clock.now()) })).toMatchObject({ held: true, fence: 1 });
  });

  it('is closed with what it wrote until its record was', async () => {
    const { look, stop, ledger, audit, rollbackId, sent } = await sick();
    // The Watchdog has read the record before the look writes its row.
    await stop({ audit: before(audit, 'append', look) });
    expect((await ledger())).toMatchObject({ rollbacks: [{ rollbackId, outcome: 'died', endedAt: expect.any(String) as string }], lock: { owner: null } });
    expect(sent.events.map(({ detail }) => detail)).toMatchObject([{ outcome: 'died', version: 'v2' }]);
  });

  it('loses no signal that was left to it before it wrote a row, and none while people are told', async () => {
    const { service, rollbackId, stop, sent, parts: { notices } } = await sick();
    await acquireLock(rig.table, service, rollbackId, { now: new Date(rig.clock.now()) });
    const leave = (name: string) => joinSignal(rig.table, service, { at: rig.at(0), rollbackId: `rb-${name}`, kind: 'external', source: `datadog/${name}`, status: 'firing', since: null, summary: name, mutedUntil: null, leftTo: rollbackId });
    await leave('early');
    await stop({ notices: before(notices, 'send', () => leave('late')) });
    const told = (await rig.audited(rollbackId)).flatMap(({ ending }) => (ending as { readonly reasons: readonly { readonly text: string }[] } | undefined)?.reasons ?? []);
    expect(told.map(({ text }) => text).filter((text) => text.includes('datadog/'))).toEqual([expect.stringContaining('datadog/early') as string]);
    expect(sent.events.flatMap(({ detail }) => (detail['signals'] ?? []) as string[])).toEqual([expect.stringContaining('datadog/late') as string]);
  });
});

const row = (kind: AuditKind, second: number, stepId = 'alb-weights/web') => ({ kind, at: `2026-11-20T09:00:0${second}.000Z`, data: JSON.stringify({ stepId }) }) as AuditRow;

describe('a change that goes on', () => {
  it.each<[string, readonly AuditRow[], string | null]>([
    ['was announced', [row('change-intended', 1)], '2026-11-20T09:01:01.000Z'],
    ['was announced twice', [row('change-intended', 1), row('change-failed', 2), row('change-intended', 3)], '2026-11-20T09:01:03.000Z'],
    ['is one of two', [row('change-intended', 1), row('change-intended', 2, 'alb-weights/api'), row('change-made', 3, 'alb-weights/api')], '2026-11-20T09:01:01.000Z'],
    ['was made', [row('change-intended', 1), row('change-made', 2)], null],
    ['failed', [row('change-intended', 1), row('change-failed', 2)], null],
    ['was never announced', [row('assessed', 1), row('planned', 2)], null],
    ['stands in a row that is no JSON', [{ ...row('change-intended', 1), data: '{' }], null],
  ])('that %s', (_when, rows, until) => {
    expect(unsettledUntil(rows)?.toISOString() ?? null).toBe(until);
  });

  it('ends with its function', () => {
    expect(longestChangeSeconds).toBe(strategyTimeoutSeconds);
  });

  it.each([['change-intended', 'hold'], ['change-made', 'roll-back']] as const)('is waited for by the next run, whoever asks for it: last row %s, verdict %s', async (last, verdict) => {
    const { service, rollbackId, look, stop, audit } = await sick();
    await look();
    for (const kind of ['change-intended', last] as const) await audit.append({ rollbackId, service, kind, at: rig.at(0), data: { stepId: 'alb-weights/web', strategy: 'alb-weights', targetId: 'web' } }, null);
    await stop();
    const next = await rig.assess(rig.input(service, { service, reason: 'customers cannot pay', requestedBy: 'dana' }, { rollbackId: `${rollbackId}-next` }));
    expect(next.verdict).toBe(verdict);
    if (verdict === 'roll-back') return;
    expect(next.holdSeconds).toBeGreaterThan(50);
    expect(next.holdSeconds).toBeLessThanOrEqual(60);
    expect(await ownFence(rig.table, service, `${rollbackId}-next`)).toBe(2);
    const later = { ...rig.parts, clock: { now: () => new Date(rig.clock.now() + next.holdSeconds * 1000) } };
    expect(await assess(rig.input(service, { service, reason: 'customers cannot pay', requestedBy: 'dana' }, { rollbackId: `${rollbackId}-next`, look: 1, audit: next.audit }), later, silent)).toMatchObject({ verdict: 'roll-back' });
  });
});
