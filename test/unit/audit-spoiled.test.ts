// Somebody spoils the record of a rollback that runs: the rollback goes on, and the check names what was done, before and after.
import { type AttributeValue, PutItemCommand, TransactWriteItemsCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAnchor } from '../../lambdas/adapters/audit-anchor.ts';
import { toItem } from '../../lambdas/adapters/audit-rows.ts';
import { AuditStore } from '../../lambdas/adapters/audit-store.ts';
import { type ChainVerdict, verifyChain } from '../../lambdas/audit/chain.ts';
import { type AuditEntry, type AuditRow, genesis, rowAfter } from '../../lambdas/audit/entry.ts';
import { auditTable, ledgerTable, startTables, type Tables } from './audit-tables.ts';

let tables: Tables;
beforeAll(async () => { tables = await startTables(); });
afterAll(async () => { await tables.stop(); });

let count = 0;
const freshId = (): string => `spoiled-${(count += 1)}`;
const entry = (rollbackId: string, n: number): AuditEntry => ({ rollbackId, service: 'checkout', kind: 'confirmed', at: '2026-11-20T09:00:00.000Z', data: { n } });
const seal = (rollbackId: string) => ({ rollbackId, service: 'checkout', at: '2026-11-20T09:01:00.000Z', data: {} });
const put = (row: AuditRow) => tables.client.send(new PutItemCommand({ TableName: auditTable, Item: toItem(row) }));

const spoil = (id: string, name: string, value: AttributeValue) => tables.client.send(new UpdateItemCommand({
  TableName: ledgerTable, Key: { pk: { S: `AUDIT#${id}` }, sk: { S: 'ANCHOR' } }, UpdateExpression: 'SET #name = :value', ExpressionAttributeNames: { '#name': name }, ExpressionAttributeValues: { ':value': value },
}));

async function verdict(id: string): Promise<ChainVerdict> {
  return verifyChain(await tables.audit.read(id), await readAnchor(tables.ledger, id) ?? undefined);
}

describe('an anchor that somebody changed', () => {
  const unreadable: readonly (readonly [string, AttributeValue])[] = [
    ['head', { S: 'x' }], ['head', { N: '7' }], ['head', { M: { a: { L: [] } } }], ['length', { S: 'x' }], ['length', { N: '0' }], ['length', { N: '-1' }], ['length', { N: '1.5' }],
    ['length', { N: '9007199254740991' }], ['length', { N: '1e30' }], ['isSealed', { BOOL: true }], ['isSealed', { BOOL: false }], ['isSealed', { S: 'x' }],
  ];

  it.each(unreadable)('stops no row with %s %j, and is named before the next row and ever after', async (name, value) => {
    const id = freshId();
    const first = await tables.audit.append(entry(id, 0), null);
    const second = await tables.audit.append(entry(id, 1), first);
    await spoil(id, name, value);
    expect(await verdict(id)).toMatchObject({ intact: false, fault: 'anchor', seq: 1 });
    const third = await tables.audit.append(entry(id, 2), second);
    expect(third.length).toBe(3);
    await tables.audit.append(entry(id, 3), third);
    await tables.audit.seal(seal(id), null);
    const rows = await tables.audit.read(id);
    expect(rows.map(({ previousHash }) => previousHash)).toEqual([genesis.hash, ...rows.slice(0, -1).map(({ hash }) => hash)]);
    expect(await verdict(id)).toMatchObject({ intact: false, fault: 'anchor', seq: 2, text: expect.stringContaining('the anchor was changed before row 2 was written over it') as string });
    await expect(tables.audit.append(entry(id, 4), third)).rejects.toMatchObject({ name: 'ChainSealed', at: { length: 5, hash: rows[4]?.hash } });
  });

  it.each([null, 0] as const)('stops no writer either who knew an older end, %s', async (known) => {
    const id = freshId();
    const first = await tables.audit.append(entry(id, 0), null);
    await tables.audit.append(entry(id, 1), first);
    await spoil(id, 'head', { S: 'x' });
    expect(await tables.audit.append(entry(id, 2), known === null ? null : first)).toMatchObject({ length: 3 });
    expect(await verdict(id)).toMatchObject({ intact: false, fault: 'anchor', seq: 2 });
  });

  it('is followed where it could be true, and the row that does not fit is named', async () => {
    for (const [name, value, intact] of [['head', { S: 'f'.repeat(64) }, false], ['length', { N: '1' }, true], ['length', { N: '1000' }, false]] as const) {
      const id = freshId();
      const second = await tables.audit.append(entry(id, 1), await tables.audit.append(entry(id, 0), null));
      await spoil(id, name, value);
      expect(await verdict(id)).toMatchObject({ intact: false });
      await tables.audit.append(entry(id, 2), await tables.audit.append(entry(id, 3), second));
      expect(await tables.audit.read(id)).toHaveLength(4);
      // A length that was made too small harms nothing: the next row finds the first free number, and follows the true hash.
      expect(await verdict(id)).toMatchObject({ intact });
    }
  });

  it('is written over by one of several writers, and none of them loses a row', async () => {
    const id = freshId();
    const at = await tables.audit.append(entry(id, 0), null);
    await spoil(id, 'isSealed', { BOOL: true });
    await Promise.all([1, 2, 3, 4, 5, 6].map((n) => new AuditStore(tables.client, auditTable, ledgerTable).append(entry(id, n), n % 2 === 0 ? null : at)));
    const rows = await tables.audit.read(id);
    expect(rows).toHaveLength(7);
    expect(rows.filter(({ data }) => data.includes('anchorMisfit'))).toHaveLength(1);
    expect(await verdict(id)).toMatchObject({ intact: false, fault: 'anchor', seq: 1 });
  });
});

describe('rows that somebody put in', () => {
  it.each([['each behind the last true row', false], ['each behind the one before', true]])('cost few calls however many they are, and are all named: %s', async (_how, isLinked) => {
    const id = freshId();
    let calls = 0;
    const counting = new AuditStore({ send: (command: TransactWriteItemsCommand) => {
      calls += 1;
      return tables.client.send(command);
    } } as unknown as Tables['client'], auditTable, ledgerTable);
    const at = await tables.audit.append(entry(id, 0), null);
    let hash = at.hash;
    for (let n = 0; n < 100; n += 1) {
      const forged = rowAfter({ length: 1 + n, hash }, entry(id, 100 + n));
      if (isLinked) hash = forged.hash;
      await put(forged);
    }
    expect(await verdict(id)).toMatchObject({ intact: false, fault: 'inserted', seq: 1, text: 'rows 1 to 100 were inserted: the chain ended with row 0' });
    expect(await counting.append(entry(id, 1), at)).toMatchObject({ length: 102 });
    expect(calls).toBeLessThan(20);
    expect(await verdict(id)).toMatchObject({ intact: false, fault: 'inserted', seq: 1, text: 'rows 1 to 100 were inserted: row 101 follows row 0' });
  });
});

describe('a chain that is sealed', () => {
  it('stays sealed also when its anchor says so in other words, and these are named', async () => {
    const id = freshId();
    const end = await tables.audit.seal(seal(id), null);
    expect(await verdict(id)).toMatchObject({ intact: true, isSealed: true, isAnchored: true });
    for (const value of [{ S: 'x' }, { BOOL: false }, { S: 'true' }, { M: {} }]) {
      await spoil(id, 'isSealed', value);
      for (const cursor of [null, end]) await expect(tables.audit.append(entry(id, 1), cursor)).rejects.toMatchObject({ name: 'ChainSealed' });
      expect(await verdict(id)).toMatchObject({ intact: false, fault: 'anchor', seq: 0, text: expect.stringContaining(`it says with ${JSON.stringify(value)}`) as string });
    }
    await spoil(id, 'isSealed', { BOOL: true });
    expect(await verdict(id)).toMatchObject({ intact: true });
  });

  it('is named when its anchor no longer says so', async () => {
    const id = freshId();
    await tables.audit.seal(seal(id), await tables.audit.append(entry(id, 0), null));
    await tables.client.send(new UpdateItemCommand({ TableName: ledgerTable, Key: { pk: { S: `AUDIT#${id}` }, sk: { S: 'ANCHOR' } }, UpdateExpression: 'REMOVE isSealed' }));
    expect(await verdict(id)).toMatchObject({ intact: false, fault: 'anchor', seq: 1, text: expect.stringContaining('it says no longer that the chain is sealed') as string });
    const { hash } = (await tables.audit.last(id)) as AuditRow;
    // Whoever names its end by hand says nothing of a seal.
    expect(verifyChain(await tables.audit.read(id), { length: 2, hash })).toMatchObject({ intact: true, isSealed: true });
  });
});
