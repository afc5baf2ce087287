// Every scenario that `npm run rehearse -- --list` shows is played by a test.
import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { scenarios } from '../../../sandbox/scenarios/catalogue.ts';

test('no scenario is left out', async () => {
  const here = new URL('.', import.meta.url);
  const files = (await readdir(here)).filter((file) => file.endsWith('.test.ts') && file !== 'all-listed.test.ts');
  const text = (await Promise.all(files.map((file) => readFile(new URL(file, here), 'utf8')))).join('\n');
  expect(scenarios.map(({ name }) => name).filter((name) => !text.includes(`'${name}'`))).toEqual([]);
});
