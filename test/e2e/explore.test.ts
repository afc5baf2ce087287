// A sample of the exploration: each scenario and each fault at least once. `npm run explore` runs all of it.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { faultNames } from '../../sandbox/explore/cases.ts';
import { scenarios } from '../../sandbox/explore/scenarios.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
// Enough for each scenario and fault, and done within a minute on two quiet cores: most of it is playing each scenario without a fault.
const sample = 24;

async function explore(args: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', 'bin/explore.ts', ...args], { cwd: root, maxBuffer: 64 * 1024 * 1024 });
    return { code: 0, text: stdout };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, text: stdout };
  }
}

test('a sample of all faults at all calls keeps every invariant', async () => {
  const { code, text } = await explore(['--sample', String(sample), '--seed', '7', '--workers', '2']);
  expect(code, text).toBe(0);
  expect(text).toMatch(new RegExp(`${sample} cases in \\d+ s: all keep every invariant`));
  expect(text).toMatch(/\d+ invocations before a fault were played back/);
  const lines = text.split('\n');
  const head = lines.find((line) => scenarios.every(({ name }) => line.split(/\s+/).includes(name)));
  expect(head, text).toBeDefined();
  expect(faultNames.filter((fault) => !lines.some((line) => line.startsWith(`${fault} `)))).toEqual([]);
}, 600_000);
