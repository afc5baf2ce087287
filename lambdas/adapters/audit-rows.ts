// The audit table's rows on the wire, and how they are read.
import { type AttributeValue, type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { type AuditRow, foreignIn } from '../audit/entry.ts';

type Item = Record<string, AttributeValue>;

export class AuditRows {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** All rows of one chain in order. */
  async read(rollbackId: string): Promise<AuditRow[]> {
    const rows: AuditRow[] = [];
    let start: Item | undefined;
    do {
      const page = await this.#client.send(new QueryCommand({
        TableName: this.#table, ConsistentRead: true,
        KeyConditionExpression: 'rollbackId = :id', ExpressionAttributeValues: { ':id': { S: rollbackId } },
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      }));
      rows.push(...(page.Items ?? []).map((item) => toRow(item)));
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
    return rows;
  }

  /** The newest rows of a chain in one page, newest first; fewer than asked for where they are all, or larger than 1 MB. */
  async newest(rollbackId: string, most: number): Promise<AuditRow[]> {
    const { Items = [] } = await this.#client.send(new QueryCommand({
      TableName: this.#table, ConsistentRead: true, ScanIndexForward: false, Limit: most,
      KeyConditionExpression: 'rollbackId = :id', ExpressionAttributeValues: { ':id': { S: rollbackId } },
    }));
    return Items.map((item) => toRow(item));
  }

  /** The newest row of a chain; null when it has none. */
  async last(rollbackId: string): Promise<AuditRow | null> {
    return (await this.newest(rollbackId, 1))[0] ?? null;
  }
}

export const toItem = (row: AuditRow): Item => ({
  rollbackId: { S: row.rollbackId }, seq: { N: String(row.seq) }, at: { S: row.at }, kind: { S: row.kind }, service: { S: row.service },
  data: { S: row.data }, previousHash: { S: row.previousHash }, hash: { S: row.hash },
});

/** Attributes of no row of ours are kept by name alone. */
export const toRow = (item: Item): AuditRow => ({
  rollbackId: item['rollbackId']?.S ?? '', seq: Number(item['seq']?.N), at: item['at']?.S ?? '', kind: item['kind']?.S ?? '',
  service: item['service']?.S ?? '', data: item['data']?.S ?? '', previousHash: item['previousHash']?.S ?? '', hash: item['hash']?.S ?? '',
  ...foreignIn(Object.keys(item)),
});
