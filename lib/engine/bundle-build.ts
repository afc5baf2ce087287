// Bundles the handlers with esbuild; run as a process of its own, because esbuild's plugins are asynchronous and constructs are not.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
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

const strategyEntry = (name: string): string => [
  `import { strategy } from './strategies/${name}/live.ts';`,
  "import { strategyHandler } from './runtime/strategy-handler.ts';",
  'export const handler = strategyHandler(strategy);',
].join('\n');

const common: esbuild.BuildOptions = {
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
  outdir: 'out',
  outExtension: { '.js': '.mjs' },
  // Chunk and path names must not depend on where the checkout lies: they would change the asset's hash.
  absWorkingDir: lambdas,
  alias: { '@aws-sdk/credential-provider-node': join(lambdas, 'runtime/lambda-credentials.ts') },
  plugins: [shakeableSchemas, withoutUnused],
};

async function codeOf(options: esbuild.BuildOptions): Promise<string> {
  const { outputFiles } = await esbuild.build({ ...common, ...options });
  const code = outputFiles?.[0]?.text;
  if (code === undefined) throw new Error('esbuild returned no output');
  return code.includes('Dynamic require of') ? requireShim + code : code;
}

async function bundleOne(name: string, options: esbuild.BuildOptions, outDirectory: string): Promise<Bundle> {
  const code = await codeOf(options).catch((error: unknown) => { throw new Error(`function "${name}" cannot be bundled: ${String(error)}`, { cause: error }); });
  const directory = join(outDirectory, name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'index.mjs'), code);
  return { name, directory, bytes: Buffer.byteLength(code), digest: createHash('sha256').update(code).digest('hex').slice(0, 12) };
}

/**
 * Bundles every handler (`assess` …) and every registered strategy (`strategy-alb-weights` …).
 * @throws Error naming each function that cannot be bundled, or is larger than {@link bundleLimitBytes}.
 */
export async function buildBundles(outDirectory: string): Promise<readonly Bundle[]> {
  const settled = await Promise.allSettled([
    ...handlerNames.map((name) => bundleOne(name, { entryPoints: [join(lambdas, 'handlers', `${name}.ts`)] }, outDirectory)),
    ...Object.keys(manifests).map((name) =>
      bundleOne(`strategy-${name}`, { stdin: { contents: strategyEntry(name), resolveDir: lambdas, loader: 'ts', sourcefile: `${name}.ts` } }, outDirectory)),
  ]);
  const bundles = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const problems = [
    ...settled.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : [])),
    ...bundles.filter(({ bytes }) => bytes > bundleLimitBytes).map(({ name, bytes }) =>
      `the bundle of function "${name}" has ${bytes} bytes, more than ${bundleLimitBytes}: import fewer clients, or single commands`),
  ];
  if (problems.length > 0) throw new Error(problems.join('\n'));
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
