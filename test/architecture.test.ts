// The rules of the code as tests: who may import whom, how large a file may be, what it may be called.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

interface Import {
  readonly from: string;
  /** Path in the repository for a relative import, else the package as written. */
  readonly to: string;
  readonly isTypeOnly: boolean;
}

const folders = ['bin', 'lib', 'lambdas', 'sandbox', 'test'];
const files = folders.flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)))
  .filter((path) => path.endsWith('.ts') && !path.includes('node_modules')).toSorted();
const source = new Map(files.map((path) => [path, readFileSync(path, 'utf8')]));
const productFiles = files.filter((path) => !path.startsWith('test/'));

const statement = /^(?:import|export)\s+(type\s+)?((?:[\w*{},\s$]|\btype\b)*?)\s*from\s+'([^']+)'/gm;
const bare = /^import\s+'([^']+)'/gm;
const dynamic = /\bimport\('([^']+)'\)/g;

const isTypeClause = (names: string): boolean =>
  /^\{[^}]*\}$/.test(names.trim()) && names.replaceAll(/[{}]/g, '').split(',').map((name) => name.trim()).filter((name) => name !== '').every((name) => name.startsWith('type '));

function importsOf(from: string): Import[] {
  const text = source.get(from) ?? '';
  const resolved = (to: string): string => (to.startsWith('.') ? join(dirname(from), to) : to);
  return [
    ...[...text.matchAll(statement)].map(([, type, names, to]) => ({ from, to: resolved(to ?? ''), isTypeOnly: type !== undefined || isTypeClause(names ?? '') })),
    ...[...text.matchAll(bare), ...text.matchAll(dynamic)].map(([, to]) => ({ from, to: resolved(to ?? ''), isTypeOnly: false })),
  ];
}

const imports = files.flatMap(importsOf);
const under = (...starts: string[]) => (path: string): boolean => starts.some((start) => path.startsWith(start));
const shown = (wrong: readonly Import[]): string[] => wrong.map(({ from, to }) => `${from} imports ${to}`);

/** Imports of these files that no rule of theirs allows. */
const strays = (where: (path: string) => boolean, allowed: (one: Import) => boolean): string[] => shown(imports.filter((one) => where(one.from) && !allowed(one)));

test('the imports are found at all', () => {
  expect(imports.length).toBeGreaterThan(400);
  expect(importsOf('lib/engine/bundle.ts')).toContainEqual({ from: 'lib/engine/bundle.ts', to: 'lib/engine/bundle-build.ts', isTypeOnly: true });
  expect(importsOf('lib/engine/bundle.ts')).toContainEqual({ from: 'lib/engine/bundle.ts', to: 'node:path', isTypeOnly: false });
});

describe('who may import whom', () => {
  test('the pure core imports itself, node:crypto, and zod to parse what it is given', () => {
    const core = under('lambdas/domain/', 'lambdas/statistics/', 'lambdas/audit/');
    // The catalogue's types are the words of decisions; the schema itself stays outside.
    const isConfigType = (one: Import): boolean => one.isTypeOnly && ['lambdas/config/schema.ts', 'lambdas/config/release-sources.ts'].includes(one.to);
    expect(strays(core, (one) => core(one.to) || ['node:crypto', 'zod'].includes(one.to) || isConfigType(one))).toEqual([]);
  });

  test('the pure core reads no clock, chance or environment', () => {
    const impure = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bprocess\.|\bperformance\.|\bsetTimeout\(/;
    const exceptions = ['lambdas/domain/clock.ts'];
    const pure = files.filter((path) => under('lambdas/domain/', 'lambdas/statistics/', 'lambdas/audit/')(path) || /^lambdas\/strategies\/.+\/(plan|way)\.ts$/.test(path));
    expect(pure.filter((path) => !exceptions.includes(path) && impure.test(source.get(path) ?? ''))).toEqual([]);
  });

  test('no strategy imports another', () => {
    const folderOf = (path: string): string | undefined => /^lambdas\/strategies\/([^/]+)\//.exec(path)?.[1];
    expect(shown(imports.filter(({ from, to }) => folderOf(from) !== undefined && folderOf(to) !== undefined && folderOf(from) !== folderOf(to)))).toEqual([]);
  });

  test('what a strategy may do is for the synthesizer: no handler carries it', () => {
    const permissions = /^lambdas\/strategies\/([^/]+\/)?permissions\.ts$/;
    expect(shown(imports.filter(({ from, to }) => permissions.test(to) && !permissions.test(from) && !under('lib/', 'test/')(from)))).toEqual([]);
  });

  test('a manifest, its permissions, a plan and a way know neither AWS nor the runtime', () => {
    const quiet = (path: string): boolean => /^lambdas\/strategies\/[^/]+\/(manifest|permissions|plan|way)\.ts$/.test(path);
    expect(strays(quiet, ({ to }) => to === 'zod' || under('lambdas/domain/', 'lambdas/strategies/')(to))).toEqual([]);
  });

  test('the SDK is called where AWS is touched only', () => {
    const touching = (path: string): boolean => /^lambdas\/strategies\/[^/]+\//.test(path) && !/\/(manifest|permissions|plan|way)\.ts$/.test(path) || under('lambdas/adapters/', 'sandbox/', 'test/', 'bin/')(path) || path === 'lambdas/runtime/wiring.ts';
    expect(shown(imports.filter(({ from, to, isTypeOnly }) => to.startsWith('@aws-sdk/') && !isTypeOnly && !touching(from)))).toEqual([]);
    const building = files.filter((path) => path.startsWith('lambdas/') && /\bnew \w+Client\(/.test(source.get(path) ?? ''));
    expect(building).toEqual(['lambdas/runtime/wiring.ts']);
  });

  test('nothing under lambdas knows the CDK, nothing under lib knows the SDK', () => {
    const isCdk = ({ to }: Import): boolean => to.startsWith('aws-cdk-lib') || to === 'constructs' || to === 'cdk-nag';
    expect(strays(under('lambdas/'), (one) => !isCdk(one) && !under('lib/', 'sandbox/', 'bin/', 'test/')(one.to))).toEqual([]);
    expect(strays(under('lib/'), ({ to }) => !to.startsWith('@aws-sdk/'))).toEqual([]);
  });

  test('lib takes from lambdas what is data: manifests, schema, names of variables', () => {
    const data = /^lambdas\/(strategies\/([^/]+\/(manifest|permissions)|permissions|registry|strategy|target-fields)|config\/(schema|release-sources|journey-addresses)|runtime\/environment)\.ts$/;
    expect(strays(under('lib/'), ({ to }) => !to.startsWith('lambdas/') || data.test(to))).toEqual([]);
    expect(strays(under('lib/'), ({ to }) => !under('sandbox/', 'bin/', 'test/')(to))).toEqual([]);
  });

  test('the sandbox shares nothing with what it tests, not even a type', () => {
    expect(strays(under('sandbox/'), ({ to }) => !under('lambdas/', 'lib/', 'bin/', 'test/')(to))).toEqual([]);
  });

  test('a handler is imported by nobody', () => {
    expect(shown(imports.filter(({ from, to }) => to.startsWith('lambdas/handlers/') && !from.startsWith('test/')))).toEqual([]);
  });

  test('the environment is read in two places', () => {
    const reading = files.filter((path) => path.startsWith('lambdas/') && /\bprocess\.env\b/.test((source.get(path) ?? '').replaceAll(/\/\/.*$/gm, '')));
    expect(reading).toEqual(['lambdas/runtime/environment.ts', 'lambdas/runtime/lambda-credentials.ts']);
  });

  test('nobody imports in a circle', () => {
    const next = grouped();
    const done = new Set<string>();
    const circles: string[] = [];
    const walk = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) return void circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      if (done.has(path)) return;
      for (const { to, isTypeOnly } of next.get(path) ?? []) if (source.has(to) && !isTypeOnly) walk(to, [...trail, path]);
      done.add(path);
    };
    for (const path of files) walk(path, []);
    // A state holds graphs and a graph holds states: the interpreter calls itself.
    const isInterpreter = (circle: string): boolean => circle.split(' → ').every((path) => path.startsWith('sandbox/services/states/'));
    expect(circles.filter((circle) => !isInterpreter(circle))).toEqual([]);
  });
});

function grouped(): Map<string, Import[]> {
  const groups = new Map<string, Import[]>();
  for (const one of imports) groups.set(one.from, [...(groups.get(one.from) ?? []), one]);
  return groups;
}

describe('shape', () => {
  test('no file has more than 300 lines, no handler more than 40', () => {
    const lines = (path: string): number => (source.get(path) ?? '').trimEnd().split('\n').length;
    expect(productFiles.filter((path) => lines(path) > 300).map((path) => `${path}: ${lines(path)}`)).toEqual([]);
    expect(files.filter((path) => path.startsWith('lambdas/handlers/') && lines(path) > 40).map((path) => `${path}: ${lines(path)}`)).toEqual([]);
  });

  test('every file begins with a sentence that says what it is for', () => {
    const begins = (path: string): boolean => /^(#!.*\n)?\/\/ \S.{9,}/.test(source.get(path) ?? '');
    expect(files.filter((path) => !begins(path))).toEqual([]);
  });

  test('names are kebab-case and say something', () => {
    const empty = /^(utils?|helpers?|common|misc|managers?|base|types|lib|shared)(\.test)?\.ts$/;
    expect(files.filter((path) => !/^[a-z0-9]+([-.][a-z0-9]+)*\.ts$/.test(basename(path)) || empty.test(basename(path)))).toEqual([]);
  });

  test('nothing is exported by default, and there is one barrel', () => {
    expect(files.filter((path) => !path.endsWith('.d.ts') && /^export default\b/m.test(source.get(path) ?? ''))).toEqual([]);
    expect(productFiles.filter((path) => basename(path) === 'index.ts' || /^export (?:type )?(?:\*|\{[^}]*\}) from/m.test(source.get(path) ?? ''))).toEqual(['lib/index.ts']);
  });

  test('zod is imported as a namespace: otherwise all of it is in every bundle', () => {
    expect([...source].filter(([, text]) => /import \{[^}]*\} from 'zod'/.test(text)).map(([path]) => path)).toEqual([]);
  });
});
