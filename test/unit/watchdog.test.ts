// The Watchdog: an execution that died is closed from its own record, once, whatever had been done.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acquireLock, readLock } from '../../lambdas/adapters/ledger-lock.ts';
import { readService } from '../../lambdas/adapters/ledger.ts';
import { verifyChain } from '../../lambdas/audit/chain.ts';
import type { AuditKind } from '../../lambdas/audit/entry.ts';
import { decide } from '../../lambdas/domain/decide.ts';
import type { Question } from '../../lambdas/domain/question.ts';
import type { JsonObject } from '../../lambdas/domain/vocabulary.ts';
import { endRollback, type ReportParts } from '../../lambdas/runtime/report.ts';
import { type DeathEvent, deathOf, endDead, reportInput } from '../../lambdas/runtime/watchdog.ts';
import { startTables, type Tables } from './audit-tables.ts';
import { minute, question } from './domain/samples.ts';
import { machineArn, recordingNotices, silent, withoutNotes } from './report-samples.ts';
import { recordRollback } from './rollback-rows.ts';

let tables: Tables;
beforeAll(async () => { tables = await startTables(); });
afterAll(async () => { await tables.stop(); });

let count = 0;
const clock = { now: () => new Date(minute(20)) };

/** A rollback as far as it got: lock, record, and the rows that were written. */
async function dying(rows: readonly [AuditKind, JsonObject][] = [], lockedBy: string | null = null, policy: Partial<Question['policy']> = {}) {
  const [rollbackId, service] = [`rb-dead-${(count += 1)}`, `dead-${count}`];
  const plain = question({ rollbackId, service, lockedBy });
  const asked = { ...plain, policy: { ...plain.policy, ...policy } };
  await acquireLock(tables.ledger, service, rollbackId, { now: new Date(minute(10)) });
  await recordRollback(tables.ledger, { rollbackId, service, startedAt: asked.startedAt, isAutomatic: true, release: { id: 'r-2', version: 'v2' }, goodVersion: 'v1', endedAt: null, outcome: null });
  const data = { question: asked, decision: decide(asked), fence: lockedBy === null ? 1 : null, configVersion: 3, codeVersion: 'abc' } as unknown as JsonObject;
  for (const [kind, more] of [['assessed', data] as const, ...rows])
    await tables.audit.append({ rollbackId, service, kind, at: minute(11), data: more }, null);
  const sent = recordingNotices();
  const parts: ReportParts = { audit: tables.audit, table: tables.ledger, notices: sent.notices, clock, machineArn, log: silent, factsOf: async () => null, signalsOfOthers: async () => [] };
  const event: DeathEvent = { detail: { name: rollbackId, status: 'TIMED_OUT', startDate: Date.parse(asked.startedAt), input: JSON.stringify({ service, event: {} }) } };
  return { rollbackId, service, sent, parts, event };
}

describe('the event of a death', () => {
  const told = (change: object): unknown => ({ detail: { name: 'rb-1', status: 'FAILED', startDate: 1_795_166_047_104, ...change } });

  it('is taken as it is', () => {
    for (const status of ['FAILED', 'TIMED_OUT', 'ABORTED']) expect(deathOf(told({ status }))).toEqual(told({ status }));
    // A person may start one under any name that Step Functions takes.
    expect(deathOf(told({ name: "dana's@night(2)" }))).toEqual(told({ name: "dana's@night(2)" }));
  });

  it.each<[string, unknown]>([
    ['name', { name: '' }], ['name', { name: 'label#event#rb-1' }], ['name', { name: 'x'.repeat(81) }], ['name', { name: 7 }],
    ['status', { status: 'SUCCEEDED' }], ['status', { status: 'RUNNING' }], ['status', { status: undefined }],
    ['startDate', { startDate: 1e300 }], ['startDate', { startDate: '2026-11-20' }],
  ])('is refused for its %s: %j', (field, change) => {
    expect(() => deathOf(told(change as object))).toThrow(`\`detail.${field}\` must be`);
  });

  it('is refused without a detail', () => {
    for (const event of [null, undefined, 'text', [], {}, { detail: null }]) expect(() => deathOf(event)).toThrow('tells of no execution that died');
  });
});

const step = { stepId: 'alb-weights/web', strategy: 'alb-weights', targetId: 'web' };

describe('the Watchdog', () => {
  it('closes the record, seals the audit, frees the lock with a cool-down, and pages', async () => {
    const { rollbackId, service, sent, parts, event } = await dying();
    expect(await endDead(event, parts)).toMatchObject({ rollbackId, outcome: 'died', ok: false });
    const rows = await tables.audit.read(rollbackId);
    expect(rows.map(({ kind }) => kind)).toEqual(['assessed', 'reported', 'sealed']);
    expect(verifyChain(rows).intact).toBe(true);
    const { rollbacks, lock } = await readService(tables.ledger, service, clock.now());
    expect(rollbacks).toMatchObject([{ rollbackId, outcome: 'died', endedAt: minute(20) }]);
    expect(lock).toMatchObject({ owner: null, fence: 1, coolDownUntil: minute(50) });
    expect(sent.messages.map(({ topic }) => topic)).toContain('on-call');
  });

  it('leaves the service its own cool-down, as the last look knew it', async () => {
    const { service, parts, event } = await dying([['assessed', { door: 'a look that knew no policy' }]], null, { coolDownMinutes: 90 });
    await endDead(event, parts);
    expect(await readLock(tables.ledger, service)).toMatchObject({ coolDownUntil: minute(110) });
  });

  it('does nothing a second time, and nothing after Report', async () => {
    const { rollbackId, sent, parts, event } = await dying();
    await endDead(event, parts);
    const [rows, messages] = [await tables.audit.read(rollbackId), sent.messages.length];
    expect(await endDead({ detail: { ...event.detail, status: 'FAILED' } }, parts)).toMatchObject({ outcome: 'died' });
    expect(await tables.audit.read(rollbackId)).toEqual(rows);
    expect(sent.messages).toHaveLength(messages);
  });

  it('tells nobody again after a Report that told them and could not note it: the outcome is the error of the execution', async () => {
    const { rollbackId, sent, parts: { table, ...others }, event } = await dying();
    const parts = { ...others, table: withoutNotes(table) };
    const input = { ...reportInput(event.detail, await tables.audit.read(rollbackId)), error: { Error: 'X' } };
    const { outcome } = await endRollback(input, parts);
    const messages = sent.messages.length;
    expect([outcome, messages > 0]).toEqual(['failed', true]);
    await endDead({ detail: { ...event.detail, status: 'FAILED', error: outcome } }, parts);
    expect(sent.messages).toHaveLength(messages);
  });

  it.each([['FAILED', 'Retryable'], ['FAILED', null], ['TIMED_OUT', 'failed'], ['ABORTED', 'failed']] as const)('tells them where Report did not come to its end (%s, error %s)', async (status, error) => {
    const { rollbackId, sent, parts, event } = await dying();
    const input = { ...reportInput(event.detail, await tables.audit.read(rollbackId)), error: { Error: 'X' } };
    const broken = recordingNotices(() => 'on-call');
    await expect(endRollback(input, { ...parts, notices: broken.notices })).rejects.toThrow('on-call is not there');
    await endDead({ detail: { ...event.detail, status, error } }, parts);
    expect(sent.messages.map(({ topic }) => topic)).toContain('on-call');
  });

  it('wakes nobody for a run that had joined another: that one acts, and tells how it ended', async () => {
    const { rollbackId, sent, parts, event } = await dying([], 'rb-at-work');
    await endDead(event, parts);
    expect((await tables.audit.read(rollbackId)).map(({ kind }) => kind)).toEqual(['assessed', 'reported', 'sealed']);
    expect(sent.messages).toEqual([]);
  });

  it('leaves the lock to whoever has it now', async () => {
    const { service, parts, event } = await dying();
    await acquireLock(tables.ledger, service, 'rb-next', { now: new Date(minute(40)) });
    await endDead(event, parts);
    expect(await readLock(tables.ledger, service)).toMatchObject({ owner: 'rb-next', fence: 2, coolDownUntil: null });
  });

  it('closes an execution that died before its first row, and one whose input was left out', async () => {
    const { parts } = await dying();
    const event = { detail: { name: `rb-dead-${(count += 1)}`, status: 'ABORTED' as const, startDate: Date.parse(minute(10)), input: null } };
    expect(await endDead(event, parts)).toMatchObject({ outcome: 'died' });
    expect((await tables.audit.read(event.detail.name)).map(({ kind }) => kind)).toEqual(['reported', 'sealed']);
  });

  it('tells what was done to each target, and what nobody knows', async () => {
    const made = await dying([
      ['change-intended', { ...step, from: { blue: 0 }, to: { blue: 100 }, summary: 'blue 0 → 100' }],
      ['change-made', { ...step, status: 'changed', handle: null, summary: 'blue 0 → 100' }],
      ['change-intended', { ...step, stepId: 'alb-weights/edge', targetId: 'edge', from: { blue: 0 }, to: { blue: 100 }, summary: 'blue 0 → 100' }],
      ['change-failed', { ...step, stepId: 'alb-weights/api', targetId: 'api', status: 'failed', reason: { code: 'denied', text: 'not allowed' } }],
    ]);
    const input = reportInput(made.event.detail, await tables.audit.read(made.rollbackId));
    expect(input.results.map(({ rung, applied: { targetId, status, from, reason } }) => [rung, targetId, status, from, reason?.code])).toEqual([
      ['alb-weights', 'web', 'changed', { blue: 0 }, undefined], ['alb-weights', 'edge', 'failed', { blue: 0 }, 'outcome-unknown'], ['alb-weights', 'api', 'failed', null, 'denied'],
    ]);
    expect(input.assessment).toMatchObject({ verdict: 'roll-back', fence: 1, release: { version: 'v2' }, knownGood: { version: 'v1' }, configVersion: 3, codeVersion: 'abc' });
  });
});
