// ripcord replay: makes every decision of an exported record again, and says where this code would decide otherwise.
import type { Command } from 'commander';
import { canonicalJson } from '../../lambdas/audit/canonical.ts';
import { verifyChain } from '../../lambdas/audit/chain.ts';
import type { AuditRow } from '../../lambdas/audit/entry.ts';
import { decide, type Decision } from '../../lambdas/domain/decide.ts';
import type { Question } from '../../lambdas/domain/question.ts';
import type { Json } from '../../lambdas/domain/vocabulary.ts';
import { bundleOf } from '../../lib/engine/bundle.ts';
import { unprovenOf } from './audit.ts';
import { readExport } from './record.ts';
import { Mistake, type Terminal } from './terminal.ts';

/** One `assessed` row, decided again. */
export interface Replayed {
  readonly seq: number;
  /** `unasked`: the input was refused before there was a question. `different` also when the question cannot be decided any more. */
  readonly result: 'same' | 'different' | 'unasked';
  /** The recorded verdict, or the code of the refusal. */
  readonly verdict: string;
  /** What differs, one sentence each; empty unless `different`. */
  readonly differences: readonly string[];
  /** Version of the code that decided then. */
  readonly codeVersion: string;
}

/** Part of an `assessed` row; a row can be written by an older version, or by somebody else. */
interface Assessed {
  readonly question?: Question;
  readonly decision?: Decision;
  readonly refused?: { readonly code?: string };
  readonly codeVersion?: string;
}

/** What has to be the same again. Sentences are for people and may be worded anew; everything that a workflow acts on is here. */
const compared: Readonly<Record<string, (decision: Decision) => unknown>> = {
  verdict: ({ verdict }) => verdict,
  reasons: ({ reasons }) => reasons.map(({ code }) => code),
  release: ({ releaseId }) => releaseId,
  'known good': ({ good }) => (good === null ? null : { version: good.version, since: good.since }),
  rungs: ({ rungs }) => rungs,
  page: ({ page }) => page,
  approval: ({ approval }) => approval,
  hold: ({ holdSeconds, wantsEvidence }) => ({ holdSeconds, wantsEvidence }),
};

/** Decides every `assessed` row of a record again, in order. */
export const replayRows = (rows: readonly AuditRow[]): Replayed[] => rows.filter(({ kind }) => kind === 'assessed').map((row) => replayRow(row));

function replayRow({ seq, data }: AuditRow): Replayed {
  const { question, decision, refused, codeVersion = 'unknown' } = JSON.parse(data) as Assessed;
  const row = { seq, codeVersion };
  if (refused !== undefined) return { ...row, result: 'unasked', verdict: refused.code ?? 'refused', differences: [] };
  if (question === undefined || decision === undefined) return { ...row, result: 'different', verdict: '?', differences: ['the row holds no question with its decision'] };
  const differences = differencesOf(question, decision);
  return { ...row, result: differences.length === 0 ? 'same' : 'different', verdict: decision.verdict, differences };
}

function differencesOf(question: Question, recorded: Decision): string[] {
  try {
    const again = decide(question);
    return Object.entries(compared).flatMap(([name, part]) => {
      const [then, now] = [recorded, again].map((one) => canonicalJson(part(one) as Json));
      return then === now ? [] : [`${name}: recorded ${then}, now ${now}`];
    });
  } catch (error) {
    // A question of another version can lack what this code asks for.
    return [`cannot be decided again: ${error instanceof Error ? error.message : String(error)}`];
  }
}

export function addReplayCommand(program: Command, screen: Terminal): void {
  program.command('replay')
    .description('Makes every decision of an exported record again with the code of this checkout. Exit code 1 when one differs or the record is not as it was written; says so when nothing tells where the record has to end.')
    .argument('<export>', 'file that `ripcord audit export` wrote')
    .action(async (path: string) => { await replay(path, screen); });
}

async function replay(path: string, screen: Terminal): Promise<void> {
  const { rollbackId, rows, anchor } = await readExport(path);
  const replayed = replayRows(rows);
  if (replayed.length === 0) throw new Mistake(`${path} holds no row of kind "assessed": there is nothing to decide again`);
  for (const one of replayed) screen.out(lineOf(one));
  sayVersions(replayed, screen);
  const chain = verifyChain(rows, anchor ?? undefined);
  const doubt = chain.intact ? unprovenOf({ rollbackId, anchor }, chain) : `BROKEN: ${rollbackId}: ${chain.text} [${chain.fault} ${chain.seq}]`;
  if (doubt !== null) screen.error(doubt);
  const count = (result: Replayed['result']): number => replayed.filter((one) => one.result === result).length;
  screen.out(`${rollbackId}: ${count('same')} the same, ${count('different')} different${count('unasked') === 0 ? '' : `, ${count('unasked')} refused before a question was asked`}`);
  if (count('different') > 0 || !chain.intact) screen.code = 1;
}

function lineOf({ seq, result, verdict, differences }: Replayed): string {
  const place = `${String(seq).padStart(3)}  ${result.padEnd(9)}`;
  if (result === 'unasked') return `${place}  refused (${verdict}): there was no question to decide`;
  return `${place}  ${verdict}${differences.length === 0 ? '' : `  ${differences.join('; ')}`}`;
}

/** The code version is the digest of the Assess function, so it also changes with what is bundled around the decision. */
function sayVersions(replayed: readonly Replayed[], screen: Terminal): void {
  const here = bundleOf('assess').digest;
  const others = [...new Set(replayed.map(({ codeVersion }) => codeVersion))].filter((version) => version !== here);
  if (others.length > 0) screen.out(`Decided then by code version ${others.join(', ')}; this checkout is ${here}.`);
}
