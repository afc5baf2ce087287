// ripcord audit verify | export: is the record of a rollback as it was written?
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { type ChainVerdict, verifyChain } from '../../lambdas/audit/chain.ts';
import { isLabelChain } from '../../lambdas/audit/label-chains.ts';
import { plain } from '../../lambdas/runtime/messages-text.ts';
import { anchorOf, readRecord, type Recorded, type RecordOptions, rowsOf } from './record.ts';
import { readExport } from './record-export.ts';
import { chainsOf, type LabelChain } from './record-labels.ts';
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
    .description('Names the row that was changed, removed, inserted, moved or cut off; of the labels on it too, and names a person, or the events, whose labels are gone. Exit code 1 when there is one, 2 when nothing says where the chain has to end, or --expect vouches for a part of it alone.')
    .argument('[rollback]', 'name of the Step Functions execution, or of a chain of labels or of a watch')
    .option('--labels', 'look also for labels of those whom the ledger does not list: reads the whole audit table')
    .option('--file <path>', 'check an export instead of the table')
    .option('--anchor <rows:hash>', 'where the chain has to end, as the end message says; nothing but this chain is checked then (default: from the ledger or the export)')
    .option('--expect <hash>', 'a hash of this chain that was written down elsewhere while it grew, in the log of the function that wrote the row, or in the answer to a label: vouches for that row and all before it')
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
  const chains = rollback === undefined ? [await readExport(options.file ?? '')] : given === null ? await chainsOf(rollback, options, options.labels === true) : [{ rollbackId: rollback, rows: await rowsOf(rollback, options), anchor: given }];
  const found = chains.map((chain, index) => check({ ...chain, anchor: given ?? chain.anchor, expected: index === 0 ? expectedOf(options.expect) : null }, screen));
  screen.code = found.find((code) => code === codes.broken) ?? Math.max(...found);
  if (rollback !== undefined && given === null && screen.code === codes.intact && chains.length === 1 && mayBeLabelled(chains[0])) screen.out(withoutLabels);
  if (options.file !== undefined && given === null && screen.code === codes.intact) screen.out('The anchor came from the export itself; compare it with the end message.');
}

const withoutLabels = 'No labels. That does not prove that there were none: where rows, anchor and the name in the ledger\'s list were all taken away, only the log of the function `label` and the answer to each person tell.';

/** A rollback that has ended. */
const mayBeLabelled = (chain: Recorded | undefined): boolean => chain?.rows.at(-1)?.kind === 'sealed' && !/^(label|watch)#/.test(chain.rollbackId);

function expectedOf(text: string | undefined): string | null {
  if (text !== undefined && !/^[0-9a-f]{64}$/.test(text)) throw new Mistake('--expect needs a hash: 64 hexadecimal digits in lower case, as `auditHash` in the log');
  return text ?? null;
}

interface Checked extends Recorded, Partial<Pick<LabelChain, 'list'>> {
  /** The hash of one of its rows; null: none was written down. */
  readonly expected: string | null;
}

/** @returns the exit code of this chain. */
function check(chain: Checked, screen: Terminal): number {
  const { rollbackId, rows, anchor, list } = chain;
  const broken = (text: string): number => {
    screen.error(brokenText(rollbackId, text));
    return codes.broken;
  };
  if (list === 'gone') return broken('all its rows and its anchor are gone: the ledger lists who labelled, and names it [removed 0]');
  const verdict = verifyChain(rows, anchor ?? undefined);
  if (!verdict.intact) return broken(faultText(verdict));
  const vouched = vouchedIn(chain);
  if (vouched === -1) return broken(`its rows fit together, but none has the hash ${chain.expected}: the chain was written anew, or cut off, together with its anchor [expected]`);
  const doubt = doubtOf(chain, verdict, vouched);
  if (doubt !== null) {
    screen.error(doubt);
    return codes.unproven;
  }
  screen.out(`Intact: ${plain(rollbackId)}: ${verdict.length} rows, last hash ${verdict.hash}`);
  if (vouched !== null) screen.out(`Of these ${rowsText(0, vouched)} as written down, and that is all of them.`);
  if (!verdict.isSealed && !isLabelChain(rollbackId)) screen.out(`Not sealed: ${rollbackId.startsWith('watch#') ? 'the watch goes on still, or it died' : 'the rollback runs still, or it joined another run and ended with that'}; its state machine shows which.`);
  return codes.intact;
}

/** Number of the row with the hash that was written down; null: none was. */
const vouchedIn = ({ expected, rows }: Checked): number | null => (expected === null ? null : rows.findIndex(({ hash }) => hash === expected));

const rowsText = (first: number, last: number): string => (first === last ? `row ${first} is` : `rows ${first} to ${last} are`);

/** What keeps an intact chain from being proven; null: nothing. */
function doubtOf({ rollbackId, rows, anchor, list }: Checked, verdict: Intact, vouched: number | null): string | null {
  const unproven = unprovenOf({ rollbackId, anchor }, verdict);
  if (unproven !== null) return `${unproven}\nEvery row is written together with its anchor, so somebody took that away. Of a rollback that has ended the end message has it too: --anchor <rows:hash>.`;
  if (list === 'unlisted') return `NOT PROVEN: ${plain(rollbackId)}: ${verdict.length} rows that fit together, last hash ${verdict.hash}, but the ledger's list of who labelled does not name it: somebody changed the list, and others whom it named may be gone with all their labels.`;
  const last = rows.length - 1;
  if (vouched === null || vouched === last) return null;
  return `NOT PROVEN: ${plain(rollbackId)}: ${rowsText(0, vouched)} as written down; ${rowsText(vouched + 1, last)} not vouched for by this hash: the anchor fits them, and whoever wrote them anew could move it. Give --expect the hash of row ${last}.`;
}

/** Says that nothing outside an intact chain tells where it has to end; null when its anchor does. */
export function unprovenOf({ rollbackId, anchor }: Omit<Recorded, 'rows'>, { length, hash }: Intact): string | null {
  if (anchor !== null) return null;
  return `NOT PROVEN: ${plain(rollbackId)}: ${length} rows that fit together, last hash ${hash}, but nothing says that they are all: a cut or rewritten end would not show.`;
}

type Intact = Extract<ChainVerdict, { readonly intact: true }>;

/** Cleaned: in a file any of it can be anybody's. */
export const brokenText = (rollbackId: string, text: string): string => `BROKEN: ${plain(rollbackId)}: ${plain(text, 1000)}`;

export const faultText = ({ text, fault, seq }: Exclude<ChainVerdict, Intact>): string => `${text} [${fault} ${seq}]`;
