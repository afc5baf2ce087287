// `npm run bench:judge`: plays the protocol to our judge and its peers, prints the tables, writes the page.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { costOf } from './cost.ts';
import { drawCases, type Drawing } from './cases.ts';
import { keep, type Example } from './examples.ts';
import { ripcord, type Judge } from './judge.ts';
import { loadSubjects } from './load.ts';
import { madeSubjects } from './made.ts';
import { pageOf, type Part } from './page.ts';
import { dependencyOutcomes } from './dependencies.ts';
import { incidentCases } from './incidents.ts';
import { missedOf, type Missed } from './missed.ts';
import { kayentaDefault } from './peers/kayenta.ts';
import { sequentialTest } from './peers/sequential.ts';
import { plainStatic } from './peers/static.ts';
import { tunedKayenta, tunedStatic } from './peers/tuning.ts';
import { recoveryOutcomes } from './recovery.ts';
import { play, type Outcome } from './run.ts';
import { bundleSize } from './size.ts';
import type { Split, Subject } from './subject.ts';
import { dependencyTable, gridTable, incidentTable, judgesTable, missedTable, recoveryTable, scenarioTable, sourceTable } from './tables.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { values: options } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    /** `development`, `test` or `both`. The test half is played once, when everything has been chosen: looked at more often it would be chosen on as well. */
    split: { type: 'string', default: 'development' },
    data: { type: 'string', default: resolve(root, '../shared/data') },
    page: { type: 'string', default: resolve(root, 'bench/judge/out/judge.html') },
  },
});

const usage = `npm run bench:judge -- [--quick] [--split development|test|both] [--data <folder>] [--page <file>]
Plays the protocol of docs/judge.md to Ripcord and its peers, prints the tables, and writes a page with charts; some four minutes for each half, half a minute with --quick.`;

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

if (options.help) {
  print(usage);
  process.exit(0);
}

const drawings = (split: Split): Drawing[] => (options.quick
  ? [{ split, seed: 1, perScenario: 40, untouched: 400 }]
  : [1, 2].map((seed) => ({ split, seed, perScenario: 300, untouched: 3000 })));

const measure = (subjects: readonly Subject[], split: Split, judges: readonly Judge[]): Part => {
  const results = new Map<string, Outcome[]>(judges.map((judge) => [judge.name, []]));
  const examples: Example[] = [];
  const missed: Missed[] = [];
  for (const drawing of drawings(split))
    for (const one of drawCases(subjects, drawing))
      for (const judge of judges) {
        const outcome = play(one, judge);
        results.get(judge.name)?.push(outcome);
        if (judge !== ripcord) continue;
        keep(examples, { one, outcome });
        if (outcome.isBad && outcome.saidAt === null) missed.push(missedOf(one));
      }
  const real = incidentCases(subjects, split);
  const incidents = new Map(judges.map((judge) => [judge.name, real.map((one) => play(one, judge))]));
  const recoveries = recoveryOutcomes(subjects, { split, seed: 3, perScenario: 0, untouched: options.quick ? 60 : 400 });
  const dependencies = dependencyOutcomes(subjects, { split, seed: 5, perScenario: 0, untouched: options.quick ? 40 : 300 });
  return { title: split === 'test' ? 'Test split' : 'Development split', results, incidents, recoveries, dependencies, missed, examples };
};

const report = (part: Part): void => {
  const [ours = []] = part.results.values();
  print(`\n## ${part.title}: ${ours.length} cases, ${new Set(ours.map((one) => one.name)).size} series\n`);
  print(judgesTable(part.results));
  print(`\n### ${ripcord.name} by scenario\n\n${scenarioTable(ours)}`);
  print(`\n### ${ripcord.name} by source\n\n${sourceTable(ours)}`);
  print(`\n### What ${ripcord.name} missed\n\n${missedTable(part.missed)}`);
  const oneMinute = ours.filter((one) => one.stepSeconds === 60);
  print(`\n### One-minute sources only\n\n${judgesTable(new Map([[ripcord.name, oneMinute]]))}`);
  print(`\n### Real incidents\n\n${incidentTable(part.incidents)}`);
  print(`\n### With something that the service calls\n\n${dependencyTable(part.dependencies)}`);
  print(`\n### After the rollback\n\n${recoveryTable(part.recoveries)}`);
};

const splits = (['development', 'test'] as const).filter((split) => options.split === 'both' || options.split === split);
if (splits.length === 0) throw new Error(`--split must be development, test or both, not ${options.split}`);
const isReal = existsSync(options.data);
const subjects = isReal ? loadSubjects(options.data) : madeSubjects();
print(isReal ? `Data: the series of ${options.data}` : `Data: made series, as there is no ${options.data}`);

// In the proportions of the protocol, and drawn anew: neither peer is tuned on cases that it is scored on.
const tuningCases = [...drawCases(subjects, { split: 'development', seed: 9, perScenario: options.quick ? 6 : 20, untouched: options.quick ? 60 : 200 })];
const tuned = [tunedStatic(tuningCases), tunedKayenta(tuningCases)];
for (const { judge, grid } of tuned) print(`\n### ${judge.name}\n\n${gridTable(grid)}`);
const judges: readonly Judge[] = [ripcord, plainStatic(3), plainStatic(5), sequentialTest, kayentaDefault, ...tuned.map(({ judge }) => judge)];

const parts = splits.map((split) => measure(subjects, split, judges));
for (const part of parts) report(part);
const { minified, gzipped } = await bundleSize();
const cost = costOf();
const footer = `Judge of releases and recoveries: ${minified} bytes minified, ${gzipped} bytes gzipped, no dependency. `
  + `With a day of one-minute history, three signals and three controls: ${cost.quiet.toFixed(0)} µs when nothing moved, ${cost.alarmed.toFixed(0)} µs when two signals are worse.`;
print(`\n${footer}`);
mkdirSync(dirname(options.page), { recursive: true });
writeFileSync(options.page, pageOf(parts, footer));
print(`Page: ${options.page}`);
