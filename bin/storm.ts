// `npm run storm`: services whose calls are refused, then ten thousand alarm events in a minute, for two hundred services and for one, against the real stack in the sandbox.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { brokenWaits, playRefused, refusedServices } from '../sandbox/storm/refused.ts';
import { playStorm } from '../sandbox/storm/storm.ts';
import { brokenPromises, refusedLines, stormLines } from '../sandbox/storm/storm-lines.ts';
import { seedRelease, synthesizeMany } from './storm-parts.ts';

process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

const count = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('needs a whole number of 1 or more');
  return value;
};

const print = (line: string): void => void process.stdout.write(`${line}\n`);

interface Options {
  readonly services?: number;
  readonly events: number;
  readonly seconds: number;
  readonly concurrency: number;
}

async function storm(services: number, options: Options): Promise<boolean> {
  const { events, seconds, concurrency } = options;
  const directory = path.resolve('.sandbox', `storm-${services}`);
  mkdirSync(directory, { recursive: true });
  print(`\n${pc.bold(`${events} alarm events for ${services} service${services === 1 ? '' : 's'} in ${seconds} s`)}`);
  let told = 0;
  const result = await playStorm({
    services, events, seconds, concurrency, directory, synthesize: synthesizeMany, release: seedRelease,
    progress: ({ ended, memory }, sent) => {
      if (performance.now() - told < 2000) return;
      told = performance.now();
      const line = `${sent} sent, ${ended} ended, ${memory.at(-1)?.sandboxMb ?? 0} MB, ${memory.at(-1)?.functionMb ?? 0} MB`;
      if (process.stderr.isTTY) process.stderr.write(`\r${line}   `);
      else process.stderr.write(`${line}\n`);
    },
  });
  if (process.stderr.isTTY) process.stderr.write('\n');
  return judged(stormLines(result), brokenPromises(result, { services, events }));
}

/** Enough calls and steps are refused here to judge how long they wait, whatever a storm leaves of them. */
async function refused(): Promise<boolean> {
  const [services, directory] = [refusedServices, path.resolve('.sandbox', 'storm-refused')];
  mkdirSync(directory, { recursive: true });
  print(`\n${pc.bold(`${services} services, and SSM refuses what is asked of it first`)}`);
  const result = await playRefused({ services, directory, synthesize: synthesizeMany, release: seedRelease });
  return judged(refusedLines(result), brokenWaits(result, services));
}

function judged(lines: readonly string[], broken: readonly string[]): boolean {
  for (const line of lines) print(line);
  for (const line of broken) print(pc.red(`  BROKEN: ${line}`));
  if (broken.length === 0) print(pc.green('  every promise held'));
  return broken.length === 0;
}

await new Command('storm')
  .description('ten thousand alarm events in a minute, after some whose calls are refused; without --services first for 200 services, then for one')
  .option('--services <count>', 'play one storm, for so many services', count)
  .option('--events <count>', 'alarm events', count, 10_000)
  .option('--seconds <count>', 'sandbox seconds in which they are sent', count, 60)
  .option('--concurrency <count>', 'Lambda invocations at once in the account', count, 1000)
  .action(async (options: Options) => {
    const all = options.services === undefined ? [200, 1] : [options.services];
    const held = [await refused()];
    for (const services of all) held.push(await storm(services, options));
    process.exitCode = held.every(Boolean) ? 0 : 1;
  })
  .parseAsync();
