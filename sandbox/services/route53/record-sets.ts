// Names, keys, order and equality of record sets, the way Route 53 sees them.
import { isDeepStrictEqual } from 'node:util';
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';

/** Lower case, with a trailing dot, `*` as `\052`. */
export const canonicalName = (name: string): string => `${name.toLowerCase().replace(/\.$/, '')}.`.replace(/^\*/, String.raw`\052`);

/** As the IAM condition key holds it: without the trailing dot. */
export const normalizedName = (name: string): string => canonicalName(name).replace(/\.$/, '');

export const groupKey = ({ Name, Type }: ResourceRecordSet): string => `${canonicalName(Name ?? '')} ${Type ?? ''}`;

export const recordKey = (record: ResourceRecordSet): string => `${groupKey(record)} ${record.SetIdentifier ?? ''}`;

// Sorted by the labels in reverse (com.example.www), then by type, then by set identifier.
const sortKey = (record: ResourceRecordSet): readonly string[] => [canonicalName(record.Name ?? '').split('.').toReversed().join('.'), record.Type ?? '', record.SetIdentifier ?? ''];

export function compareRecords(left: ResourceRecordSet, right: ResourceRecordSet): number {
  const [a, b] = [sortKey(left), sortKey(right)];
  const at = a.findIndex((part, index) => part !== b[index]);
  return at < 0 ? 0 : (a[at] ?? '') < (b[at] ?? '') ? -1 : 1;
}

const plain = (record: ResourceRecordSet): unknown => JSON.parse(JSON.stringify({ ...record, Name: canonicalName(record.Name ?? '') }));

/** Whether a DELETE names the record exactly. */
export const isSameRecord = (left: ResourceRecordSet, right: ResourceRecordSet): boolean => isDeepStrictEqual(plain(left), plain(right));

export const described = ({ Name, Type, SetIdentifier }: ResourceRecordSet): string =>
  `[name='${canonicalName(Name ?? '')}', type='${Type ?? ''}'${SetIdentifier === undefined ? '' : `, set identifier='${SetIdentifier}'`}]`;

/** Records with the same name and type, in groups. */
export function grouped(records: Iterable<ResourceRecordSet>): Map<string, ResourceRecordSet[]> {
  const groups = new Map<string, ResourceRecordSet[]>();
  for (const record of records) groups.set(groupKey(record), [...(groups.get(groupKey(record)) ?? []), record]);
  return groups;
}
