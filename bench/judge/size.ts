// How much code the judge is: bundled and minified as for a Lambda function, then gzipped.
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const entry = `
export { judgeRelease } from './judge.ts';
export { judgeRecovery } from './recovery.ts';
`;

/** Bytes of the judge of releases and recoveries together, and the files that are in it, as paths from the repository. */
export const bundleSize = async (): Promise<{ minified: number; gzipped: number; files: string[] }> => {
  const result = await build({
    stdin: { contents: entry, resolveDir: fileURLToPath(new URL('../../lambdas/statistics/', import.meta.url)), loader: 'ts' },
    bundle: true, minify: true, format: 'esm', platform: 'node', target: 'node24', write: false, metafile: true, absWorkingDir: fileURLToPath(new URL('../../', import.meta.url)),
  });
  const code = result.outputFiles[0]?.contents ?? new Uint8Array();
  return { minified: code.length, gzipped: gzipSync(code, { level: 9 }).length, files: Object.keys(result.metafile.inputs).filter((name) => name !== '<stdin>') };
};
