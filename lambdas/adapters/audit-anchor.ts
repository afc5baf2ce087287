// The head of a sealed chain, kept in the ledger: with it a cut or rewritten tail of the audit shows.
import type { AuditCursor } from '../domain/vocabulary.ts';
import { dataOf, get, json, type LedgerTable, putIf, rollbackKey } from './ledger-table.ts';

/** Keeps where the chain ended. Safe to repeat: the first anchor stays. */
export async function putAnchor(table: LedgerTable, rollbackId: string, anchor: AuditCursor): Promise<void> {
  await putIf(table, rollbackKey(rollbackId, 'AUDIT'), {
    attributes: { data: json({ length: anchor.length, hash: anchor.hash }) }, condition: 'attribute_not_exists(pk)',
  });
}

/** Null while the rollback runs. */
export async function readAnchor(table: LedgerTable, rollbackId: string): Promise<AuditCursor | null> {
  const item = await get(table, rollbackKey(rollbackId, 'AUDIT'));
  return item === null ? null : dataOf(item) as AuditCursor;
}
