// Applies a change batch to a copy of a zone's records: the whole batch, or a list of what is wrong with it.
import type { Change, ResourceRecordSet } from '@aws-sdk/client-route-53';
import { canonicalName, described, grouped, isSameRecord, recordKey } from './record-sets.ts';

export type Records = ReadonlyMap<string, ResourceRecordSet>;

export interface BatchResult {
  readonly records: Records;
  /** Empty: the batch is good. */
  readonly problems: readonly string[];
}

export function applyBatch(records: Records, changes: readonly Change[], zoneName: string): BatchResult {
  const next = new Map(records);
  const problems: string[] = [];
  for (const { Action, ResourceRecordSet: given } of changes) {
    if (given === undefined) {
      problems.push('A change needs a ResourceRecordSet');
      continue;
    }
    const record = { ...given, Name: canonicalName(given.Name ?? '') };
    problems.push(...shapeProblems(record, zoneName), ...actionProblems(Action, record, next));
    if (Action === 'DELETE') next.delete(recordKey(record));
    else next.set(recordKey(record), record);
  }
  problems.push(...groupProblems(next));
  return { records: next, problems };
}

function actionProblems(action: string | undefined, record: ResourceRecordSet, records: Records): string[] {
  const existing = records.get(recordKey(record));
  if (action === 'CREATE') return existing === undefined ? [] : [`Tried to create resource record set ${described(record)} but it already exists`];
  if (action === 'UPSERT') return [];
  if (action !== 'DELETE') return [`The action ${String(action)} is not CREATE, UPSERT or DELETE`];
  if (existing === undefined) return [`Tried to delete resource record set ${described(record)} but it was not found`];
  return isSameRecord(existing, record) ? [] : [`Tried to delete resource record set ${described(record)} but the values provided do not match the current values`];
}

function shapeProblems(record: ResourceRecordSet, zoneName: string): string[] {
  const { Name = '', Type, TTL, ResourceRecords, AliasTarget, Weight, SetIdentifier } = record;
  const problems: string[] = [];
  if (Name !== zoneName && !Name.endsWith(`.${zoneName}`)) problems.push(`RRSet with DNS name ${Name} is not permitted in zone ${zoneName}`);
  if (AliasTarget !== undefined && (TTL !== undefined || ResourceRecords !== undefined)) problems.push(`Invalid Resource Record: ${described(record)} mixes an alias target with TTL or resource records`);
  if (AliasTarget === undefined && (TTL === undefined || ResourceRecords === undefined || ResourceRecords.length === 0)) problems.push(`Invalid Resource Record: ${described(record)} needs TTL and resource records, or an alias target`);
  if ((Weight === undefined) !== (SetIdentifier === undefined)) problems.push(`Invalid request: ${described(record)} needs SetIdentifier and Weight together (other routing policies are not supported by the sandbox)`);
  if (Weight !== undefined && (!Number.isInteger(Weight) || Weight < 0 || Weight > 255)) problems.push(`Invalid request: the weight ${Weight} of ${described(record)} is not between 0 and 255`);
  if (Type === undefined) problems.push(`Invalid request: ${described(record)} has no type`);
  return problems;
}

function groupProblems(records: Records): string[] {
  return [...grouped(records.values())].flatMap(([, group]) => {
    const [first] = group;
    if (first === undefined || group.length === 1) return [];
    const problems: string[] = [];
    if (group.some(({ SetIdentifier }) => SetIdentifier === undefined)) problems.push(`RRSet with DNS name ${first.Name ?? ''}, type ${first.Type ?? ''} cannot be created as other RRSets exist with the same name and type`);
    if (new Set(group.flatMap(({ TTL }) => TTL ?? [])).size > 1) problems.push(`All weighted RRSets with DNS name ${first.Name ?? ''}, type ${first.Type ?? ''} must have the same TTL`);
    return problems;
  });
}
