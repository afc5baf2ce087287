// TransactWriteItems of the sandbox through the real client: all or nothing, why not, repeats, conflicts, units, and whom IAM lets through.
import { DynamoDBClient, GetItemCommand, PutItemCommand, TransactionCanceledException, type TransactWriteItem, TransactWriteItemsCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DynamoDb } from '../../../sandbox/services/dynamodb/dynamodb.ts';
import { place, startWorld, type TestWorld } from './world.ts';

let world: TestWorld;
let dynamodb: DynamoDb;
let client: DynamoDBClient;

beforeEach(async () => {
  dynamodb = new DynamoDb(place);
  for (const TableName of ['rows', 'heads'])
    await dynamodb.createTable({
      TableName, KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }, { AttributeName: 'sk', KeyType: 'RANGE' }],
      AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    });
  world = await startWorld([dynamodb.service], 0.01);
  client = new DynamoDBClient(world.client);
});
afterEach(async () => {
  client.destroy();
  await world.close();
});

const key = (pk: string) => ({ pk: { S: pk }, sk: { S: 'x' } });
const putNew = (pk: string, data = 'new'): TransactWriteItem => ({
  Put: { TableName: 'rows', Item: { ...key(pk), data: { S: data } }, ConditionExpression: 'attribute_not_exists(pk)', ReturnValuesOnConditionCheckFailure: 'ALL_OLD' },
});
const move = (pk: string, from: string | null, to: string): TransactWriteItem => ({
  Update: {
    TableName: 'heads', Key: key(pk), UpdateExpression: 'SET head = :to', ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    ConditionExpression: from === null ? 'attribute_not_exists(pk)' : 'head = :from',
    ExpressionAttributeValues: { ':to': { S: to }, ...(from === null ? {} : { ':from': { S: from } }) },
  },
});
const write = (items: TransactWriteItem[], more: object = {}, by = client) => by.send(new TransactWriteItemsCommand({ TransactItems: items, ...more }));
const read = async (TableName: string, pk: string) => (await client.send(new GetItemCommand({ TableName, Key: key(pk), ConsistentRead: true }))).Item;
async function reasonsOf(call: Promise<unknown>): Promise<TransactionCanceledException['CancellationReasons']> {
  const error: unknown = await call.then(() => null, (caught: unknown) => caught);
  expect(error).toBeInstanceOf(TransactionCanceledException);
  return (error as TransactionCanceledException).CancellationReasons;
}

test('writes to both tables, or to none of them and says which condition failed on what', async () => {
  await write([putNew('a'), move('a', null, '1')]);
  expect([await read('rows', 'a'), await read('heads', 'a')]).toEqual([{ ...key('a'), data: { S: 'new' } }, { ...key('a'), head: { S: '1' } }]);
  const reasons = await reasonsOf(write([move('a', '1', '2'), putNew('a', 'other'), putNew('b')]));
  expect(reasons).toEqual([{ Code: 'None' }, { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed', Item: { ...key('a'), data: { S: 'new' } } }, { Code: 'None' }]);
  expect([await read('rows', 'a'), await read('heads', 'a'), await read('rows', 'b')]).toEqual([{ ...key('a'), data: { S: 'new' } }, { ...key('a'), head: { S: '1' } }, undefined]);
});

test('says of every condition whether it failed', async () => {
  await write([putNew('a'), move('a', null, '1')]);
  expect(await reasonsOf(write([putNew('a'), move('a', '0', '2')]))).toMatchObject([{ Code: 'ConditionalCheckFailed', Item: { data: { S: 'new' } } }, { Code: 'ConditionalCheckFailed', Item: { head: { S: '1' } } }]);
  expect(await reasonsOf(write([putNew('c'), move('c', '0', '2')]))).toEqual([{ Code: 'None' }, { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed' }]);
});

test('deletes and checks in the same way; a check leaves no trace', async () => {
  await write([putNew('a')]);
  const check = (pk: string): TransactWriteItem => ({ ConditionCheck: { TableName: 'rows', Key: key(pk), ConditionExpression: 'attribute_not_exists(pk)' } });
  const remove: TransactWriteItem = { Delete: { TableName: 'rows', Key: key('a') } };
  await write([remove, check('b')]);
  expect([await read('rows', 'a'), await read('rows', 'b')]).toEqual([undefined, undefined]);
  await write([putNew('a')]);
  await reasonsOf(write([{ Delete: { TableName: 'rows', Key: key('a') } }, putNew('b'), { ConditionCheck: { TableName: 'heads', Key: key('z'), ConditionExpression: 'attribute_exists(pk)' } }]));
  expect([await read('rows', 'a'), await read('rows', 'b'), await read('heads', 'z')]).toEqual([{ ...key('a'), data: { S: 'new' } }, undefined, undefined]);
});

test('knows its own repeat by the token, and refuses another under the same', async () => {
  await write([putNew('a')], { ClientRequestToken: 't' });
  await write([putNew('a')], { ClientRequestToken: 't' });
  await expect(write([putNew('b')], { ClientRequestToken: 't' })).rejects.toMatchObject({ name: 'IdempotentParameterMismatchException' });
  await reasonsOf(write([putNew('a')], { ClientRequestToken: 'u' }));
  await expect(write([putNew('b')], { ClientRequestToken: 'x'.repeat(37) })).rejects.toMatchObject({ name: 'ValidationException' });
});

test('is cancelled while another writes one of its items; single writes to them are refused meanwhile', async () => {
  const { operations } = dynamodb.service;
  const run = async (operation: string, input: object): Promise<unknown> => operations[operation]?.run(input as never, { clock: world.clock } as never);
  const transact = (pk: string): Promise<unknown> => run('TransactWriteItems', { TransactItems: [putNew(pk), move('hot', null, pk)] });
  const single = { TableName: 'heads', Key: key('hot') };
  const named = { TransactItems: [putNew('n')], ClientRequestToken: 'n' };
  expect(await Promise.allSettled([run('TransactWriteItems', named), run('TransactWriteItems', named)])).toMatchObject([{ status: 'fulfilled' }, { reason: { code: 'TransactionInProgressException' } }]);
  const [won, lost, refused] = await Promise.allSettled([transact('a'), transact('b'), run('UpdateItem', single)]);
  expect([won.status, lost, refused]).toMatchObject(['fulfilled', { reason: { code: 'TransactionCanceledException', fields: { CancellationReasons: [{ Code: 'None' }, { Code: 'TransactionConflict' }] } } }, { reason: { code: 'TransactionConflictException' } }]);
  expect([await read('rows', 'b'), (await read('heads', 'hot'))?.['head']]).toEqual([undefined, { S: 'a' }]);
  await run('UpdateItem', single);
});

test('takes twice the units, says so, and is cancelled when a key is spent', async () => {
  const big = (pk: string, sk: string): TransactWriteItem => ({ Put: { TableName: 'rows', Item: { pk: { S: pk }, sk: { S: sk }, data: { S: 'x'.repeat(299 * 1024) } } } });
  expect((await write([big('a', '1'), move('a', null, '1')], { ReturnConsumedCapacity: 'TOTAL' })).ConsumedCapacity).toMatchObject([{ TableName: 'rows', CapacityUnits: 600 }, { TableName: 'heads', CapacityUnits: 2 }]);
  await write([big('a', '2')]);
  expect(await reasonsOf(write([move('b', null, '1'), big('a', '3')]))).toMatchObject([{ Code: 'None' }, { Code: 'ThrottlingError' }]);
  await expect(client.send(new PutItemCommand({ TableName: 'rows', Item: key('a') }))).rejects.toMatchObject({ name: 'ThrottlingException' });
  await write([big('b', '1'), move('b', null, '1')]);
});

test('refuses what DynamoDB refuses, and then writes nothing', async () => {
  await expect(write([])).rejects.toMatchObject({ name: 'ValidationException' });
  await expect(write([putNew('a'), putNew('a')])).rejects.toMatchObject({ name: 'ValidationException', message: expect.stringContaining('multiple operations on one item') as string });
  await expect(write([{ ...putNew('a'), ...move('a', null, '1') }])).rejects.toMatchObject({ name: 'ValidationException' });
  await expect(write([putNew('a'), { Delete: { TableName: 'missing', Key: key('a') } }])).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  await expect(write([putNew('a'), { Update: { TableName: 'heads', Key: key('a'), UpdateExpression: 'SET' } }])).rejects.toMatchObject({ name: 'ValidationException' });
  expect(await read('rows', 'a')).toBeUndefined();
});

describe('permissions', () => {
  const arnOf = (table: string): string => `arn:aws:dynamodb:eu-west-1:111122223333:table/${table}`;
  function roleFor(...Statement: object[]): DynamoDBClient {
    world.server.iam.putRole({ roleName: 'r', arn: 'arn:aws:iam::111122223333:role/r', policies: [{ name: 'p', document: { Statement } as never }] });
    return new DynamoDBClient({ ...world.client, credentials: world.server.iam.issueKey('r') });
  }
  const outcome = (call: Promise<unknown>): Promise<string> => call.then(() => 'allowed', (error: Error) => error.name);
  const putRows = { Effect: 'Allow', Action: 'dynamodb:PutItem', Resource: arnOf('rows') };
  const moveBelow = (keys: string) => ({ Effect: 'Allow', Action: 'dynamodb:UpdateItem', Resource: arnOf('heads'), Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [keys] }, Null: { 'dynamodb:LeadingKeys': 'false' } } });

  test('each item takes the permission of its single write, on its own table and key', async () => {
    const both = roleFor(putRows, moveBelow('AUDIT#*'));
    expect(await outcome(write([putNew('a'), move('AUDIT#a', null, '1')], {}, both))).toBe('allowed');
    expect(await outcome(write([putNew('b'), move('LOCK#b', null, '1')], {}, both))).toBe('AccessDeniedException');
    expect(await read('rows', 'b')).toBeUndefined();
    expect(await outcome(write([putNew('c'), move('AUDIT#c', null, '1')], {}, roleFor(putRows)))).toBe('AccessDeniedException');
    expect(await outcome(write([putNew('c')], {}, roleFor({ ...putRows, Action: 'dynamodb:TransactWriteItems' })))).toBe('AccessDeniedException');
    expect(await outcome(write([{ ConditionCheck: { TableName: 'rows', Key: key('a'), ConditionExpression: 'attribute_exists(pk)' } }], {}, roleFor(putRows)))).toBe('AccessDeniedException');
    expect(await outcome(write([{ ConditionCheck: { TableName: 'rows', Key: key('a'), ConditionExpression: 'attribute_exists(pk)' } }], {}, roleFor({ ...putRows, Action: 'dynamodb:ConditionCheckItem' })))).toBe('allowed');
  });

  test('a policy can ask for the transaction around a write', async () => {
    const inside = roleFor({ ...putRows, Condition: { StringEquals: { 'dynamodb:EnclosingOperation': 'TransactWriteItems' } } });
    expect(await outcome(write([putNew('a')], {}, inside))).toBe('allowed');
    expect(await outcome(inside.send(new PutItemCommand({ TableName: 'rows', Item: key('b') })))).toBe('AccessDeniedException');
    expect(await outcome(roleFor(moveBelow('*')).send(new UpdateItemCommand({ TableName: 'heads', Key: key('a') })))).toBe('allowed');
  });
});
