// Until when a rollback that was ended from outside may still change a target: the call that was about to, when nobody heard of it any more.
import { dataIn } from '../audit/data.ts';
import type { AuditRow } from '../audit/entry.ts';

/** No function of a strategy runs for longer; a test compares it with their time limit. */
export const longestChangeSeconds = 60;

/** Of the rows of a closed record, which takes none any more: what is not announced in it is never done. Null where each change that was announced came to its end. */
export function unsettledUntil(rows: readonly AuditRow[]): Date | null {
  const open = new Map<string, string>();
  for (const row of rows) {
    const stepId = dataIn(row)?.['stepId'];
    if (typeof stepId !== 'string') continue;
    if (row.kind === 'change-intended') open.set(stepId, row.at);
    if (row.kind === 'change-made' || row.kind === 'change-failed') open.delete(stepId);
  }
  // The function began before it announced the change.
  const newest = Math.max(...[...open.values()].map((at) => Date.parse(at)));
  return open.size === 0 ? null : new Date(newest + longestChangeSeconds * 1000);
}
