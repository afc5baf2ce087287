// The audit store on a real DynamoDB engine: races, lost replies, seals, sizes.
import { DeleteItemCommand, PutItemCommand, TransactionCanceledException, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAnchor } from '../../lambdas/adapters/audit-anchor.ts';
import { toItem } from '../../lambdas/adapters/audit-rows.ts';
import { AuditStore } from '../../lambdas/adapters/audit-store.ts';
import { type ChainVerdict, verifyChain } from '../../lambdas/audit/chain.ts';
import { type AuditEntry, type AuditRow, cursorAt, rowAfter } from '../../lambdas/audit/entry.ts';
import type { AuditCursor } from '../../lambdas/domain/vocabulary.ts';
import { auditTable, ledgerTable, startTables, type Tables } from './audit-tables.ts';

let tables: Tables;
beforeAll(async () => { tables = await startTables(); });
afterAll(async () => { await tables.stop(); });

let count = 0;
const freshId = (): string => `rb-${(count += 1)}`;
const entry = (rollbackId: string, n: unknown = 0): AuditEntry => ({ rollbackId, service: 'checkout', kind: 'confirmed', at: '2026-11-20T09:00:00.000Z', data: { n: n as number } });

type Send = (command: TransactWriteItemsCommand) => Promise<unknown>;

/** A store whose transactions go through `send`. */
const storeWith = (send: (command: TransactWriteItemsCommand, real: Send) => Promise<unknown>): AuditStore => {
  const real: Send = (command) => tables.client.send(command);
  return new AuditStore({ send: (command: TransactWriteItemsCommand) => (command instanceof TransactWriteItemsCommand ? send(command, real) : real(command)) } as unknown as Tables['client'], auditTable, ledgerTable);
};

/** Refuses so many calls for this reason, and counts them all. */
function refusing(times: number, Code: string, index = 0): { readonly store: AuditStore; calls: () => number } {
  let calls = 0;
  const store = storeWith((command, real) => {
    calls += 1;
    if (calls > times) return real(command);
    throw new TransactionCanceledException({ $metadata: {}, message: `cancelled [${Code}]`, CancellationReasons: [{ Code: 'None' }, { Code: 'None' }].with(index, { Code }) });
  });
  return { store, calls: () => calls };
}

const put = (row: AuditRow) => tables.client.send(new PutItemCommand({ TableName: auditTable, Item: toItem(row) }));
const cut = (id: string, seq: number) => tables.client.send(new DeleteItemCommand({ TableName: auditTable, Key: { rollbackId: { S: id }, seq: { N: String(seq) } } }));
const loseAnchor = (id: string) => tables.client.send(new DeleteItemCommand({ TableName: ledgerTable, Key: { pk: { S: `AUDIT#${id}` }, sk: { S: 'ANCHOR' } } }));
async function verdict(id: string): Promise<ChainVerdict> {
  return verifyChain(await tables.audit.read(id), await readAnchor(tables.ledger, id) ?? undefined);
}

describe('AuditStore', () => {
  it('writes rows that form one chain, each on the next number', async () => {
    const id = freshId();
    let at = await tables.audit.append(entry(id, 1), null);
    at = await tables.audit.append(entry(id, 2), at);
    expect(at.length).toBe(2);
    const rows = await tables.audit.read(id);
    expect(rows.map(({ seq, data }) => [seq, data])).toEqual([[0, '{"n":1}'], [1, '{"n":2}']]);
    expect(verifyChain(rows, at)).toMatchObject({ intact: true });
  });

  it('tells a witness of each row that stands, also when the reply was lost, and of none that does not', async () => {
    const id = freshId();
    const heard: string[] = [];
    let lost = 1;
    const client = { send: async (command: TransactWriteItemsCommand) => {
      const answer = await tables.client.send(command);
      if ((lost -= 1) >= 0) throw Object.assign(new Error('socket hang up'), { name: 'TimeoutError' });
      return answer;
    } } as unknown as Tables['client'];
    const store = new AuditStore(client, auditTable, ledgerTable, { witness: (row, at) => void heard.push(`${row.rollbackId} ${row.kind} ${at.length} ${at.hash}`) });
    await expect(store.append(entry(id, 1), null)).rejects.toThrow('socket hang up');
    expect(heard).toEqual([]);
    const first = await store.append(entry(id, 1), null);
    const sealed = await store.seal(entry(id), first);
    expect(heard).toEqual([`${id} confirmed 1 ${first.hash}`, `${id} sealed 2 ${sealed.hash}`]);
    expect((await tables.audit.read(id)).map(({ hash }) => hash)).toEqual([first.hash, sealed.hash]);
  });

  it('loses nothing when many writers race with the same cursor', async () => {
    const id = freshId();
    const start = await tables.audit.append(entry(id, 'first'), null);
    await Promise.all(Array.from({ length: 24 }, (_, n) => new AuditStore(tables.client, auditTable, ledgerTable).append(entry(id, n), n % 3 === 0 ? null : start)));
    const rows = await tables.audit.read(id);
    expect(rows).toHaveLength(25);
    expect(await verdict(id)).toMatchObject({ intact: true, isAnchored: true });
    expect(new Set(rows.map(({ data }) => data)).size).toBe(25);
  });

  it('recognises its own row when the reply is lost, by the token or, when that is forgotten, by what stands there', async () => {
    const tokens: (string | undefined)[] = [];
    const doubling = storeWith(async ({ input }, real) => {
      tokens.push(input.ClientRequestToken);
      await real(new TransactWriteItemsCommand(input));
      return real(new TransactWriteItemsCommand(input));
    });
    const id = freshId();
    expect(await doubling.append(entry(id, 'mine'), null)).toMatchObject({ length: 1 });
    expect(tokens).toEqual([expect.stringMatching(/^[0-9a-f]{32}-0$/)]);
    const forgotten = storeWith(async ({ input }, real) => {
      await real(new TransactWriteItemsCommand(input));
      return real(new TransactWriteItemsCommand({ ...input, ClientRequestToken: 'another' }));
    });
    const at = await forgotten.append(entry(id, 'next'), await readAnchor(tables.ledger, id));
    expect(at).toEqual({ length: 2, hash: (await tables.audit.read(id))[1]?.hash });
    expect(await tables.audit.read(id)).toHaveLength(2);
  });

  it('recognises its own row also when somebody else wrote behind it meanwhile', async () => {
    const id = freshId();
    const first = await tables.audit.append(entry(id, 'mine'), null);
    await tables.audit.append(entry(id, 'theirs'), first);
    await tables.audit.append(entry(id, 'mine'), null);
    const anew = storeWith(({ input }, real) => real(new TransactWriteItemsCommand({ ...input, ClientRequestToken: 'anew' })));
    await anew.append(entry(id, 'mine'), null);
    expect((await tables.audit.read(id)).map(({ data }) => data)).toEqual(['{"n":"mine"}', '{"n":"theirs"}']);
  });

  it('moves the anchor with every row, in the same call', async () => {
    const id = freshId();
    let calls = 0;
    const counting = storeWith((command, real) => {
      calls += 1;
      return real(command);
    });
    let at = null;
    for (const n of [1, 2, 3]) {
      at = await counting.append(entry(id, n), at);
      expect(await readAnchor(tables.ledger, id)).toEqual({ ...at, isSealed: false });
    }
    expect(calls).toBe(3);
    expect(await counting.seal({ rollbackId: id, service: 'checkout', at: '2026-11-20T09:01:00.000Z', data: {} }, at)).toMatchObject({ length: 4 });
    expect(await readAnchor(tables.ledger, id)).toMatchObject({ length: 4, isSealed: true });
  });

  it.each(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'])('tries the same row again after %s, under a name of its own', async (Code) => {
    const id = freshId();
    const { store, calls } = refusing(3, Code, 1);
    expect(await store.append(entry(id, 'mine'), null)).toMatchObject({ length: 1 });
    expect([calls(), (await tables.audit.read(id)).length]).toEqual([4, 1]);
    expect(await verdict(id)).toMatchObject({ intact: true, isAnchored: true });
  });

  it('gives up as throttled, which the workflow tries again, and writes nothing', async () => {
    const id = freshId();
    await expect(refusing(100, 'ThrottlingError').store.append(entry(id), null)).rejects.toMatchObject({ fault: 'throttled', kind: 'retry' });
    await expect(refusing(1, 'ValidationError').store.append(entry(id), null)).rejects.toMatchObject({ name: 'TransactionCanceledException' });
    expect([await tables.audit.read(id), await readAnchor(tables.ledger, id)]).toEqual([[], null]);
  });

  it('keeps on record that rows were cut from the end, whatever its writer believed', async () => {
    for (const believes of [true, false]) {
      const id = freshId();
      const cursors: AuditCursor[] = [];
      for (const n of [0, 1, 2, 3]) cursors.push(await tables.audit.append(entry(id, n), cursors.at(-1) ?? null));
      for (const seq of [2, 3]) await cut(id, seq);
      expect(await verdict(id)).toMatchObject({ intact: false, fault: 'truncated', seq: 2 });
      expect(await tables.audit.append(entry(id, 'later'), believes ? cursors[3] ?? null : cursors[1] ?? null)).toMatchObject({ length: 5 });
      expect(await verdict(id)).toMatchObject({ intact: false, fault: 'removed', seq: 2 });
    }
  });

  it('follows no row that was put in at the end, nor lets its writer', async () => {
    for (const isFooled of [true, false]) {
      const id = freshId();
      const at = await tables.audit.append(entry(id, 0), null);
      const forged = rowAfter(at, entry(id, 'forged'));
      await put(forged);
      expect(await verdict(id)).toMatchObject({ intact: false, fault: 'inserted', seq: 1 });
      await tables.audit.append(entry(id, 'true'), isFooled ? cursorAt(forged) : at);
      expect((await tables.audit.read(id)).map(({ data }) => data)).toEqual(['{"n":0}', '{"n":"forged"}', '{"n":"true"}']);
      expect(await verdict(id)).toMatchObject({ intact: false, fault: 'inserted', seq: 1, text: 'row 1 was inserted: row 2 follows row 0' });
    }
  });

  it('goes on when the anchor was taken away, along what its writer knew', async () => {
    const id = freshId();
    const at = await tables.audit.append(entry(id, 0), null);
    await loseAnchor(id);
    await tables.audit.append(entry(id, 1), at);
    expect(await verdict(id)).toMatchObject({ intact: true, isAnchored: true, length: 2 });
    await loseAnchor(id);
    await tables.audit.append(entry(id, 2), null);
    expect(await verdict(id)).toMatchObject({ intact: false, fault: 'inserted', seq: 0, text: expect.stringContaining('rows 0 to 1 were inserted: row 2 follows none: its anchor was taken away') as string });
  });

  it('never replaces a row that is there', async () => {
    const id = freshId();
    await tables.audit.append(entry(id, 'old'), null);
    await tables.audit.append(entry(id, 'new'), null);
    expect((await tables.audit.read(id)).map(({ data }) => data)).toEqual(['{"n":"old"}', '{"n":"new"}']);
  });

  it('says in the seal how many rows there are, and lets nothing follow it', async () => {
    const id = freshId();
    const stale = await tables.audit.append(entry(id), null);
    await tables.audit.append(entry(id, 'between'), stale);
    const seal = await tables.audit.seal({ rollbackId: id, service: 'checkout', at: '2026-11-20T09:01:00.000Z', data: { outcome: 'recovered' } }, stale);
    const rows = await tables.audit.read(id);
    expect(rows.at(-1)).toMatchObject({ kind: 'sealed', data: '{"outcome":"recovered","rows":3}' });
    expect(seal.length).toBe(3);
    for (const cursor of [null, stale, seal]) await expect(tables.audit.append(entry(id, 'late'), cursor)).rejects.toMatchObject({ name: 'ChainSealed' });
    expect(await tables.audit.read(id)).toHaveLength(3);
  });

  it('refuses data above 300 kB with its size and kind, and writes nothing', async () => {
    const id = freshId();
    await expect(tables.audit.append(entry(id, 'x'.repeat(301 * 1024)), null)).rejects.toThrow(/"confirmed" has 308\d{3} bytes; at most 307200/);
    expect(await tables.audit.read(id)).toEqual([]);
    await tables.audit.append(entry(id, 'x'.repeat(290 * 1024)), null);
  });

  it('reads chains longer than one page', async () => {
    const id = freshId();
    let at = null;
    for (let n = 0; n < 5; n += 1) at = await tables.audit.append(entry(id, `${n}${'x'.repeat(280 * 1024)}`), at);
    expect(verifyChain(await tables.audit.read(id))).toMatchObject({ intact: true, length: 5 });
  });

  it('records text with a lone surrogate rather than lose the row', async () => {
    const id = freshId();
    await tables.audit.append(entry(id, 'a\uD800b'), null);
    const rows = await tables.audit.read(id);
    expect(rows[0]?.data).toBe('{"n":"a\uFFFDb"}');
    expect(verifyChain(rows)).toMatchObject({ intact: true });
  });
});
