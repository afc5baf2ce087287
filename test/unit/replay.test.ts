// A record decided again: the same decision from the same question, and every way in which it can turn out otherwise is named.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replayRows } from '../../bin/commands/replay.ts';
import { main } from '../../bin/ripcord.ts';
import type { AuditAnchor } from '../../lambdas/audit/chain.ts';
import { type AuditRow, cursorAt, genesis, rowAfter } from '../../lambdas/audit/entry.ts';
import { type Decision, decide } from '../../lambdas/domain/decide.ts';
import type { Question } from '../../lambdas/domain/question.ts';
import type { JsonObject } from '../../lambdas/domain/vocabulary.ts';
import { bundleOf } from '../../lib/engine/bundle.ts';
import { quiet, question } from './domain/samples.ts';

const here = bundleOf('assess').digest;
const about = { rollbackId: 'rb-1', service: 'checkout', at: '2026-11-20T09:10:00.000Z' };

/** A whole chain of these rows' data, sealed. */
function chainOf(...assessed: readonly object[]): AuditRow[] {
  const rows: AuditRow[] = [];
  const add = (kind: 'assessed' | 'sealed', data: JsonObject): void => {
    const last = rows.at(-1);
    rows.push(rowAfter(last === undefined ? genesis : cursorAt(last), { ...about, kind, data }));
  };
  for (const data of assessed) add('assessed', data as JsonObject);
  add('sealed', { rows: assessed.length + 1 });
  return rows;
}

const recorded = (asked: Question, over: Partial<Decision> = {}, codeVersion = here): object => ({ question: asked, decision: { ...decide(asked), ...over }, fence: 1, configVersion: 1, codeVersion });
const held = question({ alarms: [question().alarms[0] ?? quiet('5xx'), quiet('latency')] });
const differencesOf = (data: object): readonly string[] => replayRows(chainOf(data)).flatMap(({ differences }) => differences);

describe('a decision made again', () => {
  it('is the same for what decided it, whatever the verdict', () => {
    const replayed = replayRows(chainOf(recorded(held), recorded(question())));
    expect(replayed.map(({ seq, result, verdict }) => [seq, result, verdict])).toEqual([[0, 'same', 'hold'], [1, 'same', 'roll-back']]);
  });

  it.each<readonly [string, Partial<Decision>, string]>([
    ['verdict', { verdict: 'leave' }, 'verdict: recorded "leave", now "roll-back"'],
    ['reasons', { reasons: [{ code: 'storm', text: '' }] }, 'reasons: recorded ["storm"], now '],
    ['release', { releaseId: 'r-9' }, 'release: recorded "r-9", now "r-2"'],
    ['rungs', { rungs: [] }, 'rungs: recorded [], now '],
    ['known good', { good: null }, 'known good: recorded null, now '],
    ['page', { page: true }, 'page: recorded true, now false'],
    ['approval', { approval: { timeoutSeconds: 60, onDeadline: 'stop' } }, 'approval: recorded '],
    ['hold', { holdSeconds: 9 }, 'hold: recorded '],
  ])('names another %s', (_, over, said) => {
    expect(differencesOf(recorded(question(), over))).toEqual([expect.stringContaining(said)]);
  });

  it('may be worded anew: a sentence is no decision', () => {
    const { reasons } = decide(question());
    expect(differencesOf(recorded(question(), { headline: 'other words', reasons: reasons.map(({ code }) => ({ code, text: 'other words' })) }))).toEqual([]);
  });

  it('follows the question, not the decision that stands beside it', () => {
    expect(differencesOf({ ...recorded(question()), question: held })).toContain('verdict: recorded "roll-back", now "hold"');
  });

  it('is different when the question lacks what this code asks for', () => {
    const { alarms: _, ...older } = question();
    expect(differencesOf({ ...recorded(question()), question: older })).toEqual([expect.stringContaining('cannot be decided again')]);
    expect(differencesOf({ verdict: 'leave' })).toEqual(['the row holds no question with its decision']);
  });

  it('is not looked for where the input was refused', () => {
    expect(replayRows(chainOf({ refused: { code: 'bad-input', text: 'no service' }, codeVersion: here }))).toMatchObject([{ result: 'unasked', verdict: 'bad-input', differences: [] }]);
  });
});

describe('ripcord replay', () => {
  let folder: string;
  beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'ripcord-replay-')); });
  afterAll(async () => { await rm(folder, { recursive: true }); });

  const endOf = (rows: readonly AuditRow[]): AuditAnchor => ({ length: rows.length, hash: rows.at(-1)?.hash ?? '' });

  async function run(rows: readonly AuditRow[], anchor: AuditAnchor | null = endOf(rows)): Promise<{ code: number; out: string; error: string }> {
    const path = join(folder, 'export.json');
    await writeFile(path, JSON.stringify({ rollbackId: 'rb-1', anchor, rows }));
    const lines: { out: string[]; error: string[] } = { out: [], error: [] };
    const code = await main(['node', 'ripcord', 'replay', path], { out: (text) => { lines.out.push(text); }, error: (text) => { lines.error.push(text); }, code: 0 });
    return { code, out: lines.out.join('\n'), error: lines.error.join('\n') };
  }

  it('prints a line a row and ends with 0 when all is the same', async () => {
    expect(await run(chainOf(recorded(held), recorded(question())))).toEqual({ code: 0, error: '', out: '  0  same       hold\n  1  same       roll-back\nrb-1: 2 the same, 0 different' });
  });

  it('ends with 1 when a verdict was edited, even where the chain was written anew around it', async () => {
    const rewritten = await run(chainOf(recorded(question(), { verdict: 'leave' })));
    expect(rewritten).toMatchObject({ code: 1, error: '', out: expect.stringContaining('  0  different  leave  verdict: recorded "leave", now "roll-back"') as string });
    const [row, ...rest] = chainOf(recorded(question()));
    if (row === undefined) throw new Error('no row');
    const edited = await run([{ ...row, data: row.data.replace('"verdict":"roll-back"', '"verdict":"leave"') }, ...rest]);
    expect(edited).toMatchObject({ code: 1, error: expect.stringContaining('BROKEN: rb-1: row 0 was changed') as string, out: expect.stringContaining('1 different') as string });
  });

  it('ends with 1 when another row was changed, though every decision is the same', async () => {
    const rows = chainOf(recorded(question()));
    expect(await run(rows.map((row) => (row.kind === 'sealed' ? { ...row, data: '{"rows":9}' } : row)))).toMatchObject({ code: 1, out: expect.stringContaining('1 the same, 0 different') as string });
  });

  it('says when nothing tells where the record has to end; the decisions alone make the exit code', async () => {
    const rows = chainOf(recorded(question()));
    const said = 'NOT PROVEN: rb-1: 2 rows that fit together, last hash ';
    const unproven = { error: expect.stringContaining(said) as string, out: expect.stringContaining('1 the same, 0 different') as string };
    expect(await run(rows, null)).toMatchObject({ code: 0, ...unproven });
    expect(await run(rows, { ...endOf(rows.slice(0, 1)), isOpen: true })).toMatchObject({ code: 0, ...unproven });
    expect(await run(chainOf(recorded(question(), { verdict: 'leave' })), null)).toMatchObject({ code: 1, error: expect.stringContaining(said) as string });
  });

  it('says when other code decided then', async () => {
    const { code, out } = await run(chainOf(recorded(question(), {}, 'abcdef012345')));
    expect([code, out]).toEqual([0, expect.stringContaining(`Decided then by code version abcdef012345; this checkout is ${here}.`)]);
  });

  it('refuses an export without a decision', async () => {
    expect(await run(chainOf())).toMatchObject({ code: 1, error: expect.stringContaining('nothing to decide again') as string });
  });
});
