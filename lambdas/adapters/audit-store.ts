// Writes the audit: rows are only ever added, each on the next number and together with its anchor, and two writers who race lose nothing.
import { type CancellationReason, type DynamoDBClient, type TransactionCanceledException, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import type { AuditAnchor } from '../audit/chain.ts';
import { type AuditEntry, type AuditRow, cursorAt, genesis, rowAfter } from '../audit/entry.ts';
import type { AuditCursor } from '../domain/vocabulary.ts';
import { anchorMove, anchorOf } from './audit-anchor.ts';
import { toItem } from './audit-rows.ts';
import { AwsCallError } from './aws-errors.ts';

/** DynamoDB takes 400 kB an item; the rest of the row needs far less than what is left. */
const maximumDataBytes = 300 * 1024;
const maximumAttempts = 60;
/** Beside the SDK's own tries, which see only a call that is throttled as a whole. */
const maximumThrottled = 6;

/** Error name `ChainSealed`: the rollback was closed, nothing may follow its last row. */
export class ChainSealed extends Error {
  override readonly name = 'ChainSealed';
}

/** After what the next row comes, and the hash at which the anchor is believed to stand. */
interface Standing {
  readonly after: AuditCursor;
  readonly head: string | null;
}

/** Why a row was not written. `isOwn`: it is there already. `anchor`: where it stands, when that was not as believed; null when there is none. */
type Refused = 'throttled' | 'conflict' | { readonly isOwn: boolean; readonly anchor: AuditAnchor | null | 'as-believed' };

export class AuditStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #ledger: string;

  /** @param ledger name of the table that holds the anchors. */
  constructor(client: DynamoDBClient, table: string, ledger: string) {
    this.#client = client;
    this.#table = table;
    this.#ledger = ledger;
  }

  /**
   * Adds one row and moves the chain's anchor on to it, both or neither; returns where the chain stands now.
   * The row follows the anchor, whatever else stands in the table: rows that somebody cut off or put in show ever after.
   * Safe to repeat after a lost reply: a row already there is not added twice.
   * @param cursor where the caller believes the chain stands; null tries row 0 first. A wrong cursor costs one more call, never a row.
   * @throws Error when the data is larger than 300 kB, or after 60 lost races; `ChainSealed` when the chain was closed; AwsCallError when it is throttled.
   */
  async append(entry: AuditEntry, cursor: AuditCursor | null): Promise<AuditCursor> {
    return this.#appendMade(() => entry, cursor);
  }

  /**
   * Closes the chain: its last row says how many rows there are. A chain that is sealed already stays as it is.
   * @throws as `append`, `ChainSealed` included.
   */
  async seal(entry: Omit<AuditEntry, 'kind'>, cursor: AuditCursor | null): Promise<AuditCursor> {
    return this.#appendMade((at) => ({ ...entry, kind: 'sealed', data: { ...entry.data, rows: at.length + 1 } }), cursor);
  }

  async #appendMade(entryAt: (cursor: AuditCursor) => AuditEntry, cursor: AuditCursor | null): Promise<AuditCursor> {
    const given = cursor ?? genesis;
    let at: Standing = { after: given, head: headOf(given) };
    let throttled = 0;
    let met = 0;
    for (let attempt = 0; attempt < maximumAttempts; attempt += 1) {
      const row = rowAfter(at.after, entryAt(at.after));
      refuseTooLarge(row);
      const refused = await this.#write(row, { before: at.head, attempt, isLast: throttled === maximumThrottled });
      if (refused === null) return cursorAt(row);
      if (refused === 'throttled') await pause(Math.random() * Math.min(1000, 50 * 2 ** (throttled += 1)));
      else if (refused === 'conflict') await pause(Math.random() * Math.min(500, 10 * 2 ** (met += 1)));
      else if (refused.isOwn) return cursorAt(row);
      // At once: what was told is true only as long as nobody else writes.
      else at = standing(at, { anchor: refused.anchor, given, row });
    }
    throw new Error(`an audit row for ${entryAt(at.after).rollbackId} lost ${maximumAttempts} races and was not written`);
  }

  /** @returns null when it was written. */
  async #write(row: AuditRow, { before, attempt, isLast }: { readonly before: string | null; readonly attempt: number; readonly isLast: boolean }): Promise<Refused | null> {
    try {
      await this.#client.send(new TransactWriteItemsCommand({
        // The same row tried again is the same request; what was cancelled is tried under a name of its own.
        ClientRequestToken: `${row.hash.slice(0, 32)}-${attempt}`,
        TransactItems: [
          { Put: { TableName: this.#table, Item: toItem(row), ConditionExpression: 'attribute_not_exists(rollbackId)', ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } },
          { Update: anchorMove(this.#ledger, row, before) },
        ],
      }));
      return null;
    } catch (error) {
      const refused = refusedBy(error, row);
      if (refused === null) throw error;
      if (refused === 'throttled' && isLast) throw new AwsCallError('throttled', { action: 'dynamodb:PutItem', awsCode: 'TransactionCanceled', text: (error as Error).message }, error);
      return refused;
    }
  }
}

/** Null: nothing that another try could mend. */
function refusedBy(error: unknown, row: AuditRow): Refused | null {
  if (!(error instanceof Error) || error.name !== 'TransactionCanceledException') return null;
  const reasons = (error as TransactionCanceledException).CancellationReasons ?? [];
  const has = (...codes: readonly string[]): boolean => reasons.some(({ Code }) => codes.includes(Code ?? ''));
  if (has('ThrottlingError', 'ProvisionedThroughputExceeded')) return 'throttled';
  if (has('TransactionConflict')) return 'conflict';
  if (!has('ConditionalCheckFailed')) return null;
  const [put, moved] = reasons;
  return { isOwn: put?.Item?.['hash']?.S === row.hash, anchor: anchorIn(moved) };
}

const anchorIn = (moved: CancellationReason | undefined): AuditAnchor | null | 'as-believed' =>
  (moved?.Code !== 'ConditionalCheckFailed' ? 'as-believed' : moved.Item === undefined ? null : anchorOf(moved.Item));

const headOf = ({ length, hash }: AuditCursor): string | null => (length === 0 ? null : hash);

/** @throws ChainSealed */
function standing(at: Standing, { anchor, given, row }: { readonly anchor: AuditAnchor | null | 'as-believed'; readonly given: AuditCursor; readonly row: AuditRow }): Standing {
  // A row stands there that the anchor knows nothing of: it stays, and is not what this row follows.
  if (anchor === 'as-believed') return { ...at, after: { length: at.after.length + 1, hash: at.after.hash } };
  if (anchor?.isSealed === true) throw new ChainSealed(`the audit of ${row.rollbackId} is sealed at row ${anchor.length - 1}; nothing can be added`);
  // Somebody took the anchor away: the row follows what its writer knew.
  return anchor === null ? { after: given, head: null } : { after: anchor, head: anchor.hash };
}

function refuseTooLarge(row: AuditRow): void {
  const bytes = Buffer.byteLength(row.data, 'utf8');
  if (bytes > maximumDataBytes)
    throw new Error(`audit data of kind "${row.kind}" has ${bytes} bytes; at most ${maximumDataBytes} fit a row: shorten it before it is written`);
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, milliseconds); });
