// ripcord audit verify | export: is the record of a rollback as it was written?
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { type AuditAnchor, verifyChain } from '../../lambdas/audit/chain.ts';
import { anchorOf, readExport, readRecord, type RecordOptions } from './record.ts';
import { Mistake, type Terminal } from './terminal.ts';

interface VerifyOptions extends RecordOptions {
  readonly file?: string;
  readonly anchor?: string;
}

export function addAuditCommands(program: Command, screen: Terminal): void {
  const audit = program.command('audit').description('Check or export the record of a rollback');
  audit.command('verify')
    .description('Names the row that was changed, removed, inserted, moved or cut off. Exit code 1 when there is one.')
    .argument('[rollback]', 'name of the Step Functions execution')
    .option('--file <path>', 'check an export instead of the table')
    .option('--anchor <rows:hash>', 'where the chain has to end, as the end message says (default: from the ledger or the export)')
    .option('--engine <name>', 'name of the engine', 'ripcord')
    .option('--table <name>', 'audit table (default: from the engine, or RIPCORD_AUDIT_TABLE)')
    .option('--ledger <name>', 'ledger table, for the anchor (default: RIPCORD_LEDGER_TABLE)')
    .action(async (rollback: string | undefined, options: VerifyOptions) => { await verify(rollback, options, screen); });
  audit.command('export')
    .description('Writes all rows and the anchor as JSON')
    .argument('<rollback>', 'name of the Step Functions execution')
    .option('-o, --output <path>', 'write to a file instead of the terminal')
    .option('--engine <name>', 'name of the engine', 'ripcord')
    .option('--table <name>', 'audit table (default: from the engine, or RIPCORD_AUDIT_TABLE)')
    .option('--ledger <name>', 'ledger table, for the anchor (default: RIPCORD_LEDGER_TABLE)')
    .action(async (rollback: string, options: RecordOptions & { readonly output?: string }) => {
      const text = JSON.stringify(await readRecord(rollback, options), null, 2);
      if (options.output === undefined) screen.out(text);
      else await writeFile(options.output, `${text}\n`);
    });
}

async function verify(rollback: string | undefined, options: VerifyOptions, screen: Terminal): Promise<void> {
  if ((rollback === undefined) === (options.file === undefined)) throw new Mistake('Name a rollback, or give an export with --file: one of the two.');
  const found = options.file === undefined ? await readRecord(rollback ?? '', options) : await readExport(options.file);
  const anchor: AuditAnchor | null = options.anchor === undefined ? found.anchor : anchorOf(options.anchor);
  const verdict = verifyChain(found.rows, anchor ?? undefined);
  if (!verdict.intact) {
    screen.error(`BROKEN: ${found.rollbackId}: ${verdict.text} [${verdict.fault} ${verdict.seq}]`);
    screen.code = 1;
    return;
  }
  screen.out(`Intact: ${found.rollbackId}: ${verdict.length} rows, last hash ${verdict.hash}`);
  if (!verdict.isSealed) screen.out(anchor?.isOpen === true ? 'Not sealed: it joined another run, and ended with that.' : 'Not sealed: the rollback runs still, or its end was cut off.');
  if (!verdict.isAnchored) screen.out('Not anchored: a cut or rewritten end would not show. Give --ledger, or --anchor as the end message has it.');
  else if (options.file !== undefined && options.anchor === undefined) screen.out('The anchor came from the export itself; compare it with the end message.');
}
