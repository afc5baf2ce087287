// Where a chain of the audit ends, kept in the ledger and moved with every row: a cut or rewritten end of the audit shows.
import type { Update } from '@aws-sdk/client-dynamodb';
import type { AuditAnchor } from '../audit/chain.ts';
import { type AuditRow, foreignIn } from '../audit/entry.ts';
import type { AuditCursor } from '../domain/vocabulary.ts';
import { get, type Item, type Key, type LedgerTable, number, text } from './ledger-table.ts';

/** A partition of its own for each chain: IAM tells rows apart by partition, and whoever checks a chain may read no task token. */
const anchorKey = (chain: string): Key => ({ pk: `AUDIT#${chain}`, sk: 'ANCHOR' });

/** All there is of an anchor: what a move demands and what is read back are the same attributes. */
const attributes = ['length', 'head', 'isSealed'] as const;

/** The anchor of a chain that stands there and goes on; null for one without a row. */
export const anchorAt = ({ length, hash }: AuditCursor): Item | null => (length === 0 ? null : { length: number(length), head: text(hash) });

/**
 * The part of a row's transaction that moves the anchor on to it.
 * @param before what has to stand there, whatever it is; null when there must be none yet.
 */
export function anchorMove(ledger: string, { rollbackId, seq, hash, kind }: AuditRow, before: Item | null): Update {
  const isSeal = kind === 'sealed';
  const demands = attributes.map((name) => demand(name, before?.[name]));
  return {
    ...onAnchor(ledger, rollbackId),
    UpdateExpression: `SET #length = :length, #head = :head${isSeal ? ', #isSealed = :isSealed' : ' REMOVE #isSealed'}`,
    ConditionExpression: before === null ? 'attribute_not_exists(pk)' : demands.map(({ condition }) => condition).join(' AND '),
    ExpressionAttributeNames: Object.fromEntries(attributes.map((name) => [`#${name}`, name])),
    ExpressionAttributeValues: {
      ':length': number(seq + 1), ':head': text(hash), ...(isSeal ? { ':isSealed': { BOOL: true } } : {}), ...Object.assign({}, ...demands.map(({ values }) => values)) as Item,
    },
  };
}

/** That an attribute is as it was read. No writer of ours leaves a list or a map: of those the type is enough. */
function demand(name: string, value: Item[string] | undefined): { readonly condition: string; readonly values: Item } {
  if (value === undefined) return { condition: `attribute_not_exists(#${name})`, values: {} };
  const [type = ''] = Object.keys(value);
  return ['S', 'N', 'BOOL'].includes(type)
    ? { condition: `#${name} = :${name}Before`, values: { [`:${name}Before`]: value } }
    : { condition: `attribute_type(#${name}, :${name}Before)`, values: { [`:${name}Before`]: text(type) } };
}

/** Never comes true: the transaction tells what stands there, and changes nothing. */
export const anchorStays = (ledger: string, chain: string): Update => ({
  ...onAnchor(ledger, chain), UpdateExpression: 'REMOVE isSealed', ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(pk)',
});

function onAnchor(ledger: string, chain: string): Pick<Update, 'TableName' | 'Key' | 'ReturnValuesOnConditionCheckFailure'> {
  const { pk, sk } = anchorKey(chain);
  return { TableName: ledger, Key: { pk: text(pk), sk: text(sk) }, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' };
}

/** With `spoiled` when no row could follow it. */
export function anchorOf(item: Item): AuditAnchor {
  const length = Number(item['length']?.N);
  const hash = item['head']?.S ?? '';
  if (!(length >= 1 && Number.isSafeInteger(length + 1)) || !/^[0-9a-f]{64}$/.test(hash)) return { length: 0, hash: '', spoiled: shown(item) };
  return { length, hash, ...sealIn(item) };
}

/** Absent, or true: all that a move of the anchor leaves. */
function sealIn({ isSealed }: Item): Pick<AuditAnchor, 'isSealed' | 'bentSeal'> {
  if (isSealed === undefined) return { isSealed: false };
  return isSealed.BOOL === true ? { isSealed: true } : { bentSeal: JSON.stringify(isSealed).slice(0, 100) };
}

/** At most 300 characters. */
export const shown = (item: Item): string => JSON.stringify(Object.fromEntries(attributes.map((name) => [name, item[name]]))).slice(0, 300);

/** Null when the chain has no row. */
export async function readAnchor(table: LedgerTable, chain: string): Promise<AuditAnchor | null> {
  const item = await get(table, anchorKey(chain));
  // What somebody added stays, as no move of the anchor touches it.
  return item === null ? null : { ...anchorOf(item), ...foreignIn(Object.keys(item), ['pk', 'sk', ...attributes]) };
}
