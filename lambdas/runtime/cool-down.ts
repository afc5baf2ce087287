// How long nothing happens by itself after a rollback, where the catalogue cannot be read: as the last look at it knew.
import { dataIn } from '../audit/data.ts';
import type { AuditRow } from '../audit/entry.ts';

/** Of a rollback that died before any look at it said so: the schema's default. */
export const defaultCoolDownMinutes = 30;

/** @param rows of its record. @returns minutes. */
export function coolDownIn(rows: readonly AuditRow[]): number {
  const told = rows.flatMap((row) => (row.kind === 'assessed' ? [(dataIn(row)?.['question'] as Asked | null | undefined)?.policy?.coolDownMinutes] : []));
  return told.findLast((minutes) => Number.isFinite(minutes)) ?? defaultCoolDownMinutes;
}

interface Asked {
  readonly policy?: { readonly coolDownMinutes?: number };
}
