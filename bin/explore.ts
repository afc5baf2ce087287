// `npm run explore`: every fault at every AWS call of the base scenarios, and what has to be true afterwards.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError, Option } from 'commander';
import { verifyChain } from '../lambdas/audit/chain.ts';
import { synthesize } from '../lib/app.ts';
import { faultNames, faultTexts } from '../sandbox/explore/cases.ts';
import { explore, type ExploreOptions, listCases } from '../sandbox/explore/explore.ts';
import type { VerifyChain } from '../sandbox/explore/invariants.ts';
import { scenarios } from '../sandbox/explore/scenarios.ts';
import { isGood, told } from '../sandbox/explore/tell.ts';
import { work } from '../sandbox/explore/worker.ts';

process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** The check of `ripcord audit verify`. */
const verify: VerifyChain = (rows, anchor) => {
  if (anchor === null) return rows.length === 0 ? null : `nothing says where the chain of ${rows[0]?.rollbackId} has to end`;
  const verdict = verifyChain(rows, anchor);
  return verdict.intact ? null : verdict.text;
};

const whole = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('needs a whole number of 1 or more');
  return value;
};

interface Given {
  readonly scenario?: readonly string[];
  readonly fault?: readonly string[];
  readonly case?: readonly string[];
  readonly sample?: number;
  readonly seed: number;
  readonly workers?: number;
  readonly whole?: boolean;
  readonly list?: boolean;
}

const program = new Command('explore').description('every fault at every AWS call of a rollback, and what has to be true afterwards');

program.command('run', { isDefault: true, hidden: true })
  .addOption(new Option('--scenario <name...>', 'only these scenarios').choices(scenarios.map(({ name }) => name)))
  .addOption(new Option('--fault <name...>', 'only these faults').choices(faultNames))
  .option('--case <id...>', 'single cases, as they are printed')
  .option('--sample <n>', 'so many cases, spread over scenarios and faults', whole)
  .option('--seed <n>', 'order of the cases, and choice of the sample', whole, 1)
  .option('--workers <n>', 'processes; default one for each processor', whole)
  .option('--whole', 'do not play back what came before the fault: slower, to check that it makes no difference')
  .option('--list', 'list the scenarios, the faults and the chosen cases')
  .action(async ({ case: only, list, ...given }: Given) => {
    const directory = path.resolve('.sandbox', 'explore');
    const options: ExploreOptions = {
      ...given, ...(only === undefined ? {} : { only }), directory, print, verifyChain: verify,
      synthesize: (config, out) => void synthesize(config, out), worker: [fileURLToPath(import.meta.url), 'work'],
    };
    if (list === true) return tellList(options);
    print(`seed ${given.seed}`);
    const done = await explore(options);
    const lines = told(done);
    for (const line of lines) print(line);
    await mkdir(directory, { recursive: true });
    await writeFile(path.join(directory, 'result.json'), JSON.stringify(done.results, null, 1));
    process.exitCode = isGood(done.results) ? 0 : 1;
  });

program.command('work', { hidden: true }).argument('<file>').action((file: string) => work(file, verify));

async function tellList(options: ExploreOptions): Promise<void> {
  for (const { name, summary } of scenarios) print(`${name}: ${summary}`);
  for (const name of faultNames) print(`${name}: ${faultTexts[name]}`);
  const cases = await listCases(options);
  for (const { id } of cases) print(id);
  print(`${cases.length} cases`);
}

await program.parseAsync();
