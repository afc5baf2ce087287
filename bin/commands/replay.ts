// ripcord replay: makes every decision of an exported record again, and says where this code would decide otherwise.
import type { Command } from 'commander';
import { verifyChain } from '../../lambdas/audit/chain.ts';
import type { AuditRow } from '../../lambdas/audit/entry.ts';
import { counted, plain } from '../../lambdas/runtime/messages-text.ts';
import { bundleOf } from '../../lib/engine/bundle.ts';
import { brokenText, faultText, unprovenOf } from './audit.ts';
import type { Recorded } from './record.ts';
import { readExport } from './record-export.ts';
import { type Replayed, type ReplayedKind, replayedKinds, replayRows } from './replay-rows.ts';
import type { Terminal } from './terminal.ts';

export function addReplayCommand(program: Command, screen: Terminal): void {
  program.command('replay')
    .description('Makes every decision, every round of proof and every conclusion of a Watch in an exported record again with the code of this checkout. Exit code 1 when one differs or the record is not as it was written; says so when nothing tells where the record has to end.')
    .argument('<export>', 'file that `ripcord audit export` wrote')
    .action(async (path: string) => { await replay(path, screen); });
}

async function replay(path: string, screen: Terminal): Promise<void> {
  const recorded = await readExport(path);
  const replayed = replayRows(recorded.rows);
  for (const one of replayed) screen.out(lineOf(one));
  const others = notMadeAgain(recorded.rows);
  if (others !== null) screen.out(others);
  sayVersions(replayed, screen);
  const isIntact = checkChain(recorded, screen);
  if (replayed.length === 0) screen.error(`${path} holds no row of kind "assessed", "verified" or "watched": there is nothing to decide again`);
  else screen.out(`${plain(recorded.rollbackId)}: ${totalOf(replayed)}`);
  if (!isIntact || replayed.length === 0 || replayed.some(({ result }) => result === 'different')) screen.code = 1;
}

/** Rows that say what AWS answered, what was done or what people were told; the last one, which closes the record, is checked with the chain. Null without any. */
function notMadeAgain(rows: readonly AuditRow[]): string | null {
  const kinds = rows.map(({ kind }) => kind).filter((kind) => kind !== 'sealed' && !(replayedKinds as readonly string[]).includes(kind));
  const each = [...new Set(kinds)].map((kind) => `${kinds.filter((one) => one === kind).length} ${plain(kind, 60)}`);
  return kinds.length === 0 ? null : `not made again, as they hold no decision: ${each.join(', ')}`;
}

/** False when the rows are not as they were written. */
function checkChain({ rollbackId, rows, anchor }: Recorded, screen: Terminal): boolean {
  const chain = verifyChain(rows, anchor ?? undefined);
  const doubt = chain.intact ? unprovenOf({ rollbackId, anchor }, chain) : brokenText(rollbackId, faultText(chain));
  if (doubt !== null) screen.error(doubt);
  return chain.intact;
}

const tooOld = 'cannot be replayed: written before its kind kept what it was made from';

function totalOf(replayed: readonly Replayed[]): string {
  const count = (result: Replayed['result']): number => replayed.filter((one) => one.result === result).length;
  return [
    `${count('same')} the same, ${count('different')} different`,
    ...(count('unasked') === 0 ? [] : [`${count('unasked')} refused before a question was asked`]),
    ...(count('unkept') === 0 ? [] : [`${counted(count('unkept'), 'row')} ${tooOld}`]),
  ].join(', ');
}

const words: Readonly<Record<ReplayedKind, string>> = { assessed: 'verdict', verified: 'proof', watched: 'watch' };

function lineOf({ seq, kind, result, verdict, differences }: Replayed): string {
  const place = `${String(seq).padStart(3)}  ${(result === 'unkept' ? 'too old' : result).padEnd(9)}`;
  if (result === 'unasked') return `${place}  refused (${plain(verdict)}): there was no question to decide`;
  const rest = result === 'unkept' ? [tooOld] : differences.map((one) => plain(one, 1000));
  return `${place}  ${words[kind]} ${plain(verdict)}${rest.length === 0 ? '' : `  ${rest.join('; ')}`}`;
}

/** The code version is the digest of the function that decided, so it also changes with what is bundled around the decision. */
function sayVersions(replayed: readonly Replayed[], screen: Terminal): void {
  const done: Readonly<Record<ReplayedKind, string>> = { assessed: 'Decided', verified: 'Proven', watched: 'Watched' };
  const functions: Readonly<Record<ReplayedKind, string>> = { assessed: 'assess', verified: 'verify', watched: 'watch' };
  for (const kind of replayedKinds) {
    const here = bundleOf(functions[kind]).digest;
    const others = [...new Set(replayed.filter((one) => one.kind === kind && one.result !== 'unkept').map(({ codeVersion }) => codeVersion))].filter((version) => version !== here);
    if (others.length > 0) screen.out(`${done[kind]} then by code version ${others.map((one) => plain(one)).join(', ')}; this checkout is ${here}.`);
  }
}
