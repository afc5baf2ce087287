// Adds a label to its chain, and moves the chain's anchor on to it.
import { moveAnchor, readAnchor } from '../adapters/audit-anchor.ts';
import type { AuditStore } from '../adapters/audit-store.ts';
import type { LedgerTable } from '../adapters/ledger-table.ts';
import { type AuditEntry, type AuditRow, cursorAt } from '../audit/entry.ts';
import { RipcordError } from '../domain/errors.ts';

export interface LabelStores {
  readonly audit: Pick<AuditStore, 'append' | 'read'>;
  readonly table: LedgerTable;
}

/**
 * Adds the label unless one of the rows is this very label, and anchors that row. Safe to repeat: a label whose writer broke off before the anchor gets it now.
 * @param isThis whether a row that was written already is this very label. `isAnchored`: the anchor stands at it or behind it.
 * @returns whether a row was added.
 * @throws RipcordError (`not-anchored`) when the row before has no anchor yet: its writer is still at it, or somebody else put the row in or cut others off.
 */
export async function keepLabel(entry: AuditEntry & { readonly kind: 'labelled' }, { audit, table }: LabelStores, isThis: (row: AuditRow, isAnchored: boolean) => boolean): Promise<boolean> {
  const chain = entry.rollbackId;
  const [before, anchor] = await Promise.all([audit.read(chain), readAnchor(table, chain)]);
  const anchored = anchor?.length ?? 0;
  const is = (row: AuditRow): boolean => isThis(row, row.seq < anchored);
  const isNew = !before.some((row) => is(row));
  const newest = before.at(-1);
  if (isNew) await audit.append(entry, newest === undefined ? null : cursorAt(newest));
  // Two deliveries that race with another label can each have written it.
  for (const row of (isNew ? await audit.read(chain) : before).filter((one) => one.seq >= anchored && is(one)))
    if (!(await moveAnchor(table, row)))
      throw new RipcordError('retry', 'not-anchored', `Row ${row.seq} of ${chain} is written and has no anchor: the anchor is not at the row before it. \`npx ripcord audit verify '${chain}'\` says what is wrong.`);
  return isNew;
}
