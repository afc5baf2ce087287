// Plays one scenario on the real synthesized stack and shows what did not hold.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { replayRows } from '../../../bin/commands/replay-rows.ts';
import { verifyChain } from '../../../lambdas/audit/chain.ts';
import { synthesize } from '../../../lib/app.ts';
import { scenarioNamed } from '../../../sandbox/scenarios/catalogue.ts';
import { type Played, play } from '../../../sandbox/stage/play.ts';

/** Real traffic on a machine that stalls can make one service sick in CloudWatch's eyes a minute before the others: such a story is told twice before it counts as broken. */
const hangsOnAMinute: readonly string[] = ['sick-region'];

export function playEach(names: readonly string[]): void {
  test.each(names.filter((name) => !hangsOnAMinute.includes(name)))('%s', async (name) => { expect((await playOne(name)).passed).toBe(true); });
  test.each(names.filter((name) => hangsOnAMinute.includes(name)))('%s', { retry: 1 }, async (name) => { expect((await playOne(name)).passed).toBe(true); });
}

/** To be called in a test. @returns what was played, when all of its facts held. */
export async function playOne(name: string): Promise<Played> {
  const directory = await mkdtemp(path.join(tmpdir(), `ripcord-${name}-`));
  const lines: string[] = [];
  const played = await play(scenarioNamed(name), { speed: 120, directory, synthesize: (config, out) => void synthesize(config, out), print: (line) => lines.push(line) });
  const broken = played.checks.filter(({ holds }) => !holds).map(({ fact, evidence }) => `${fact}: ${evidence}`);
  expect({ broken, breaches: played.breaches, error: played.error }, lines.join('\n')).toEqual({ broken: [], breaches: [], error: null });
  expect(played.checks.length).toBeGreaterThan(0);
  expectReplay(played);
  await rm(directory, { recursive: true, force: true });
  return played;
}

/** Every record is as it was written, and every decision and every round of proof in it is made again from what it holds. */
function expectReplay({ records }: Played): void {
  const replayed = records.flatMap(({ rows }) => replayRows(rows));
  expect(replayed.length).toBeGreaterThan(0);
  expect(replayed.filter(({ result }) => result !== 'same')).toEqual([]);
  expect(records.map(({ rows }) => verifyChain(rows)).filter(({ intact }) => !intact)).toEqual([]);
}
