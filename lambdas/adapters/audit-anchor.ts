// Where a chain of the audit ends, kept in the ledger and moved with every row: a cut or rewritten end of the audit shows.
import type { Update } from '@aws-sdk/client-dynamodb';
import type { AuditAnchor } from '../audit/chain.ts';
import type { AuditRow } from '../audit/entry.ts';
import { dataOf, get, type Item, json, type Key, type LedgerTable, text } from './ledger-table.ts';

/** A partition of its own for each chain: IAM tells rows apart by partition, and whoever checks a chain may read no task token. */
const anchorKey = (chain: string): Key => ({ pk: `AUDIT#${chain}`, sk: 'ANCHOR' });

/**
 * The part of a row's transaction that moves the anchor on to it.
 * @param before hash of the row at which the anchor has to stand; null when there must be none yet. A sealed chain's anchor never moves.
 */
export function anchorMove(ledger: string, { rollbackId, seq, hash, kind }: AuditRow, before: string | null): Update {
  const { pk, sk } = anchorKey(rollbackId);
  const anchor: AuditAnchor = { length: seq + 1, hash, ...(kind === 'sealed' ? { isSealed: true } : {}) };
  return {
    TableName: ledger, Key: { pk: text(pk), sk: text(sk) },
    UpdateExpression: `SET #data = :data, head = :own${kind === 'sealed' ? ', isSealed = :sealed' : ''}`,
    ConditionExpression: before === null ? 'attribute_not_exists(pk)' : 'head = :before AND attribute_not_exists(isSealed)',
    ExpressionAttributeNames: { '#data': 'data' },
    ExpressionAttributeValues: {
      ':data': json(anchor), ':own': text(hash), ...(before === null ? {} : { ':before': text(before) }), ...(kind === 'sealed' ? { ':sealed': { BOOL: true } } : {}),
    },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}

export const anchorOf = (item: Item): AuditAnchor => dataOf(item) as AuditAnchor;

/** Null when the chain has no row. */
export async function readAnchor(table: LedgerTable, chain: string): Promise<AuditAnchor | null> {
  const item = await get(table, anchorKey(chain));
  return item === null ? null : anchorOf(item);
}
