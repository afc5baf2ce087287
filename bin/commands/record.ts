// Where a command finds the record of a rollback: the audit table, the ledger's anchor, or an exported file.
import { readFile } from 'node:fs/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { readAnchor } from '../../lambdas/adapters/audit-anchor.ts';
import { AuditStore } from '../../lambdas/adapters/audit-store.ts';
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
export async function tableOf(options: RecordOptions): Promise<string> {
  const given = options.table ?? process.env['RIPCORD_AUDIT_TABLE'] ?? '';
  if (given !== '') return given;
  const { Parameter } = await new SSMClient({}).send(new GetParameterCommand({ Name: `/${options.engine}/audit-table` }));
  if (Parameter?.Value === undefined) throw new Mistake(`The parameter /${options.engine}/audit-table is empty: give the stack's output AuditTable with --table.`);
  return Parameter.Value;
}

/** @throws Mistake when the table holds no row of this rollback; the error of AWS when the engine is not there. */
export async function readRecord(rollbackId: string, options: RecordOptions): Promise<Recorded> {
  const client = new DynamoDBClient({});
  const ledger = options.ledger ?? process.env['RIPCORD_LEDGER_TABLE'];
  const table = await tableOf(options);
  const [rows, anchor] = await Promise.all([
    new AuditStore(client, table).read(rollbackId),
    ledger === undefined || ledger === '' ? null : readAnchor({ client, name: ledger }, rollbackId),
  ]);
  if (rows.length === 0 && anchor === null) throw new Mistake(`The table ${table} has no row of rollback "${rollbackId}". The id is the name of the Step Functions execution.`);
  return { rollbackId, anchor, rows };
}

/** @throws Mistake when the file is not what `ripcord audit export` writes. */
export async function readExport(path: string): Promise<Recorded> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => { throw new Mistake(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`); });
  let given: Partial<Recorded> | null;
  try {
    given = JSON.parse(text) as Partial<Recorded> | null;
  } catch {
    throw new Mistake(`${path} is not JSON`);
  }
  if (given === null || typeof given.rollbackId !== 'string' || !Array.isArray(given.rows) || !given.rows.every(isRow))
    throw new Mistake(`${path} is not an export: it needs "rollbackId" and "rows", as \`ripcord audit export\` writes them`);
  return { rollbackId: given.rollbackId, anchor: given.anchor ?? null, rows: given.rows };
}

function isRow(row: unknown): row is AuditRow {
  const given = (row ?? {}) as Record<string, unknown>;
  return Number.isInteger(given['seq']) && ['rollbackId', 'at', 'kind', 'service', 'data', 'previousHash', 'hash'].every((name) => typeof given[name] === 'string');
}

/** `12:<hash>`, as the end message gives both. */
export function anchorOf(text: string): AuditCursor {
  const match = /^(\d+):([0-9a-f]{64})$/.exec(text.trim());
  if (match === null) throw new Mistake('--anchor needs <rows>:<last hash>, both as the end message gives them');
  return { length: Number(match[1]), hash: match[2] ?? '' };
}
