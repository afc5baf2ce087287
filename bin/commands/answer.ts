// ripcord approve | reject: signs a person's answer with their own AWS credentials and sends it to the engine.
import type { Command } from 'commander';
import { postSigned } from './signed-call.ts';
import type { Terminal } from './terminal.ts';

interface AnswerOptions {
  readonly comment: string;
  readonly url?: string;
  readonly engine: string;
}

export function addAnswerCommands(program: Command, screen: Terminal): void {
  for (const [name, description] of [['approve', 'Let a rollback that waits for a person go ahead'], ['reject', 'Stop a rollback that waits for a person']] as const)
    program.command(name)
      .description(`${description}. Who you are is taken from your AWS credentials, which have to be a session of an approver role.`)
      .argument('<rollback>', 'name of the Step Functions execution')
      .option('-c, --comment <text>', 'kept in the audit', '')
      .option('--url <url>', 'function URL that takes the answer (default: from the engine, or RIPCORD_APPROVAL_URL)')
      .option('--engine <name>', 'name of the engine', 'ripcord')
      .action(async (rollback: string, options: AnswerOptions) => { screen.out(await sendAnswer({ rollback, answer: name, ...options })); });
}

const sendAnswer = ({ rollback, answer, comment, url, engine }: AnswerOptions & { readonly rollback: string; readonly answer: 'approve' | 'reject' }): Promise<string> => postSigned({
  url: url ?? process.env['RIPCORD_APPROVAL_URL'] ?? null, engine, parameter: 'approval-url', output: 'ApprovalUrl', role: "an approver's",
}, { rollback, answer, comment });
