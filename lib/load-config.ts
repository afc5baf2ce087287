// Reads `services.yaml`: every problem at once, each with file, line, path and the mend.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { isCollection, isMap, isPair, isScalar, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import * as z from 'zod';
import { configSchema, type Config } from '../lambdas/config/schema.ts';
import { problemsOf, type Problem } from './config-problems.ts';
import { ownerProblems } from './one-owner.ts';
import { serviceProblems } from './service-problems.ts';

/** CloudFormation takes a template of 1 MB at most, and each service makes more of it than stands here. */
const maximumCharacters = 1_000_000;
const maximumProblems = 100;

/**
 * @param path of a YAML file as `services.yaml` shows it.
 * @throws Error with one line a problem, `services.yaml:14 services.checkout.targets.web.good: needs its good side: …`.
 */
export function loadConfig(path: string): Config {
  return parseConfig(read(path), basename(path));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`${path}: cannot be read (${error instanceof Error ? error.message : String(error)}); name another file with -c config=<path>`, { cause: error });
  }
}

/** As {@link loadConfig}, from text. @param file name for the messages. */
export function parseConfig(text: string, file: string): Config {
  if (text.length > maximumCharacters) throw new Error(`${file}: has ${text.length} characters, more than the ${maximumCharacters} that any stack could hold; split it into several engines' files`);
  const lines = new LineCounter();
  const { document, input } = readDocument(text, file, lines);
  const parsed = configSchema.safeParse(input);
  const problems = parsed.success ? problemsBeyond(parsed.data) : problemsOf(firstOf(parsed.error), { schema: configSchema, input });
  if (parsed.success && problems.length === 0) return parsed.data;
  const found = problems.map((problem: Problem) => ({ line: lineOf(document, lines, problem), text: wordsOf(problem) })).toSorted((a, b) => a.line - b.line);
  const more = (parsed.error?.issues.length ?? 0) - maximumProblems;
  throw new Error([...new Set(found.map(({ line, text: words }) => `${file}:${line} ${words}`)), ...(more > 0 ? [`${file}: and ${more} more`] : [])].join('\n'));
}

const problemsBeyond = ({ services }: Config): readonly Problem[] => [
  ...Object.entries(services).flatMap(([name, service]) => serviceProblems(service, ['services', name])),
  ...ownerProblems(Object.entries(services)),
];

/** Nobody mends more at a time, and each one is looked up in the text. */
const firstOf = (error: z.ZodError): z.ZodError => (error.issues.length > maximumProblems ? new z.ZodError(error.issues.slice(0, maximumProblems)) : error);

function readDocument(text: string, file: string, lines: LineCounter): { readonly document: Document; readonly input: unknown } {
  try {
    const document: Document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    // A warning is a tag or a directive that would be left out without a word.
    const wrong = [...document.errors, ...document.warnings].slice(0, maximumProblems);
    if (wrong.length > 0) throw new Error(wrong.map(({ code, message, pos }) => {
      const line = lines.linePos(pos[0]).line;
      return code === 'DUPLICATE_KEY'
        ? `${file}:${line} ${pathTo(document, pos[0])}: this name is used twice; give one of them another name`
        : `${file}:${line}: ${isTooDeep(message) ? tooDeep : message}`;
    }).join('\n'));
    if (isBeyond(document)) throw new Error(`${file}: ${tooDeep}`);
    return { document, input: document.toJS() };
  } catch (error) {
    if (error instanceof ReferenceError) throw new Error(`${file}: its aliases (\`*name\`) cannot be resolved: ${error.message}`, { cause: error });
    if (error instanceof RangeError) throw new Error(`${file}: ${tooDeep}`, { cause: error });
    throw error;
  }
}

const tooDeep = 'is nested too deep to be read';
/** Lists and mappings in one another: many times what anything in services.yaml needs, and far less than a stack holds. */
const deepest = 100;

function isBeyond(document: Document): boolean {
  let level: readonly unknown[] = [document.contents];
  for (let depth = 0; level.length > 0 && depth <= deepest; depth += 1)
    level = level.flatMap((node) => (isCollection(node) ? node.items.flatMap((item: unknown) => (isPair(item) ? [item.key, item.value] : [item])) : []));
  return level.length > 0;
}

const isTooDeep = (message: string): boolean => message.includes('call stack');

const wordsOf = ({ path, key, message }: Problem): string => {
  const full = [...path, ...(key === undefined ? [] : [key])].map(String).join('.');
  return `${full === '' ? '(top level)' : full}: ${message}`;
};

/** The line of the key; of the nearest parent when the key is missing. */
function lineOf(document: Document, lines: LineCounter, { path, key }: Problem): number {
  const full = [...path, ...(key === undefined ? [] : [key])];
  for (let length = full.length; length > 0; length -= 1) {
    const offset = offsetOf(document, full.slice(0, length));
    if (offset !== undefined) return lines.linePos(offset).line;
  }
  return 1;
}

function offsetOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const key = path.at(-1);
  if (isMap(parent)) {
    const pair = parent.items.find((one) => isScalar(one.key) && one.key.value === key);
    return isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
  }
  return isCollection(parent) ? (parent.items[Number(key)] as Node | undefined)?.range?.[0] : undefined;
}

/** Path of the key that begins at this offset. */
function pathTo(document: Document, offset: number, node: unknown = document.contents, above: readonly string[] = []): string | undefined {
  if (!isCollection(node)) return undefined;
  for (const [index, item] of node.items.entries()) {
    const name = isPair(item) && isScalar(item.key) ? String(item.key.value) : String(index);
    if (isPair(item) && isScalar(item.key) && item.key.range?.[0] === offset) return [...above, name].join('.');
    const found = pathTo(document, offset, isPair(item) ? item.value : item, [...above, name]);
    if (found !== undefined) return found;
  }
  return undefined;
}
