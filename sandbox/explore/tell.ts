// What an exploration came to, as text: a table of scenarios and faults, each broken case with the command that plays it again.
import { faultNames, faultTexts } from './cases.ts';
import type { Exploration } from './explore.ts';
import type { CaseResult } from './run-case.ts';

const letters: Readonly<Record<CaseResult['ending'], string>> = { recovered: 'r', paged: 'p', 'dry-run': 'd', left: 'l', broken: 'BROKEN' };

// A case whose call is not struck shows nothing; a few are due to timing, many are a fault of the exploration.
const mostUnreached = 0.02;

// What broke on a machine that was too slow, and then held: a few may be its doing, many are not.
const mostBrokenBefore = 0.005;

/** Whether nothing broke, what was played whole ended the same, nearly every case came to its call, and hardly one had to be played again. */
export function isGood(results: readonly CaseResult[]): boolean {
  const few = (found: readonly CaseResult[], most: number): boolean => found.length <= Math.max(1, results.length * most);
  return results.length > 0 && results.every(({ ending, endingWhole }) => ending !== 'broken' && (endingWhole === null || endingWhole === ending))
    && few(results.filter(({ isReached }) => !isReached), mostUnreached) && few(results.filter(({ brokenBefore }) => brokenBefore.length > 0), mostBrokenBefore);
}

/** Lines for a terminal. */
export function told({ results, seconds }: Exploration): readonly string[] {
  const scenarios = [...new Set(results.map(({ scenario }) => scenario))].toSorted();
  const faults = faultNames.filter((fault) => results.some((one) => one.fault === fault));
  const rows = [['', ...scenarios], ...faults.map((fault) => [fault, ...scenarios.map((scenario) => cell(results.filter((one) => one.fault === fault && one.scenario === scenario)))])];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const broken = results.filter(({ ending }) => ending === 'broken');
  return [
    '', ...rows.map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ').trimEnd()), '',
    'r recovered and proven, p stopped safely with on-call paged and the reason recorded, d ended as a dry run, l left alone: the alarm was read as quiet',
    ...broken.flatMap((one) => ['', `BROKEN ${one.id}: ${faultTexts[one.fault as keyof typeof faultTexts]}`, ...one.broken.map((text) => `  ${text}`), ...(one.outcomes === '' ? [] : [`  it ended: ${one.outcomes.slice(0, 400)}`]), `  again: ${command(one.id)}`]),
    '',
    ...results.filter(({ brokenBefore }) => brokenBefore.length > 0).flatMap(({ id, brokenBefore }) => [`broke on a machine that was too slow, and then held: ${id}`, ...brokenBefore.map((text) => `  ${text}`)]),
    closing(results, seconds),
  ];
}

function closing(results: readonly CaseResult[], seconds: number): string {
  const broken = results.filter(({ ending }) => ending === 'broken').length;
  const unreached = results.filter(({ isReached }) => !isReached).map(({ scenario }) => scenario);
  const perScenario = [...new Set(unreached)].toSorted().map((name) => `${name} ${unreached.filter((one) => one === name).length}`);
  const again = results.filter(({ plays }) => plays > 1).length;
  const before = results.reduce((sum, { playedBack }) => sum + playedBack.before, 0);
  const after = results.filter(({ playedBack }) => playedBack.after > 0).length;
  const byHeart = results.reduce((sum, { playedBack }) => sum + playedBack.byHeart, 0);
  const compared = results.filter(({ endingWhole }) => endingWhole !== null);
  const otherwise = compared.filter(({ ending, endingWhole }) => ending !== endingWhole);
  const differing = results.flatMap(({ difference }) => (difference === null ? [] : [difference]));
  return [
    `${results.length} cases in ${Math.round(seconds)} s: ${results.length === 0 ? 'there is none of that kind' : broken === 0 ? 'all keep every invariant' : `${broken} break an invariant`}`,
    ...(unreached.length === 0 ? [] : [`in ${unreached.length} the run ended without that call having been struck (${perScenario.join(', ')})`]),
    ...(again === 0 ? [] : [`${again} were played again, as this machine was too slow for a fair trial`]),
    ...(before === 0 ? [] : [`${before} invocations before a fault were played back`]),
    ...(after === 0 ? [] : [`in ${after} cases what came after it was as without a fault, and was played back too`]),
    ...(byHeart === 0 ? [] : [`${byHeart} invocations were as in other cases, and needed no process`]),
    ...(compared.length === 0 ? [] : [`${compared.length} cases were played whole as well, ${otherwise.length} of them ended otherwise${otherwise.length === 0 ? '' : ` (${otherwise.map(({ id, ending, endingWhole }) => `${id}: ${ending}, whole ${endingWhole}`).join('; ')})`}`]),
    ...(differing.length === 0 ? [] : [`${differing.length} could not be played back, and were played whole (the first: ${differing[0] ?? ''})`]),
  ].join('; ');
}

function cell(results: readonly CaseResult[]): string {
  const counts = new Map<CaseResult['ending'], number>();
  for (const { ending } of results) counts.set(ending, (counts.get(ending) ?? 0) + 1);
  return (Object.keys(letters) as CaseResult['ending'][]).flatMap((ending) => (counts.has(ending) ? [`${counts.get(ending)}${letters[ending]}`] : [])).join(' ') || '-';
}

const command = (id: string): string => `npm run explore -- --case "${id}"`;
