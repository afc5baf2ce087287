// Rows that the poll compares with the world: what it saw of an alias the last time, and when a run last weighed the service's alarms.
import type { AliasSeen } from '../domain/lost.ts';
import type { Instant } from '../domain/vocabulary.ts';
import { type LedgerTable, dataOf, get, json, putIf, serviceKey, text } from './ledger-table.ts';

const seenKey = (service: string, source: string) => serviceKey(service, `SEEN#${source}`);

/** @param source `<function>:<alias>`. */
export async function readSeen(table: LedgerTable, service: string, source: string): Promise<AliasSeen | null> {
  const row = await get(table, seenKey(service, source));
  return row === null ? null : dataOf(row) as AliasSeen;
}

/** The newest sight stays. */
export async function keepSeen(table: LedgerTable, service: string, source: string, seen: AliasSeen): Promise<void> {
  await putIf(table, seenKey(service, source), { attributes: { data: json(seen), seenAt: text(seen.at) }, condition: 'attribute_not_exists(pk) OR seenAt < :at', values: { ':at': text(seen.at) } });
}

const weighedKey = (service: string) => serviceKey(service, 'ASSESSED');

export async function readWeighed(table: LedgerTable, service: string): Promise<Instant | null> {
  return (await get(table, weighedKey(service)))?.['weighedAt']?.S ?? null;
}

/** A run has weighed everything that fired at this instant, so that the poll need not start another. The newest stays. */
export async function keepWeighed(table: LedgerTable, service: string, at: Instant): Promise<void> {
  await putIf(table, weighedKey(service), { attributes: { weighedAt: text(at) }, condition: 'attribute_not_exists(pk) OR weighedAt < :at', values: { ':at': text(at) } });
}
