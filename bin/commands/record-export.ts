// The file that `ripcord audit export` writes, read again: somebody may have changed it, and what is no export is refused in words.
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { plain } from '../../lambdas/runtime/messages-text.ts';
import { type AuditRow, foreignIn } from '../../lambdas/audit/entry.ts';
import type { Recorded } from './record.ts';
import { Mistake } from './terminal.ts';

const text = z.string();

/** Whatever the table held: what is wrong with a row is for the check of the chain to say. */
const rowSchema = z.looseObject({ rollbackId: text, seq: z.number(), at: text, kind: text, service: text, data: text, previousHash: text, hash: text, foreign: z.array(text).optional() });

const anchorSchema = z.strictObject({
  length: z.int().min(0), hash: z.string().regex(/^([0-9a-f]{64})?$/), isSealed: z.boolean().optional(), bentSeal: text.optional(), spoiled: text.optional(), foreign: z.array(text).min(1).optional(),
}).refine(({ length, hash, spoiled }) => spoiled !== undefined || (length > 0 && hash !== ''), 'it says nowhere that the chain ends');

const exportSchema = z.strictObject({ rollbackId: text, anchor: anchorSchema.nullable().default(null), rows: z.array(rowSchema) });

/** @throws Mistake when the file is not what `ripcord audit export` writes. */
export async function readExport(path: string): Promise<Recorded> {
  const given = await contentOf(path);
  const { success, error, data } = exportSchema.safeParse(given);
  if (!success) throw notExport(path, reasonIn(error));
  const { rollbackId, anchor } = data;
  // Not as parsed: what stands beside is told as it is.
  const rows = (given as { readonly rows: readonly AuditRow[] }).rows.map(rowIn);
  const names = new Set(rows.map((row) => row.rollbackId));
  // Rows that differ among themselves are for the check of the chain.
  if (names.size === 1 && !names.has(rollbackId)) throw notExport(path, `it is named after ${plain(rollbackId, 100)}, and its rows are of ${plain(rows[0]?.rollbackId ?? '', 100)}`);
  // An anchor in the ledger that says nothing of a seal says that there is none.
  return { rollbackId, rows, anchor: anchor === null ? null : { ...(anchor.spoiled === undefined && anchor.bentSeal === undefined ? { isSealed: false } : {}), ...anchor } as Recorded['anchor'] };
}

async function contentOf(path: string): Promise<unknown> {
  const content = await readFile(path, 'utf8').catch((error: unknown) => { throw new Mistake(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`); });
  try {
    return JSON.parse(content);
  } catch {
    throw notExport(path, 'it is not JSON');
  }
}

const notExport = (path: string, why: string): Mistake => new Mistake(`${path} is not an export of \`ripcord audit export\`: ${why}`);

/** The first thing that is wrong, and where. */
function reasonIn({ issues }: z.ZodError): string {
  const [issue] = issues;
  const place = issue?.path.map(String).join('.') ?? '';
  return plain(`${place === '' ? '' : `${place}: `}${issue?.message ?? 'it is of another form'}`, 300);
}

/** With what the table held beside it, and what somebody wrote into the file since. */
const rowIn = ({ foreign = [], ...row }: AuditRow): AuditRow => ({ ...row, ...foreignIn([...Object.keys(row), ...foreign]) });
