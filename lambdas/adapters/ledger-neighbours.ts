// Reads of the services around one what the ledger knows: releases and rollbacks of the window, and who has the lock. All side by side.
import type { Neighbour } from '../config/schema.ts';
import type { NeighbourReading } from '../domain/neighbours.ts';
import { releaseOf, rollbackOf } from './ledger-history.ts';
import { readLock } from './ledger-lock.ts';
import { type LedgerTable, range, serviceKey } from './ledger-table.ts';

/** More releases of one service in the window than this say nothing new about it; the question has to fit one audit row. */
const newest = { releases: 6, rollbacks: 4 } as const;

/** @param window since when releases and rollbacks are read, and when a lock's lease has to last. */
export async function readNeighbours(table: LedgerTable, around: readonly Neighbour[], window: { readonly from: Date; readonly now: Date }): Promise<Omit<NeighbourReading, 'alarms'>[]> {
  return Promise.all(around.map(async ({ alarms: _alarms, ...neighbour }) => {
    const { pk } = serviceKey(neighbour.service, '');
    const rows = (kind: string, limit: number) => range(table, { pk, from: `${kind}#${window.from.toISOString()}`, to: `${kind}#\uFFFF`, newestFirst: true, limit });
    const [lock, releases, rollbacks] = await Promise.all([readLock(table, neighbour.service), rows('RELEASE', newest.releases), rows('ROLLBACK', newest.rollbacks)]);
    const isHeld = lock.leaseUntil !== null && Date.parse(lock.leaseUntil) > window.now.getTime();
    return {
      ...neighbour,
      lockedBy: isHeld ? lock.owner : null,
      releases: releases.map((item) => releaseOf(item)).map(({ id, version, startedAt, finishedAt, status, touched, undoneAt }) => ({ id, version, startedAt, finishedAt, status, touched, ...(undoneAt === undefined ? {} : { undoneAt }) })),
      rollbacks: rollbacks.map((item) => rollbackOf(item)).filter(({ isShadow }) => isShadow !== true).map(({ rollbackId, release, endedAt, outcome }) => ({ rollbackId, release, endedAt, outcome })),
    };
  }));
}
