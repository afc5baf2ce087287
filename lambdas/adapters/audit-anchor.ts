// The head of a chain, kept in the ledger: with it a cut or rewritten tail of the audit shows.
import type { AuditAnchor } from '../audit/chain.ts';
import type { AuditRow } from '../audit/entry.ts';
import type { AuditCursor } from '../domain/vocabulary.ts';
import { dataOf, get, json, type Key, type LedgerTable, putIf, text } from './ledger-table.ts';

/** A partition of its own for each chain: IAM tells rows apart by partition, and whoever checks a chain may read no task token. */
const anchorKey = (chain: string): Key => ({ pk: `AUDIT#${chain}`, sk: 'ANCHOR' });

/** Keeps where the chain ended. Safe to repeat: the first anchor of a sealed chain stays. */
export async function putAnchor(table: LedgerTable, rollbackId: string, anchor: AuditCursor): Promise<void> {
  await putIf(table, anchorKey(rollbackId), {
    attributes: { data: json({ length: anchor.length, hash: anchor.hash }) }, condition: 'attribute_not_exists(pk) OR isOpen = :open', values: { ':open': { BOOL: true } },
  });
}

/**
 * Keeps how far the chain of a run got that joins another one, and so ends without a seal. The first one stays:
 * a repeat of Assess whose answer got lost may add to the chain, or even act and seal it.
 */
export async function putOpenAnchor(table: LedgerTable, rollbackId: string, reached: AuditCursor): Promise<void> {
  await putIf(table, anchorKey(rollbackId), {
    attributes: { data: json({ length: reached.length, hash: reached.hash, isOpen: true }), isOpen: { BOOL: true } }, condition: 'attribute_not_exists(pk)',
  });
}

/**
 * Moves the anchor of a chain that is never sealed on to its next row. It only follows the links from row to row, so that rows which were cut off
 * or rewritten before cannot be forgotten by adding others. Safe to repeat.
 * @returns false when the anchor does not stand at the row before this one, nor at this one.
 */
export async function moveAnchor(table: LedgerTable, { rollbackId, seq, hash, previousHash }: AuditRow): Promise<boolean> {
  const first = seq === 0 ? 'attribute_not_exists(pk)' : 'head = :before';
  return putIf(table, anchorKey(rollbackId), {
    attributes: { data: json({ length: seq + 1, hash }), head: text(hash) },
    condition: `${first} OR head = :own`,
    values: { ':own': text(hash), ...(seq === 0 ? {} : { ':before': text(previousHash) }) },
  });
}

/** Null while the rollback runs, or while the chain of labels has no row. */
export async function readAnchor(table: LedgerTable, chain: string): Promise<AuditAnchor | null> {
  const item = await get(table, anchorKey(chain));
  return item === null ? null : dataOf(item) as AuditAnchor;
}
