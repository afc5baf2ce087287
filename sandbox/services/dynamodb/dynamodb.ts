// DynamoDB for the sandbox: tables in memory by dynalite, plus what dynalite leaves out and Ripcord may rely on.
import * as schemas from '@aws-sdk/client-dynamodb';
import type { AttributeValue, CreateTableInput } from '@aws-sdk/client-dynamodb';
import { NormalizedSchema } from '@smithy/core/schema';
import { AwsError, type AwsService, type Place } from '../../aws/world.ts';
import { dynamoDbOperations } from './operations.ts';
import { fromWire, toWire } from './shapes.ts';
import { DynaliteTables } from './store.ts';

type Json = Readonly<Record<string, unknown>>;
export type Item = Readonly<Record<string, AttributeValue>>;

/** Properties of AWS::DynamoDB::Table or GlobalTable, resolved. What is not named here (backups, tags, replicas …) has no effect in the sandbox. */
export interface TableProperties {
  readonly TableName: string;
  readonly KeySchema: readonly { readonly AttributeName: string; readonly KeyType: string }[];
  readonly AttributeDefinitions: readonly { readonly AttributeName: string; readonly AttributeType: string }[];
  readonly GlobalSecondaryIndexes?: readonly Json[];
  readonly LocalSecondaryIndexes?: readonly Json[];
}

export interface TableKeys {
  readonly hash: string;
  readonly range: string | null;
  /** Partition key of each index. */
  readonly indexes: Readonly<Record<string, string>>;
}

const operationSchemas = schemas as unknown as Readonly<Record<string, readonly [number, string, string, unknown, unknown, unknown]>>;

export class DynamoDb {
  readonly #place: Place;
  readonly #tables: DynaliteTables;
  readonly #keys = new Map<string, TableKeys>();

  constructor(place: Place) {
    this.#place = place;
    this.#tables = new DynaliteTables(place);
  }

  get service(): AwsService {
    return { signingName: 'dynamodb', iamPrefix: 'dynamodb', schemas, operations: dynamoDbOperations(this) };
  }

  /** Makes a table from a template's properties, ready for use. @throws AwsError when it exists or is malformed. */
  async createTable(properties: TableProperties): Promise<{ tableName: string; arn: string }> {
    const input = {
      TableName: properties.TableName,
      KeySchema: properties.KeySchema,
      AttributeDefinitions: properties.AttributeDefinitions,
      BillingMode: 'PAY_PER_REQUEST',
      ...(properties.GlobalSecondaryIndexes === undefined ? {} : { GlobalSecondaryIndexes: properties.GlobalSecondaryIndexes.map(bareIndex) }),
      ...(properties.LocalSecondaryIndexes === undefined ? {} : { LocalSecondaryIndexes: properties.LocalSecondaryIndexes.map(bareIndex) }),
    };
    await this.perform('CreateTable', input);
    return { tableName: properties.TableName, arn: this.tableArn(properties.TableName) };
  }

  /** All items of a table, in no particular order. */
  async items(tableName: string): Promise<readonly Item[]> {
    const items: Item[] = [];
    let start: unknown;
    do {
      const page = (await this.perform('Scan', { TableName: tableName, ...(start === undefined ? {} : { ExclusiveStartKey: start }) })) as {
        Items?: Item[];
        LastEvaluatedKey?: unknown;
      };
      items.push(...(page.Items ?? []));
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
    return items;
  }

  /** Puts an item without IAM and without a record, for scenarios that meddle with the tables. */
  async putItem(tableName: string, item: Item): Promise<void> {
    await this.perform('PutItem', { TableName: tableName, Item: item });
  }

  async deleteItem(tableName: string, key: Item): Promise<void> {
    await this.perform('DeleteItem', { TableName: tableName, Key: key });
  }

  tableArn(nameOrArn: string): string {
    return nameOrArn.startsWith('arn:') ? nameOrArn : `arn:aws:dynamodb:${this.#place.region}:${this.#place.account}:table/${nameOrArn}`;
  }

  /** Key attributes, or null when there is no such table. */
  keysOf(nameOrArn: string): TableKeys | null {
    return this.#keys.get(bareName(nameOrArn)) ?? null;
  }

  /** One operation with the SDK's input and output. @throws AwsError */
  async perform(operation: string, input: Json): Promise<Json> {
    const output = await this.#coded(operation, input, (wire) => this.#tables.run(operation, wire, (perform) => this.#tellingOld(perform, operation, wire)));
    if (operation === 'CreateTable') await this.#remember(input as unknown as CreateTableInput);
    if (operation === 'DeleteTable') this.#keys.delete(bareName(String(input['TableName'])));
    return output;
  }

  /** Operations on items that nothing else comes between. */
  exclusively<T>(work: (perform: (operation: string, input: Json) => Promise<Json>) => Promise<T>): Promise<T> {
    return this.#tables.run('TransactWriteItems', {}, (perform) =>
      work((operation, input) => this.#coded(operation, input, (wire) => this.#tellingOld(perform, operation, wire))));
  }

  async #coded(operation: string, input: Json, run: (wire: Json) => Promise<Json>): Promise<Json> {
    const schema = operationSchemas[`${operation}$`];
    if (schema === undefined) throw new Error(`the SDK client knows no operation ${operation}`);
    const wire = toWire(NormalizedSchema.of(schema[4] as never), input);
    if (typeof wire['TableName'] === 'string') Object.assign(wire, { TableName: bareName(wire['TableName']) });
    return fromWire(NormalizedSchema.of(schema[5] as never), await run(wire));
  }

  /** dynalite leaves out ReturnValuesOnConditionCheckFailure. */
  async #tellingOld(perform: (operation: string, wire: Json) => Promise<Json>, operation: string, wire: Json): Promise<Json> {
    try {
      return await perform(operation, wire);
    } catch (error) {
      if (wire['ReturnValuesOnConditionCheckFailure'] !== 'ALL_OLD' || !(error instanceof AwsError) || error.code !== 'ConditionalCheckFailedException') throw error;
      const found = await perform('GetItem', { TableName: wire['TableName'], Key: this.#keyOf(wire), ConsistentRead: true });
      const fields = found['Item'] === undefined ? {} : fromWire(itemSchema, { Item: found['Item'] });
      throw new AwsError(error.code, error.message, { status: error.status, fields });
    }
  }

  #keyOf(wire: Json): Json {
    if (wire['Key'] !== undefined) return wire['Key'] as Json;
    const keys = this.keysOf(String(wire['TableName']));
    const item = wire['Item'] as Json;
    const names = keys === null ? [] : [keys.hash, ...(keys.range === null ? [] : [keys.range])];
    return Object.fromEntries(names.map((name) => [name, item[name]]));
  }

  async #remember(input: CreateTableInput): Promise<void> {
    const name = bareName(input.TableName ?? '');
    const indexes = [...(input.GlobalSecondaryIndexes ?? []), ...(input.LocalSecondaryIndexes ?? [])];
    this.#keys.set(name, {
      hash: keyOf(input.KeySchema, 'HASH') ?? '',
      range: keyOf(input.KeySchema, 'RANGE'),
      indexes: Object.fromEntries(indexes.map(({ IndexName, KeySchema }) => [IndexName ?? '', keyOf(KeySchema, 'HASH') ?? ''])),
    });
    for (;;) {
      const { Table: table } = await this.#tables.run('DescribeTable', { TableName: name });
      if ((table as { TableStatus?: string }).TableStatus === 'ACTIVE') return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const itemSchema = NormalizedSchema.of(schemas.GetItemOutput$);

function bareName(nameOrArn: string): string {
  return nameOrArn.startsWith('arn:') ? nameOrArn.slice(nameOrArn.lastIndexOf('/') + 1) : nameOrArn;
}

function bareIndex({ IndexName, KeySchema, Projection }: Json): Json {
  return { IndexName, KeySchema, Projection };
}

function keyOf(schema: CreateTableInput['KeySchema'], type: string): string | null {
  return schema?.find(({ KeyType }) => KeyType === type)?.AttributeName ?? null;
}
