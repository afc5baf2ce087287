// What one row of the audit holds, and how its hash is made.
import { createHash } from 'node:crypto';
import type { AuditCursor, Instant, Json, JsonObject } from '../domain/vocabulary.ts';
import { canonicalJson } from './canonical.ts';

export const auditKinds = [
  'assessed', 'approval-asked', 'approval-answered', 'planned', 'change-intended', 'change-made', 'change-failed', 'confirmed', 'verified',
  'announced', 'reported', 'sealed',
  // a person's word afterwards, in a chain of its own
  'labelled',
  // what a Watch concludes, in a chain of its own
  'watched',
] as const;
export type AuditKind = (typeof auditKinds)[number];

/** What a writer says; number and hashes are added by the chain. */
export interface AuditEntry {
  readonly rollbackId: string;
  readonly service: string;
  readonly kind: AuditKind;
  readonly at: Instant;
  readonly data: JsonObject;
}

/** One row as it is stored. */
export interface AuditRow {
  readonly rollbackId: string;
  /** From 0, without a gap. */
  readonly seq: number;
  readonly at: Instant;
  readonly kind: string;
  readonly service: string;
  /** Canonical JSON text of the entry's data. */
  readonly data: string;
  /** Hash of the row before; the genesis hash for row 0. */
  readonly previousHash: string;
  /** SHA-256 in lower-case hexadecimal over the canonical JSON of all other attributes. */
  readonly hash: string;
  /** Names of what stands beside them, which no function writes and no hash covers; absent when there is nothing. */
  readonly foreign?: readonly string[];
}

const rowAttributes: readonly string[] = ['rollbackId', 'seq', 'at', 'kind', 'service', 'data', 'previousHash', 'hash'] satisfies readonly (keyof AuditRow)[];

/** As a row or an anchor carries it: what of these names is none of the known ones. */
export function foreignIn(names: readonly string[], known: readonly string[] = rowAttributes): { readonly foreign?: readonly string[] } {
  const foreign = names.filter((name) => !known.includes(name)).toSorted();
  return foreign.length === 0 ? {} : { foreign };
}

/** What stands where row 0 would name the hash of the row before it. */
export const genesisHash = '0'.repeat(64);

/** Where an empty chain stands. */
export const genesis: AuditCursor = { length: 0, hash: genesisHash };

export function hashOf(row: Omit<AuditRow, 'hash' | 'foreign'>): string {
  const { rollbackId, seq, at, kind, service, data, previousHash } = row;
  return createHash('sha256').update(canonicalJson({ rollbackId, seq, at, kind, service, data, previousHash }), 'utf8').digest('hex');
}

/** The row that follows the cursor. Pure: the same entry after the same cursor is the same row. */
export function rowAfter(cursor: AuditCursor, entry: AuditEntry): AuditRow {
  const row = {
    rollbackId: entry.rollbackId,
    seq: cursor.length,
    at: entry.at,
    kind: entry.kind,
    service: entry.service,
    data: canonicalJson(wellFormed(entry.data)),
    previousHash: cursor.hash,
  };
  return { ...row, hash: hashOf(row) };
}

// A person can type a lone surrogate into an execution's input; it must not keep the refusal of that input from being recorded.
const wellFormedText = (text: string): string => text.replaceAll(/\p{Surrogate}/gu, '\uFFFD');

function wellFormed(value: Json): Json {
  if (typeof value === 'string') return wellFormedText(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => wellFormed(item));
  const members = Object.entries(value).flatMap(([key, member]) => (member === undefined ? [] : [[wellFormedText(key), wellFormed(member)] as const]));
  return Object.fromEntries(members);
}

export const cursorAt = (row: Pick<AuditRow, 'seq' | 'hash'>): AuditCursor => ({ length: row.seq + 1, hash: row.hash });
