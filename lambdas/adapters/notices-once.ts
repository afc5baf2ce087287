// Sends each kind of message once per rollback, however often the step that sends it is repeated.
import type { Clock } from '../domain/clock.ts';
import { claimMessage } from './ledger-approvals.ts';
import { get, type LedgerTable, rollbackKey, text, updateIf } from './ledger-table.ts';
import type { Message, Notices } from './notices.ts';

export interface OneMessage {
  readonly rollbackId: string;
  /** `started`, `escalated-1`, `approval`, `ended`. */
  readonly kind: string;
  readonly message: Message;
}

export interface Mailbox {
  readonly table: LedgerTable;
  readonly notices: Notices;
  readonly clock: Clock;
}

/**
 * Claims, sends, marks as sent. A claim without the mark means that a function died in between, and nobody can know whether the message went out:
 * it is sent again, because a page that comes twice costs a glance and a page that never comes costs the night.
 * @returns false when it was sent before.
 */
export async function sendOnce({ table, notices, clock }: Mailbox, { rollbackId, kind, message }: OneMessage): Promise<boolean> {
  const key = rollbackKey(rollbackId, `MESSAGE#${kind}`);
  const isFirst = await claimMessage(table, rollbackId, kind, clock.now());
  if (!isFirst && (await get(table, key))?.['sentAt'] !== undefined) return false;
  await notices.send(message);
  await updateIf(table, key, { UpdateExpression: 'SET sentAt = :now', ExpressionAttributeValues: { ':now': text(clock.now().toISOString()) } });
  return true;
}
