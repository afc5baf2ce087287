// `npm start`, `npm run rehearse` and `npm run sandbox`: Ripcord on this machine, against AWS endpoints on 127.0.0.1.
import path from 'node:path';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { demo, rehearse } from '../sandbox/commands.ts';
import { scenarios } from '../sandbox/scenarios/catalogue.ts';
import { serve } from '../sandbox/serve/serve.ts';
import { synthesize } from '../lib/app.ts';

// The sandbox reads the SDK's wire schemas; which Node the SDK will support next year is no news to whoever watches a rollback.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

const number = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('needs a number greater than 0');
  return value;
};

const names = scenarios.map(({ name }) => name);
const directory = path.resolve('.sandbox');
const make = (configPath: string, outDirectory: string): void => void synthesize(configPath, outDirectory);

const program = new Command('sandbox').description('Ripcord on this machine: no account, no network, nothing scripted to succeed');

program.command('demo', { isDefault: true })
  .description('play a bad release and its rollback (npm start)')
  .option('--speed <factor>', 'sandbox seconds per second', number, 60)
  .action(async ({ speed }: { speed: number }) => {
    process.exitCode = await demo({ speed, directory, synthesize: make });
  });

program.command('rehearse')
  .description('play scenarios (npm run rehearse -- <scenario>)')
  .addArgument(new Argument('[scenario...]', 'names of scenarios; `all` for every one').choices([...names, 'all']))
  .option('--list', 'list the scenarios')
  .option('--speed <factor>', 'sandbox seconds per second', number, 60)
  .option('--config <services.yaml>', 'rehearse your own services instead of the demo shop')
  .option('--service <name>', 'with --config: one service; default all')
  .option('--report', 'print the incident report at the end')
  .action(async (chosen: string[], options: { list?: boolean; speed: number; config?: string; service?: string; report?: boolean }) => {
    process.exitCode = await rehearse(chosen, { ...options, directory, synthesize: make });
  });

program.command('serve')
  .description('keep the sandbox up for the AWS CLI (npm run sandbox)')
  .addArgument(new Argument('[scenario]', 'whose world to keep up (default: alb-weights)').choices(names))
  .option('--port <port>', 'port on 127.0.0.1; default any free one', number)
  .option('--speed <factor>', 'sandbox seconds per second', number, 4)
  .action(async (scenario: string | undefined, options: { port?: number; speed: number }) => {
    process.exitCode = await serve({ ...options, ...(scenario === undefined ? {} : { scenario }), directory, synthesize: make });
  });

await program.parseAsync();
