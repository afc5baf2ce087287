// Checks one rollback's audit: is every row as it was written, in its place, and none missing?
import { dataIn } from './data.ts';
import { type AuditRow, genesisHash, hashOf } from './entry.ts';
import type { AuditCursor } from '../domain/vocabulary.ts';

/** `truncated`: the rows are whole, but end before the anchor says they end: some were cut from the end. `anchor`: the anchor itself was changed. */
export type ChainFault = 'changed' | 'removed' | 'inserted' | 'reordered' | 'truncated' | 'anchor';

/** Under this name a row's data says what its writer found instead of an anchor, and wrote over. */
export const misfitName = 'anchorMisfit';

export type ChainVerdict =
  | { readonly intact: true; readonly length: number; readonly hash: string; readonly isSealed: boolean; readonly isAnchored: boolean }
  | { readonly intact: false; readonly fault: ChainFault; readonly seq: number; readonly text: string };

/**
 * Where a chain ends; it moves with every row. `isSealed`: nothing comes after it; absent where nobody said so, or not. `bentSeal`: what stands in its place, and no function writes.
 * `spoiled`: what stands there, when no row could follow it; length and hash say nothing then. `foreign`: as of a row.
 */
export interface AuditAnchor extends AuditCursor {
  readonly isSealed?: boolean;
  readonly bentSeal?: string;
  readonly spoiled?: string;
  readonly foreign?: readonly string[];
}

type Broken = Extract<ChainVerdict, { intact: false }>;

/**
 * Reads the rows in the order given and names the first that is not as it was written.
 * @param anchor number of rows and last hash, kept outside the table (ledger; once it has ended also in the end message and the `Rollback Ended` event). Without it, a cut or rewritten tail cannot show.
 */
export function verifyChain(rows: readonly AuditRow[], anchor?: AuditAnchor): ChainVerdict {
  const broken = firstBroken(rows, anchor?.spoiled === undefined ? anchor : undefined);
  if (broken !== null) return broken;
  const last = rows.at(-1);
  const end = anchor === undefined ? null : brokenEnd(rows, anchor);
  if (end !== null) return end;
  return { intact: true, length: rows.length, hash: last?.hash ?? genesisHash, isSealed: last?.kind === 'sealed', isAnchored: anchor !== undefined };
}

function firstBroken(rows: readonly AuditRow[], anchor: AuditCursor | undefined): Broken | null {
  for (const [place, row] of rows.entries()) {
    const broken = misplaced(rows, place) ?? addedTo(rows, place) ?? miswritten(rows, place) ?? unspoken(rows, place) ?? writtenOver(rows, place) ?? beyondEnd(rows, place, anchor) ?? mislinked(rows, place, anchor) ?? afterSeal(rows, place);
    if (broken !== null) return broken;
    if (place > 0 && row.rollbackId !== rows[0]?.rollbackId) return at('inserted', row.seq, `row ${row.seq} belongs to rollback ${row.rollbackId}`);
  }
  return null;
}

const at = (fault: ChainFault, seq: number, text: string): Broken => ({ intact: false, fault, seq, text });

const isWhole = (row: AuditRow): boolean => hashedAs(row, row.seq);

/** False also for text that no row was ever written with. */
function hashedAs(row: AuditRow, seq: number): boolean {
  try {
    return hashOf({ ...row, seq }) === row.hash;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

/** The number of a row is its place. */
function misplaced(rows: readonly AuditRow[], place: number): Broken | null {
  const row = rows[place] as AuditRow;
  if (row.seq === place) return null;
  const rightOne = rows.findIndex((other) => other.seq === place);
  if (rightOne === -1) return at('removed', place, `row ${place} was removed: row ${row.seq} stands where it stood`);
  if (row.seq < place) return at('inserted', row.seq, `a second row ${row.seq} was inserted`);
  return at('reordered', place, `row ${place} was moved: it stands in place ${rightOne}, and row ${row.seq} stands in its place`);
}

/** No hash covers it, and whoever looks at the table reads it beside what was written. */
function addedTo(rows: readonly AuditRow[], place: number): Broken | null {
  const { foreign } = rows[place] as AuditRow;
  return foreign === undefined ? null : at('changed', place, `row ${place} was changed: ${listed(foreign)} was added to it, and no function writes that`);
}

const listed = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(', ').slice(0, 300);

/** The hash of a row covers everything that a function writes into it. */
function miswritten(rows: readonly AuditRow[], place: number): Broken | null {
  const row = rows[place] as AuditRow;
  if (isWhole(row)) return null;
  // A row that only got a new number was moved to close a gap, to make room, or to take another's place.
  const written = [...rows.keys(), rows.length, rows.length + 1].find((seq) => seq !== place && hashedAs(row, seq));
  if (written === undefined) return at('changed', place, `row ${place} was changed: its hash does not fit its content`);
  const before = rows[place - 1]?.hash ?? genesisHash;
  const isTakenElsewhere = rows.some((other, index) => index > place && hashedAs(other, place) && other.previousHash === before);
  if (isTakenElsewhere) return at('reordered', place, `row ${place} was moved: what stands in its place was written as row ${written}`);
  if (rows[written]?.hash === row.hash) return at('inserted', place, `row ${place} was inserted: it is a copy of row ${written}`);
  if (written > place) return at('removed', place, `row ${place} was removed: what was written as row ${written} stands in its place`);
  return at('inserted', place - 1, `row ${place - 1} was inserted: row ${place} was written as row ${written}`);
}

/** Its hash fits, but what it says can be no row of the engine. */
function unspoken(rows: readonly AuditRow[], place: number): Broken | null {
  return dataIn(rows[place] as AuditRow) === null ? at('inserted', place, `row ${place} was inserted: its data is no JSON object, and no function writes that`) : null;
}

/** Its writer found an anchor that no honest writer left. */
function writtenOver(rows: readonly AuditRow[], place: number): Broken | null {
  const found = dataIn(rows[place] as AuditRow)?.[misfitName];
  return found === undefined ? null : at('anchor', place, `the anchor was changed before row ${place} was written over it: it was ${JSON.stringify(found)}`);
}

/** Rows were put in behind the end, and none was written since. */
function beyondEnd(rows: readonly AuditRow[], place: number, anchor: AuditCursor | undefined): Broken | null {
  if (anchor === undefined || place !== anchor.length || rows[place - 1]?.kind === 'sealed') return null;
  return at('inserted', place, `${place === rows.length - 1 ? `row ${place} was` : `rows ${place} to ${rows.length - 1} were`} inserted: the chain ended with row ${place - 1}`);
}

/** Each row names the hash of the row before it. */
function mislinked(rows: readonly AuditRow[], place: number, anchor: AuditCursor | undefined): Broken | null {
  const row = rows[place] as AuditRow;
  const before = rows[place - 1]?.hash ?? genesisHash;
  if (row.previousHash === before) return null;
  if (place === 0) return at('changed', 0, 'row 0 was changed: it names a row before the first');
  const followed = rows.slice(0, place - 1).findLastIndex(({ hash }) => hash === row.previousHash);
  const isForked = followed !== -1 || row.previousHash === genesisHash;
  // Of several rows that follow the same one, writers went on from the last.
  const last = rows.findLastIndex(({ previousHash }) => previousHash === row.previousHash);
  if (isForked && last > place) return putIn(followed + 1, last);
  // Which of the two is false? The one that what follows does not lead to.
  const after = rows[place + 1];
  const led = after === undefined ? anchor?.hash : isWhole(after) ? after.previousHash : undefined;
  if (led !== undefined && led !== row.hash) return at('changed', place, `row ${place} was changed and given a new hash: neither row ${place - 1} nor what follows leads to it`);
  if (isForked) return putIn(followed + 1, place);
  return at('changed', place - 1, `row ${place - 1} was changed and given a new hash: row ${place} names the hash it had before`);
}

/** Whoever writes a row lets it follow the anchor, and takes the first number that is free. */
function putIn(first: number, place: number): Broken {
  const follows = first === 0 ? 'none: its anchor was taken away, or it was put in itself' : `row ${first - 1}`;
  return at('inserted', first, `${first === place - 1 ? `row ${first} was` : `rows ${first} to ${place - 1} were`} inserted: row ${place} follows ${follows}`);
}

function afterSeal(rows: readonly AuditRow[], place: number): Broken | null {
  if (place === 0 || rows[place - 1]?.kind !== 'sealed') return null;
  return at('inserted', place, `row ${place} was inserted after the chain was sealed`);
}

/** The anchor says where the chain has to end. */
function brokenEnd(rows: readonly AuditRow[], anchor: AuditAnchor): Broken | null {
  const end = Math.max(rows.length - 1, 0);
  if (anchor.spoiled !== undefined) return at('anchor', end, `the anchor was changed after row ${end} was written: it is ${JSON.stringify(anchor.spoiled)}`);
  if (rows.length < anchor.length) return cutOff(rows.length, anchor.length);
  if ((rows.at(-1)?.hash ?? genesisHash) !== anchor.hash) return at('changed', rows.length - 1, `row ${rows.length - 1} was changed, or the chain was rewritten up to it: its hash is not the anchored one`);
  const misfit = sealMisfit(anchor, rows.at(-1)?.kind === 'sealed');
  if (misfit !== null) return at('anchor', end, `the anchor was changed after row ${end} was written: ${misfit}`);
  return anchor.foreign === undefined ? null : at('anchor', end, `the anchor was changed: ${listed(anchor.foreign)} was added to it, and no function writes that`);
}

/** The row and the anchor's word on it are written together: one without the other is nobody's of ours. */
function sealMisfit({ isSealed, bentSeal }: AuditAnchor, endsSealed: boolean): string | null {
  if (bentSeal !== undefined) return `whether the chain is sealed, it says with ${bentSeal}, and no function writes that`;
  if (isSealed === undefined || isSealed === endsSealed) return null;
  return isSealed ? 'it says that the chain is sealed' : 'it says no longer that the chain is sealed';
}

function cutOff(first: number, length: number): Broken {
  const which = first === length - 1 ? `row ${first} of ${length} is` : `rows ${first} to ${length - 1} of ${length} are`;
  return at('truncated', first, `${which} missing: cut from the end`);
}
