// Whatever somebody makes of an exported record: `verify --file` and `replay` name what was changed, or refuse the file in words, and neither breaks down.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { main } from '../../bin/ripcord.ts';
import { type AuditKind, type AuditRow, cursorAt, genesis, rowAfter } from '../../lambdas/audit/entry.ts';
import { decide } from '../../lambdas/domain/decide.ts';
import { judgeRound, type RoundQuestion } from '../../lambdas/domain/proof.ts';
import type { AuditCursor, JsonObject } from '../../lambdas/domain/vocabulary.ts';
import { question } from '../unit/domain/samples.ts';
import { manyCases, patience } from './many-cases.ts';
import { mutated } from './hostile-values.ts';

let folder: string;
beforeAll(async () => { folder = await mkdtemp(path.join(tmpdir(), 'ripcord-exports-')); });
afterAll(async () => { await rm(folder, { recursive: true }); });

type Said = readonly (readonly [AuditKind, object])[];

/** As `ripcord audit export` writes it. */
function exportOf(said: Said): { readonly rollbackId: string; readonly anchor: object; readonly rows: readonly AuditRow[] } {
  let at: AuditCursor = genesis;
  const rows = said.map(([kind, data]) => {
    const row = rowAfter(at, { rollbackId: 'rb-1', service: 'checkout', kind, at: '2026-11-20T09:10:00.000Z', data: data as JsonObject });
    at = cursorAt(row);
    return row;
  });
  return { rollbackId: 'rb-1', anchor: { ...at, isSealed: said.at(-1)?.[0] === 'sealed' }, rows };
}

const asked: RoundQuestion = { purpose: 'proof', verification: { intervalSeconds: 20, passesInARow: 1, deadlineSeconds: 900 }, since: '2026-11-20T09:15:00.000Z', releaseStartedAt: null, passes: 0, alarmsAtStart: [], live: [], isLeaseHeld: true, journeys: { at: '2026-11-20T09:16:00.000Z', results: [] }, alarms: [], round: 1, metrics: null, now: '2026-11-20T09:16:00.000Z' } as unknown as RoundQuestion;
const decided: readonly (readonly [AuditKind, object])[] = [
  ['assessed', { question: question(), decision: decide(question()), codeVersion: 'x' }],
  ['verified', { purpose: 'proof', question: asked, ...judgeRound(asked), codeVersion: 'x' }],
  ...['record', 'start', 'look', 'left', 'settle'].map((verb) => ['watched', { verb, question: { strategies: {}, release: {}, withdrawal: {}, event: {}, reason: {} }, looked: { answer: 'signal' }, good: null }] as const),
];
const sealed: Said = [...decided, ['sealed', { outcome: 'recovered', rows: decided.length + 1 }]];

async function ripcord(...words: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  const lines: string[] = [];
  const note = (line: string): void => { lines.push(line); };
  const code = await main(['node', 'ripcord', ...words], { out: note, error: note, code: 0 });
  return { code, text: lines.join('\n') };
}

const brokenDown = /\b(\w*Error:|is not a function|is not iterable|Cannot (read|convert)|call stack)/;

/** @returns the exit code of `verify`; null where the case is deeper than JSON can be written. */
async function tried(content: unknown): Promise<number | null> {
  const file = path.join(folder, 'export.json');
  let text: string;
  try {
    text = JSON.stringify(content);
  } catch {
    return null;
  }
  await writeFile(file, text);
  const [verified, replayed] = [await ripcord('audit', 'verify', '--file', file), await ripcord('replay', file)];
  for (const { code, text: said } of [verified, replayed]) {
    expect([0, 1, 2]).toContain(code);
    expect(said).not.toBe('');
    expect(said.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(said).not.toMatch(brokenDown);
  }
  return verified.code;
}

test('an export of which any part is put in another way is never called intact, and refused in words where it is none', async () => {
  const samples = [exportOf(sealed), exportOf(decided)];
  for (const sample of samples) expect(await tried(sample)).toBe(0);
  await fc.assert(fc.asyncProperty(mutated(samples), async (content) => {
    const code = await tried(content);
    fc.pre(code !== null);
    const isSample = samples.some((sample) => JSON.stringify(sample) === JSON.stringify(content));
    expect(code === 0).toBe(isSample);
  }), manyCases(150));
}, patience(120_000));

test('a question that nobody would ask, in a chain that fits together, is named as one that cannot be decided again, or decided', async () => {
  const data = decided.map(([, one]) => one);
  await fc.assert(fc.asyncProperty(fc.nat({ max: decided.length - 1 }).chain((place) => fc.tuple(fc.constant(place), mutated([data[place] ?? {}]))), async ([place, one]) => {
    const isObject = one !== null && typeof one === 'object' && !Array.isArray(one);
    fc.pre(isObject);
    let content: unknown;
    try {
      content = exportOf(decided.map(([kind, was], index) => [kind, index === place ? one : was]));
    } catch {
      // Deeper than a row could be written.
      return;
    }
    expect(await tried(content)).toBe(0);
  }), manyCases(150));
}, patience(120_000));

test.each([[{ foreign: 5 }], [7], [{}], [[]], ['x'], [{ length: -1 }], [{ hash: 'x' }], [{ length: 0, hash: '' }], [{ spoiled: 5 }], [{ isSealed: 'x' }], [{ more: 1 }], [{ foreign: [] }]])('an anchor %j is refused in words, and no row is blamed', async (anchor) => {
  const { anchor: good, ...rest } = exportOf(sealed);
  const given = typeof anchor === 'object' && Object.keys(anchor).length > 0 && !Array.isArray(anchor) ? { ...good, ...anchor } : anchor;
  const file = path.join(folder, 'anchor.json');
  await writeFile(file, JSON.stringify({ ...rest, anchor: given }));
  for (const words of [['audit', 'verify', '--file', file], ['replay', file]]) expect(await ripcord(...words)).toEqual({ code: 1, text: expect.stringMatching(/anchor\.json is not an export of `ripcord audit export`: anchor/) as string });
});

test('an export named after another rollback than its rows is refused', async () => {
  const file = path.join(folder, 'named.json');
  await writeFile(file, JSON.stringify({ ...exportOf(sealed), rollbackId: 'rb-2' }));
  expect(await ripcord('audit', 'verify', '--file', file)).toMatchObject({ code: 1, text: expect.stringContaining('it is named after rb-2, and its rows are of rb-1') as string });
});
