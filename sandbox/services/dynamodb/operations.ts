// DynamoDB on the wire: which operations are served, and what they need.
import type { BatchGetItemInput, BatchWriteItemInput, ExecuteStatementInput } from '@aws-sdk/client-dynamodb';
import { AwsError, type Operation } from '../../aws/world.ts';
import type { DynamoDb } from './dynamodb.ts';
import { batchPermissions, partiqlPermissions, permissionsOf, type TableRequest } from './permissions.ts';

type Json = Readonly<Record<string, unknown>>;

const onOneTable = { GetItem: false, Query: false, Scan: false, DescribeTable: false, DescribeTimeToLive: false, PutItem: true, UpdateItem: true, DeleteItem: true, CreateTable: true, DeleteTable: true };

export function dynamoDbOperations(dynamodb: DynamoDb): Readonly<Record<string, Operation>> {
  const simple = Object.entries(onOneTable).map(([name, mutating]) => [name, tableOperation(dynamodb, name, mutating)] as const);
  return { ...Object.fromEntries(simple), BatchGetItem: batchGet(dynamodb), BatchWriteItem: batchWrite(dynamodb), ListTables: listTables(dynamodb), ExecuteStatement: executeStatement(dynamodb) };
}

function tableOperation(dynamodb: DynamoDb, name: string, mutating: boolean): Operation<TableRequest, Json> {
  return {
    mutating,
    authorize: (input) => permissionsOf(dynamodb, name, input),
    run: (input) => dynamodb.perform(name, input as Json),
  };
}

function batchGet(dynamodb: DynamoDb): Operation<BatchGetItemInput, Json> {
  return {
    mutating: false,
    authorize: ({ RequestItems }) =>
      batchPermissions(dynamodb, 'BatchGetItem', Object.entries(RequestItems ?? {}).map(([table, request]) => [table, request.Keys ?? []])),
    run: (input) => dynamodb.perform('BatchGetItem', input as unknown as Json),
  };
}

function batchWrite(dynamodb: DynamoDb): Operation<BatchWriteItemInput, Json> {
  return {
    mutating: true,
    authorize: ({ RequestItems }) =>
      batchPermissions(
        dynamodb,
        'BatchWriteItem',
        Object.entries(RequestItems ?? {}).map(([table, writes]) => [table, writes.map((write) => write.PutRequest?.Item ?? write.DeleteRequest?.Key ?? {})]),
      ),
    run: (input) => dynamodb.perform('BatchWriteItem', input as unknown as Json),
  };
}

function listTables(dynamodb: DynamoDb): Operation<Json, Json> {
  return {
    mutating: false,
    authorize: () => [{ action: 'dynamodb:ListTables', resources: ['*'] }],
    run: (input) => dynamodb.perform('ListTables', input),
  };
}

/** Whom IAM lets through reads that nothing runs it here. */
function executeStatement(dynamodb: DynamoDb): Operation<ExecuteStatementInput, Json> {
  return {
    mutating: false,
    authorize: ({ Statement }) => partiqlPermissions(dynamodb, Statement ?? ''),
    run: () => { throw new AwsError('ValidationException', 'the sandbox runs no PartiQL'); },
  };
}
