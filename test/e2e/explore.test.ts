// A sample of the exploration: every scenario and every fault a few times. `npm run explore` runs all of it.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

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
  const { code, text } = await explore(['--sample', '60', '--seed', '7', '--workers', '2']);
  expect(code, text).toBe(0);
  expect(text).toMatch(/60 cases in \d+ s: all keep every invariant/);
}, 240_000);
