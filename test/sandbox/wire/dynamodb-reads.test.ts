// Reads of DynamoDB's stand-in: in which order rows come, that each reader has rows of its own, and that a read leaves nothing behind.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { DynamoDb, type Item } from '../../../sandbox/services/dynamodb/dynamodb.ts';
import { sortedRows, type Range, type Rows } from '../../../sandbox/services/dynamodb/rows.ts';
import { place } from './world.ts';

interface Page {
  readonly Items?: readonly Item[];
  readonly Count: number;
  readonly LastEvaluatedKey?: Item;
}

let dynamodb: DynamoDb;
const TableName = 'ledger';
const byRank = { IndexName: 'by-rank', KeySchema: [{ AttributeName: 'kind', KeyType: 'HASH' }, { AttributeName: 'rank', KeyType: 'RANGE' }] };

async function createTable(rangeType: string): Promise<void> {
  dynamodb = new DynamoDb(place);
  await dynamodb.createTable({
    TableName, KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }, { AttributeName: 'sk', KeyType: 'RANGE' }],
    AttributeDefinitions: [['pk', 'S'], ['sk', rangeType], ['kind', 'S'], ['rank', 'N']].map(([AttributeName = '', AttributeType = '']) => ({ AttributeName, AttributeType })),
    GlobalSecondaryIndexes: [{ ...byRank, Projection: { ProjectionType: 'ALL' } }],
  });
}

const query = async (over: object): Promise<Page> => (await dynamodb.perform('Query', { TableName, KeyConditionExpression: 'pk = :p', ExpressionAttributeValues: { ':p': { S: 'one' } }, ...over })) as unknown as Page;

async function inPages(over: object): Promise<Item[]> {
  const items: Item[] = [];
  let start: Item | undefined;
  do {
    const page = await query({ ...over, Limit: 2, ...(start === undefined ? {} : { ExclusiveStartKey: start }) });
    expect(page.Count).toBeLessThanOrEqual(2);
    items.push(...(page.Items ?? []));
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
  return items;
}

const numbers = ['-1e20', '-12.5', '-12', '-0.001', '0', '0.5', '2', '10', '99', '1e9'].map((N) => ({ N: Number(N).toLocaleString('en', { useGrouping: false, maximumFractionDigits: 10 }) }));
const binaries = [[0], [0, 0], [0, 255], [1], [127], [128], [200, 1], [255]].map((bytes) => ({ B: new Uint8Array(bytes) }));
const texts = ['!', '0', '10', '9', 'A', 'Z', 'a', 'aa', 'b', '~', 'é', '中', '\uFFFD', '😀'].map((S) => ({ S }));

describe('rows come in the order of their sort keys', () => {
  test.each<[string, readonly AttributeValue[]]>([['N', numbers], ['B', binaries], ['S', texts]])('of type %s: forwards, backwards, in pages, within bounds', async (type, inOrder) => {
    await createTable(type);
    for (const sk of inOrder.toSorted((one, other) => JSON.stringify(one).length - JSON.stringify(other).length || (JSON.stringify(one) < JSON.stringify(other) ? 1 : -1))) await dynamodb.putItem(TableName, { pk: { S: 'one' }, sk });
    for (const pk of ['on', 'one1', 'two']) await dynamodb.putItem(TableName, { pk: { S: pk }, sk: inOrder[3] as AttributeValue });
    const keys = (items: readonly Item[] = []): readonly (AttributeValue | undefined)[] => items.map(({ sk }) => sk);
    expect(keys((await query({})).Items)).toEqual(inOrder);
    expect(keys((await query({ ScanIndexForward: false })).Items)).toEqual(inOrder.toReversed());
    expect(keys(await inPages({}))).toEqual(inOrder);
    expect(keys(await inPages({ ScanIndexForward: false }))).toEqual(inOrder.toReversed());
    const between = { KeyConditionExpression: 'pk = :p AND sk BETWEEN :from AND :to', ExpressionAttributeValues: { ':p': { S: 'one' }, ':from': inOrder[2], ':to': inOrder[5] } };
    expect(keys(await inPages(between))).toEqual(inOrder.slice(2, 6));
    for (const [operator, from, to] of [['<', 0, 3], ['<=', 0, 4], ['>', 4, inOrder.length], ['>=', 3, inOrder.length]] as const) {
      const bound = { KeyConditionExpression: `pk = :p AND sk ${operator} :sk`, ExpressionAttributeValues: { ':p': { S: 'one' }, ':sk': inOrder[3] } };
      expect(keys((await query(bound)).Items)).toEqual(inOrder.slice(from, to));
      expect(keys(await inPages({ ...bound, ScanIndexForward: false }))).toEqual(inOrder.slice(from, to).toReversed());
    }
  });

  test('in an index too, where a row that is written again has moved and one that is deleted is gone', async () => {
    await createTable('S');
    const put = (sk: string, rank: number | null): Promise<void> => dynamodb.putItem(TableName, { pk: { S: 'one' }, sk: { S: sk }, kind: { S: 'k' }, ...(rank === null ? {} : { rank: { N: String(rank) } }) });
    for (const [sk, rank] of [['a', 3], ['b', 10], ['c', -1], ['d', 10], ['e', 7]] as const) await put(sk, rank);
    await put('a', 20);
    await put('e', null);
    await dynamodb.deleteItem(TableName, { pk: { S: 'one' }, sk: { S: 'b' } });
    const over = { IndexName: byRank.IndexName, KeyConditionExpression: 'kind = :k', ExpressionAttributeValues: { ':k': { S: 'k' } } };
    const ranked = async (more: object): Promise<unknown> => (await inPages({ ...over, ...more })).map(({ sk, rank }) => [sk?.S, rank?.N]);
    expect(await ranked({})).toEqual([['c', '-1'], ['d', '10'], ['a', '20']]);
    expect(await ranked({ ScanIndexForward: false })).toEqual([['a', '20'], ['d', '10'], ['c', '-1']]);
  });
});

describe('what a read gives', () => {
  beforeEach(() => createTable('S'));

  const key = (sk: string): Item => ({ pk: { S: 'one' }, sk: { S: sk } });

  test('is as the rows were, whatever is written beside it', async () => {
    for (const sk of ['a', 'b', 'c']) await dynamodb.putItem(TableName, key(sk));
    const [before, , after] = await Promise.all([query({}), dynamodb.deleteItem(TableName, key('b')), query({})]);
    expect([before.Count, after.Count]).toEqual([3, 2]);
  });

  test('belongs to who asked: nobody else sees what becomes of it, nor of what was written', async () => {
    const written = { ...key('a'), l: { L: [{ S: 'x' }] } };
    await dynamodb.putItem(TableName, written);
    written.l.L.push({ S: 'y' });
    const [item] = (await query({})).Items ?? [];
    item?.['l']?.L?.push({ S: 'z' });
    expect((await query({})).Items).toEqual([{ ...key('a'), l: { L: [{ S: 'x' }] } }]);
  });

  test('comes in the shapes of the SDK: bytes as bytes, moments as dates', async () => {
    const item = { ...key('a'), b: { B: new Uint8Array([0, 255]) }, bs: { BS: [new Uint8Array([1]), new Uint8Array([2])] }, m: { M: { b: { B: new Uint8Array([3]) } } } };
    await dynamodb.putItem(TableName, item);
    await expect(dynamodb.perform('PutItem', { TableName, Item: item, ConditionExpression: 'attribute_not_exists(pk)', ReturnValuesOnConditionCheckFailure: 'ALL_OLD' })).rejects.toMatchObject({ fields: { Item: item } });
    expect((await query({})).Items).toEqual([item]);
    const { Table: table } = await dynamodb.perform('DescribeTable', { TableName });
    expect((table as { readonly CreationDateTime: unknown }).CreationDateTime).toBeInstanceOf(Date);
  });

  test('is gone with its table', async () => {
    await dynamodb.putItem(TableName, key('a'));
    await dynamodb.perform('DeleteTable', { TableName });
    await expect.poll(() => dynamodb.perform('ListTables', {})).toEqual({ TableNames: [] });
    await expect(query({})).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
    await dynamodb.createTable({ TableName, KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }], AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }] });
    expect(await dynamodb.items(TableName)).toEqual([]);
  });

  test('holds on to no row that has been written over since', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const used = async (): Promise<number> => {
      await new Promise((resolve) => { setImmediate(resolve); });
      collect();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    const rounds = async (count: number): Promise<void> => {
      for (let one = 0; one < count; one += 1) {
        await dynamodb.putItem(TableName, { ...key('a'), data: { S: String(one % 10).repeat(300_000) } });
        await query({ Limit: 1 });
        await dynamodb.items(TableName);
      }
    };
    await rounds(3);
    const before = await used();
    await rounds(40);
    // Forty such rows take twelve megabytes.
    expect(await used() - before).toBeLessThan(4e6);
  });
});

test('who asks again and again leaves the others their turn', async () => {
  await createTable('S');
  const others = vi.fn<() => void>();
  setTimeout(others, 1);
  const until = performance.now() + 5000;
  while (others.mock.calls.length === 0 && performance.now() < until) await query({});
  expect(others).toHaveBeenCalledOnce();
});

describe('rows by the range of their keys', () => {
  const keys = ['b', 'd', 'f', 'h'];
  const rows = sortedRows();
  for (const key of keys) rows.put(key, key.toUpperCase(), () => undefined);

  const read = (range: Range, enough = Infinity): Promise<string[]> => new Promise((resolve) => {
    const stream = rows.createValueStream(range) as ReturnType<Rows['createValueStream']> & { destroy(): void };
    const found: string[] = [];
    stream.on('data', (value: string) => { if (found.push(value) >= enough) { stream.destroy(); setImmediate(() => { resolve(found); }); } });
    stream.on('end', () => { resolve(found); });
  });

  test.each<[Range, string]>([
    [{}, 'BDFH'], [{ gte: 'd' }, 'DFH'], [{ gt: 'd' }, 'FH'], [{ lt: 'f' }, 'BD'], [{ lte: 'f' }, 'BDF'], [{ gte: 'c', lt: 'g' }, 'DF'], [{ gte: 'd', gt: 'f' }, 'DFH'], [{ lte: 'f', lt: 'd' }, 'BDF'],
    [{ limit: -1 }, 'BDFH'], [{ limit: 0 }, ''], [{ limit: 2 }, 'BD'], [{ limit: 9 }, 'BDFH'], [{ gt: 'b', limit: 2 }, 'DF'], [{ lt: 'd', limit: 2 }, 'B'],
    [{ reverse: true }, 'HFDB'], [{ reverse: true, limit: 2 }, 'HF'], [{ reverse: true, lt: 'h', gte: 'd', limit: 9 }, 'FD'], [{ gte: 'x' }, ''], [{ lt: 'a' }, ''], [{ gte: 'h', lt: 'c' }, ''],
  ])('%j', async (range, expected) => {
    expect((await read(range)).join('')).toBe(expected);
  });

  test('no further than somebody wants', async () => {
    expect(await read({}, 2)).toEqual(['B', 'D']);
  });
});

test('the store copies what it is given and what it gives, and finds nothing twice', () => {
  const rows = sortedRows();
  const value = { list: [{ text: 'x' }], none: undefined };
  const got: unknown[] = [];
  const take = (_: null, found?: unknown): void => { got.push(found); };
  rows.put('k', value, take);
  value.list.push({ text: 'y' });
  rows.get('k', take);
  (got[1] as typeof value).list.push({ text: 'z' });
  rows.get('k', take);
  expect(got[2]).toStrictEqual({ list: [{ text: 'x' }] });
  rows.batch([{ type: 'del', key: 'k' }, { type: 'del', key: 'k' }, { type: 'put', key: 'j', value: 1 }, { type: 'put', key: 'j', value: 2 }], take);
  rows.get('k', take);
  rows.get('j', take);
  expect(got.slice(4)).toEqual([undefined, 2]);
});
