// `npm run explore:permissions`: every permission of the stack is used or explained, and the loss of any is recorded and paged.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { synthesize } from '../lib/app.ts';
import { explorePermissions } from '../sandbox/explore/permissions/explore.ts';
import { permissionScenarios } from '../sandbox/explore/permissions/scenarios.ts';
import { isWhole, toldPermissions } from '../sandbox/explore/permissions/tell.ts';

process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const whole = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('needs a whole number');
  return value;
};

interface Given {
  readonly only?: readonly string[];
  readonly sample?: number;
  readonly seed: number;
  readonly atOnce: number;
  readonly directory?: string;
  readonly list?: boolean;
}

const program = new Command('explore:permissions').description('every permission of the stack is used or explained, and the loss of any is recorded and paged')
  .option('--only <id...>', 'single permissions, as they are printed')
  .option('--sample <n>', 'so many of them, spread over the roles; 0: none is taken away', whole)
  .option('--seed <n>', 'choice of the sample', whole, 1)
  .option('--at-once <n>', 'sandboxes side by side', whole, 4)
  .option('--directory <path>', 'where the stack is synthesized')
  .option('--list', 'list the scenarios and the permissions with what uses them');
await program.parseAsync();
const { list, directory = path.resolve('.sandbox', 'permissions'), ...given } = program.opts<Given>();
const done = await explorePermissions({ ...given, ...(list === true ? { sample: 0 } : {}), directory, print, synthesize: (config, out) => void synthesize(config, out) });
if (list === true) {
  for (const { name, summary } of permissionScenarios) print(`${name}: ${summary}`);
  for (const { id, resources, uncalled, wide } of done.grants) print(`${id} on ${resources.join(', ')}${wide === null ? '' : `; wide: ${wide}`}${uncalled === null ? '' : `; not called: ${uncalled}`}`);
}
for (const line of toldPermissions(done)) print(line);
await mkdir(directory, { recursive: true });
await writeFile(path.join(directory, 'result.json'), JSON.stringify(done.results, null, 1));
process.exitCode = isWhole(done) ? 0 : 1;
