// Reads everything the ledger knows of one service: one Query for each kind of row, side by side, newest first and bounded.
import type { DeliveredSignal, ServiceLedger } from '../domain/ledger.ts';
import type { KnownGood } from '../domain/vocabulary.ts';
import { releaseOf, rollbackOf } from './ledger-history.ts';
import { lockState } from './ledger-lock.ts';
import { type LedgerTable, dataOf, range, serviceKey } from './ledger-table.ts';

/** A service keeps rows for years; a decision needs the newest. The budget counts at most 50 rollbacks, so 60 are enough. */
const newest = { goods: 20, releases: 50, rollbacks: 60, signals: 100 } as const;
/** With fewer releases than this nothing came before them. */
export const newestReleases = newest.releases;
const signalMinutes = 60;

/** Signals are read for the last hour only, mutes until they end; of the rest the newest rows, as many as a decision can need. */
export async function readService(table: LedgerTable, service: string, now: Date): Promise<ServiceLedger> {
  const { pk } = serviceKey(service, '');
  const rows = (kind: string, limit: number, from = '') =>
    range(table, { pk, from: `${kind}#${from}`, to: `${kind}#\uFFFF`, newestFirst: true, limit });
  const signalsFrom = new Date(now.getTime() - signalMinutes * 60_000).toISOString();
  const [lockToQuarantine, goods, releases, rollbacks, signals] = await Promise.all([
    range(table, { pk, from: 'LOCK', to: 'QUARANTINE#\uFFFF', newestFirst: false, limit: 1000 }),
    rows('GOOD', newest.goods),
    rows('RELEASE', newest.releases),
    rows('ROLLBACK', newest.rollbacks),
    rows('SIGNAL', newest.signals, signalsFrom),
  ]);
  const mutes = lockToQuarantine.filter((item) => item['sk']?.S?.startsWith('MUTE#') && Date.parse(item['mutedUntil']?.S ?? '') > now.getTime());
  const records = rollbacks.map((item) => rollbackOf(item));
  return {
    lock: lockState(lockToQuarantine.find((item) => item['sk']?.S === 'LOCK') ?? {}),
    releases: releases.map((item) => releaseOf(item)),
    knownGoods: goods.filter((item) => item['withdrawn'] === undefined).map((item) => dataOf(item) as KnownGood),
    rollbacks: records.filter(({ isShadow }) => isShadow !== true),
    shadowed: records.filter(({ isShadow }) => isShadow === true),
    signals: [...signals, ...mutes].map((item) => dataOf(item) as DeliveredSignal),
    quarantined: lockToQuarantine.flatMap((item) => (item['sk']?.S?.startsWith('QUARANTINE#') ? [(dataOf(item) as { version: string }).version] : [])),
  };
}
