// What happened to a service, in the ledger: releases, known-good versions, rollbacks, delivered signals, quarantine.
import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { DeliveredSignal, RollbackRecord } from '../domain/ledger.ts';
import type { Outcome } from '../domain/workflow.ts';
import type { Instant, KnownGood, Reason, Release, ReleaseManifest } from '../domain/vocabulary.ts';
import { type Item, type Key, type LedgerTable, dataOf, get, json, keyItem, number, putIf, serviceKey, text, updateIf } from './ledger-table.ts';

type ReleaseKey = Pick<Release, 'service' | 'startedAt' | 'id'>;
const releaseKey = (release: ReleaseKey): Key => serviceKey(release.service, `RELEASE#${release.startedAt}#${release.id}`);

/** What may change after a release was recorded; each is an attribute of its own, so that two writers lose nothing of each other. */
export type ReleaseChange = Partial<Pick<Release, 'status' | 'finishedAt' | 'left' | 'journeysFailedAtStart' | 'manifest' | 'touched' | 'undoneAt'>>;

const changeable = (change: ReleaseChange): Item => ({
  ...(change.status === undefined ? {} : { status: text(change.status) }),
  ...(change.finishedAt === undefined || change.finishedAt === null ? {} : { finishedAt: text(change.finishedAt) }),
  ...(change.left === undefined || change.left === null ? {} : { left: json(change.left) }),
  ...(change.journeysFailedAtStart === undefined ? {} : { journeysFailedAtStart: json(change.journeysFailedAtStart) }),
  ...(change.manifest === undefined ? {} : { manifest: json(change.manifest) }),
  ...(change.touched === undefined ? {} : { touched: json(change.touched) }),
  ...(change.undoneAt === undefined ? {} : { undoneAt: text(change.undoneAt) }),
});

/**
 * Records a release once, for the watch that saw it first. Safe to repeat by the same watch.
 * @returns false when another watch recorded it before.
 */
export async function putRelease(table: LedgerTable, release: Release, watchId: string): Promise<boolean> {
  const key = releaseKey(release);
  const attributes = { data: json(release), watchId: text(watchId), ...changeable(release) };
  if (await putIf(table, key, { attributes, condition: 'attribute_not_exists(pk)' })) return true;
  return (await get(table, key))?.['watchId']?.S === watchId;
}

const dayMs = 24 * 3_600_000;

/**
 * When a release began of which only its own events tell: the first of them to come says it, so that the others are about the same row.
 * An older use of the same id, more than a day before, says nothing.
 */
export async function agreedStart(table: LedgerTable, { service, id, startedAt }: ReleaseKey): Promise<Instant> {
  const key = serviceKey(service, `BEGAN#${id}`);
  const isFirst = await putIf(table, key, {
    attributes: { began: text(startedAt) }, condition: 'attribute_not_exists(pk) OR began < :old', values: { ':old': text(new Date(Date.parse(startedAt) - dayMs).toISOString()) },
  });
  return isFirst ? startedAt : (await get(table, key))?.['began']?.S ?? startedAt;
}

/** Changes a recorded release. @returns false when it was never recorded. */
export async function updateRelease(table: LedgerTable, release: ReleaseKey, change: ReleaseChange): Promise<boolean> {
  const attributes = Object.entries(changeable(change));
  if (attributes.length === 0) return true;
  const updated = await updateIf(table, releaseKey(release), {
    UpdateExpression: `SET ${attributes.map(([name]) => `#${name} = :${name}`).join(', ')}`,
    ConditionExpression: 'attribute_exists(pk)',
    ExpressionAttributeNames: Object.fromEntries(attributes.map(([name]) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(attributes.map(([name, value]) => [`:${name}`, value])),
  });
  return updated !== null;
}

export const releaseOf = (item: Item): Release => ({
  ...dataOf(item) as Release,
  status: (item['status']?.S ?? 'in-progress') as Release['status'],
  finishedAt: item['finishedAt']?.S ?? null,
  left: item['left']?.S === undefined ? null : JSON.parse(item['left'].S) as NonNullable<Release['left']>,
  ...(item['journeysFailedAtStart']?.S === undefined ? {} : { journeysFailedAtStart: JSON.parse(item['journeysFailedAtStart'].S) as string[] }),
  ...(item['manifest']?.S === undefined ? {} : { manifest: JSON.parse(item['manifest'].S) as ReleaseManifest }),
  ...(item['touched']?.S === undefined ? {} : { touched: JSON.parse(item['touched'].S) as Release['touched'] }),
  ...(item['undoneAt']?.S === undefined ? {} : { undoneAt: item['undoneAt'].S }),
});

/** Records a known-good version. @returns false when that instant already has one that was watched through its bake: it is worth more. */
export async function putKnownGood(table: LedgerTable, service: string, good: KnownGood): Promise<boolean> {
  return putIf(table, serviceKey(service, `GOOD#${good.since}`), {
    attributes: { data: json(good), basis: text(good.basis) },
    condition: 'attribute_not_exists(pk) OR basis <> :baked',
    values: { ':baked': text('baked') },
  });
}

/**
 * Takes back an observed version, as far as `kept` says: with no state left it is known good no more. The row stays, with the reason. Safe to repeat.
 * @returns false when there is none, or when it baked meanwhile: then it stands.
 */
export async function withdrawKnownGood(table: LedgerTable, service: string, kept: KnownGood, reason: Reason): Promise<boolean> {
  const isGone = Object.keys(kept.states).length === 0;
  const updated = await updateIf(table, serviceKey(service, `GOOD#${kept.since}`), {
    UpdateExpression: `SET #data = :data, reason = :reason${isGone ? ', withdrawn = :true' : ''}`,
    ConditionExpression: 'attribute_exists(pk) AND basis = :observed',
    ExpressionAttributeNames: { '#data': 'data' },
    ExpressionAttributeValues: { ':data': json(kept), ':reason': json(reason), ':observed': text('observed'), ...(isGone ? { ':true': { BOOL: true } } : {}) },
  });
  return updated !== null;
}

const rollbackRowKey = (record: Pick<RollbackRecord, 'service' | 'startedAt' | 'rollbackId'>): Key =>
  serviceKey(record.service, `ROLLBACK#${record.startedAt}#${record.rollbackId}`);

/**
 * Records that a rollback is about to act: from here on it counts against the daily budget. Goes into the transaction of the row that says why, which no
 * closed record takes: a rollback that was ended from outside meanwhile does not begin.
 */
export const rollbackBegun = ({ name }: LedgerTable, record: RollbackRecord): TransactWriteItem =>
  ({ Put: { TableName: name, Item: { ...keyItem(rollbackRowKey(record)), data: json(record) } } });

export interface RollbackEnd {
  readonly endedAt: Instant;
  readonly outcome: Outcome;
  /** Only flags were turned off: the release is still live. */
  readonly keepsRelease?: boolean;
  readonly auditLength: number;
  readonly auditHash: string;
}

/** Closes the record of a rollback. @returns false when it never acted (no record) or was closed before: the first end stays. */
export async function closeRollback(table: LedgerTable, record: Pick<RollbackRecord, 'service' | 'startedAt' | 'rollbackId'>, end: RollbackEnd): Promise<boolean> {
  const closed = await updateIf(table, rollbackRowKey(record), {
    UpdateExpression: 'SET endedAt = :endedAt, outcome = :outcome, keepsRelease = :keeps, auditLength = :length, auditHash = :hash',
    ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(endedAt)',
    ExpressionAttributeValues: {
      ':endedAt': text(end.endedAt), ':outcome': text(end.outcome), ':keeps': { BOOL: end.keepsRelease === true }, ':length': number(end.auditLength), ':hash': text(end.auditHash),
    },
  });
  return closed !== null;
}

export const rollbackOf = (item: Item): RollbackRecord => ({
  ...dataOf(item) as RollbackRecord,
  endedAt: item['endedAt']?.S ?? null,
  outcome: (item['outcome']?.S ?? null) as Outcome | null,
  ...(item['keepsRelease']?.BOOL === true ? { keepsRelease: true } : {}),
});

/**
 * Keeps a signal for the run that holds the lock, and for later ones. Safe to repeat.
 * A mute lasts longer than signals are read for, up to two weeks: it has a row of its own, which is read whatever its age.
 */
export async function joinSignal(table: LedgerTable, service: string, signal: DeliveredSignal): Promise<void> {
  const { mutedUntil } = signal;
  if (mutedUntil === null) {
    await putIf(table, serviceKey(service, `SIGNAL#${signal.at}#${signal.rollbackId}`), { attributes: { data: json(signal) }, condition: 'attribute_not_exists(pk)' });
    return;
  }
  await putIf(table, serviceKey(service, `MUTE#${signal.source}`), {
    attributes: { data: json(signal), mutedUntil: text(mutedUntil) },
    condition: 'attribute_not_exists(pk) OR mutedUntil < :until', values: { ':until': text(mutedUntil) },
  });
}

/** Keeps a version from ever being chosen as the way back. Safe to repeat: the first rollback that named it stays. */
export async function quarantine(table: LedgerTable, service: string, version: string, by: { readonly rollbackId: string; readonly at: Instant }): Promise<void> {
  await putIf(table, serviceKey(service, `QUARANTINE#${version}`), {
    attributes: { data: json({ version, ...by }) }, condition: 'attribute_not_exists(pk)',
  });
}
