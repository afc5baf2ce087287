// The ledger on a real DynamoDB engine: the lock, what happened to a service, storms.
import { PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { agreedStart, closeRollback, joinSignal, putKnownGood, putRelease, quarantine, updateRelease, withdrawKnownGood } from '../../lambdas/adapters/ledger-history.ts';
import { acquireLock, defaultLeaseSeconds, readLock, releaseLock, renewLock } from '../../lambdas/adapters/ledger-lock.ts';
import { addToStorm, claimStormPage, type Counted, readStorm } from '../../lambdas/adapters/ledger-storm.ts';
import type { LedgerTable } from '../../lambdas/adapters/ledger-table.ts';
import { readService } from '../../lambdas/adapters/ledger.ts';
import { handlerTimeoutSeconds, strategyTimeoutSeconds } from '../../lib/engine/handler-timeouts.ts';
import { delivered, minute, rollback } from './domain/samples.ts';
import { freshService, full, table, useLedger } from './ledger-rig.ts';
import { recordRollback } from './rollback-rows.ts';

useLedger();
const time = (m: number): Date => new Date(minute(m));

describe('the lock', () => {
  it('is held by one of many who ask at once', async () => {
    const service = freshService();
    const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => acquireLock(table, service, `rb-${n}`, { now: time(0) })));
    const holders = answers.filter(({ held }) => held);
    expect(holders).toEqual([{ held: true, fence: 1 }]);
    const { owner } = await readLock(table, service);
    expect(answers.filter(({ held }) => !held)).toEqual(Array.from({ length: 7 }, () => ({ held: false, owner })));
  });

  it('is taken again by its own holder with the same fence, and with a longer lease', async () => {
    const service = freshService();
    expect(await acquireLock(table, service, 'rb-1', { now: time(0), leaseSeconds: 60 })).toEqual({ held: true, fence: 1 });
    expect(await acquireLock(table, service, 'rb-1', { now: time(0.5), leaseSeconds: 60 })).toEqual({ held: true, fence: 1 });
    expect((await readLock(table, service)).leaseUntil).toBe(minute(1.5));
  });

  it('changes hands when its lease is over, with a higher fence, and the first holder is told no', async () => {
    const service = freshService();
    const first = { service, owner: 'rb-1', fence: 1 };
    await acquireLock(table, service, 'rb-1', { now: time(0), leaseSeconds: 60 });
    expect(await acquireLock(table, service, 'rb-2', { now: time(0.9) })).toEqual({ held: false, owner: 'rb-1' });
    expect(await acquireLock(table, service, 'rb-2', { now: time(1.1) })).toEqual({ held: true, fence: 2 });
    expect(await renewLock(table, first, { now: time(1.2) })).toBe(false);
    expect(await releaseLock(table, first, time(30))).toBe(false);
    expect(await renewLock(table, { service, owner: 'rb-2', fence: 2 }, { now: time(1.2) })).toBe(true);
  });

  it('is not renewed with another fence or for another owner; its own holder keeps it after its lease, as long as nobody took it over', async () => {
    const service = freshService();
    await acquireLock(table, service, 'rb-1', { now: time(0), leaseSeconds: 60 });
    const hold = { service, owner: 'rb-1', fence: 1 };
    for (const other of [{ ...hold, fence: 2 }, { ...hold, fence: 0 }, { ...hold, owner: 'rb-2' }]) expect(await renewLock(table, other, { now: time(0.5) })).toBe(false);
    expect((await readLock(table, service)).leaseUntil).toBe(minute(1));
    expect(await renewLock(table, hold, { now: time(5) })).toBe(true);
  });

  it('outlasts every call that renewed it: who was told yes cannot write when another one has it', () => {
    expect(defaultLeaseSeconds).toBeGreaterThan(2 * Math.max(strategyTimeoutSeconds, ...Object.values(handlerTimeoutSeconds)));
  });

  it('leaves its fence and its cool-down behind when it is freed; freeing twice is harmless', async () => {
    const service = freshService();
    await acquireLock(table, service, 'rb-1', { now: time(0) });
    const hold = { service, owner: 'rb-1', fence: 1 };
    expect(await releaseLock(table, hold, time(30))).toBe(true);
    expect(await releaseLock(table, hold, time(90))).toBe(false);
    expect(await readLock(table, service)).toEqual({ owner: null, fence: 1, leaseUntil: null, coolDownUntil: minute(30), lastRollbackId: 'rb-1' });
    expect(await acquireLock(table, service, 'rb-2', { now: time(1) })).toEqual({ held: true, fence: 2 });
    expect(await releaseLock(table, { service, owner: 'rb-2', fence: 2 }, null)).toBe(true);
    expect(await readLock(table, service)).toMatchObject({ fence: 2, coolDownUntil: minute(30) });
  });
});

describe('what is known of a service', () => {
  it('is nothing at first', async () => {
    expect(await readService(table, freshService(), time(0))).toEqual({
      lock: { owner: null, fence: 0, leaseUntil: null, coolDownUntil: null, lastRollbackId: null },
      releases: [], knownGoods: [], rollbacks: [], shadowed: [], signals: [], quarantined: [],
    });
  });

  it('is read whole, newest first, in one round of queries, and no other service is in it', async () => {
    const [service, other] = [freshService(), freshService()];
    for (const at of [service, other]) {
      await putRelease(table, full({ service: at, id: 'r-1', startedAt: minute(-60) }), 'w-1');
      await putRelease(table, full({ service: at, id: 'r-2' }), 'w-2');
      await putKnownGood(table, at, { version: 'v0', since: minute(-900), basis: 'baked', states: {} });
      await putKnownGood(table, at, { version: 'v1', since: minute(-500), basis: 'baked', states: { web: { blue: 100 } } });
      await recordRollback(table, rollback({ service: at }));
      await joinSignal(table, at, delivered());
      await quarantine(table, at, 'v0', { rollbackId: 'rb-0', at: minute(-290) });
      await acquireLock(table, at, 'rb-5', { now: time(0) });
    }
    const read = await readService(table, service, time(10));
    expect(read.releases.map(({ id, service: of }) => [id, of])).toEqual([['r-2', service], ['r-1', service]]);
    expect(read.knownGoods.map(({ version }) => version)).toEqual(['v1', 'v0']);
    expect(read.knownGoods[0]?.states).toEqual({ web: { blue: 100 } });
    expect(read).toMatchObject({ lock: { owner: 'rb-5' }, rollbacks: [rollback({ service, endedAt: null, outcome: null })], signals: [delivered()], quarantined: ['v0'] });
  });

  it('is when a release began as its first event said, unless that was another use of the id', async () => {
    const began = (at: number, id = 'build-7') => agreedStart(table, { service, id, startedAt: minute(at) });
    const service = freshService();
    expect([await began(5), await began(4), await began(6), await began(6, 'build-8')]).toEqual([minute(5), minute(5), minute(5), minute(6)]);
    expect([await began(5 + 1440), await began(6 + 1440), await began(5)]).toEqual([minute(5), minute(6 + 1440), minute(6 + 1440)]);
  });

  it('remembers a mute for as long as it lasts, and the longer one of two', async () => {
    const service = freshService();
    const muted = delivered({ kind: 'alarm', source: '5xx', at: minute(-300), mutedUntil: minute(60) });
    await joinSignal(table, service, muted);
    await joinSignal(table, service, delivered({ kind: 'alarm', source: '5xx', at: minute(-299), mutedUntil: minute(30) }));
    await joinSignal(table, service, delivered({ kind: 'alarm', source: 'latency', at: minute(-300), mutedUntil: minute(5) }));
    expect((await readService(table, service, time(10))).signals).toEqual([muted]);
  });

  it('does not read signals of more than an hour ago, nor more rows than a decision needs', async () => {
    const service = freshService();
    await joinSignal(table, service, delivered({ at: minute(-51) }));
    await joinSignal(table, service, delivered({ at: minute(-49) }));
    for (let n = 0; n < 25; n += 1) await putKnownGood(table, service, { version: `v${n}`, since: minute(n), basis: 'baked', states: {} });
    const read = await readService(table, service, time(10));
    expect(read.signals.map(({ at }) => at)).toEqual([minute(-49)]);
    expect(read.knownGoods).toHaveLength(20);
    expect(read.knownGoods[0]?.version).toBe('v24');
  });

  it('is read past the first page', async () => {
    const service = freshService();
    const large = 'x'.repeat(300_000);
    for (let n = 0; n < 6; n += 1) await putKnownGood(table, service, { version: `v${n}`, since: minute(n), basis: 'baked', states: { web: { large } } });
    expect((await readService(table, service, time(10))).knownGoods.map(({ version }) => version)).toEqual(['v5', 'v4', 'v3', 'v2', 'v1', 'v0']);
  });

  it('is read consistently', async () => {
    const queries: QueryCommand[] = [];
    const watched = { ...table, client: { send: (command: QueryCommand) => { queries.push(command); return table.client.send(command); } } as unknown as LedgerTable['client'] };
    await readService(watched, freshService(), time(0));
    expect(queries).toHaveLength(5);
    expect(queries.every(({ input }) => input.ConsistentRead === true)).toBe(true);
  });

  it('is refused when a row was made unreadable', async () => {
    const service = freshService();
    await table.client.send(new PutItemCommand({ TableName: table.name, Item: { pk: { S: `SERVICE#${service}` }, sk: { S: `GOOD#${minute(0)}` }, data: { S: '{' } } }));
    await expect(readService(table, service, time(0))).rejects.toThrow(SyntaxError);
  });
});

describe('a release', () => {
  it('is recorded for the watch that saw it first, however often that watch tries', async () => {
    const service = freshService();
    expect(await putRelease(table, full({ service }), 'w-1')).toBe(true);
    expect(await putRelease(table, full({ service }), 'w-1')).toBe(true);
    expect(await putRelease(table, full({ service }), 'w-2')).toBe(false);
  });

  it('keeps what two writers change of it', async () => {
    const service = freshService();
    const began = full({ service, finishedAt: null, status: 'in-progress' });
    await putRelease(table, began, 'w-1');
    await updateRelease(table, began, { journeysFailedAtStart: ['buy'] });
    await updateRelease(table, began, { status: 'finished', finishedAt: minute(4) });
    await updateRelease(table, began, { left: { web: { green: 100 } } });
    const [read] = (await readService(table, service, time(0))).releases;
    expect(read).toEqual({ ...began, status: 'finished', finishedAt: minute(4), left: { web: { green: 100 } }, journeysFailedAtStart: ['buy'] });
  });

  it('that was never recorded cannot be changed into being', async () => {
    const service = freshService();
    expect(await updateRelease(table, full({ service }), { status: 'failed' })).toBe(false);
    expect((await readService(table, service, time(0))).releases).toEqual([]);
  });
});

describe('a known good version', () => {
  it('that baked is not replaced by one that was only observed', async () => {
    const service = freshService();
    const good = { version: 'v1', since: minute(0), states: {} };
    expect(await putKnownGood(table, service, { ...good, basis: 'observed' })).toBe(true);
    expect(await putKnownGood(table, service, { ...good, basis: 'baked' })).toBe(true);
    expect(await putKnownGood(table, service, { ...good, version: 'v9', basis: 'observed' })).toBe(false);
    expect((await readService(table, service, time(1))).knownGoods).toEqual([{ ...good, basis: 'baked' }]);
  });

  it('that was only observed can be taken back, in part or whole, and the reason stays', async () => {
    const service = freshService();
    const good = { version: 'v1', since: minute(0), basis: 'observed' as const, states: { web: { blue: 1 }, api: { blue: 1 } }, unproven: { releaseId: 'r-2', targets: ['api'] } };
    const reason = { code: 'withdrawn', text: 'nothing moved' };
    const kept = { version: 'v1', since: minute(0), basis: 'observed' as const, states: { web: { blue: 1 } } };
    expect(await withdrawKnownGood(table, service, kept, reason)).toBe(false);
    await putKnownGood(table, service, good);
    expect(await withdrawKnownGood(table, service, kept, reason)).toBe(true);
    expect((await readService(table, service, time(1))).knownGoods).toEqual([kept]);
    expect(await withdrawKnownGood(table, service, { ...kept, states: {} }, reason)).toBe(true);
    expect((await readService(table, service, time(1))).knownGoods).toEqual([]);
    const rows = await table.client.send(new QueryCommand({ TableName: table.name, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: `SERVICE#${service}` } } }));
    expect(JSON.parse(rows.Items?.[0]?.['reason']?.S ?? '')).toEqual(reason);
  });

  it('that baked is never taken back', async () => {
    const service = freshService();
    const good = { version: 'v1', since: minute(0), basis: 'baked' as const, states: { web: { blue: 1 } } };
    await putKnownGood(table, service, good);
    expect(await withdrawKnownGood(table, service, { ...good, states: {} }, { code: 'withdrawn', text: '' })).toBe(false);
    expect((await readService(table, service, time(1))).knownGoods).toEqual([good]);
  });
});

describe('the record of a rollback', () => {
  it('is made once and closed once', async () => {
    const service = freshService();
    const record = rollback({ service, endedAt: null, outcome: null });
    const end = { endedAt: minute(5), outcome: 'recovered', auditLength: 9, auditHash: 'abc' } as const;
    expect(await closeRollback(table, record, end)).toBe(false);
    await recordRollback(table, record);
    expect(await closeRollback(table, record, end)).toBe(true);
    expect(await closeRollback(table, record, { ...end, outcome: 'died' })).toBe(false);
    expect((await readService(table, service, time(0))).rollbacks).toEqual([{ ...record, endedAt: minute(5), outcome: 'recovered' }]);
  });
});

describe('the storm windows', () => {
  it('hold each service once, for the running window and the one before', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((service) => ({ service, group: service }));
    const joined = { service: 'b', group: 'a' };
    await addToStorm(table, a as Counted, 10, time(1));
    expect(await addToStorm(table, b as Counted, 10, time(9))).toEqual([a, b]);
    expect(await addToStorm(table, joined, 10, time(9.5))).toEqual([a, joined]);
    expect(await addToStorm(table, c as Counted, 10, time(11))).toEqual([c]);
    expect(await readStorm(table, 10, time(12))).toEqual({ current: [c], previous: [a, joined], announcedBy: null });
    expect(await readStorm(table, 10, time(25))).toEqual({ current: [], previous: [c], announcedBy: null });
    expect(await readStorm(table, 10, time(35))).toEqual({ current: [], previous: [], announcedBy: null });
  });

  it('are announced by one rollback, which may ask again', async () => {
    expect(await claimStormPage(table, 'rb-1', 10, time(100))).toBe(true);
    expect(await claimStormPage(table, 'rb-2', 10, time(101))).toBe(false);
    expect(await claimStormPage(table, 'rb-1', 10, time(102))).toBe(true);
    expect((await readStorm(table, 10, time(102))).announcedBy).toBe('rb-1');
  });

  it('have one page across their boundary: the claim lasts two windows, since by then nobody is counted any more who was counted as it was made', async () => {
    expect(await claimStormPage(table, 'rb-3', 10, time(209.9))).toBe(true);
    expect(await claimStormPage(table, 'rb-4', 10, time(210.1))).toBe(false);
    expect((await readStorm(table, 10, time(229.8))).announcedBy).toBe('rb-3');
    expect(await claimStormPage(table, 'rb-4', 10, time(229.8))).toBe(false);
    expect((await readStorm(table, 10, time(230))).announcedBy).toBeNull();
    expect(await claimStormPage(table, 'rb-4', 10, time(230))).toBe(true);
  });
});
