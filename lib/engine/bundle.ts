// Gives each function its code: bundles everything once for as long as no source changes, and hands out one directory a function.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Bundle } from './bundle-build.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const list = 'bundles.json';
/** Folders of sources that have changed since are kept for so long, in milliseconds: another process may still read them. */
const keptFor = 86_400_000;

let bundles: ReadonlyMap<string, Bundle> | undefined;

/**
 * The bundled code of one function: a handler's name, or `strategy-<name>`. Bundles are kept in `node_modules/.cache` and made anew when a source,
 * a dependency or the way they are made has changed.
 * @throws Error when a function cannot be bundled, is too large, or is not known.
 */
export function bundleOf(name: string): Bundle {
  bundles ??= new Map(ownBundles().map((one) => [one.name, one]));
  const bundle = bundles.get(name);
  if (bundle === undefined) throw new Error(`no function is called "${name}"; known: ${[...bundles.keys()].join(', ')}`);
  return bundle;
}

function ownBundles(): readonly Bundle[] {
  const key = keyOf(root);
  return bundlesIn(join(root, 'node_modules', '.cache', 'ripcord-bundles'), key, (directory) => {
    const made = buildIn(directory);
    if (keyOf(root) !== key) throw new Error('a source changed while the functions were bundled; try again');
    return made;
  });
}

/** What the bundles are made of: the sources, the versions of all dependencies, and the options. @param directory of the checkout. */
export function keyOf(directory: string): string {
  const sources = readdirSync(join(directory, 'lambdas'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts')).map((path) => join('lambdas', path));
  const files = [...sources, 'package.json', 'package-lock.json', 'tsconfig.json', 'lib/engine/bundle-build.ts', 'lib/engine/bundle-plugins.ts', 'lib/engine/handler-timeouts.ts'];
  const hash = createHash('sha256');
  for (const path of files.toSorted()) hash.update(`${path} ${createHash('sha256').update(readFileSync(join(directory, path))).digest('hex')}\n`);
  return hash.digest('hex').slice(0, 16);
}

/** Those that are kept under this key; made where there are none, or where one is not as it was made. */
export function bundlesIn(cache: string, key: string, build: (directory: string) => readonly Bundle[]): readonly Bundle[] {
  const kept = join(cache, key);
  const found = readKept(kept);
  if (found !== null) return found;
  mkdirSync(cache, { recursive: true });
  removeOld(cache);
  // Whole or not at all: another process may be looking for the same.
  const made = mkdtempSync(join(cache, 'new-'));
  try {
    writeFileSync(join(made, list), JSON.stringify(build(made)));
    rmSync(kept, { recursive: true, force: true });
    renameSync(made, kept);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    if (!isTaken(error)) throw error;
  }
  const all = readKept(kept);
  if (all === null) throw new Error(`the bundles in ${kept} are not as they were made; remove the folder and try again`);
  return all;
}

/** Somebody else was faster. */
const isTaken = (error: unknown): boolean => ['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '');

function readKept(directory: string): readonly Bundle[] | null {
  try {
    const named = (JSON.parse(readFileSync(join(directory, list), 'utf8')) as Bundle[]).map((one) => ({ ...one, directory: join(directory, one.name) }));
    const isAsMade = ({ directory: one, digest }: Bundle): boolean => createHash('sha256').update(readFileSync(join(one, 'index.mjs'))).digest('hex').startsWith(digest);
    return named.length > 0 && named.every(isAsMade) ? named : null;
  } catch {
    return null;
  }
}

function removeOld(cache: string): void {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    if (Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > keptFor) rmSync(path, { recursive: true, force: true });
  }
}

function buildIn(directory: string): readonly Bundle[] {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const script = fileURLToPath(new URL('./bundle-build.ts', import.meta.url));
  const { status, stdout, stderr, error } = spawnSync(process.execPath, ['--import', loader, script, directory], {
    encoding: 'utf8', maxBuffer: 16 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`the functions could not be bundled:\n${error?.message ?? stderr}`);
  return JSON.parse(stdout) as Bundle[];
}
