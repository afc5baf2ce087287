// The head of a chain, kept in the ledger: with it a cut or rewritten tail of the audit shows.
import type { AuditAnchor } from '../audit/chain.ts';
import type { AuditCursor } from '../domain/vocabulary.ts';
import { dataOf, get, json, type LedgerTable, putIf, rollbackKey } from './ledger-table.ts';

/** Keeps where the chain ended. Safe to repeat: the first anchor of a sealed chain stays. */
export async function putAnchor(table: LedgerTable, rollbackId: string, anchor: AuditCursor): Promise<void> {
  await putIf(table, rollbackKey(rollbackId, 'AUDIT'), {
    attributes: { data: json({ length: anchor.length, hash: anchor.hash }) }, condition: 'attribute_not_exists(pk) OR isOpen = :open', values: { ':open': { BOOL: true } },
  });
}

/**
 * Keeps how far the chain of a run got that joins another one, and so ends without a seal. The first one stays:
 * a repeat of Assess whose answer got lost may add to the chain, or even act and seal it.
 */
export async function putOpenAnchor(table: LedgerTable, rollbackId: string, reached: AuditCursor): Promise<void> {
  await putIf(table, rollbackKey(rollbackId, 'AUDIT'), {
    attributes: { data: json({ length: reached.length, hash: reached.hash, isOpen: true }), isOpen: { BOOL: true } }, condition: 'attribute_not_exists(pk)',
  });
}

/** Null while the rollback runs. */
export async function readAnchor(table: LedgerTable, rollbackId: string): Promise<AuditAnchor | null> {
  const item = await get(table, rollbackKey(rollbackId, 'AUDIT'));
  return item === null ? null : dataOf(item) as AuditAnchor;
}
