// ripcord label: a person's word on whether a rollback, or leaving things alone, was right; kept beside the sealed record, never in it.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { Argument, type Command } from 'commander';
import { AuditStore } from '../../lambdas/adapters/audit-store.ts';
import { ledgerTable, readRows, type RecordOptions, tableOf } from './record.ts';
import { Mistake, type Terminal } from './terminal.ts';

export type Opinion = 'right' | 'wrong';

/** The chain of one person's labels of one rollback. IAM lets a person write only below their own user id, so who said it is proven. */
export const labelChain = (userId: string, rollbackId: string): string => `label#${userId}#${rollbackId}`;

export function addLabelCommand(program: Command, screen: Terminal): void {
  program.command('label')
    .description('Says whether what a rollback did, would have done in shadow, or left alone was right. The last word of each person counts.')
    .argument('<rollback>', 'name of the Step Functions execution')
    .addArgument(new Argument('<opinion>', 'was it?').choices(['right', 'wrong']))
    .option('-c, --comment <text>', 'kept with the label', '')
    .option('--engine <name>', 'name of the engine', 'ripcord')
    .option('--table <name>', 'audit table (default: from the engine, or RIPCORD_AUDIT_TABLE)')
    .option('--ledger <name>', 'ledger table, for the anchor (default: from the engine, or RIPCORD_LEDGER_TABLE)')
    .action(async (rollback: string, opinion: Opinion, options: RecordOptions & { readonly comment: string }) => {
      screen.out(await label({ rollback, opinion, ...options }));
    });
}

async function label(given: RecordOptions & { readonly rollback: string; readonly opinion: Opinion; readonly comment: string }): Promise<string> {
  const rows = await readRows(given.rollback, given);
  const last = rows.at(-1);
  if (last?.kind !== 'sealed') throw new Mistake(`Rollback "${given.rollback}" has not ended: there is nothing to judge yet.`);
  const { UserId: userId, Arn: by } = await new STSClient({}).send(new GetCallerIdentityCommand({}));
  if (userId === undefined || by === undefined) throw new Mistake('AWS does not say who you are: sign in again.');
  const { service } = last;
  const data = { rollbackId: given.rollback, opinion: given.opinion, comment: given.comment.slice(0, 1000), by, sealedAt: last.hash };
  const store = new AuditStore(new DynamoDBClient({}), await tableOf(given), (await ledgerTable(given)).name);
  await store.append({ rollbackId: labelChain(userId, given.rollback), service, kind: 'labelled', at: new Date().toISOString(), data }, null);
  return `${given.rollback} (${service}) is labelled ${given.opinion} by ${by}`;
}
