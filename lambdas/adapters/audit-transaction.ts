// A row of the audit and the move of its anchor in one transaction, sent again while others are in the way.
import { type CancellationReason, type DynamoDBClient, type TransactionCanceledException, type TransactWriteItem, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import type { AuditRow } from '../audit/entry.ts';
import { anchorMove, anchorStays } from './audit-anchor.ts';
import { toItem } from './audit-rows.ts';
import { AwsCallError } from './aws-errors.ts';
import type { Item } from './ledger-table.ts';

/** Beside the SDK's own tries, which see only a call that is throttled as a whole. */
const maximumThrottled = 6;
const maximumConflicts = 60;

/** Why nothing was written. `row`: what has the number already; `anchor`: what stands there instead, null for none. */
export interface Met {
  readonly row: Item | null;
  readonly anchor: Item | null | 'as-demanded';
}

export class AuditTransaction {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #ledger: string;
  #sent = 0;
  #throttled = 0;
  #met = 0;

  constructor(client: DynamoDBClient, table: string, ledger: string) {
    this.#client = client;
    this.#table = table;
    this.#ledger = ledger;
  }

  /**
   * @param before what the anchor has to be, as `anchorMove` takes it.
   * @param beside written with them; no condition in it.
   * @returns null when it was written. @throws AwsCallError when it is throttled; Error after 60 conflicts.
   */
  put(row: AuditRow, before: Item | null, beside: readonly TransactWriteItem[] = []): Promise<Met | null> {
    return this.#send(row, [{ Update: anchorMove(this.#ledger, row, before) }, ...beside]);
  }

  /** What is stored under the number of this row, learned from a refusal: whoever may only write finds out too. Null for nothing. @throws as `put`. */
  async look(row: AuditRow): Promise<Item | null> {
    return (await this.#send(row, [{ Update: anchorStays(this.#ledger, row.rollbackId) }], true))?.row ?? null;
  }

  async #send(row: AuditRow, others: readonly TransactWriteItem[], isLook = false): Promise<Met | null> {
    while (this.#met < maximumConflicts) {
      const refused = await this.#try(row, others, isLook);
      if (refused === null || typeof refused === 'object' && 'anchor' in refused) return refused;
      if (refused.code === 'conflict') await pause(Math.random() * Math.min(500, 10 * 2 ** (this.#met += 1)));
      else if (this.#throttled < maximumThrottled) await pause(Math.random() * Math.min(1000, 50 * 2 ** (this.#throttled += 1)));
      else throw new AwsCallError('throttled', { action: 'dynamodb:PutItem', awsCode: 'TransactionCanceled', text: refused.error.message }, refused.error);
    }
    throw new Error(`an audit row for ${row.rollbackId} met ${maximumConflicts} conflicts and was not written`);
  }

  async #try(row: AuditRow, others: readonly TransactWriteItem[], isLook: boolean): Promise<Met | Busy | null> {
    // The same row tried again is the same request; what was cancelled is tried under a name of its own.
    const token = isLook ? {} : { ClientRequestToken: `${row.hash.slice(0, 32)}-${(this.#sent += 1) - 1}` };
    try {
      await this.#client.send(new TransactWriteItemsCommand({ ...token, TransactItems: [
        { Put: { TableName: this.#table, Item: toItem(row), ConditionExpression: 'attribute_not_exists(rollbackId)', ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } },
        ...others,
      ] }));
      return null;
    } catch (error) {
      return refusedBy(error);
    }
  }
}

interface Busy {
  readonly code: 'throttled' | 'conflict';
  readonly error: Error;
}

/** @throws the error when another try could not mend it. */
function refusedBy(error: unknown): Met | Busy {
  if (!(error instanceof Error) || error.name !== 'TransactionCanceledException') throw error;
  const reasons = (error as TransactionCanceledException).CancellationReasons ?? [];
  const has = (...codes: readonly string[]): boolean => reasons.some(({ Code }) => codes.includes(Code ?? ''));
  if (has('ThrottlingError', 'ProvisionedThroughputExceeded')) return { code: 'throttled', error };
  if (has('TransactionConflict')) return { code: 'conflict', error };
  if (!has(failed)) throw error;
  const [put, moved] = reasons;
  return { row: isFailed(put) ? put?.Item ?? {} : null, anchor: isFailed(moved) ? moved?.Item ?? null : 'as-demanded' };
}

const failed = 'ConditionalCheckFailed';
const isFailed = (reason: CancellationReason | undefined): boolean => reason?.Code === failed;
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, milliseconds); });
