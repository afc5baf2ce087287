// Every function's bundle: small, importable, the same wherever the checkout lies, and refused when it grows.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as esbuild from 'esbuild';
import { buildBundles, type Bundle, bundleLimitBytes } from '../../lib/engine/bundle-build.ts';
import { hollow, shakeable, undescribed, unreached, withoutExtensions, withoutOldFormats } from '../../lib/engine/bundle-plugins.ts';
import { handlerNames } from '../../lib/engine/handler-timeouts.ts';

let directory: string;
let bundles: readonly Bundle[];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ripcord-bundle-test-'));
  bundles = await buildBundles(join(directory, 'first'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('there is one for each handler and each strategy', () => {
  expect(bundles.map(({ name }) => name).toSorted()).toEqual([...handlerNames, 'strategy-alb-weights', 'strategy-codedeploy', 'strategy-ecs-service', 'strategy-lambda-alias', 'strategy-route53-weights', 'strategy-ssm-parameter'].toSorted());
});

test('each has 400,000 bytes at most', () => {
  for (const { name, bytes } of bundles) expect(bytes, `${name} has ${bytes} bytes`).toBeLessThanOrEqual(bundleLimitBytes);
  expect(bundleLimitBytes).toBe(400_000);
});

test('each can be imported and has a handler, without environment or network', async () => {
  for (const { directory: one, name } of bundles) {
    const module = (await import(pathToFileURL(join(one, 'index.mjs')).href)) as { handler: unknown };
    expect(module.handler, name).toBeTypeOf('function');
  }
});

test('each is the same wherever it is made, and holds no path of this machine', async () => {
  const again = await buildBundles(join(directory, 'second'));
  expect(again.map(({ digest }) => digest)).toEqual(bundles.map(({ digest }) => digest));
  for (const { directory: one } of again) expect(readFileSync(join(one, 'index.mjs'), 'utf8')).not.toContain(process.cwd());
});

test('one that is too large is refused with its name, its size and the mend', async () => {
  await expect(buildBundles(join(directory, 'third'), 1000)).rejects.toThrow(/the bundle of function "assess" has \d+ bytes, more than 1000: import fewer clients, or single commands/);
});

test('holds no chain of credential providers', () => {
  for (const { directory: one, name } of bundles) expect(readFileSync(join(one, 'index.mjs'), 'utf8'), name).not.toMatch(/AWS_WEB_IDENTITY_TOKEN_FILE|sso_session/);
});

test('holds of a package.json the version alone, and no cache for endpoint discovery', () => {
  const found = bundles.map(({ directory: one, name }) => `${name} ${/devDependencies|LRUCache|splayOnTop/.exec(readFileSync(join(one, 'index.mjs'), 'utf8'))?.[0] ?? 'clean'}`);
  expect(found).toEqual(bundles.map(({ name }) => `${name} clean`));
});

describe('what esbuild cannot see by itself', () => {
  test('modelled error classes go, computed keys become plain ones', () => {
    const source = 'const _h = "http";\nn0_registry.registerError(Gone$, Gone);\nexport var Op$ = [9, n0, _Op, { [_h]: ["GET", "/x", 200], [_other]: 1 }];\n';
    expect(shakeable(source)).toBe('const _h = "http";\n\nexport var Op$ = [9, n0, _Op, { "http": ["GET", "/x", 200], [_other]: 1 }];\n');
  });

  test('every Region is in the partition that it was in, also without its description', async () => {
    type Partitions = typeof import('@aws-sdk/core/client');
    const load = async (source: string): Promise<{ partitions: { id: string; outputs: object; regionRegex: string; regions: Record<string, object> }[] }> =>
      ((await import(`data:text/javascript,${encodeURIComponent(source)}`)) as { partitionsInfo: never }).partitionsInfo;
    const source = readFileSync('node_modules/@aws-sdk/core/dist-es/submodules/client/util-endpoints/lib/aws/partitions.js', 'utf8');
    const [before, after] = [await load(source), await load(undescribed(source))];
    const { partition, setPartitionInfo } = (await import('@aws-sdk/core/client')) as Partitions;
    const regions = [...before.partitions.flatMap((one) => Object.keys(one.regions)), 'eu-north-9', 'nowhere'];
    const found = (info: typeof before): unknown[] => {
      setPartitionInfo(info as never);
      return regions.map((region) => ({ ...partition(region), description: '' }));
    };
    expect(found(after)).toEqual(found(before));
    expect(after.partitions[0]?.regions).toEqual({ 'aws-global': { description: 'aws global region' } });
  });

  test('a hollow module has the same exports, each of which says that it was left out', async () => {
    const code = hollow('export function one() { return 1; }\nexport const two = 2;\nfunction inner() {}\nexport { inner as three };\n', 'JSON Schemas');
    const module = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as Record<string, () => () => void>;
    expect(Object.keys(module).toSorted()).toEqual(['one', 'three', 'two']);
    expect(() => module['one']?.()()).toThrow('JSON Schemas are left out of the bundles');
  });

  test('strings lose the old spellings of formats, and nothing else', () => {
    const path = 'node_modules/zod/v4/classic/schemas.js';
    const [whole, shaken] = [readFileSync(path, 'utf8'), withoutOldFormats(readFileSync(path, 'utf8'))];
    const methods = (source: string): string[] => [...source.matchAll(/^ {4}(\w+)\(.*\) \{$/gm)].map(([, name = '']) => name);
    const gone = new Set(methods(whole).filter((name) => !methods(shaken).includes(name)));
    expect([...gone]).toEqual(expect.arrayContaining(['email', 'uuid', 'ipv4', 'datetime']));
    expect(['regex', 'min', 'max', 'startsWith', 'int', 'optional', 'default', 'refine'].filter((name) => gone.has(name))).toEqual([]);
    expect(whole.split('\n').length - shaken.split('\n').length).toBe(3 * (methods(whole).length - methods(shaken).length));
  });

  test('a client without extensions has the same configuration, value for value, as one whose extensions are left out', async () => {
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: Record<string, string> };
    const clients = Object.keys(dependencies).filter((name) => name.startsWith('@aws-sdk/client-'));
    expect(clients.length).toBeGreaterThan(5);
    const contents = clients.map((name, index) => `
      import { resolveRuntimeExtensions as resolve${index} } from './node_modules/${name}/dist-es/runtimeExtensions.js';
      import { getRuntimeConfig as config${index} } from './node_modules/${name}/dist-es/runtimeConfig.js';
      export const client${index} = { resolve: resolve${index}, config: config${index} };`).join('\n');
    const outfile = join(directory, 'extensions.mjs');
    await esbuild.build({ stdin: { contents, resolveDir: process.cwd(), loader: 'js' }, bundle: true, format: 'esm', platform: 'node', outfile, logLevel: 'silent', banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" } });
    type Config = Record<string, unknown>;
    const found = (await import(pathToFileURL(outfile).href)) as Record<string, { resolve: (config: Config, extensions: readonly []) => Config; config: (given: Config) => Config }>;
    const { resolveRuntimeExtensions } = (await import(`data:text/javascript,${encodeURIComponent(withoutExtensions)}`)) as { resolveRuntimeExtensions: (config: Config) => Config };
    for (const [index, name] of clients.entries()) {
      const { resolve, config } = found[`client${index}`] ?? { resolve: (): Config => ({}), config: (): Config => ({ never: true }) };
      const before = config({ region: 'eu-west-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
      const after = resolve({ ...before }, []);
      const set = (one: Config): string[] => Object.keys(one).filter((key) => one[key] !== undefined).toSorted();
      expect(set(after), name).toEqual(set(resolveRuntimeExtensions({ ...before })));
      expect(set(after).filter((key) => after[key] !== before[key]), name).toEqual([]);
    }
  });

  test.each(Object.entries(unreached))('%s exists, and what stands in its place has the same exports', async (end, contents) => {
    const exportsOf = async (entry: esbuild.BuildOptions): Promise<readonly string[]> => {
      const { metafile } = await esbuild.build({ ...entry, bundle: true, write: false, metafile: true, format: 'esm', platform: 'node', outdir: directory, logLevel: 'silent' });
      return Object.values(metafile.outputs).flatMap((output) => output.exports).toSorted();
    };
    const original = await exportsOf({ entryPoints: [join('node_modules', end)] });
    expect(original.length).toBeGreaterThan(0);
    expect(await exportsOf({ stdin: { contents, loader: 'js' } })).toEqual(original);
  });
});
