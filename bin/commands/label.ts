// ripcord label: a person's word on whether a rollback, or leaving things alone, was right; kept beside the sealed record, never in it.
import { Argument, type Command } from 'commander';
import { postSigned } from './signed-call.ts';
import type { Terminal } from './terminal.ts';

export type Opinion = 'right' | 'wrong';

interface LabelOptions {
  readonly comment: string;
  readonly url?: string;
  readonly engine: string;
}

export function addLabelCommand(program: Command, screen: Terminal): void {
  program.command('label')
    .description('Says whether what a rollback did, would have done in shadow, or left alone was right. Who you are is taken from your AWS credentials; the last word of each person counts.')
    .argument('<rollback>', 'name of the Step Functions execution')
    .addArgument(new Argument('<opinion>', 'was it?').choices(['right', 'wrong']))
    .option('-c, --comment <text>', 'kept with the label', '')
    .option('--url <url>', 'function URL that takes the label (default: from the engine, or RIPCORD_LABEL_URL)')
    .option('--engine <name>', 'name of the engine', 'ripcord')
    .action(async (rollback: string, label: Opinion, { comment, url, engine }: LabelOptions) => {
      screen.out(await postSigned({ url: url ?? process.env['RIPCORD_LABEL_URL'] ?? null, engine, parameter: 'label-url', output: 'LabelUrl', role: "an operator's" }, { rollback, label, comment }));
    });
}
