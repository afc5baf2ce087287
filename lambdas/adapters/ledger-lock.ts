// One rollback at a time for each service: a lock with a lease, and a fence number that grows whenever the lock changes hands.
import type { LockState } from '../domain/ledger.ts';
import type { Instant } from '../domain/vocabulary.ts';
import { RipcordError } from '../domain/errors.ts';
import { type Item, type LedgerTable, get, number, serviceKey, text, updateIf } from './ledger-table.ts';

/** Longer than the longest Lambda call of a rollback, so that no call outlives the lease it renewed. */
export const defaultLeaseSeconds = 900;

/** Who holds the lock of a service, as every later call has to prove it. */
export interface LockHold {
  readonly service: string;
  /** The rollback id. */
  readonly owner: string;
  readonly fence: number;
}

export interface Lease {
  readonly now: Date;
  /** Default 900. */
  readonly leaseSeconds?: number;
}

export type Acquired =
  /** `unsettledUntil`: as in the row of the lock. */
  | { readonly held: true; readonly fence: number; readonly unsettledUntil?: Instant }
  | { readonly held: false; readonly owner: string };

const lockKey = (service: string) => serviceKey(service, 'LOCK');
const leaseEnd = ({ now, leaseSeconds = defaultLeaseSeconds }: Lease) => number(now.getTime() + leaseSeconds * 1000);

/**
 * Takes the lock when it is free or its lease ran out; renews it, with the same fence, when this rollback has it already.
 * Safe to repeat: a lost reply never costs the lock.
 * @throws RipcordError with code `ended` where somebody ended this rollback from outside.
 */
export async function acquireLock(table: LedgerTable, service: string, owner: string, lease: Lease): Promise<Acquired> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const taken = await updateIf(table, lockKey(service), {
      UpdateExpression: 'SET #owner = :me, leaseUntil = :until ADD fence :one',
      ConditionExpression: '(attribute_not_exists(#owner) OR leaseUntil < :now) AND NOT #owner = :me AND NOT endedRollbackId = :me',
      ExpressionAttributeNames: { '#owner': 'owner' },
      ExpressionAttributeValues: { ':me': text(owner), ':until': leaseEnd(lease), ':now': number(lease.now.getTime()), ':one': number(1) },
    });
    if (taken !== null) return heldAs(lockState(taken));
    const item = await get(table, lockKey(service)) ?? {};
    if (item['endedRollbackId']?.S === owner) throw new RipcordError('stop', 'ended', `${owner} was ended from outside`);
    const lock = lockState(item);
    const { owner: holder, fence } = lock;
    // Two states of the row in two reads: whoever had it let go in between, so try again.
    if (holder === null) continue;
    if (holder !== owner) return { held: false, owner: holder };
    if (await renewLock(table, { service, owner, fence }, lease)) return heldAs(lock);
  }
  const { owner: holder } = await readLock(table, service);
  return { held: false, owner: holder ?? 'another rollback' };
}

const heldAs = ({ fence, unsettledUntil }: LockState): Acquired => ({ held: true, fence, ...(unsettledUntil === undefined ? {} : { unsettledUntil }) });

/**
 * Moves the end of the lease. A call that changes anything asks this first; told yes, it has the lock to its end, as no call is as long as a lease.
 * @returns false when this rollback no longer has the lock.
 */
export async function renewLock(table: LedgerTable, hold: LockHold, lease: Lease): Promise<boolean> {
  const renewed = await updateIf(table, lockKey(hold.service), {
    UpdateExpression: 'SET leaseUntil = :until',
    ConditionExpression: '#owner = :me AND fence = :fence',
    ExpressionAttributeNames: { '#owner': 'owner' },
    ExpressionAttributeValues: { ':me': text(hold.owner), ':fence': number(hold.fence), ':until': leaseEnd(lease) },
  });
  return renewed !== null;
}

/**
 * Frees the lock; the row and its fence stay. Safe to repeat.
 * @param coolDownUntil until when nothing happens by itself; null leaves an earlier cool-down as it is.
 * @returns false when this rollback did not have the lock (any more).
 */
export async function releaseLock(table: LedgerTable, hold: LockHold, coolDownUntil: Date | null): Promise<boolean> {
  const released = await updateIf(table, lockKey(hold.service), {
    UpdateExpression: coolDownUntil === null
      ? 'REMOVE #owner, leaseUntil'
      : 'SET coolDownUntil = :coolDown, lastRollbackId = :me REMOVE #owner, leaseUntil',
    ConditionExpression: '#owner = :me AND fence = :fence',
    ExpressionAttributeNames: { '#owner': 'owner' },
    ExpressionAttributeValues: {
      ':me': text(hold.owner), ':fence': number(hold.fence), ...(coolDownUntil === null ? {} : { ':coolDown': number(coolDownUntil.getTime()) }),
    },
  });
  return released !== null;
}

export interface ShutOut {
  readonly service: string;
  readonly rollbackId: string;
  /** Until when a call of it may still change a target; null where none is on its way. */
  readonly unsettledUntil: Date | null;
}

/**
 * Keeps a rollback that somebody ended from outside from taking the lock (again): a look of it may be under way that nobody waits for, and whoever joined it then
 * would have joined nobody. To be asked before its lock is freed. The row has room for the newest one.
 */
export async function shutOut(table: LedgerTable, { service, rollbackId, unsettledUntil }: ShutOut): Promise<void> {
  const isSettled = unsettledUntil === null;
  await updateIf(table, lockKey(service), {
    UpdateExpression: `SET endedRollbackId = :ended${isSettled ? '' : ', unsettledUntil = :until'}`,
    ExpressionAttributeValues: { ':ended': text(rollbackId), ...(isSettled ? {} : { ':until': number(unsettledUntil.getTime()) }) },
  });
}

export async function readLock(table: LedgerTable, service: string): Promise<LockState> {
  return lockState(await get(table, lockKey(service)) ?? {});
}

/** The fence of the lock where this rollback has it, else null. */
export async function ownFence(table: LedgerTable, service: string, rollbackId: string): Promise<number | null> {
  const lock = await readLock(table, service);
  return lock.owner === rollbackId ? lock.fence : null;
}

export function lockState(item: Item): LockState {
  const instant = (name: string) => (item[name]?.N === undefined ? null : new Date(Number(item[name].N)).toISOString());
  const unsettledUntil = instant('unsettledUntil');
  return {
    owner: item['owner']?.S ?? null,
    fence: Number(item['fence']?.N ?? 0),
    leaseUntil: instant('leaseUntil'),
    coolDownUntil: instant('coolDownUntil'),
    lastRollbackId: item['lastRollbackId']?.S ?? null,
    ...(unsettledUntil === null ? {} : { unsettledUntil }),
  };
}
