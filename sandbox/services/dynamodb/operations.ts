// DynamoDB on the wire: which operations are served, and what they need.
import type { BatchGetItemInput, BatchWriteItemInput, ExecuteStatementInput } from '@aws-sdk/client-dynamodb';
import { AwsError, type Operation } from '../../aws/world.ts';
import type { DynamoDb } from './dynamodb.ts';
import { KeyBudget } from './key-budget.ts';
import { batchPermissions, partiqlPermissions, partitionKeyOf, permissionsOf, type TableRequest } from './permissions.ts';
import { Transactions } from './transactions.ts';

type Json = Readonly<Record<string, unknown>>;

const onOneTable = { GetItem: false, Query: false, Scan: false, DescribeTable: false, DescribeTimeToLive: false, CreateTable: true, DeleteTable: true };
const itemWrites = ['PutItem', 'UpdateItem', 'DeleteItem'];

export function dynamoDbOperations(dynamodb: DynamoDb): Readonly<Record<string, Operation>> {
  const simple = Object.entries(onOneTable).map(([name, mutating]) => [name, tableOperation(dynamodb, name, mutating)] as const);
  const budget = new KeyBudget();
  const transactions = new Transactions(dynamodb, budget);
  const written = itemWrites.map((name) => [name, writeOperation(dynamodb, name, { budget, transactions })] as const);
  return {
    ...Object.fromEntries(simple), ...Object.fromEntries(written), TransactWriteItems: transactions.operation,
    BatchGetItem: batchGet(dynamodb), BatchWriteItem: batchWrite(dynamodb), ListTables: listTables(dynamodb), ExecuteStatement: executeStatement(dynamodb),
  };
}

function tableOperation(dynamodb: DynamoDb, name: string, mutating: boolean): Operation<TableRequest, Json> {
  return {
    mutating,
    authorize: (input) => permissionsOf(dynamodb, name, input),
    run: (input) => dynamodb.perform(name, input as Json),
  };
}

function writeOperation(dynamodb: DynamoDb, name: string, { budget, transactions }: { readonly budget: KeyBudget; readonly transactions: Transactions }): Operation<TableRequest & { readonly ReturnConsumedCapacity?: string | undefined }, Json> {
  return {
    mutating: true,
    authorize: (input) => permissionsOf(dynamodb, name, input),
    run: (input, { clock }) => budget.spend(`${input.TableName} ${partitionKeyOf(dynamodb, input)}`, clock.now(), async () => {
      transactions.refuseBusy(input);
      const { ConsumedCapacity, ...rest }: Json & { readonly ConsumedCapacity?: { readonly Table?: { readonly CapacityUnits?: number } } } = await dynamodb.perform(name, { ...input, ReturnConsumedCapacity: 'INDEXES' });
      const isAsked = (input.ReturnConsumedCapacity ?? 'NONE') !== 'NONE';
      return { result: isAsked ? { ...rest, ConsumedCapacity } : rest, units: ConsumedCapacity?.Table?.CapacityUnits ?? 1 };
    }),
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
