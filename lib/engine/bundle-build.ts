// Bundles the handlers with esbuild; run as a process of its own, because esbuild's plugins are asynchronous and constructs are not.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';
import { manifests } from '../../lambdas/strategies/registry.ts';
import { shakeableSchemas, withoutUnused } from './bundle-plugins.ts';
import { handlerNames } from './handler-timeouts.ts';

/** Lambda downloads and parses the bundle on each cold start, and a rollback always starts cold. */
export const bundleLimitBytes = 400_000;

/** One bundled function: a directory that holds only `index.mjs`. */
export interface Bundle {
  readonly name: string;
  readonly directory: string;
  readonly bytes: number;
  /** First 12 digits of the SHA-256 of the bundle: which code decided. */
  readonly digest: string;
}

const lambdas = fileURLToPath(new URL('../../lambdas', import.meta.url));

const requireShim = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);\n";

/** A strategy's function has no file of its own: its entry is made from its name. */
const strategyEntries: esbuild.Plugin = {
  name: 'strategy-entries',
  setup: (build) => {
    build.onResolve({ filter: /^strategy:/ }, ({ path }) => ({ path: path.slice('strategy:'.length), namespace: 'strategy' }));
    build.onLoad({ filter: /.*/, namespace: 'strategy' }, ({ path: name }) => ({
      contents: [
        `import { strategy } from './strategies/${name}/live.ts';`,
        "import { strategyHandler } from './runtime/strategy-handler.ts';",
        'export const handler = strategyHandler(strategy);',
      ].join('\n'),
      resolveDir: lambdas,
      loader: 'ts',
    }));
  },
};

/** Every function in one run, so that the SDK is parsed once and not a dozen times. */
export const bundleOptions = (outDirectory: string) => ({
  entryPoints: [
    ...handlerNames.map((name) => ({ in: join(lambdas, 'handlers', `${name}.ts`), out: `${name}/index` })),
    ...Object.keys(manifests).map((name) => ({ in: `strategy:${name}`, out: `strategy-${name}/index` })),
  ],
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  mainFields: ['module', 'main'],
  minify: true,
  keepNames: false,
  legalComments: 'none',
  logLevel: 'silent',
  outdir: outDirectory,
  outExtension: { '.js': '.mjs' },
  // Names inside the code must not depend on where the checkout lies: they would change the asset's hash.
  absWorkingDir: lambdas,
  alias: { '@aws-sdk/credential-provider-node': join(lambdas, 'runtime/lambda-credentials.ts') },
  plugins: [strategyEntries, shakeableSchemas, withoutUnused],
} as const satisfies esbuild.BuildOptions);

function writeBundle(path: string, text: string): Bundle {
  const code = text.includes('Dynamic require of') ? requireShim + text : text;
  const directory = dirname(path);
  mkdirSync(directory, { recursive: true });
  writeFileSync(path, code);
  return { name: basename(directory), directory, bytes: Buffer.byteLength(code), digest: createHash('sha256').update(code).digest('hex').slice(0, 12) };
}

/**
 * Bundles every handler (`assess` …) and every registered strategy (`strategy-alb-weights` …).
 * @throws Error naming what cannot be bundled, or each function that is larger than {@link bundleLimitBytes}.
 */
export async function buildBundles(outDirectory: string, limitBytes = bundleLimitBytes): Promise<readonly Bundle[]> {
  const { outputFiles } = await esbuild.build({ ...bundleOptions(outDirectory), write: false });
  const bundles = outputFiles.map(({ path, text }) => writeBundle(path, text));
  const tooLarge = bundles.filter(({ bytes }) => bytes > limitBytes);
  if (tooLarge.length > 0) throw new Error(tooLarge.map(({ name, bytes }) =>
    `the bundle of function "${name}" has ${bytes} bytes, more than ${limitBytes}: import fewer clients, or single commands`).join('\n'));
  return bundles;
}

if (process.argv[1] !== undefined && basename(process.argv[1]) === basename(fileURLToPath(import.meta.url)) && process.argv[2] !== undefined) {
  try {
    process.stdout.write(JSON.stringify(await buildBundles(process.argv[2])));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
