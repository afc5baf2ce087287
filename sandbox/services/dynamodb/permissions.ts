// Which permissions a DynamoDB request takes: table or index, and the partition keys it touches.
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { AwsError, type Authorization } from '../../aws/world.ts';
import type { DynamoDb } from './dynamodb.ts';

/** The members that decide; every request has some of them. */
export interface TableRequest {
  readonly TableName?: string | undefined;
  readonly IndexName?: string | undefined;
  readonly Key?: Readonly<Record<string, AttributeValue>> | undefined;
  readonly Item?: Readonly<Record<string, AttributeValue>> | undefined;
  readonly KeyConditionExpression?: string | undefined;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>> | undefined;
  readonly ExpressionAttributeValues?: Readonly<Record<string, AttributeValue>> | undefined;
  readonly ReturnValues?: string | undefined;
}

export function permissionsOf(dynamodb: DynamoDb, operation: string, request: TableRequest): Authorization[] {
  const arn = dynamodb.tableArn(request.TableName ?? '');
  const resource = request.IndexName === undefined ? arn : `${arn}/index/${request.IndexName}`;
  const leadingKeys = leadingKeysOf(dynamodb, operation, request);
  const context = {
    ...(leadingKeys === null ? {} : { 'dynamodb:LeadingKeys': leadingKeys }),
    ...(request.ReturnValues === undefined ? {} : { 'dynamodb:ReturnValues': request.ReturnValues }),
  };
  return [{ action: `dynamodb:${operation}`, resources: [resource], context }];
}

/** One authorization per table of a batch. */
export function batchPermissions(
  dynamodb: DynamoDb,
  operation: string,
  items: readonly (readonly [table: string, items: readonly Readonly<Record<string, AttributeValue>>[]])[],
): Authorization[] {
  return items.map(([table, rows]) => {
    const hash = dynamodb.keysOf(table)?.hash ?? '';
    return {
      action: `dynamodb:${operation}`,
      resources: [dynamodb.tableArn(table)],
      context: { 'dynamodb:LeadingKeys': rows.map((row) => keyText(row[hash])) },
    };
  });
}

const partiqlVerbs = { insert: 'Insert', update: 'Update', delete: 'Delete', select: 'Select' } as const;

/** PartiQL has an action of its own for each verb, on the table that stands behind it. @throws AwsError for what begins with none of the verbs. */
export function partiqlPermissions(dynamodb: DynamoDb, statement: string): Authorization[] {
  const [, insert, update, remove, select, table = ''] = /^\s*(?:(insert)\s+into|(update)|(delete)\s+from|(select)\s.*?\sfrom)\s+"?([\w.-]+)"?/is.exec(statement) ?? [];
  const verb = insert ?? update ?? remove ?? select;
  if (verb === undefined) throw new AwsError('ValidationException', "Statement wasn't well formed, can't be processed");
  const known = partiqlVerbs[verb.toLowerCase() as keyof typeof partiqlVerbs];
  return [{ action: `dynamodb:PartiQL${known}`, resources: [dynamodb.tableArn(table)] }];
}

/** Text of the partition key that a write of one item names. */
export const partitionKeyOf = (dynamodb: DynamoDb, { TableName, Key, Item }: TableRequest): string => keyText((Key ?? Item ?? {})[dynamodb.keysOf(TableName ?? '')?.hash ?? '']);

function leadingKeysOf(dynamodb: DynamoDb, operation: string, request: TableRequest): readonly string[] | null {
  const keys = dynamodb.keysOf(request.TableName ?? '');
  if (keys === null) return null;
  const row = request.Key ?? request.Item;
  if (row !== undefined) return [keyText(row[keys.hash])];
  if (operation !== 'Query') return null;
  const hash = request.IndexName === undefined ? keys.hash : (keys.indexes[request.IndexName] ?? keys.hash);
  return [queriedKey(hash, request)];
}

function queriedKey(hash: string, request: TableRequest): string {
  const aliases = Object.entries(request.ExpressionAttributeNames ?? {}).filter(([, name]) => name === hash).map(([alias]) => alias);
  for (const name of [hash, ...aliases]) {
    const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const match = new RegExp(`(?<![\\w#.])${escaped}\\s*=\\s*(:[\\w.]+)`).exec(request.KeyConditionExpression ?? '');
    const value = match?.[1] === undefined ? undefined : request.ExpressionAttributeValues?.[match[1]];
    if (value !== undefined) return keyText(value);
  }
  throw new AwsError('ValidationException', `Query condition missed key schema element: ${hash}`);
}

function keyText(value: AttributeValue | undefined): string {
  if (value?.S !== undefined) return value.S;
  if (value?.N !== undefined) return value.N;
  return value?.B === undefined ? '' : Buffer.from(value.B).toString('base64');
}
