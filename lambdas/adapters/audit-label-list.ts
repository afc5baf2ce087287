// Who labelled a rollback, kept in the ledger: a chain of labels, a person's or that of events, that is gone as a whole, with its anchor or without, is missed.
import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { AuditRow } from '../audit/entry.ts';
import { labelChain, labellerIn } from '../audit/label-chains.ts';
import { get, type Key, type LedgerTable, text } from './ledger-table.ts';

/** Below what IAM lets the function of labels write, and people read; no user id is `persons`. */
const listKey = (rollbackId: string): Key => ({ pk: `AUDIT#label#persons#${rollbackId}`, sk: 'LIST' });

/**
 * What is written with each row of labels, in its transaction; nothing with other rows.
 * Each user id, and `event`, is an attribute of its own: whatever somebody makes of the others, this one is written.
 */
export const listed = (ledger: string) => ({ rollbackId: chain }: AuditRow): readonly TransactWriteItem[] => {
  const found = labellerIn(chain);
  if (found === null) return [];
  const { pk, sk } = listKey(found.rollbackId);
  return [{ Update: {
    TableName: ledger, Key: { pk: text(pk), sk: text(sk) },
    UpdateExpression: 'SET #user = :listed', ExpressionAttributeNames: { '#user': found.labeller }, ExpressionAttributeValues: { ':listed': { BOOL: true } },
  } }];
};

/** Names of the chains of all who labelled this rollback, persons and events. */
export async function readLabelList(table: LedgerTable, rollbackId: string): Promise<readonly string[]> {
  const { pk: _pk, sk: _sk, ...labellers } = await get(table, listKey(rollbackId)) ?? {};
  return Object.keys(labellers).map((labeller) => labelChain(labeller, rollbackId)).toSorted();
}
