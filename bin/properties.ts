// `npm run properties`: the property tests with as many more cases as there is time for, or again with the seed under which one failed.
import { spawnSync } from 'node:child_process';
import { Command, InvalidArgumentError } from 'commander';

const number = (text: string): string => {
  if (!Number.isFinite(Number(text)) || text.trim() === '') throw new InvalidArgumentError('needs a number');
  return text;
};

const program = new Command('properties').description('the property tests, with as many more cases as there is time for')
  .argument('[files...]', 'only test files with such a name')
  .option('--times <n>', 'so many times the cases that CI plays', number, '20')
  .option('--seed <n>', 'as a failed property prints it', number)
  .parse();
const { times, seed } = program.opts<{ readonly times: string; readonly seed?: string }>();
const { status } = spawnSync('npx', ['vitest', 'run', '--project', 'properties', ...program.args], {
  stdio: 'inherit', env: { ...process.env, PROPERTY_TIMES: times, ...(seed === undefined ? {} : { PROPERTY_SEED: seed }) },
});
process.exitCode = status ?? 1;
