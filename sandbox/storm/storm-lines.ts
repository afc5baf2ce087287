// A storm's outcome as a table for the terminal, and what must be true of it.
import type { RefusedResult } from './refused.ts';
import type { StormResult } from './storm.ts';
import type { StormCounts } from './storm-counts.ts';
import { boundsFor, grown, growth, type MemoryBounds } from './storm-memory.ts';
import { hotTries, type Tries } from './storm-tries.ts';
import { brakeOf } from './storm-world.ts';

/** What was promised of a storm and did not hold; empty when all is well. @param services 1: one rollback, everybody else joins it. */
export function brokenPromises({ counts, pages, alarms, deadLetters, locks, breaches, unsealed }: StormResult, { services, events }: { readonly services: number; readonly events: number }): string[] {
  const limit = brakeOf(services);
  const acted = [...counts.changes.values()];
  const storm = pages.filter(({ text }) => text.includes('shared cause'));
  const known = new Set(['recovered', 'joined', 'joined (storm)', 'left']);
  const strange = [...counts.outcomes].filter(([outcome]) => !known.has(outcome));
  const rules: readonly (readonly [boolean, string])[] = [
    [counts.ended === events, `${events} events were sent, ${counts.ended} runs ended`],
    [acted.every((changes) => changes === 1), `a service was changed more than once: ${[...counts.changes].map(([name, changes]) => `${name} ${changes}`).join(', ')}`],
    [acted.length <= limit, `${acted.length} services were changed, and the brake lets ${limit} pass`],
    [services > 1 || acted.length === 1, 'the one service was not put back'],
    [storm.length === (services > limit ? 1 : 0), `on-call was told of the storm ${storm.length} times`],
    [pages.length === storm.length, `there were other pages: ${pages.filter((page) => !storm.includes(page)).slice(0, 5).map(({ subject }) => subject).join('; ')}`],
    [alarms.length === 0, `on-call heard ${alarms.length} alarms of the engine: ${[...new Set(alarms)].slice(0, 5).join('; ')}`],
    [strange.length === 0, `runs ended otherwise: ${strange.map(([outcome, count]) => `${outcome} ${count}`).join(', ')}`],
    [deadLetters === 0, `${deadLetters} events went to the dead-letter queue`],
    [locks.length === 0, `locks were left behind by ${locks.slice(0, 5).join(', ')}`],
    [unsealed.length === 0, `${unsealed.length} records of runs that did not join are not sealed: ${unsealed.slice(0, 5).join(', ')}`],
    [counts.denials.size === 0, `roles were refused: ${[...counts.denials].map(([what, times]) => `${what} (${times})`).join('; ')}`],
    [breaches.length === 0, `broken invariants: ${breaches.slice(0, 5).join('; ')}`],
  ];
  return [...rules.flatMap(([holds, text]) => (holds ? [] : [text])), ...hotTries(counts.callTries, counts.stepTries), ...grown(counts.memory, counts.recorded, events)];
}

const row = (name: string, value: string): string => `  ${name.padEnd(34)} ${value}`;

const triesLines = ({ callTries, stepTries }: StormCounts): string[] => [row('most tries of a call', triedText(callTries)), row('most tries of a step', `${triedText(stepTries)}, waits: ${stepTries.waits.text}`)];

function triedText({ most }: Tries): string {
  const [what, times] = [...most].toSorted(([, one], [, other]) => other - one)[0] ?? ['none was refused', 0];
  return `${times} (${what})`;
}

/** As a storm's table, of the part in which calls are refused. */
export const refusedLines = ({ counts, wallSeconds }: RefusedResult): string[] => [
  row('runs', `${counts.ended} in ${wallSeconds.toFixed(0)} s on the wall`), ...triesLines(counts), row('waits of calls', counts.callTries.waits.text),
];

export function stormLines({ counts, pages, alarms, sentSeconds, wallSeconds }: StormResult): string[] {
  const throttled = [...counts.apis].filter(([, count]) => count.throttled > 0).toSorted(([, one], [, other]) => other.throttled - one.throttled);
  const busiest = [...counts.apis].toSorted(([, one], [, other]) => other.asked - one.asked).slice(0, 12);
  const { recorded } = counts;
  const grew = (name: keyof MemoryBounds): string => {
    const slope = growth(counts.memory, name);
    return slope === null ? 'too few events to judge' : `${slope.toFixed(1)} for 1,000 events, ${boundsFor(recorded)[name].toFixed(1)} may be`;
  };
  const memory = (name: 'sandboxMb' | 'residentMb' | 'functionMb'): string => counts.memory.filter((_, index) => index % Math.max(1, Math.floor(counts.memory.length / 8)) === 0 || index === counts.memory.length - 1)
    .map((sample) => `${sample.ended}: ${sample[name]}`).join('  ');
  return [
    row('events sent in', `${sentSeconds.toFixed(0)} s of sandbox time, ${wallSeconds.toFixed(0)} s on the wall`),
    row('runs', String(counts.ended)),
    ...[...counts.outcomes].toSorted(([, one], [, other]) => other - one).map(([outcome, count]) => row(`  ${outcome}`, String(count))),
    row('services changed', String(counts.changes.size)),
    row('pages', `${pages.length}${pages.length === 0 ? '' : `: ${pages.slice(0, 3).map(({ subject }) => subject).join('; ')}`}`),
    row('alarms of the engine', alarms.length === 0 ? '0' : `${alarms.length}: ${[...new Set(alarms)].slice(0, 3).join('; ')}`),
    row('steps tried again by the workflow', String(counts.triedAgain)),
    ...[...counts.failures].toSorted(([, one], [, other]) => other - one).slice(0, 5).map(([what, count]) => row(`  else failed ${count} times`, what)),
    ...throttled.map(([api, { asked, throttled: refused }]) => row(`  throttled ${api}`, `${refused} of ${asked}`)),
    ...triesLines(counts),
    row('calls', busiest.map(([api, { asked }]) => `${api} ${asked}`).join(', ')),
    row('hottest DynamoDB key', `${counts.hottest.writes} writes a second (${counts.hottest.key})`),
    row('recorded for each event', `${Math.round(recorded.bytes)} bytes in ${recorded.rows.toFixed(1)} rows`),
    row('memory of the sandbox, MB, by runs', `${memory('sandboxMb')}; ${grew('sandboxMb')}`),
    row('  resident', memory('residentMb')),
    row('memory of a function, MB, by runs', `${memory('functionMb')}; ${grew('functionMb')}`),
    row('memory of all functions, MB', `${counts.memory.at(-1)?.functions.size ?? 0} processes; ${grew('functionsMb')}`),
  ];
}
