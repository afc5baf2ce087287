// Writes the audit: rows are only ever added, each on the next number and together with its anchor, and two writers who race lose nothing.
import type { DynamoDBClient, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { misfitName } from '../audit/chain.ts';
import { type AuditEntry, type AuditRow, cursorAt, genesis, rowAfter } from '../audit/entry.ts';
import type { AuditCursor } from '../domain/vocabulary.ts';
import { anchorAt, anchorOf, shown } from './audit-anchor.ts';
import { AuditTransaction, type Met } from './audit-transaction.ts';
import type { Item } from './ledger-table.ts';

/** DynamoDB takes 400 kB an item; the rest of the row needs far less than what is left. */
const maximumDataBytes = 300 * 1024;
const maximumAttempts = 60;

/** Error name `ChainSealed`: the rollback was closed, nothing may follow its last row. */
export class ChainSealed extends Error {
  override readonly name = 'ChainSealed';
  /** Where the chain ended. */
  readonly at: AuditCursor;

  constructor(message: string, at: AuditCursor) {
    super(message);
    this.at = at;
  }
}

/** Hears of each row that stands, and of where its chain stood with it: for a place that whoever can write the tables cannot. */
export type Witness = (row: Pick<AuditRow, 'rollbackId' | 'service' | 'kind'>, at: AuditCursor) => void;

/** What is written with each row that is put, in its transaction; no condition in it. */
export type Beside = (row: AuditRow) => readonly TransactWriteItem[];

export interface Company {
  readonly witness?: Witness;
  readonly beside?: Beside;
}

/** After what the next row comes, and what the anchor is believed to be. `misfit`: what it was made into, when no honest writer left it so. */
interface Standing {
  readonly after: AuditCursor;
  readonly before: Item | null;
  readonly misfit: string | null;
}

export class AuditStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #ledger: string;
  readonly #with: Company;

  /** @param ledger name of the table that holds the anchors. */
  constructor(client: DynamoDBClient, table: string, ledger: string, company: Company = {}) {
    this.#client = client;
    this.#table = table;
    this.#ledger = ledger;
    this.#with = company;
  }

  /**
   * Adds one row and moves the chain's anchor on to it, both or neither; returns where the chain stands now.
   * The row follows the anchor, whatever else stands in the table: rows that somebody cut off or put in show ever after.
   * An anchor that no row could follow is written over, and the row says so: a record that somebody spoiled stops no rollback.
   * Safe to repeat after a lost reply: a row already there is not added twice.
   * @param cursor where the caller believes the chain stands; null tries row 0 first. A wrong cursor costs one more call, never a row.
   * @param beside written with the row or not at all; no condition in it.
   * @throws Error when the data is larger than 300 kB, or after 60 lost races; `ChainSealed` when the chain was closed; AwsCallError when it is throttled.
   */
  async append(entry: AuditEntry, cursor: AuditCursor | null, beside: readonly TransactWriteItem[] = []): Promise<AuditCursor> {
    return this.#appendMade(() => entry, cursor, beside);
  }

  /**
   * Closes the chain: its last row says how many rows there are. A chain that is sealed already stays as it is.
   * @throws as `append`, `ChainSealed` included.
   */
  async seal(entry: Omit<AuditEntry, 'kind'>, cursor: AuditCursor | null): Promise<AuditCursor> {
    return this.#appendMade((at) => ({ ...entry, kind: 'sealed', data: { ...entry.data, rows: at.length + 1 } }), cursor);
  }

  async #appendMade(entryAt: (cursor: AuditCursor) => AuditEntry, cursor: AuditCursor | null, beside: readonly TransactWriteItem[] = []): Promise<AuditCursor> {
    const given = cursor ?? genesis;
    const transaction = new AuditTransaction(this.#client, this.#table, this.#ledger);
    let at: Standing = { after: given, before: anchorAt(given), misfit: null };
    for (let attempt = 0; attempt < maximumAttempts; attempt += 1) {
      const row = rowAfter(at.after, withMisfit(entryAt(at.after), at.misfit));
      refuseTooLarge(row);
      const met = await transaction.put(row, at.before, [...this.#with.beside?.(row) ?? [], ...beside]);
      if (met === null || met.row?.['hash']?.S === row.hash) {
        this.#with.witness?.(row, cursorAt(row));
        return cursorAt(row);
      }
      // At once: what was told is true only as long as nobody else writes.
      at = await standing(at, { anchor: met.anchor, given, row, transaction });
    }
    throw new Error(`an audit row for ${entryAt(at.after).rollbackId} lost ${maximumAttempts} races and was not written`);
  }
}

const withMisfit = (entry: AuditEntry, misfit: string | null): AuditEntry => (misfit === null ? entry : { ...entry, data: { ...entry.data, [misfitName]: misfit } });

interface Lost {
  readonly anchor: Met['anchor'];
  readonly given: AuditCursor;
  readonly row: AuditRow;
  readonly transaction: AuditTransaction;
}

/** @throws ChainSealed */
async function standing(at: Standing, { anchor, given, row, transaction }: Lost): Promise<Standing> {
  // A row stands there that the anchor knows nothing of: it stays, and is not what this row follows.
  if (anchor === 'as-demanded') return { ...at, after: { length: await firstFree(row, transaction), hash: at.after.hash } };
  // Somebody took the anchor away: the row follows what its writer knew.
  if (anchor === null) return { after: given, before: null, misfit: null };
  const { length, hash, isSealed, spoiled } = anchorOf(anchor);
  if (spoiled !== undefined) return { after: given, before: anchor, misfit: spoiled };
  if (isSealed === false) return { after: { length, hash }, before: anchor, misfit: null };
  const last = await transaction.look({ ...row, seq: length - 1 });
  if (last?.['kind']?.S === 'sealed' && last['hash']?.S === hash) throw new ChainSealed(`the audit of ${row.rollbackId} is sealed at row ${length - 1}; nothing can be added`, { length, hash });
  return { after: { length, hash }, before: anchor, misfit: shown(anchor) };
}

/** The first number behind rows that were put in, found in few looks however many they are. @param row whose number is taken. */
async function firstFree(row: AuditRow, transaction: AuditTransaction): Promise<number> {
  const isTaken = async (seq: number): Promise<boolean> => await transaction.look({ ...row, seq }) !== null;
  let taken = row.seq;
  let step = 1;
  for (; await isTaken(taken + step); step *= 2) taken += step;
  for (let free = taken + step; ;) {
    if (free - taken === 1) return free;
    const middle = Math.floor((taken + free) / 2);
    if (await isTaken(middle)) taken = middle;
    else free = middle;
  }
}

function refuseTooLarge(row: AuditRow): void {
  const bytes = Buffer.byteLength(row.data, 'utf8');
  if (bytes > maximumDataBytes)
    throw new Error(`audit data of kind "${row.kind}" has ${bytes} bytes; at most ${maximumDataBytes} fit a row: shorten it before it is written`);
}
