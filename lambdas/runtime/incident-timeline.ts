// The timeline of the incident report: one line for each row of the audit, and one for a whole run of rounds that proved nothing yet.
import { dataIn } from '../audit/data.ts';
import type { AuditRow } from '../audit/entry.ts';
import { gist } from './incident-gist.ts';
import { counted, plain, utc } from './messages-text.ts';

/** A report has to fit one audit row of 300 kB. */
const timelineRows = 400;

/** Lines in plain text, not yet escaped. */
export function timeline(rows: readonly AuditRow[]): string[] {
  const runs = runsOf(rows);
  const left = runs.slice(timelineRows).flat().length;
  return [
    ...runs.slice(0, timelineRows).map((run) => lineOf(run)),
    ...(left > 0 ? [`… ${counted(left, 'more row')} in the audit.`] : []),
  ];
}

/** Rows that say the same and follow each other belong to one run, as far as waiting goes: every other row has a line of its own. */
function runsOf(rows: readonly AuditRow[]): AuditRow[][] {
  const runs: AuditRow[][] = [];
  for (const row of rows) {
    const last = runs.at(-1);
    if (last?.[0] !== undefined && isWaiting(row) && isWaiting(last[0])) last.push(row);
    else runs.push([row]);
  }
  return runs;
}

const isWaiting = (row: AuditRow): boolean => row.kind === 'verified' && verifiedIn(row).answer === 'not-yet';

interface Verified {
  readonly answer?: unknown;
  readonly reasons?: readonly { readonly text?: unknown }[];
}

/** Nothing of a row that is not JSON: it stays a line of its own. */
const verifiedIn = (row: AuditRow): Verified => dataIn(row) ?? {};

function lineOf(run: readonly AuditRow[]): string {
  const [first, last] = [run[0], run.at(-1)];
  if (first === undefined || last === undefined) return '';
  if (!isWaiting(first)) return `${utc(first.at)} ${[plain(first.kind, 40), ...(gist(first) === '' ? [] : [plain(gist(first), 300)])].join(': ')}`;
  const missing = (verifiedIn(last).reasons ?? []).flatMap(({ text }) => (typeof text === 'string' ? [plain(text, 160)] : []));
  const when = run.length === 1 ? utc(first.at) : `${utc(first.at)} to ${utc(last.at)}`;
  return `${when} verified: not-yet, ${counted(run.length, 'round')}; missing${run.length === 1 ? '' : ' at last'}: ${missing.join(' ') || 'not said'}`;
}
