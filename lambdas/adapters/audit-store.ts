// The audit table: rows are only ever added, each on the next number, and two writers who race lose nothing.
import { type AttributeValue, type DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { type AuditEntry, type AuditRow, cursorAt, genesis, rowAfter } from '../audit/entry.ts';
import type { AuditCursor } from '../domain/vocabulary.ts';

/** DynamoDB takes 400 kB an item; the rest of the row needs far less than what is left. */
const maximumDataBytes = 300 * 1024;
const maximumAttempts = 60;

type Head = Pick<AuditRow, 'seq' | 'hash' | 'kind'>;

/** Error name `ChainSealed`: the rollback was closed, nothing may follow its last row. */
export class ChainSealed extends Error {
  override readonly name = 'ChainSealed';
}

export class AuditStore {
  private readonly client: DynamoDBClient;
  private readonly table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.client = client;
    this.table = table;
  }

  /**
   * Adds one row and returns where the chain stands now. Safe to repeat after a lost reply: a row already there is not added twice.
   * @param cursor where the caller believes the chain stands; null tries row 0 first. A wrong cursor costs one read, never a row.
   * @throws Error when the data is larger than 300 kB, or after 60 lost races; `ChainSealed` when the chain was closed.
   */
  async append(entry: AuditEntry, cursor: AuditCursor | null): Promise<AuditCursor> {
    return this.appendMade(() => entry, cursor);
  }

  /**
   * Closes the chain: its last row says how many rows there are. A chain that is sealed already stays as it is.
   * @throws as `append`, `ChainSealed` included.
   */
  async seal(entry: Omit<AuditEntry, 'kind'>, cursor: AuditCursor | null): Promise<AuditCursor> {
    return this.appendMade((at) => ({ ...entry, kind: 'sealed', data: { ...entry.data, rows: at.length + 1 } }), cursor);
  }

  private async appendMade(entryAt: (cursor: AuditCursor) => AuditEntry, cursor: AuditCursor | null): Promise<AuditCursor> {
    let at = cursor ?? genesis;
    for (let attempt = 0; attempt < maximumAttempts; attempt += 1) {
      const row = rowAfter(at, entryAt(at));
      refuseTooLarge(row);
      if (await this.put(row)) return cursorAt(row);
      const later = await this.heads(row.rollbackId, row.seq);
      const head = later.at(-1);
      if (head === undefined) throw new Error(`audit row ${row.seq} of ${row.rollbackId} was refused as present, yet is not there`);
      // The row is there with our own hash: it was written, only the reply was lost.
      if (later[0]?.hash === row.hash) return cursorAt(head);
      if (head.kind === 'sealed') throw new ChainSealed(`the audit of ${row.rollbackId} is sealed at row ${head.seq}; nothing can be added`);
      at = cursorAt(head);
      if (attempt > 0) await pause(Math.random() * Math.min(200, 5 * 2 ** attempt));
    }
    throw new Error(`an audit row for ${entryAt(at).rollbackId} lost ${maximumAttempts} races and was not written`);
  }

  /** All rows of one rollback in order. */
  async read(rollbackId: string): Promise<AuditRow[]> {
    const rows: AuditRow[] = [];
    for await (const item of this.items(rollbackId, 0, undefined)) rows.push(toRow(item));
    return rows;
  }

  /** The newest row of a chain; null when it has none. */
  async last(rollbackId: string): Promise<AuditRow | null> {
    const { Items = [] } = await this.client.send(new QueryCommand({
      TableName: this.table, ConsistentRead: true, ScanIndexForward: false, Limit: 1,
      KeyConditionExpression: 'rollbackId = :id', ExpressionAttributeValues: { ':id': { S: rollbackId } },
    }));
    return Items[0] === undefined ? null : toRow(Items[0]);
  }

  private async put(row: AuditRow): Promise<boolean> {
    try {
      await this.client.send(new PutItemCommand({ TableName: this.table, Item: toItem(row), ConditionExpression: 'attribute_not_exists(rollbackId)' }));
      return true;
    } catch (error) {
      if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
      throw error;
    }
  }

  /** Number, hash and kind of each row from `from` on. */
  private async heads(rollbackId: string, from: number): Promise<Head[]> {
    const heads: Head[] = [];
    for await (const item of this.items(rollbackId, from, 'seq, #hash, kind'))
      heads.push({ seq: Number(item['seq']?.N), hash: item['hash']?.S ?? '', kind: item['kind']?.S ?? '' });
    return heads;
  }

  private async *items(rollbackId: string, from: number, projection: string | undefined): AsyncGenerator<Record<string, AttributeValue>> {
    let start: Record<string, AttributeValue> | undefined;
    do {
      const page = await this.client.send(new QueryCommand({
        TableName: this.table,
        ConsistentRead: true,
        KeyConditionExpression: 'rollbackId = :id AND seq >= :from',
        ExpressionAttributeValues: { ':id': { S: rollbackId }, ':from': { N: String(from) } },
        ...(projection === undefined ? {} : { ProjectionExpression: projection, ExpressionAttributeNames: { '#hash': 'hash' } }),
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      }));
      yield* page.Items ?? [];
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
  }
}

function refuseTooLarge(row: AuditRow): void {
  const bytes = Buffer.byteLength(row.data, 'utf8');
  if (bytes > maximumDataBytes)
    throw new Error(`audit data of kind "${row.kind}" has ${bytes} bytes; at most ${maximumDataBytes} fit a row: shorten it before it is written`);
}

const toItem = (row: AuditRow): Record<string, AttributeValue> => ({
  rollbackId: { S: row.rollbackId }, seq: { N: String(row.seq) }, at: { S: row.at }, kind: { S: row.kind }, service: { S: row.service },
  data: { S: row.data }, previousHash: { S: row.previousHash }, hash: { S: row.hash },
});

const toRow = (item: Record<string, AttributeValue>): AuditRow => ({
  rollbackId: item['rollbackId']?.S ?? '', seq: Number(item['seq']?.N), at: item['at']?.S ?? '', kind: item['kind']?.S ?? '',
  service: item['service']?.S ?? '', data: item['data']?.S ?? '', previousHash: item['previousHash']?.S ?? '', hash: item['hash']?.S ?? '',
});

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, milliseconds); });
