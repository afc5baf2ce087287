// A rollback as it stands before Report, with the tables and the messages of one test; each test has an id and a service of its own.
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { acquireLock } from '../../lambdas/adapters/ledger-lock.ts';
import { signalsOfOthers } from '../../lambdas/adapters/ledger-late-signals.ts';
import { putRelease } from '../../lambdas/adapters/ledger-history.ts';
import { readService } from '../../lambdas/adapters/ledger.ts';
import type { Assessment, ReportInput } from '../../lambdas/domain/workflow.ts';
import { type ReportParts } from '../../lambdas/runtime/report.ts';
import { startTables, type Tables } from './audit-tables.ts';
import { assessment, machineArn, recordingNotices, reportInput, silent, testClock } from './report-samples.ts';
import { recordRollback } from './rollback-rows.ts';

export let tables: Tables;
beforeAll(async () => { tables = await startTables(); });
afterAll(async () => { await tables.stop(); });

let count = 0;
export let id = '';
export let service = '';
export let clock = testClock();
let failing: string | null = null;
/** Whoever cannot be told from now on: `on-call`, `bus`; null: everybody can. */
export const breakOff = (who: string | null): void => { failing = who; };
export let sent = recordingNotices(() => failing);

/** From now on it is about another rollback, of another service. */
export function another(): void {
  id = `rb-r${(count += 1)}`;
  service = `shop-${count}`;
}

beforeEach(() => {
  another();
  clock = testClock();
  failing = null;
  sent = recordingNotices(() => failing);
});

export const parts = (change: Partial<ReportParts> = {}): ReportParts => ({
  audit: tables.audit, table: tables.ledger, notices: sent.notices, clock, machineArn, log: silent, signalsOfOthers: (about) => signalsOfOthers(tables.ledger, about),
  factsOf: async () => ({ owner: 'Team Shop', runbook: 'https://wiki.example/checkout', coolDownMinutes: 45 }), ...change,
});

/** A rollback as it stands before Report: locked, recorded, its release known, one row in its audit. */
export async function begun(change: Partial<ReportInput> = {}, assessed: Partial<Assessment> | null = {}): Promise<ReportInput> {
  const acquired = await acquireLock(tables.ledger, service, id, { now: clock.now() });
  if (!acquired.held) throw new Error('the lock is taken');
  const own = assessment({ rollbackId: id, service, fence: acquired.fence, ...assessed });
  const release = own.release === null ? null : { ...own.release, service };
  if (release !== null) await putRelease(tables.ledger, release, 'watch-1');
  const input = reportInput({ rollbackId: id, input: { service }, assessment: assessed === null ? null : { ...own, release }, ...change });
  await recordRollback(tables.ledger, { rollbackId: id, service, startedAt: input.startedAt, isAutomatic: true, release: null, goodVersion: 'v41', endedAt: null, outcome: null });
  await tables.audit.append({ rollbackId: id, service, kind: 'assessed', at: '2026-11-20T09:14:06.000Z', data: { verdict: own.verdict, headline: own.headline } }, null);
  return input;
}

export const kinds = async (): Promise<string[]> => (await tables.audit.read(id)).map(({ kind }) => kind);
export const markdown = async (): Promise<string> => {
  const row = (await tables.audit.read(id)).find(({ kind }) => kind === 'reported');
  return (JSON.parse(row?.data ?? '{}') as { markdown: string }).markdown;
};
/** The input of `begun` once more, as a repeated step has it. */
export const inputAgain = async (): Promise<ReportInput> => reportInput({ rollbackId: id, input: { service }, assessment: assessment({ rollbackId: id, service, fence: 1 }) });
export const ledger = () => readService(tables.ledger, service, clock.now());
