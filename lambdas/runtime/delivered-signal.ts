// The signal that a run leaves in the ledger for others: what they cannot read again for themselves.
import { joinSignal } from '../adapters/ledger-history.ts';
import { readLock } from '../adapters/ledger-lock.ts';
import type { LedgerTable } from '../adapters/ledger-table.ts';
import type { DeliveredSignal } from '../domain/ledger.ts';
import type { Question } from '../domain/question.ts';

/** What later looks and other runs cannot read again for themselves: another tool's message, that an alarm is muted, and whatever joined. */
export function deliveredBy({ trigger, now, rollbackId, lockedBy }: Pick<Question, 'trigger' | 'now' | 'rollbackId' | 'lockedBy'>): DeliveredSignal | null {
  const signal = { at: now, rollbackId, status: 'firing', since: null, mutedUntil: null, leftTo: lockedBy } as const;
  if (trigger.kind === 'external') return { ...signal, kind: 'external', source: `${trigger.tool}/${trigger.id}`, status: trigger.status, since: trigger.since, summary: trigger.summary };
  if (trigger.kind === 'alarm' && (trigger.mutedUntil !== null || lockedBy !== null))
    return { ...signal, kind: 'alarm', source: trigger.alarm, since: trigger.at, summary: `alarm ${trigger.alarm}`, mutedUntil: trigger.mutedUntil };
  if (lockedBy === null) return null;
  if (trigger.kind === 'deployment') return { ...signal, kind: 'deployment', source: trigger.deploymentId, summary: `deployment ${trigger.deploymentId} failed or was stopped` };
  if (trigger.kind === 'watch') return { ...signal, kind: 'journey', source: trigger.releaseId, summary: `the Watch of release ${trigger.releaseId}` };
  return trigger.kind === 'person' ? { ...signal, kind: 'person', source: trigger.requestedBy, summary: trigger.reason } : null;
}

/**
 * Leaves a signal to the run that has the lock. Writing comes before looking, and whoever ends frees the lock before reading for the last time: one of the two sees the other.
 * @returns false when that run has the lock no more: it may never read the signal, so whoever brought it has to decide anew.
 */
export async function isTaken(table: LedgerTable, service: string, signal: DeliveredSignal): Promise<boolean> {
  await joinSignal(table, service, signal);
  return (await readLock(table, service)).owner === signal.leftTo;
}
