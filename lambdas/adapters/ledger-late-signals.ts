// Reads the signals that other runs left for the one that holds the lock, from an instant on.
import type { DeliveredSignal } from '../domain/ledger.ts';
import type { Instant } from '../domain/vocabulary.ts';
import { type LedgerTable, dataOf, range, serviceKey } from './ledger-table.ts';

/** More than anybody reads in a message. */
const most = 100;

/** Newest first; mutes are rows of their own and are not among them. */
export async function signalsOfOthers(table: LedgerTable, about: { readonly service: string; readonly rollbackId: string; readonly from: Instant }): Promise<DeliveredSignal[]> {
  const { pk, sk } = serviceKey(about.service, `SIGNAL#${about.from}`);
  const items = await range(table, { pk, from: sk, to: 'SIGNAL#\uFFFF', newestFirst: true, limit: most });
  return items.map((item) => dataOf(item) as DeliveredSignal).filter(({ rollbackId }) => rollbackId !== about.rollbackId);
}
