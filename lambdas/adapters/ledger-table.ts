// The ledger table's rows on the wire: our few attribute shapes to DynamoDB and back, and the conditional writes.
import {
  type AttributeValue, type DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand, UpdateItemCommand, type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';

export interface LedgerTable {
  readonly client: DynamoDBClient;
  readonly name: string;
}

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

export type Item = Record<string, AttributeValue>;

export const serviceKey = (service: string, sk: string): Key => ({ pk: `SERVICE#${service}`, sk });
export const rollbackKey = (rollbackId: string, sk: string): Key => ({ pk: `ROLLBACK#${rollbackId}`, sk });

export const text = (value: string): AttributeValue => ({ S: value });
export const number = (value: number): AttributeValue => ({ N: String(value) });
export const json = (value: object): AttributeValue => ({ S: JSON.stringify(value) });

/** @throws SyntaxError when a row was edited by hand into something that is not JSON: unreadable is never read as empty. */
export const dataOf = (item: Item): unknown => JSON.parse(item['data']?.S ?? '');

export const keyItem = (key: Key): Item => ({ pk: text(key.pk), sk: text(key.sk) });

/** One consistent read; null when there is no such row. */
export async function get(table: LedgerTable, key: Key): Promise<Item | null> {
  const answer = await table.client.send(new GetItemCommand({ TableName: table.name, Key: keyItem(key), ConsistentRead: true }));
  return answer.Item ?? null;
}

/** Writes the row if the condition holds. @returns false when it does not. */
export async function putIf(table: LedgerTable, key: Key, row: { readonly attributes: Item; readonly condition: string; readonly values?: Item }): Promise<boolean> {
  return ifCondition(() => table.client.send(new PutItemCommand({
    TableName: table.name,
    Item: { ...keyItem(key), ...row.attributes },
    ConditionExpression: row.condition,
    ...(row.values === undefined ? {} : { ExpressionAttributeValues: row.values }),
  })));
}

export type Change = Pick<UpdateItemCommandInput, 'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'>;

/** Changes the row if the condition holds. @returns the row afterwards, or null when it does not hold. */
export async function updateIf(table: LedgerTable, key: Key, change: Change): Promise<Item | null> {
  let after: Item = {};
  const done = await ifCondition(async () => {
    const answer = await table.client.send(new UpdateItemCommand({ TableName: table.name, Key: keyItem(key), ReturnValues: 'ALL_NEW', ...change }));
    after = answer.Attributes ?? {};
  });
  return done ? after : null;
}

export interface Range {
  readonly pk: string;
  readonly from: string;
  readonly to: string;
  readonly newestFirst: boolean;
  /** Rows wanted at most; more are not read. */
  readonly limit: number;
}

/** Rows of one partition between two sort keys, both included; follows pages until the limit. Consistent. */
export async function range(table: LedgerTable, wanted: Range): Promise<Item[]> {
  const items: Item[] = [];
  let start: Item | undefined;
  do {
    const page = await table.client.send(new QueryCommand({
      TableName: table.name,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
      ExpressionAttributeValues: { ':pk': text(wanted.pk), ':from': text(wanted.from), ':to': text(wanted.to) },
      ScanIndexForward: !wanted.newestFirst,
      Limit: wanted.limit - items.length,
      ...(start === undefined ? {} : { ExclusiveStartKey: start }),
    }));
    items.push(...(page.Items ?? []));
    start = page.LastEvaluatedKey;
  } while (start !== undefined && items.length < wanted.limit);
  return items;
}

async function ifCondition(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
    throw error;
  }
}
