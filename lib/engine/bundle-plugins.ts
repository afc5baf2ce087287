// What esbuild cannot see by itself: which parts of the SDK and of zod no handler of ours can reach.
import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';

/**
 * Two things keep esbuild from dropping what no handler uses of a client's schemas:
 * modelled error classes are registered at import (without them the SDK throws its base class under the same `name`), and
 * a computed key `{ [_h]: … }` could have side effects, which keeps every operation of a REST client with all its shapes.
 */
export function shakeable(source: string): string {
  const constants = new Map([...source.matchAll(/^const (_\w+) = ("[^"]*");$/gm)].map(([, name, value]) => [name, value]));
  return source
    .replaceAll(/^n0_registry\.registerError\(.*$/gm, '')
    .replaceAll(/\[(_\w+)\]:/g, (computed, name: string) => (constants.has(name) ? `${constants.get(name)}:` : computed));
}

export const shakeableSchemas: Plugin = {
  name: 'shakeable-schemas',
  setup: (build) => {
    build.onLoad({ filter: /@aws-sdk\/client-[a-z0-9-]+\/dist-es\/schemas\/schemas_0\.js$/ }, ({ path }) => ({
      contents: shakeable(readFileSync(path, 'utf8')), loader: 'js',
    }));
  },
};

interface Partition {
  readonly regionRegex: string;
  readonly regions: Readonly<Record<string, unknown>>;
}

/** Of the list of partitions the Regions that a partition's pattern does not know by itself: of the others it tells only how people call them. */
export function undescribed(source: string): string {
  const [, begin = '', list = '{}', end = ''] = /^(export const partitionsInfo = )(\{.*\})(;?\s*)$/s.exec(source) ?? [];
  const { partitions, ...rest } = JSON.parse(list) as { readonly partitions: readonly Partition[] };
  const named = ({ regions, regionRegex }: Partition): object => Object.fromEntries(Object.entries(regions).filter(([region]) => !new RegExp(regionRegex).test(region)));
  return `${begin}${JSON.stringify({ ...rest, partitions: partitions.map((one) => ({ ...one, regions: named(one) })) })}${end}`;
}

const leftOut = (what: string): string => `() => { throw new Error('${what} are left out of the bundles'); }`;

/** A module with the same exports, each of which makes a function that says it was left out. */
export function hollow(source: string, what: string): string {
  const names = [...source.matchAll(/^export (?:const|function) (\w+)/gm)].map(([, name]) => name);
  const renamed = [...source.matchAll(/^export \{ (\w+) as (\w+) \};$/gm)].map(([, , name]) => name);
  return [`const gone = () => ${leftOut(what)};`, ...[...names, ...renamed].map((name) => `export { gone as ${name} };`)].join('\n');
}

/** Modules that are never reached on Lambda's Node.js, by the end of their path, and what stands in their place. */
export const unreached: Readonly<Record<string, string>> = {
  // Node.js has SHA-256 itself.
  '@smithy/core/dist-es/submodules/checksum/sha256/Sha256Js.js': `export const Sha256Js = ${leftOut('hashes in JavaScript')};`,
  // Lambda names the Region in the environment.
  '@smithy/core/dist-es/submodules/config/config-resolver/regionConfig/getInstanceMetadataRegion.js': 'export const getInstanceMetadataRegion = async () => undefined;',
  // Lambda has no home directory with AWS configuration in it.
  '@smithy/core/dist-es/submodules/config/shared-ini-file-loader/loadSharedConfigFiles.js': "export const CONFIG_PREFIX_SEPARATOR = '.';\nexport const loadSharedConfigFiles = async () => ({ configFile: {}, credentialsFile: {} });",
  // No handler calls S3.
  '@smithy/core/dist-es/submodules/endpoints/middleware-endpoint/service-customizations/s3.js': `export const DOT_PATTERN = /\\./, S3_HOSTNAME_PATTERN = DOT_PATTERN;\nexport const resolveParamsForS3 = async (params) => params, isDnsCompatibleBucketName = ${leftOut('buckets')}, isArnBucketName = isDnsCompatibleBucketName;`,
  // Slows itself down in the adaptive mode of retries alone, to which no client of ours is set: there it would retry as the standard mode does.
  '@smithy/core/dist-es/submodules/retry/util-retry/DefaultRateLimiter.js': 'export class DefaultRateLimiter { async getSendToken() {} updateClientSendingRate() {} }',
  '@smithy/core/dist-es/submodules/retry/util-retry/AdaptiveRetryStrategy.js': `export class AdaptiveRetryStrategy { acquireInitialRetryToken = ${leftOut('adaptive retries')}; }`,
  // Tells each call to a logger of the client's own, and no client of ours has one.
  '@aws-sdk/core/dist-es/submodules/client/middleware-logger/loggerMiddleware.js': 'export const loggerMiddleware = () => (next) => next, loggerMiddlewareOptions = {}, getLoggerPlugin = () => ({ applyToStack: () => {} });',
  // Tells AWS in the name of the client which features of the SDK are used.
  '@aws-sdk/core/dist-es/submodules/client/middleware-user-agent/check-features.js': 'export async function checkFeatures() {}',
  // Makes a store for what belongs to an invocation where the runtime has none of its own; the trace then is that of the environment.
  '@aws/lambda-invoke-store/dist-es/invoke-store.js': 'export class InvokeStoreBase {}\nexport const InvokeStore = { getInstanceAsync: async () => globalThis.awslambda?.InvokeStore };',
  // Hides secrets in what it tells that logger.
  '@smithy/core/dist-es/submodules/client/smithy-client/schemaLogFilter.js': `export const schemaLogFilter = ${leftOut('logs of calls')};`,
  // Warns of a Node.js older than the SDK wants; on Lambda it is the one that the stack names.
  '@aws-sdk/core/dist-es/submodules/client/emitWarningIfUnsupportedVersion.js': 'export const state = { warningEmitted: true }, emitWarningIfUnsupportedVersion = () => {};',
  // Keeps log lines back until an error, to which no logger of ours is set.
  '@aws-lambda-powertools/logger/lib/esm/logBuffer.js': `export class SizedItem { constructor() { (${leftOut('buffered logs')})(); } }\nexport class SizedSet extends Set {}\nexport class CircularMap extends Map { constructor() { super(); } setItem = ${leftOut('buffered logs')}; }`,
  // Signs the headers of event streams, and no operation of ours streams events.
  '@smithy/signature-v4/dist-es/HeaderFormatter.js': `export class HeaderFormatter { format = ${leftOut('event streams')}; }\nexport class Int64 { static fromNumber = ${leftOut('event streams')}; }`,
  // Reads how CloudWatch's client compresses what it sends: only measurements are compressed, and no handler sends any.
  '@smithy/middleware-compression/dist-es/resolveCompressionConfig.js': 'export const resolveCompressionConfig = (input) => input;',
  '@smithy/middleware-compression/dist-es/NODE_REQUEST_MIN_COMPRESSION_SIZE_BYTES_CONFIG_OPTIONS.js': ['CONFIG_OPTIONS = {}', 'ENV_NAME = ""', 'INI_NAME = ""']
    .map((one) => `export const NODE_REQUEST_MIN_COMPRESSION_SIZE_BYTES_${one};`).join('\n') + '\nexport const DEFAULT_NODE_REQUEST_MIN_COMPRESSION_SIZE_BYTES = 0;',
  // Keeps values that hold themselves from being parsed for ever: what comes from JSON never does. zod/mini goes without it too.
  'zod/v4/core/memoizer.js': 'export class $ZodCyclicError extends Error {}\nexport const memoizer = () => undefined, isBackEdge = () => false, isRecursiveSchema = () => false;',
};

/** Strings without the old spellings of formats (`z.string().email()` for `z.email()`), each of which keeps a schema, its checks and its pattern. A schema that uses one is refused when its bundle is loaded. */
export const withoutOldFormats = (source: string): string => source.replaceAll(/^ {4}\w+\(params\) \{\n {8}return this\.check\(core\._\w+\(Zod\w+, params\)\);\n {4}\},\n/gm, '');

/** What a client makes of its extensions: as none of ours is given any, its own configuration once more. */
export const withoutExtensions = 'export const resolveRuntimeExtensions = (config) => config;';

/** No operation of ours streams events, and no handler prints a JSON Schema. */
export const withoutUnused: Plugin = {
  name: 'without-unused',
  setup: (build) => {
    build.onLoad({ filter: /zod\/v4\/core\/(to-json-schema|json-schema-processors)\.js$/ }, ({ path }) => ({
      contents: hollow(readFileSync(path, 'utf8'), 'JSON Schemas'), loader: 'js',
    }));
    build.onLoad({ filter: /zod\/v4\/classic\/schemas\.js$/ }, ({ path }) => ({ contents: withoutOldFormats(readFileSync(path, 'utf8')), loader: 'js' }));
    build.onLoad({ filter: /(Sha256Js|getInstanceMetadataRegion|loadSharedConfigFiles|s3|DefaultRateLimiter|AdaptiveRetryStrategy|loggerMiddleware|check-features|schemaLogFilter|emitWarningIfUnsupportedVersion|logBuffer|HeaderFormatter|invoke-store|memoizer|resolveCompressionConfig|COMPRESSION_SIZE_BYTES_CONFIG_OPTIONS)\.js$/ }, ({ path }) => {
      const found = Object.entries(unreached).find(([end]) => path.endsWith(`node_modules/${end}`));
      return found === undefined ? null : { contents: found[1], loader: 'js' };
    });
    build.onLoad({ filter: /util-endpoints\/lib\/aws\/partitions\.js$/ }, ({ path }) => ({ contents: undescribed(readFileSync(path, 'utf8')), loader: 'js' }));
    build.onLoad({ filter: /@aws-sdk\/client-[a-z0-9-]+\/dist-es\/runtimeExtensions\.js$/ }, () => ({ contents: withoutExtensions, loader: 'js' }));
    // The clients read their version and nothing else of it.
    build.onLoad({ filter: /@aws-sdk\/client-[a-z0-9-]+\/package\.json$/ }, ({ path }) => {
      const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version: string };
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
    // Cache of endpoint discovery, which no client of ours turns on: at most the few entries of one process, so nothing has to be thrown out.
    build.onResolve({ filter: /^mnemonist\/lru-cache$/ }, () => ({ path: 'lru-cache', namespace: 'left-out' }));
    build.onLoad({ filter: /^lru-cache$/, namespace: 'left-out' }, () => ({
      contents: 'export default class extends Map { constructor() { super(); } peek(key) { return this.get(key); } }', loader: 'js',
    }));
    // Only the import at run time; the clients' static ones are small.
    build.onResolve({ filter: /^@smithy\/core\/event-streams$/ }, ({ kind }) => (kind === 'dynamic-import' ? { path: 'event-streams', namespace: 'left-out' } : null));
    build.onLoad({ filter: /^event-streams$/, namespace: 'left-out' }, () => ({
      contents: ['EventStreamSerde', 'eventStreamSerdeProvider'].map((name) => `export const ${name} = ${leftOut('event streams')};`).join('\n'), loader: 'js',
    }));
  },
};
