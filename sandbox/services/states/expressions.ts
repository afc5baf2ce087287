// JSONata as Step Functions evaluates it: `{% %}` strings anywhere in a value, `$states`, variables, and its own functions.
import { createHash, randomUUID } from 'node:crypto';
import jsonata from 'jsonata';
import { StateError } from './errors.ts';

export interface Bindings {
  readonly variables: Readonly<Record<string, unknown>>;
  readonly states: Readonly<Record<string, unknown>>;
  /** Sandbox time, epoch milliseconds: `$now()` and `$millis()`. */
  readonly now: number;
}

const whole = /^\{%([\s\S]*)%\}$/;
const compiled = new Map<string, jsonata.Expression>();
const formatTime = jsonata('$fromMillis($ms, $picture, $zone)');

function compile(text: string): jsonata.Expression {
  const known = compiled.get(text);
  if (known !== undefined) return known;
  const fresh = jsonata(text);
  compiled.set(text, fresh);
  return fresh;
}

export const isExpression = (value: unknown): value is string => typeof value === 'string' && whole.test(value);

/**
 * Compiles every expression of a definition, so that a typo is refused when the machine is created.
 * @throws Error with the expression's place.
 */
export function compileAll(value: unknown, where = '$'): void {
  if (isExpression(value)) {
    try {
      compile(whole.exec(value)?.[1] ?? '');
    } catch (error) {
      throw new Error(`SCHEMA_VALIDATION_FAILED: ${where}: ${(error as Error).message}`, { cause: error });
    }
  } else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) compileAll(inner, `${where}.${key}`);
}

/**
 * Replaces every `{% %}` string inside a value by its result.
 * @throws StateError States.QueryEvaluationError when an expression fails or returns nothing.
 */
export async function evaluate(value: unknown, bindings: Bindings, where: string): Promise<unknown> {
  if (isExpression(value)) return run(whole.exec(value)?.[1] ?? '', bindings, where);
  if (Array.isArray(value)) return Promise.all(value.map((item, index) => evaluate(item, bindings, `${where}[${index}]`)));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(async ([key, inner]) => [key, await evaluate(inner, bindings, `${where}/${key}`)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

async function run(text: string, bindings: Bindings, where: string): Promise<unknown> {
  const fail = (why: string): StateError => new StateError('States.QueryEvaluationError', `The JSONata expression '${text.trim()}' specified for the field '${where}' ${why}`);
  let result: unknown;
  try {
    result = await compile(text).evaluate(undefined, { ...bindings.variables, ...timeless, ...clockOf(bindings.now), states: bindings.states });
  } catch (error) {
    throw fail(`threw an error during evaluation. ${(error as Error).message ?? String(error)}`);
  }
  if (result === undefined) throw fail('returned nothing (undefined).');
  if (typeof result === 'function' || isJsonataFunction(result)) throw fail('returned a function.');
  if (typeof result === 'number' && !Number.isFinite(result)) throw fail('returned a number that JSON cannot hold.');
  if (typeof result === 'string' || typeof result === 'boolean') return result;
  // A JSONata sequence is an array with extra properties; a round trip leaves plain JSON.
  return JSON.parse(JSON.stringify(result)) as unknown;
}

const isJsonataFunction = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && ('_jsonata_function' in value || '_jsonata_lambda' in value);

const hashes: Readonly<Record<string, string>> = { MD5: 'md5', 'SHA-1': 'sha1', 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' };

const clockOf = (now: number): Record<string, unknown> => ({
  now: (picture?: string, zone?: string) => formatTime.evaluate(undefined, { ms: Math.floor(now), picture, zone }),
  millis: () => Math.floor(now),
});

const timeless: Readonly<Record<string, unknown>> = {
  partition: (items: readonly unknown[], size: number) =>
    Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size)),
  range,
  hash: (data: unknown, algorithm: string) => {
    const name = hashes[algorithm];
    if (name === undefined) throw new Error(`unknown hash algorithm ${algorithm}`);
    return createHash(name).update(typeof data === 'string' ? data : JSON.stringify(data)).digest('hex');
  },
  random: (seed?: number) => (seed === undefined ? Math.random() : seeded(seed)),
  uuid: () => randomUUID(),
  parse: (text: string) => JSON.parse(text) as unknown,
  eval: () => {
    throw new Error('$eval is not supported by Step Functions; use $parse');
  },
};

function range(first: number, last: number, step: number): number[] {
  if (!Number.isInteger(step) || step === 0) throw new Error('$range needs a whole step other than 0');
  const length = Math.floor((last - first) / step) + 1;
  if (length > 1000) throw new Error('$range makes at most 1000 numbers');
  return Array.from({ length: Math.max(0, length) }, (_, index) => first + index * step);
}

// mulberry32: the same seed gives the same number, as Step Functions promises.
function seeded(seed: number): number {
  let mixed = (seed + 0x6d2b79f5) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
}
