// What a read of DynamoDB's stand-in leaves behind: an open iterator holds on to every row as it was, in a sandbox that is asked for hours.
import { createRequire } from 'node:module';
import { beforeEach, expect, test, vi } from 'vitest';
import { DynamoDb } from '../../../sandbox/services/dynamodb/dynamodb.ts';
import { place } from './world.ts';

interface Level {
  attachResource(iterator: object): void;
  detachResource(iterator: object): void;
}

// The copy that dynalite loads.
const { MemoryLevel } = createRequire(createRequire(import.meta.url).resolve('dynalite/db'))('memory-level') as { readonly MemoryLevel: { readonly prototype: Level } };

const attached = vi.spyOn(MemoryLevel.prototype, 'attachResource');
const detached = vi.spyOn(MemoryLevel.prototype, 'detachResource');
const open = (): number => [...new Set(attached.mock.calls.flat())].filter((one) => !detached.mock.calls.flat().includes(one)).length;
let dynamodb: DynamoDb;

beforeEach(async () => {
  attached.mockClear();
  detached.mockClear();
  dynamodb = new DynamoDb(place);
  await dynamodb.createTable({
    TableName: 'ledger', KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }, { AttributeName: 'sk', KeyType: 'RANGE' }],
    AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
  });
  for (const sk of ['a', 'b', 'c', 'd']) await dynamodb.putItem('ledger', { pk: { S: 'one' }, sk: { S: sk } });
});

test.each<[string, string, object, number]>([
  ['to the end', 'Query', {}, 4], ['up to a limit', 'Query', { Limit: 2 }, 2], ['that finds nothing', 'Query', { ExpressionAttributeValues: { ':p': { S: 'none' } } }, 0],
])('a query %s leaves no iterator open', async (_, operation, over, count) => {
  const before = attached.mock.calls.length;
  const found = await dynamodb.perform(operation, { TableName: 'ledger', KeyConditionExpression: 'pk = :p', ExpressionAttributeValues: { ':p': { S: 'one' } }, ...over });
  expect(found['Count']).toBe(count);
  expect(attached.mock.calls.length).toBeGreaterThan(before);
  await vi.waitFor(() => expect(open()).toBe(0));
});

test('nor does a scan, nor a table that is deleted', async () => {
  expect(await dynamodb.items('ledger')).toHaveLength(4);
  await dynamodb.perform('DeleteTable', { TableName: 'ledger' });
  expect(attached.mock.calls.length).toBeGreaterThan(1);
  await vi.waitFor(() => expect(open()).toBe(0));
});
