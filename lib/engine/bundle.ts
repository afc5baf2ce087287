// Gives each function its code: bundles everything once a process, and hands out one directory a function.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Bundle } from './bundle-build.ts';

let bundles: ReadonlyMap<string, Bundle> | undefined;

function build(): ReadonlyMap<string, Bundle> {
  const directory = mkdtempSync(join(tmpdir(), 'ripcord-bundles-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const script = fileURLToPath(new URL('./bundle-build.ts', import.meta.url));
  const { status, stdout, stderr, error } = spawnSync(process.execPath, ['--import', loader, script, directory], {
    encoding: 'utf8', maxBuffer: 16 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`the functions could not be bundled:\n${error?.message ?? stderr}`);
  return new Map((JSON.parse(stdout) as Bundle[]).map((one) => [one.name, one]));
}

/**
 * The bundled code of one function: a handler's name, or `strategy-<name>`.
 * @throws Error when a function cannot be bundled, is too large, or is not known.
 */
export function bundleOf(name: string): Bundle {
  bundles ??= build();
  const bundle = bundles.get(name);
  if (bundle === undefined) throw new Error(`no function is called "${name}"; known: ${[...bundles.keys()].join(', ')}`);
  return bundle;
}
