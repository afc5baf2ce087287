// Sends each kind of message once per rollback, however often the step that sends it is repeated.
import type { Clock } from '../domain/clock.ts';
import { awsErrorOf, isFault } from './aws-errors.ts';
import { claimMessage } from './ledger-approvals.ts';
import { get, type LedgerTable, rollbackKey, text, updateIf } from './ledger-table.ts';
import type { Message, Notices, Receiver } from './notices.ts';

export interface OneMessage {
  readonly rollbackId: string;
  /** `started`, `escalated-1`, `approval`, `ended`, `late`. */
  readonly kind: string;
  readonly message: Message;
}

export interface Mailbox {
  readonly table: LedgerTable;
  readonly notices: Notices;
  readonly clock: Clock;
  /** How long another call of the same step, which may be sending right now, is waited for, in milliseconds. Default 3000. */
  readonly patienceMilliseconds?: number;
  readonly log: { warn(message: string, fields: { readonly error: unknown }): void };
  /** The step fails when it may not write the note: for one that nobody tries again for that, and that would not miss the permission otherwise. */
  readonly mustBePermitted?: boolean;
}

const lookMilliseconds = 250;

/**
 * Claims, sends, notes that it was sent; where a receiver could not be told, notes who was, so that a repeat tells the others alone. A claim that stays without a note means that a function died in between, or that the
 * note could not be written, and nobody can know whether the message went out: whoever asks next sends it again, because a page that comes twice costs a glance and a page that never comes costs the night.
 * A note that cannot be written is logged and no error, unless the mailbox wants one for a missing permission: the step, tried again for its sake, would send with each try.
 * @returns false when it was sent before, or meanwhile.
 * @throws AggregateError naming each receiver that could not be told; with `mustBePermitted` the error of AWS where the note is denied.
 */
export async function sendOnce(mailbox: Mailbox, { rollbackId, kind, message }: OneMessage): Promise<boolean> {
  const { table, notices, clock } = mailbox;
  const isFirst = await claimMessage(table, rollbackId, kind, clock.now());
  const before = isFirst ? { isSent: false, told: [] } : await sentBy(mailbox, { rollbackId, kind });
  if (before.isSent) return false;
  const { told, failures } = await notices.send(message, before.told);
  await note(mailbox, { rollbackId, kind }, failures.length === 0 ? { name: 'sentAt', value: clock.now().toISOString() } : { name: 'told', value: told.join(' ') });
  if (failures.length > 0) throw new AggregateError(failures, failures.map((error) => error.message).join('; '));
  return true;
}

async function note({ table, log, mustBePermitted }: Mailbox, message: Pick<OneMessage, 'rollbackId' | 'kind'>, { name, value }: { readonly name: 'sentAt' | 'told'; readonly value: string }): Promise<void> {
  try {
    await updateIf(table, keyOf(message), { UpdateExpression: `SET ${name} = :value`, ExpressionAttributeValues: { ':value': text(value) } });
  } catch (error) {
    // A missing permission is no matter of chance: whoever deployed the stack has to hear of it.
    if (mustBePermitted === true && isFault(awsErrorOf(error, 'dynamodb:UpdateItem'), 'denied')) throw error;
    log.warn(`who has the message "${message.kind}" could not be written down; whoever has to know sends it again`, { error });
  }
}

/** Whether a receiver has the message of a rollback; one that is being sent right now is waited for. */
export async function hasHeard(mailbox: Mailbox, message: Pick<OneMessage, 'rollbackId' | 'kind'>, receiver: Receiver): Promise<boolean> {
  const { isSent, told } = await sentBy(mailbox, message);
  return isSent || told.includes(receiver);
}

const keyOf = ({ rollbackId, kind }: Pick<OneMessage, 'rollbackId' | 'kind'>) => rollbackKey(rollbackId, `MESSAGE#${kind}`);

interface Before {
  readonly isSent: boolean;
  readonly told: readonly Receiver[];
}

/** Whether whoever has the claim has sent the message, now or within the time that sending takes; whom it told when it gave up. */
async function sentBy({ table, patienceMilliseconds = 3000 }: Mailbox, message: Pick<OneMessage, 'rollbackId' | 'kind'>): Promise<Before> {
  for (const end = performance.now() + patienceMilliseconds; ; await new Promise((resolve) => { setTimeout(resolve, lookMilliseconds); })) {
    const row = await get(table, keyOf(message));
    if (row?.['sentAt'] !== undefined) return { isSent: true, told: [] };
    // Whoever wrote it down has given up already: nobody is sending any more.
    const told = row?.['told']?.S;
    if (told !== undefined) return { isSent: false, told: told.split(' ').filter((who): who is Receiver => who !== '') };
    if (performance.now() >= end) return { isSent: false, told: [] };
  }
}
