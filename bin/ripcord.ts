// The command line of Ripcord for people: answer an approval, read a rollback, check its audit, decide again.
import { Command, CommanderError } from 'commander';
import { addAnswerCommands } from './commands/answer.ts';
import { addAuditCommands } from './commands/audit.ts';
import { addLabelCommand } from './commands/label.ts';
import { addReadCommands } from './commands/read.ts';
import { addReplayCommand } from './commands/replay.ts';
import { addScoreCommand } from './commands/score.ts';
import { explain, type Terminal, terminal } from './commands/terminal.ts';

/** @returns the exit code: 0 when all is well, 1 when the answer is no, the chain is broken or the command could not be run, 2 when nothing says where a chain has to end. */
export async function main(argv: readonly string[], screen: Terminal = terminal): Promise<number> {
  const program = new Command('ripcord')
    .description('Automated rollback for AWS deployments: answer an approval, read what a rollback did, check its record.')
    .addHelpText('after', '\nCredentials and Region come from the environment or the profile, as for the AWS CLI. AWS_ENDPOINT_URL leads to the sandbox.')
    .exitOverride()
    .configureOutput({ writeOut: (text) => { screen.out(text.trimEnd()); }, writeErr: (text) => { screen.error(text.trimEnd()); } });
  addAnswerCommands(program, screen);
  addReadCommands(program, screen);
  addAuditCommands(program, screen);
  addReplayCommand(program, screen);
  addLabelCommand(program, screen);
  addScoreCommand(program, screen);
  try {
    await program.parseAsync([...argv]);
    return screen.code;
  } catch (error) {
    // Commander has shown what was wrong with the command, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
    screen.error(explain(error));
    return 1;
  }
}
