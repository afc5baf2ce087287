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
  /** How long another call of the same step, which may be sending right now, is waited for, in milliseconds. Default 3000. */
  readonly patienceMilliseconds?: number;
}

const lookMilliseconds = 250;

/**
 * Claims, sends, marks as sent. A claim that stays without the mark means that a function died in between, and nobody can know whether the message went
 * out: it is sent again, because a page that comes twice costs a glance and a page that never comes costs the night.
 * @returns false when it was sent before, or meanwhile.
 */
export async function sendOnce(mailbox: Mailbox, { rollbackId, kind, message }: OneMessage): Promise<boolean> {
  const { table, notices, clock } = mailbox;
  const isFirst = await claimMessage(table, rollbackId, kind, clock.now());
  if (!isFirst && await isSentBy(mailbox, { rollbackId, kind })) return false;
  await notices.send(message);
  await updateIf(table, keyOf({ rollbackId, kind }), { UpdateExpression: 'SET sentAt = :now', ExpressionAttributeValues: { ':now': text(clock.now().toISOString()) } });
  return true;
}

const keyOf = ({ rollbackId, kind }: Pick<OneMessage, 'rollbackId' | 'kind'>) => rollbackKey(rollbackId, `MESSAGE#${kind}`);

/** Whether whoever has the claim has sent the message, now or within the time that sending takes. */
async function isSentBy({ table, patienceMilliseconds = 3000 }: Mailbox, message: Pick<OneMessage, 'rollbackId' | 'kind'>): Promise<boolean> {
  for (const end = performance.now() + patienceMilliseconds; ; await new Promise((resolve) => { setTimeout(resolve, lookMilliseconds); })) {
    if ((await get(table, keyOf(message)))?.['sentAt'] !== undefined) return true;
    if (performance.now() >= end) return false;
  }
}
