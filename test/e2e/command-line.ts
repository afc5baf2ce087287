// `ripcord` with the rights of a session: as a person starts it, or in this process, which spares the second that a start takes.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { main } from '../../bin/ripcord.ts';

export interface Said {
  readonly code: number;
  /** What it wrote, errors last. */
  readonly text: string;
}

export type Environment = Readonly<Record<string, string>>;

/** Any program in a process of its own, which knows nothing but this environment. */
export async function start(file: string, args: readonly string[], env: Environment): Promise<Said> {
  try {
    const { stdout, stderr } = await promisify(execFile)(file, args, { env });
    return { code: 0, text: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, text: stdout + stderr };
  }
}

/** The real command line, as `npx ripcord` starts it. */
export const startRipcord = (words: readonly string[], env: Environment): Promise<Said> =>
  start(process.execPath, [new URL('../../bin/ripcord.mjs', import.meta.url).pathname, ...words], env);

let last: Promise<unknown> = Promise.resolve();

/** The same words and environment in this process, one after the other: it has only one environment. */
export function ripcordInside(words: readonly string[], env: Environment): Promise<Said> {
  const said = last.then(() => withEnvironment(env, async () => {
    const lines: { readonly out: string[]; readonly error: string[] } = { out: [], error: [] };
    const code = await main(['node', 'ripcord', ...words], { out: (text) => { lines.out.push(`${text}\n`); }, error: (text) => { lines.error.push(`${text}\n`); }, code: 0 });
    return { code, text: [...lines.out, ...lines.error].join('') };
  }));
  last = said.catch(() => undefined);
  return said;
}

async function withEnvironment<Result>(env: Environment, run: () => Promise<Result>): Promise<Result> {
  const before = { ...process.env };
  const become = (wanted: NodeJS.ProcessEnv): void => {
    for (const name of Object.keys(process.env)) if (!(name in wanted)) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, wanted);
  };
  become(env);
  try {
    return await run();
  } finally {
    become(before);
  }
}
