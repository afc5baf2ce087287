// What `npm start` and `npm run rehearse` do; each answers the process's exit code.
import path from 'node:path';
import pc from 'picocolors';
import { OwnDocument } from './own/document.ts';
import { rehearseService } from './own/stage-own.ts';
import { badReleaseAlb } from './scenarios/bad-release-alb.ts';
import { scenarioNamed, scenarios } from './scenarios/catalogue.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { play, type Played, type PlayOptions } from './stage/play.ts';
import { summaryLines } from './stage/summary.ts';

export interface CommandOptions {
  readonly speed: number;
  readonly directory: string;
  readonly synthesize: PlayOptions['synthesize'];
}

const paceLine = (speed: number): string => `while everybody waits, sandbox time runs ${speed} times as fast as the clock on the wall; while a function works, it is real time\n`;
const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function playAndTell(scenario: Scenario, options: CommandOptions): Promise<Played> {
  print(`\n${pc.bold(scenario.name)}: ${scenario.summary}`);
  print(pc.dim(paceLine(options.speed)));
  const played = await play(scenario, { ...options, directory: path.join(options.directory, scenario.name), print });
  print('');
  for (const line of summaryLines(played)) print(line);
  return played;
}

export async function demo(options: CommandOptions): Promise<number> {
  const played = await playAndTell(badReleaseAlb, options);
  if (played.report !== null) print(`\n${pc.bold('The incident report, as it is kept with the audit:')}\n\n${played.report}`);
  print(`\n${pc.dim('more: npm run rehearse -- --list')}`);
  return played.passed ? 0 : 1;
}

export interface RehearseOptions extends CommandOptions {
  readonly list?: boolean;
  readonly report?: boolean;
  /** A services.yaml of the user's, to be rehearsed instead of scenarios. */
  readonly config?: string;
  /** With `config`: one of its services. */
  readonly service?: string;
}

export async function rehearse(names: readonly string[], options: RehearseOptions): Promise<number> {
  if (options.config !== undefined || options.service !== undefined) return rehearseOwn(names, options);
  if (options.list === true || names.length === 0) {
    const width = Math.max(...scenarios.map(({ name }) => name.length));
    for (const { name, summary } of scenarios) print(`${pc.bold(name.padEnd(width))}  ${summary}`);
    print(`\n${pc.dim('npm run rehearse -- <scenario>, or `all`; npm run rehearse -- --config services.yaml for your own services')}`);
    return 0;
  }
  const chosen = names.includes('all') ? scenarios : names.map(scenarioNamed);
  const results: Played[] = [];
  for (const scenario of chosen) {
    const played = await playAndTell(scenario, options);
    if (options.report === true && played.report !== null) print(`\n${played.report}`);
    results.push(played);
  }
  return tellAll(results, 'scenarios');
}

/** 0 when everything was as it should be. */
function tellAll(results: readonly Played[], what: string): number {
  if (results.length > 1) print(`\n${results.filter(({ passed }) => passed).length} of ${results.length} ${what} as they should be${failures(results)}`);
  return results.every(({ passed }) => passed) ? 0 : 1;
}

/** Exit code 2 when there is nothing that could be rehearsed. */
async function rehearseOwn(names: readonly string[], options: RehearseOptions): Promise<number> {
  const { config, service, synthesize, directory } = options;
  if (config === undefined || names.length > 0) return mistaken(config === undefined ? '--service needs --config <services.yaml>' : `--config rehearses services, not scenarios: leave out ${names.join(', ')}`);
  const own = path.join(directory, 'own');
  try {
    synthesize(config, path.join(own, 'checked', 'cdk.out'));
  } catch (error) {
    return mistaken(error instanceof Error ? error.message : String(error));
  }
  const document = await OwnDocument.read(config);
  const known = Object.keys(document.config.services);
  if (service !== undefined && !known.includes(service)) return mistaken(`${config} has no service "${service}"; it has ${known.join(', ')}`);
  const results: Played[] = [];
  for (const name of service === undefined ? known : [service]) results.push(await rehearseAndTell(document, name, { ...options, directory: path.join(own, name) }));
  return tellAll(results, 'services');
}

async function rehearseAndTell(document: OwnDocument, name: string, options: RehearseOptions): Promise<Played> {
  print(`\n${pc.bold(name)}: a release of it goes bad, and is put back; played in a sandbox with your names`);
  print(pc.dim(paceLine(options.speed)));
  const played = await rehearseService(document, name, { ...options, print }).catch((error: unknown): Played => ({
    scenario: name, passed: false, checks: [], breaches: [], measured: null, rollbacks: [], records: [], report: null,
    error: `it cannot be built in the sandbox: ${error instanceof Error ? error.message : String(error)}`,
  }));
  print('');
  for (const line of summaryLines(played)) print(line);
  if (options.report === true && played.report !== null) print(`\n${played.report}`);
  return played;
}

function mistaken(text: string): number {
  process.stderr.write(`${text}\n`);
  return 2;
}

const failures = (results: readonly Played[]): string => {
  const failed = results.filter(({ passed }) => !passed).map(({ scenario }) => scenario);
  return failed.length === 0 ? '' : `; not: ${failed.join(', ')}`;
};
