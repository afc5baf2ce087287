// Where a command finds the record of a rollback: the audit table, and the ledger's anchor.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { readAnchor } from '../../lambdas/adapters/audit-anchor.ts';
import { AuditRows } from '../../lambdas/adapters/audit-rows.ts';
import type { LedgerTable } from '../../lambdas/adapters/ledger-table.ts';
import type { AuditAnchor } from '../../lambdas/audit/chain.ts';
import type { AuditRow } from '../../lambdas/audit/entry.ts';
import type { AuditCursor } from '../../lambdas/domain/vocabulary.ts';
import { Mistake } from './terminal.ts';

export interface RecordOptions {
  readonly table?: string;
  readonly ledger?: string;
  readonly engine: string;
}

export interface Recorded {
  readonly rollbackId: string;
  readonly anchor: AuditAnchor | null;
  readonly rows: readonly AuditRow[];
}

/** @throws Mistake, or the error of AWS, when no table is named and the engine is not there. */
export function tableOf(options: RecordOptions): Promise<string> {
  return named(options.table, process.env['RIPCORD_AUDIT_TABLE'], `/${options.engine}/audit-table`, 'give the table with --table, as the stack\'s output AuditTable has it');
}

/** Where the anchors are. @throws as `tableOf`. */
async function ledgerOf(options: RecordOptions): Promise<string> {
  const mend = 'give the table with --ledger, or where the chain has to end with --anchor, as the end message has it';
  return named(options.ledger, process.env['RIPCORD_LEDGER_TABLE'], `/${options.engine}/ledger-table`, mend);
}

async function named(option: string | undefined, variable: string | undefined, parameter: string, mend: string): Promise<string> {
  const given = option ?? variable ?? '';
  if (given !== '') return given;
  const { Parameter } = await new SSMClient({}).send(new GetParameterCommand({ Name: parameter })).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'ParameterNotFound')
      throw new Mistake(`There is no parameter ${parameter} in this account and Region: check --engine, AWS_REGION and AWS_PROFILE, or ${mend}.`);
    throw error;
  });
  if (Parameter?.Value === undefined || Parameter.Value === '') throw new Mistake(`The parameter ${parameter} is empty: ${mend}.`);
  return Parameter.Value;
}

/** The ledger, where the anchors are. @throws as `tableOf`. */
export const ledgerTable = async (options: RecordOptions): Promise<LedgerTable> => ({ client: new DynamoDBClient({}), name: await ledgerOf(options) });

const maximumReads = 10;

const noRow = (table: string, rollbackId: string): Mistake =>
  new Mistake(`The table ${table} has no row of rollback "${rollbackId}". The id is the name of the Step Functions execution.`);

/** Rows without their anchor. @throws Mistake when the table holds none of this rollback; the error of AWS when the engine is not there. */
export async function readRows(rollbackId: string, options: RecordOptions): Promise<readonly AuditRow[]> {
  const rows = await rowsOf(rollbackId, options);
  if (rows.length === 0) throw noRow(await tableOf(options), rollbackId);
  return rows;
}

/** As `readRows`, but none is an answer too. */
export async function rowsOf(chain: string, options: RecordOptions): Promise<readonly AuditRow[]> {
  return new AuditRows(new DynamoDBClient({}), await tableOf(options)).read(chain);
}

/**
 * A chain with its anchor, which the ledger has even when every row was removed.
 * @throws Mistake when there is neither a row nor an anchor, or when it grows too fast to be read; the error of AWS when the engine is not there.
 */
export async function readRecord(rollbackId: string, options: RecordOptions): Promise<Recorded> {
  const found = await readChain(rollbackId, options);
  if (found === null) throw noRow(await tableOf(options), rollbackId);
  return found;
}

/** As `readRecord`; null when there is neither a row nor an anchor. */
export async function readChain(rollbackId: string, options: RecordOptions): Promise<Recorded | null> {
  const [table, ledger] = await Promise.all([tableOf(options), ledgerTable(options)]);
  const store = new AuditRows(ledger.client, table);
  let anchor = await readAnchor(ledger, rollbackId);
  // A rollback that runs writes on: rows and anchor belong together where the anchor stands still while the rows are read.
  for (let tries = 0; tries < maximumReads; tries += 1) {
    const rows = await store.read(rollbackId);
    const after = await readAnchor(ledger, rollbackId);
    if (after?.hash === anchor?.hash) return rows.length === 0 && anchor === null ? null : { rollbackId, anchor, rows };
    anchor = after;
  }
  throw new Mistake(`The record of ${rollbackId} grew each time it was read: try again in a moment.`);
}

/** `12:<hash>`, as the end message gives both. */
export function anchorOf(text: string): AuditCursor {
  const match = /^(\d+):([0-9a-f]{64})$/.exec(text.trim());
  if (match === null) throw new Mistake('--anchor needs <rows>:<last hash>, both as the end message gives them');
  return { length: Number(match[1]), hash: match[2] ?? '' };
}
