// DynamoDB of the sandbox through the real client: conditions, lost races, keys in IAM.
import { setTimeout as wait } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import {
  BatchWriteItemCommand, ConditionalCheckFailedException, DynamoDBClient, ExecuteStatementCommand, GetItemCommand, PutItemCommand, QueryCommand, TransactGetItemsCommand, UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DynamoDb } from '../../../sandbox/services/dynamodb/dynamodb.ts';
import { DynaliteTables } from '../../../sandbox/services/dynamodb/store.ts';
import { place, startWorld, type TestWorld } from './world.ts';

let world: TestWorld;
let dynamodb: DynamoDb;
let client: DynamoDBClient;
const arn = 'arn:aws:dynamodb:eu-west-1:111122223333:table/ledger';

beforeEach(async () => {
  dynamodb = new DynamoDb(place);
  await dynamodb.createTable({
    TableName: 'ledger',
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }, { AttributeName: 'sk', KeyType: 'RANGE' }],
    AttributeDefinitions: ['pk', 'sk', 'kind'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    GlobalSecondaryIndexes: [{ IndexName: 'by-kind', KeySchema: [{ AttributeName: 'kind', KeyType: 'HASH' }], Projection: { ProjectionType: 'ALL' } }],
  });
  world = await startWorld([dynamodb.service]);
  client = new DynamoDBClient(world.client);
});
afterEach(async () => {
  client.destroy();
  await world.close();
});

const lock = (owner: string): UpdateItemCommand => new UpdateItemCommand({
  TableName: 'ledger', Key: { pk: { S: 'SERVICE#checkout' }, sk: { S: 'LOCK' } }, ReturnValues: 'ALL_NEW', ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  UpdateExpression: 'SET #o = :me ADD fence :one', ConditionExpression: 'attribute_not_exists(pk) OR #o = :me',
  ExpressionAttributeNames: { '#o': 'owner' }, ExpressionAttributeValues: { ':me': { S: owner }, ':one': { N: '1' } },
});

test('of many who take a lock at once exactly one gets it, and the others learn who', async () => {
  const tries = await Promise.allSettled(Array.from({ length: 10 }, (_, index) => client.send(lock(`run-${index}`))));
  const won = tries.filter((result) => result.status === 'fulfilled');
  expect(won).toHaveLength(1);
  const owner = won[0]?.value.Attributes?.['owner'];
  for (const lost of tries.filter((result) => result.status === 'rejected')) {
    expect(lost.reason).toBeInstanceOf(ConditionalCheckFailedException);
    expect((lost.reason as ConditionalCheckFailedException).Item).toMatchObject({ owner, fence: { N: '1' } });
  }
});

const putNew = (data: string): PutItemCommand => new PutItemCommand({
  TableName: arn, Item: { pk: { S: 'a' }, sk: { S: 'b' }, data: { S: data } }, ConditionExpression: 'attribute_not_exists(pk)', ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
});

test('a put on an existing key with attribute_not_exists fails and leaves the row', async () => {
  await client.send(putNew('first'));
  await expect(client.send(putNew('second'))).rejects.toMatchObject({ name: 'ConditionalCheckFailedException', Item: { data: { S: 'first' } } });
  expect((await client.send(new GetItemCommand({ TableName: 'ledger', Key: { pk: { S: 'a' }, sk: { S: 'b' } } }))).Item?.['data']).toEqual({ S: 'first' });
});

const row = (data: string): Record<string, unknown> => ({ TableName: 'ledger', Item: { pk: { S: 'a' }, sk: { S: 'b' }, data: { S: data } } });

test('a failed condition shows the row that it failed on, whoever writes right after', async () => {
  await dynamodb.perform('PutItem', row('first'));
  const refused = dynamodb.perform('PutItem', { ...row('second'), ConditionExpression: 'attribute_not_exists(pk)', ReturnValuesOnConditionCheckFailure: 'ALL_OLD' });
  const overwritten = dynamodb.perform('PutItem', row('third'));
  await expect(refused).rejects.toMatchObject({ code: 'ConditionalCheckFailedException', fields: { Item: { data: { S: 'first' } } } });
  await overwritten;
});

test('what belongs together has the table to itself until it is done', async () => {
  const tables = new DynaliteTables(place);
  await tables.run('CreateTable', { TableName: 'ledger', BillingMode: 'PAY_PER_REQUEST', KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }], AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }] });
  await wait(20);
  const key = { pk: { S: 'a' } };
  const reading = tables.run('GetItem', {}, async (perform) => {
    await wait(20);
    return perform('GetItem', { TableName: 'ledger', Key: key });
  });
  await tables.run('PutItem', { TableName: 'ledger', Item: key });
  expect(await reading).toEqual({});
});

test('every attribute type survives, and an index is queried', async () => {
  const item = { pk: { S: 'a' }, sk: { S: 'b' }, kind: { S: 'k' }, n: { N: '1.5' }, b: { B: new Uint8Array([0, 255]) }, ss: { SS: ['x', 'y'] }, l: { L: [{ BOOL: true }, { NULL: true }] }, m: { M: { x: { S: '' } } } };
  await client.send(new PutItemCommand({ TableName: 'ledger', Item: item }));
  const { Items } = await client.send(new QueryCommand({ TableName: 'ledger', IndexName: 'by-kind', KeyConditionExpression: 'kind = :k', ExpressionAttributeValues: { ':k': { S: 'k' } } }));
  expect(Items).toEqual([item]);
  expect(await dynamodb.items('ledger')).toEqual([item]);
});

test('an answer carries the checksum that clients of DynamoDB compare', async () => {
  let headers: Readonly<Record<string, string>> = {};
  client.middlewareStack.add((next) => async (args) => {
    const result = await next(args);
    ({ headers } = result.response as { headers: Record<string, string> });
    return result;
  }, { step: 'deserialize' });
  await client.send(new QueryCommand({ TableName: 'ledger', KeyConditionExpression: 'pk = :p', ExpressionAttributeValues: { ':p': { S: 'none' } } }));
  expect(headers['x-amz-crc32']).toBe(String(crc32('{"Items":[],"Count":0,"ScannedCount":0}')));
});

test('errors come under AWS\'s names', async () => {
  await expect(client.send(new GetItemCommand({ TableName: 'missing', Key: { pk: { S: 'a' } } }))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  await expect(client.send(new GetItemCommand({ TableName: 'ledger', Key: { pk: { N: '1' }, sk: { S: 'b' } } }))).rejects.toMatchObject({ name: 'ValidationException' });
  await expect(client.send(new TransactGetItemsCommand({ TransactItems: [] }))).rejects.toMatchObject({ name: 'SandboxUnsupported' });
});

function roleFor(Action: string[], Condition?: object, Resource: string | string[] = arn): DynamoDBClient {
  const statement = { Effect: 'Allow', Action, Resource, ...(Condition === undefined ? {} : { Condition }) } as never;
  world.server.iam.putRole({ roleName: 'r', arn: 'arn:aws:iam::111122223333:role/r', policies: [{ name: 'p', document: { Statement: statement } }] });
  return new DynamoDBClient({ ...world.client, credentials: world.server.iam.issueKey('r') });
}
const outcome = (call: Promise<unknown>): Promise<string> => call.then(() => 'allowed', (error: Error) => error.name);
const put = (pk: string): PutItemCommand => new PutItemCommand({ TableName: 'ledger', Item: { pk: { S: pk }, sk: { S: 'x' } } });
const query = (pk: string): QueryCommand => new QueryCommand({
  TableName: 'ledger', KeyConditionExpression: 'begins_with(sk, :s) AND #p = :p', ExpressionAttributeNames: { '#p': 'pk' }, ExpressionAttributeValues: { ':p': { S: pk }, ':s': { S: 'x' } },
});
const batch = (...keys: string[]): BatchWriteItemCommand => new BatchWriteItemCommand({ RequestItems: { ledger: keys.map((pk) => ({ PutRequest: { Item: { pk: { S: pk }, sk: { S: 'y' } } } })) } });

describe('permissions', () => {
  test('a role limited to leading keys reaches those partitions only, in reads, writes and batches', async () => {
    const role = roleFor(['dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:BatchWriteItem'], { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['SERVICE#*'] } });
    expect(await outcome(role.send(put('SERVICE#a')))).toBe('allowed');
    expect(await outcome(role.send(put('ROLLBACK#a')))).toBe('AccessDeniedException');
    expect(await outcome(role.send(query('SERVICE#a')))).toBe('allowed');
    expect(await outcome(role.send(query('ROLLBACK#a')))).toBe('AccessDeniedException');
    expect(await outcome(role.send(batch('SERVICE#a', 'SERVICE#b')))).toBe('allowed');
    expect(await outcome(role.send(batch('SERVICE#a', 'ROLLBACK#b')))).toBe('AccessDeniedException');
  });

  test.each([
    ["INSERT INTO \"ledger\" VALUE {'pk': 'a', 'sk': 'x'}", 'Insert'], ["update ledger SET told = true WHERE pk = 'a' AND sk = 'x'", 'Update'],
    ["DELETE FROM \"ledger\" WHERE pk = 'a' AND sk = 'x'", 'Delete'], ["SELECT pk, sk FROM ledger WHERE pk = 'a'", 'Select'],
  ])('PartiQL has an action of its own for each verb: %s', async (Statement, verb) => {
    expect(await outcome(roleFor(['dynamodb:*Item', 'dynamodb:Query']).send(new ExecuteStatementCommand({ Statement })))).toBe('AccessDeniedException');
    // Nothing runs it here.
    expect(await outcome(roleFor([`dynamodb:PartiQL${verb}`]).send(new ExecuteStatementCommand({ Statement })))).toBe('ValidationException');
  });

  test('an index is a resource of its own', async () => {
    const byKind = new QueryCommand({ TableName: 'ledger', IndexName: 'by-kind', KeyConditionExpression: 'kind = :k', ExpressionAttributeValues: { ':k': { S: 'k' } } });
    expect(await outcome(roleFor(['dynamodb:Query']).send(byKind))).toBe('AccessDeniedException');
    expect(await outcome(roleFor(['dynamodb:Query'], undefined, `${arn}/index/*`).send(byKind))).toBe('allowed');
  });
});
