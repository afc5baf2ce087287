// Bundles are kept while nothing they are made of changes, and never served when they are not as they were made.
import { createHash } from 'node:crypto';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Bundle } from '../../lib/engine/bundle-build.ts';
import { bundlesIn, keyOf } from '../../lib/engine/bundle.ts';

let directory: string;
let cache: string;
let builds: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ripcord-cache-'));
  cache = join(directory, 'cache');
  builds = 0;
});
afterEach(() => rmSync(directory, { recursive: true }));

function build(to: string): readonly Bundle[] {
  builds += 1;
  const code = `export const handler = () => ${builds};`;
  mkdirSync(join(to, 'one'));
  writeFileSync(join(to, 'one', 'index.mjs'), code);
  return [{ name: 'one', directory: join(to, 'one'), bytes: code.length, digest: createHash('sha256').update(code).digest('hex').slice(0, 12) }];
}

const codeOf = ([bundle]: readonly Bundle[]): string => readFileSync(join(bundle?.directory ?? '', 'index.mjs'), 'utf8');

test('made once for one key, and anew for another', () => {
  expect([bundlesIn(cache, 'a', build), bundlesIn(cache, 'a', build)].map(codeOf)).toEqual(['export const handler = () => 1;', 'export const handler = () => 1;']);
  expect(codeOf(bundlesIn(cache, 'b', build))).toBe('export const handler = () => 2;');
  expect(readdirSync(cache).toSorted()).toEqual(['a', 'b']);
});

test.each([
  ['changed', (path: string) => appendFileSync(path, '\nfetch("https://elsewhere.example");')],
  ['removed', (path: string) => rmSync(path)],
])('a bundle that was %s is made anew', (_, bend) => {
  const [first] = bundlesIn(cache, 'a', build);
  bend(join(first?.directory ?? '', 'index.mjs'));
  expect(codeOf(bundlesIn(cache, 'a', build))).toBe('export const handler = () => 2;');
  expect(codeOf(bundlesIn(cache, 'a', build))).toBe('export const handler = () => 2;');
});

test('a build that fails leaves nothing, and says why', () => {
  expect(() => bundlesIn(cache, 'a', () => { throw new Error('assess has no handler'); })).toThrow('assess has no handler');
  expect(readdirSync(cache)).toEqual([]);
});

test('a folder that nobody made for a day goes with the next build', () => {
  for (const key of ['old', 'young']) bundlesIn(cache, key, build);
  const before = new Date(Date.now() - 2 * 86_400_000);
  utimesSync(join(cache, 'old'), before, before);
  bundlesIn(cache, 'next', build);
  expect(readdirSync(cache).toSorted()).toEqual(['next', 'young']);
});

test('the key changes with a source, with a dependency and with how bundles are made, and with nothing else', () => {
  const copy = join(directory, 'checkout');
  for (const path of ['lambdas', 'lib/engine', 'package.json', 'package-lock.json', 'tsconfig.json', 'README.md']) cpSync(path, join(copy, path), { recursive: true });
  const before = keyOf(copy);
  expect(before).toBe(keyOf(process.cwd()));
  const afterChange = (path: string): string => {
    const text = readFileSync(join(copy, path), 'utf8');
    appendFileSync(join(copy, path), ' ');
    const key = keyOf(copy);
    writeFileSync(join(copy, path), text);
    return key;
  };
  const changed = ['lambdas/runtime/assess.ts', 'lambdas/domain/decide.ts', 'package-lock.json', 'lib/engine/bundle-build.ts', 'lib/engine/bundle-plugins.ts'].map(afterChange);
  expect(changed.filter((key) => key === before)).toEqual([]);
  expect([afterChange('README.md'), keyOf(copy)]).toEqual([before, before]);
});
