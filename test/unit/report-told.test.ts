// One incident, one page: what several runs come to that leave the same thing alone, and the same again when one of them dies.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { acquireLock } from '../../lambdas/adapters/ledger-lock.ts';
import type { Assessment, ReportInput } from '../../lambdas/domain/workflow.ts';
import { endedMessage } from '../../lambdas/runtime/messages.ts';
import { endRollback, type ReportParts } from '../../lambdas/runtime/report.ts';
import type { Ending } from '../../lambdas/runtime/report-outcome.ts';
import { startTables, type Tables } from './audit-tables.ts';
import { assessment, machineArn, recordingNotices, reportInput, silent, testClock } from './report-samples.ts';

let tables: Tables;
beforeAll(async () => { tables = await startTables(); });
afterAll(async () => { await tables.stop(); });

let count = 0;
let service = '';
let clock = testClock();
let failing: string | null = null;
let sent = recordingNotices(() => failing);

beforeEach(() => {
  service = `shop-${(count += 1)}`;
  clock = testClock();
  failing = null;
  sent = recordingNotices(() => failing);
});

const parts = (): ReportParts => ({
  audit: tables.audit, table: tables.ledger, notices: sent.notices, clock, machineArn, log: silent, signalsOfOthers: async () => [],
  factsOf: async () => ({ owner: 'Team Shop', runbook: null, coolDownMinutes: 45 }),
});
const idOf = (suffix: string): string => `rb-t${count}-${suffix}`;

/** A run that changes nothing and pages, as it stands before Report: it has the lock and one row in its audit. */
async function begun(suffix: string, assessed: Partial<Assessment> = {}, change: Partial<ReportInput> = {}): Promise<ReportInput> {
  const rollbackId = idOf(suffix);
  const lock = await acquireLock(tables.ledger, service, rollbackId, { now: clock.now() });
  if (!lock.held) throw new Error('the lock is taken');
  const own = assessment({ rollbackId, service, fence: lock.fence, verdict: 'leave', page: true, rungs: [], reasons: [{ code: 'no-safe-way', text: 'No way back is safe.' }], ...assessed });
  await tables.audit.append({ rollbackId, service, kind: 'assessed', at: '2026-11-20T09:14:06.000Z', data: { verdict: own.verdict } }, null);
  return reportInput({ rollbackId, input: { service }, assessment: own, results: [], verified: null, ...change });
}

describe('a page about what was left alone', () => {
  const run = async (suffix: string, ...about: [Partial<Assessment>?, Partial<ReportInput>?]) => endRollback(await begun(suffix, ...about), parts());
  const pages = () => sent.messages.filter(({ urgency }) => urgency === 'page').map(({ text }) => /Rollback id: (\S+)/.exec(text)?.[1]?.replace(/^rb-t\d+-/, ''));

  it('comes once for two runs about one release and one reason; the second is on record with the id of the first', async () => {
    await run('a');
    const reported = await run('b');
    expect([pages(), sent.messages.length]).toEqual([['a'], 1]);
    expect([reported.outcome, reported.ok, reported.headline]).toEqual(['left', true, expect.stringMatching(new RegExp(`; on-call was paged by ${idOf('a')}$`)) as string]);
    const row = (await tables.audit.read(idOf('b'))).find(({ kind }) => kind === 'reported');
    expect(JSON.parse(row?.data ?? '')).toMatchObject({ ending: { page: false, reasons: [{ code: 'already-told', text: expect.stringContaining(idOf('a')) as string }, { code: 'no-safe-way' }] } });
    expect(sent.events).toMatchObject([{ detail: { page: true } }, { detail: { page: false } }]);
  });

  it('comes again for another reason, another release, no release, and another service', async () => {
    await run('a');
    await run('b', { reasons: [{ code: 'cool-down', text: 'A rollback ended a short while ago.' }] });
    const own = assessment().release;
    await run('c', { release: own === null ? null : { ...own, id: 'd-NEXT' } });
    await run('d', { release: null });
    service = `${service}-other`;
    await run('e');
    expect(pages()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('has the same subject when it is repeated from the record alone', async () => {
    failing = 'bus';
    const input = await begun('a');
    await expect(endRollback(input, parts())).rejects.toThrow(/was refused/);
    const subject = `PAGE Ripcord: ${service} needs a person: no way back is safe for its data`;
    expect(sent.messages.map((one) => one.subject)).toEqual([subject]);
    const row = (await tables.audit.read(idOf('a'))).find(({ kind }) => kind === 'reported');
    expect(JSON.parse(row?.data ?? '')).toMatchObject({ ending: { subject } });
    const { ending } = JSON.parse(row?.data ?? '') as { ending: Ending };
    expect(endedMessage({ ...input, assessment: null }, ending, { length: 1, hash: '' }, { machineArn, owner: '', runbook: null }).subject).toBe(subject);
  });

  it('comes again when it is 15 minutes old, and not before, however many runs were silent since', async () => {
    for (const [suffix, at] of [['a', '09:17:00'], ['b', '09:25:00'], ['c', '09:31:59'], ['d', '09:32:00']] as const) {
      clock.at = `2026-11-20T${at}.000Z`;
      await run(suffix);
    }
    expect(pages()).toEqual(['a', 'd']);
  });

  it('comes from every run whose question nobody answered, and about a storm, which is claimed for the whole account', async () => {
    const storm = { reasons: [{ code: 'storm', text: '30 services had a signal.' }] };
    await run('a', storm);
    await run('b', storm);
    const silence = { approval: { answer: 'deadline', by: null, at: '', comment: '' } } as const;
    for (const suffix of ['c', 'd']) await run(suffix, { reasons: [{ code: 'deadline-passed', text: 'Nobody answered.' }] }, silence);
    expect(pages()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('is left to a run that acts: one in shadow claims nothing', async () => {
    await run('a', { mode: 'shadow' });
    await run('b');
    expect(pages()).toEqual(['b']);
  });

  it('comes from the next run when the one that was to send it could not', async () => {
    failing = 'on-call';
    await expect(run('a')).rejects.toThrow(/on-call is not there/);
    failing = null;
    await run('b');
    await run('c');
    expect(pages()).toEqual(['b']);
  });

  /** Cut off at each write of Report, then repeated, with another run about the same thing after it. */
  it.each(Array.from({ length: 8 }, (_, index) => index))('comes at least once wherever the run that sends it dies (write %i), and from no run after it', async (cut) => {
    const input = await begun('a');
    const send = tables.client.send.bind(tables.client);
    let writes = 0;
    tables.client.send = (async (command: { constructor: { name: string } }) => {
      if (/^(PutItem|UpdateItem|TransactWriteItems)/.test(command.constructor.name) && writes++ === cut) throw Object.assign(new Error('the function died'), { name: 'Died' });
      return send(command as never);
    }) as typeof tables.client.send;
    try {
      await endRollback(input, parts()).then(() => undefined, () => undefined);
    } finally {
      tables.client.send = send;
    }
    expect(await endRollback(input, parts())).toMatchObject({ outcome: 'left' });
    expect(new Set(pages())).toEqual(new Set(['a']));
    const before = pages().length;
    await run('b');
    expect(pages()).toHaveLength(before);
  });
});
