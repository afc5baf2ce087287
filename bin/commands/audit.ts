// ripcord audit verify | export: is the record of a rollback as it was written?
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { type ChainVerdict, verifyChain } from '../../lambdas/audit/chain.ts';
import { eventChain } from '../../lambdas/runtime/label.ts';
import { anchorOf, personChains, readChain, readExport, readRecord, type Recorded, type RecordOptions, rowsOf } from './record.ts';
import { Mistake, type Terminal } from './terminal.ts';

interface VerifyOptions extends RecordOptions {
  readonly file?: string;
  readonly anchor?: string;
  readonly expect?: string;
  readonly labels?: true;
}

/** What `verify` found out about one chain. `unproven`: its rows fit, and nothing says that they are all of them. */
const codes = { intact: 0, broken: 1, unproven: 2 } as const;

const withTables = (command: Command): Command => command
  .option('--engine <name>', 'name of the engine', 'ripcord')
  .option('--table <name>', 'audit table (default: from the engine, or RIPCORD_AUDIT_TABLE)')
  .option('--ledger <name>', 'ledger table, for the anchor (default: from the engine, or RIPCORD_LEDGER_TABLE)');

export function addAuditCommands(program: Command, screen: Terminal): void {
  const audit = program.command('audit').description('Check or export the record of a rollback');
  withTables(audit.command('verify'))
    .description('Names the row that was changed, removed, inserted, moved or cut off; of the labels that came as events too, and with --labels of each person\'s. Exit code 1 when there is one, 2 when nothing says where the chain has to end.')
    .argument('[rollback]', 'name of the Step Functions execution, or of a chain of labels or of a watch')
    .option('--labels', 'check the labels of persons too: reads the whole audit table')
    .option('--file <path>', 'check an export instead of the table')
    .option('--anchor <rows:hash>', 'where the chain has to end, as the end message says; nothing but this chain is checked then (default: from the ledger or the export)')
    .option('--expect <hash>', 'a hash of this chain that was written down elsewhere while it grew: in the log of the function that wrote the row, or in the answer to a label')
    .action(async (rollback: string | undefined, options: VerifyOptions) => { await verify(rollback, options, screen); });
  withTables(audit.command('export'))
    .description('Writes all rows and the anchor as JSON')
    .argument('<rollback>', 'name of the Step Functions execution')
    .option('-o, --output <path>', 'write to a file instead of the terminal')
    .action(async (rollback: string, options: RecordOptions & { readonly output?: string }) => {
      const text = JSON.stringify(await readRecord(rollback, options), null, 2);
      if (options.output === undefined) screen.out(text);
      else await writeFile(options.output, `${text}\n`);
    });
}

async function verify(rollback: string | undefined, options: VerifyOptions, screen: Terminal): Promise<void> {
  if ((rollback === undefined) === (options.file === undefined)) throw new Mistake('Name a rollback, or give an export with --file: one of the two.');
  if (options.labels === true && (options.file !== undefined || options.anchor !== undefined)) throw new Mistake('--labels looks for chains in the tables: leave out --file and --anchor.');
  const given = options.anchor === undefined ? null : anchorOf(options.anchor);
  const chains = rollback === undefined ? [await readExport(options.file ?? '')] : given === null ? await chainsOf(rollback, options) : [{ rollbackId: rollback, rows: await rowsOf(rollback, options), anchor: given }];
  const found = chains.map((chain, index) => check({ ...chain, anchor: given ?? chain.anchor, expected: index === 0 ? expectedOf(options.expect) : null }, screen));
  screen.code = found.find((code) => code === codes.broken) ?? Math.max(...found);
  if (options.file !== undefined && given === null && screen.code === codes.intact) screen.out('The anchor came from the export itself; compare it with the end message.');
}

/** The chain that was asked for and, of a rollback, those of its labels: of events by their name, of persons, whose ids nobody knows beforehand, by a look at every row. */
async function chainsOf(rollback: string, options: VerifyOptions): Promise<Recorded[]> {
  const names = isLabels(rollback) ? [] : [eventChain(rollback), ...(options.labels === true ? await personChains(rollback, options) : [])];
  const labels = await Promise.all(names.map((name) => readChain(name, options)));
  return [await readRecord(rollback, options), ...labels.filter((chain) => chain !== null)];
}

const isLabels = (chain: string): boolean => chain.startsWith('label#');

function expectedOf(text: string | undefined): string | null {
  if (text !== undefined && !/^[0-9a-f]{64}$/.test(text)) throw new Mistake('--expect needs a hash: 64 hexadecimal digits in lower case, as `auditHash` in the log');
  return text ?? null;
}

interface Checked extends Recorded {
  /** The hash of one of its rows; null: none was written down. */
  readonly expected: string | null;
}

/** @returns the exit code of this chain. */
function check({ rollbackId, rows, anchor, expected }: Checked, screen: Terminal): number {
  const verdict = verifyChain(rows, anchor ?? undefined);
  if (!verdict.intact) {
    screen.error(`BROKEN: ${rollbackId}: ${verdict.text} [${verdict.fault} ${verdict.seq}]`);
    return codes.broken;
  }
  if (expected !== null && !rows.some(({ hash }) => hash === expected)) {
    screen.error(`BROKEN: ${rollbackId}: its rows fit together, but none has the hash ${expected}: the chain was written anew, or cut off, together with its anchor [expected]`);
    return codes.broken;
  }
  const unproven = unprovenOf({ rollbackId, anchor }, verdict);
  if (unproven !== null) {
    screen.error(`${unproven}\nEvery row is written together with its anchor, so somebody took that away. Of a rollback that has ended the end message has it too: --anchor <rows:hash>.`);
    return codes.unproven;
  }
  screen.out(`Intact: ${rollbackId}: ${verdict.length} rows, last hash ${verdict.hash}`);
  if (!verdict.isSealed && !isLabels(rollbackId)) screen.out(`Not sealed: ${rollbackId.startsWith('watch#') ? 'the watch goes on still, or it died' : 'the rollback runs still, or it joined another run and ended with that'}; its state machine shows which.`);
  return codes.intact;
}

/** Says that nothing outside an intact chain tells where it has to end; null when its anchor does. */
export function unprovenOf({ rollbackId, anchor }: Omit<Recorded, 'rows'>, { length, hash }: Intact): string | null {
  if (anchor !== null) return null;
  return `NOT PROVEN: ${rollbackId}: ${length} rows that fit together, last hash ${hash}, but nothing says that they are all: a cut or rewritten end would not show.`;
}

type Intact = Extract<ChainVerdict, { readonly intact: true }>;
