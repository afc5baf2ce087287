// A message of a rollback goes out once, and again only where nobody knows whether it did.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendOnce } from '../../../lambdas/adapters/notices-once.ts';
import { announce } from '../../../lambdas/runtime/announce.ts';
import { startedMessage } from '../../../lambdas/runtime/messages.ts';
import { startTables, type Tables } from '../audit-tables.ts';
import { assessment, machineArn, recordingNotices, silent, testClock, withoutNotes } from '../report-samples.ts';

let tables: Tables;
beforeAll(async () => { tables = await startTables(); });
afterAll(async () => { await tables.stop(); });

describe('a message of a rollback', () => {
  let count = 0;
  const message = startedMessage(assessment(), { machineArn, owner: 'Team Shop', runbook: null });

  it('goes out once, however often the step is repeated', async () => {
    const { notices, messages, events } = recordingNotices();
    const mailbox = { table: tables.ledger, notices, clock: testClock(), log: silent };
    const one = { rollbackId: `rb-m${(count += 1)}`, kind: 'started', message };
    expect([await sendOnce(mailbox, one), await sendOnce(mailbox, one), await sendOnce(mailbox, one)]).toEqual([true, false, false]);
    expect([messages.length, events.length]).toEqual([2, 1]);
  });

  it('goes out again when nobody knows whether it did', async () => {
    let failing: string | null = 'on-call';
    const { notices, messages } = recordingNotices(() => failing);
    const mailbox = { table: tables.ledger, notices, clock: testClock(), log: silent };
    const one = { rollbackId: `rb-m${(count += 1)}`, kind: 'started', message };
    await expect(sendOnce(mailbox, one)).rejects.toThrow(/on-call/);
    expect(messages.map(({ topic }) => topic)).toEqual(['stakeholders']);
    failing = null;
    expect(await sendOnce(mailbox, one)).toBe(true);
    expect(messages.map(({ topic }) => topic)).toContain('on-call');
  });

  it('went out, and is not tried again, where only the note of it fails; the log says so', async () => {
    const { notices, messages } = recordingNotices();
    const warnings: string[] = [];
    const log = { ...silent, warn: (text: string) => { warnings.push(text); } };
    const rollbackId = `rb-m${(count += 1)}`;
    const parts = { audit: tables.audit, table: withoutNotes(tables.ledger), notices, clock: testClock(), machineArn, factsOf: async () => null, log };
    expect(await announce({ assessment: assessment({ rollbackId }), rung: 0 }, parts)).toEqual({ sent: true });
    expect(messages.map(({ topic }) => topic)).toEqual(['on-call', 'stakeholders']);
    expect((await tables.audit.read(rollbackId)).map(({ kind }) => kind)).toEqual(['announced']);
    expect(warnings).toEqual([expect.stringContaining('"started"') as string]);
  });

  it('went out, and Announce alone fails, where the note of it is not permitted', async () => {
    const { notices, messages } = recordingNotices();
    const parts = { audit: tables.audit, table: withoutNotes(tables.ledger, 'AccessDeniedException'), notices, clock: testClock(), machineArn, factsOf: async () => null, log: silent };
    await expect(announce({ assessment: assessment({ rollbackId: `rb-m${(count += 1)}` }), rung: 0 }, parts)).rejects.toThrow('not now');
    expect(await sendOnce(parts, { rollbackId: `rb-m${(count += 1)}`, kind: 'ended', message })).toBe(true);
    expect(messages.map(({ topic }) => topic)).toEqual(['on-call', 'stakeholders', 'on-call', 'stakeholders']);
  });

  it('is tried again where a receiver was not reached, also when that cannot be noted', async () => {
    const { notices, messages } = recordingNotices(() => 'on-call');
    const mailbox = { table: withoutNotes(tables.ledger), notices, clock: testClock(), patienceMilliseconds: 0, log: silent };
    const one = { rollbackId: `rb-m${(count += 1)}`, kind: 'started', message };
    for (const _ of [1, 2]) await expect(sendOnce(mailbox, one)).rejects.toThrow('on-call is not there');
    // Nobody could note who was told, so the others hear it again.
    expect(messages.map(({ topic }) => topic)).toEqual(['stakeholders', 'stakeholders']);
  });

  it('is announced once a rung, with one audit row each', async () => {
    const { notices, messages, events } = recordingNotices();
    const rollbackId = `rb-m${(count += 1)}`;
    const parts = { audit: tables.audit, table: tables.ledger, notices, clock: testClock(), machineArn, factsOf: async () => null, signalsOfOthers: async () => [], log: silent };
    for (const rung of [0, 0, 1, 1]) await announce({ assessment: assessment({ rollbackId }), rung }, parts);
    expect(events.map(({ type }) => type)).toEqual(['Rollback Started', 'Rollback Escalated']);
    expect(messages.map(({ topic }) => topic)).toEqual(['on-call', 'stakeholders', 'on-call']);
    expect((await tables.audit.read(rollbackId)).map(({ kind }) => kind)).toEqual(['announced', 'announced']);
  });
});
