// What DynamoDB lets be written to one partition key in a second: write units, not calls, and each key for itself.
import { DynamoDBClient, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DynamoDb } from '../../../sandbox/services/dynamodb/dynamodb.ts';
import { KeyBudget, unitsPerSecond } from '../../../sandbox/services/dynamodb/key-budget.ts';
import { place, startWorld, type TestWorld } from './world.ts';

const taking = (units: number) => async () => ({ result: units, units });

test('a key takes a thousand units a second, and what one write takes too much the next waits for', async () => {
  const budget = new KeyBudget();
  for (let count = 0; count < unitsPerSecond / 10; count += 1) await budget.spend('a', 0, taking(10));
  await expect(budget.spend('a', 0, taking(1))).rejects.toMatchObject({ code: 'ThrottlingException' });
  expect(await budget.spend('b', 0, taking(1))).toBe(1);
  expect(await budget.spend('a', 1, taking(401))).toBe(401);
  await expect(budget.spend('a', 400, taking(1))).rejects.toMatchObject({ code: 'ThrottlingException' });
  expect(await budget.spend('a', 402, taking(1))).toBe(1);
});

test('no rest of an hour lets more than a second’s worth through at once', async () => {
  const budget = new KeyBudget();
  await budget.spend('a', 0, taking(1));
  await budget.spend('a', 3_600_000, taking(unitsPerSecond));
  await expect(budget.spend('a', 3_600_000, taking(1))).rejects.toMatchObject({ code: 'ThrottlingException' });
});

test('a write that fails takes a unit too', async () => {
  const budget = new KeyBudget();
  await budget.spend('a', 0, taking(unitsPerSecond - 1));
  await expect(budget.spend('a', 0, async () => { throw new Error('condition'); })).rejects.toThrow('condition');
  await expect(budget.spend('a', 0, taking(1))).rejects.toMatchObject({ code: 'ThrottlingException' });
});

let world: TestWorld;
let client: DynamoDBClient;

beforeEach(async () => {
  const dynamodb = new DynamoDb(place);
  await dynamodb.createTable({
    TableName: 'ledger', KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }, { AttributeName: 'sk', KeyType: 'RANGE' }],
    AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
  });
  world = await startWorld([dynamodb.service], 0.01);
  client = new DynamoDBClient({ ...world.client, maxAttempts: 1 });
});
afterEach(async () => {
  client.destroy();
  await world.close();
});

test('on the wire: three rows of 400 kB fill a key, whatever their sort key; what they took is told to who asks', async () => {
  const put = (sk: string, more: object = {}) => client.send(new PutItemCommand({ TableName: 'ledger', Item: { pk: { S: 'a' }, sk: { S: sk }, data: { S: 'x'.repeat(399 * 1024) } }, ...more }));
  expect((await put('1', { ReturnConsumedCapacity: 'TOTAL' })).ConsumedCapacity).toMatchObject({ CapacityUnits: 400 });
  expect((await put('2')).ConsumedCapacity).toBeUndefined();
  await put('3');
  const update = (pk: string) => client.send(new UpdateItemCommand({ TableName: 'ledger', Key: { pk: { S: pk }, sk: { S: '9' } }, UpdateExpression: 'SET n = :n', ExpressionAttributeValues: { ':n': { N: '1' } } }));
  await expect(update('a')).rejects.toMatchObject({ name: 'ThrottlingException' });
  await update('b');
});
