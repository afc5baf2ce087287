// What the exploration of permissions came to, as text: counts, a table of roles, each failing case with the command that plays it again.
import type { PermissionExploration } from './explore.ts';
import type { Noticed, RemovalResult } from './remove.ts';

const texts: Readonly<Record<Noticed, string>> = {
  named: 'on-call is told, and the audit, the execution\'s history or the dead-letter queue names the action',
  logged: 'on-call is told, and the function\'s log names the action',
  paged: 'on-call is told, and nothing names the action',
  unnoticed: 'nobody is told',
};

/** Noticed as it has to be: on-call is told, and a record names what is missing; or what on-call sees instead stands beside the permission. */
export const isGood = (one: RemovalResult): boolean => isNoticed(one) || one.quiet !== null;

/** No workflow calls them: what they are refused stands in no execution, and a log is kept for half a year. */
const loggingOnly: readonly string[] = ['answer', 'poll'];

const isNoticed = ({ id, noticed }: RemovalResult): boolean => noticed === 'named' || (noticed === 'logged' && loggingOnly.includes(id.split('/')[0] ?? ''));

export const isWhole = ({ unexplained, reasonProblems, denials, played, results }: PermissionExploration): boolean =>
  unexplained.length === 0 && reasonProblems.length === 0 && denials.every(({ problem }) => problem === null) && played.every(({ problem, denied }) => problem === null && denied.length === 0) && results.every(isGood);

/** Lines for a terminal. */
export function toldPermissions(exploration: PermissionExploration): readonly string[] {
  const { grants, played, unexplained, reasonProblems, denials, results, seconds } = exploration;
  const statements = new Set(grants.map(({ place: { logicalId, index } }) => `${logicalId}/${index}`)).size;
  const explained = grants.filter(({ uncalled }) => uncalled !== null).length;
  const bad = results.filter((one) => !isGood(one));
  const quiet = results.filter((one) => !isNoticed(one) && isGood(one));
  return [
    '', ...table(results),
    ...played.flatMap(({ scenario, problem, denied }) => [...(problem === null ? [] : [`BROKEN scenario ${scenario}: ${problem}`]), ...denied.map((text) => `DENIED in scenario ${scenario}: ${text}`)]),
    ...unexplained.map((one) => `UNUSED ${one}: no scenario takes it, and no reason stands beside it`),
    ...reasonProblems.map((text) => `STALE REASON ${text}`),
    ...denials.flatMap(({ id, problem }) => (problem === null ? [] : [`TOOTHLESS ${id}: ${problem}`])),
    ...bad.flatMap(({ id, noticed, scenario, pages }) => ['', `${noticed === 'unnoticed' ? 'UNNOTICED' : 'UNNAMED'} ${id} in scenario ${scenario}: ${texts[noticed]}${pages.length === 0 ? '' : ` (${pages.join('; ')})`}`, `  again: npm run explore:permissions -- --only "${id}"`]),
    ...quiet.map(({ id, noticed, quiet: reason }) => `${noticed === 'paged' ? 'UNNAMED' : 'UNNOTICED'}, as it says: ${id}: ${reason}`),
    '',
    `${statements} statements allow ${grants.length} actions: ${grants.length - explained} are taken by ${played.length} scenarios, ${explained} are demanded by AWS without a call of ours, ${unexplained.length} are neither`,
    `${denials.length} times an action is denied on a resource: each refuses a call that goes through without it${denials.every(({ problem }) => problem === null) ? '' : ', but for those above'}`,
    ...(results.length === 0 ? [] : [`${results.length} taken away one by one in ${Math.round(seconds)} s: ${bad.length === 0 ? `on-call is told of ${results.length - quiet.filter(({ noticed }) => noticed === 'unnoticed').length} and a record names ${results.length - quiet.length} of them; beside the other ${quiet.length} stands what on-call sees instead` : `${bad.length} are not noticed as they have to be`}`]),
  ];
}

function table(results: readonly RemovalResult[]): readonly string[] {
  if (results.length === 0) return [];
  const kinds = (Object.keys(texts) as Noticed[]).filter((kind) => results.some(({ noticed }) => noticed === kind));
  const holderOf = ({ id }: RemovalResult): string => id.split('/')[0] ?? '';
  const holders = [...new Set(results.map(holderOf))].toSorted();
  const rows = [['', ...kinds], ...holders.map((holder) => [holder, ...kinds.map((kind) => String(results.filter((one) => holderOf(one) === holder && one.noticed === kind).length || '-'))])];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return [...rows.map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ').trimEnd()), '', ...kinds.map((kind) => `${kind}: ${texts[kind]}`)];
}
