// EventBridge event patterns: compiled once, refused loudly where they ask for what is not supported, then matched.
import ipaddr from 'ipaddr.js';

export type Matcher = (event: unknown) => boolean;
/** Matches one leaf value; undefined stands for an absent field. */
type Test = (value: unknown) => boolean;

export class InvalidEventPattern extends Error {
  constructor(why: string) {
    super(`Event pattern is not valid. Reason: ${why}`);
    this.name = 'InvalidEventPattern';
  }
}

type JsonObject = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Compiles a pattern.
 * @throws InvalidEventPattern
 */
export function compilePattern(pattern: unknown): Matcher {
  if (!isObject(pattern)) throw new InvalidEventPattern('Filter is not an object');
  return compileObject(pattern, '');
}

function compileObject(pattern: JsonObject, where: string): Matcher {
  // Lists before objects: most events differ in their source already, and hundreds of rules look at each.
  const entries = Object.entries(pattern).toSorted(([, one], [, other]) => Number(isObject(one)) - Number(isObject(other)));
  if (entries.length === 0) throw new InvalidEventPattern(`Empty objects are not allowed${where === '' ? '' : ` (${where})`}`);
  const parts = entries.map(([key, value]) => (key === '$or' ? compileOr(value, where) : compileField(key, value, `${where}.${key}`)));
  return (event) => parts.every((part) => part(event));
}

function compileOr(value: unknown, where: string): Matcher {
  if (!Array.isArray(value) || value.length < 2 || !value.every(isObject)) throw new InvalidEventPattern('$or needs a list of at least two objects');
  const branches = value.map((one) => compileObject(one, `${where}.$or`));
  return (event) => branches.some((branch) => branch(event));
}

function compileField(key: string, value: unknown, where: string): Matcher {
  if (isObject(value)) {
    const inner = compileObject(value, where);
    return (event) => reach(event, key).some((one) => inner(one ?? {}));
  }
  if (!Array.isArray(value) || value.length === 0) throw new InvalidEventPattern(`"${where}" must be an object or a non-empty array`);
  const tests = value.map((one) => compileTest(one, where));
  return (event) => {
    // The usual case at no cost: hundreds of rules look at each event.
    if (isObject(event) && typeof event[key] === 'string' && Object.hasOwn(event, key)) return tests.some((test) => test(event[key]));
    const values = leaves(reach(event, key));
    // An array in the event matches when any of its elements does; an empty or absent one is an absent field.
    return tests.some((test) => (values.length === 0 ? test(undefined) : values.some(test)));
  };
}

/** The values a key leads to: arrays of objects are looked through. */
function reach(event: unknown, key: string): unknown[] {
  if (Array.isArray(event)) return event.flatMap((one) => reach(one, key));
  if (!isObject(event) || !Object.hasOwn(event, key)) return [undefined];
  return [event[key]];
}

// `exists` and all other filters see leaf values only: an object is no leaf.
const leaves = (values: readonly unknown[]): unknown[] => values.flat(8).filter((one) => one !== undefined && !isObject(one));

function compileTest(test: unknown, where: string): Test {
  if (test === null || ['string', 'number', 'boolean'].includes(typeof test)) return (value) => value === test;
  if (!isObject(test)) throw new InvalidEventPattern(`"${where}" holds a nested array`);
  const keys = Object.keys(test);
  if (keys.length !== 1) throw new InvalidEventPattern(`Only one key allowed in match expression (${where})`);
  const kind = keys[0] ?? '';
  const argument = test[kind];
  switch (kind) {
    case 'prefix':
    case 'suffix':
      return affix(kind, argument, where);
    case 'equals-ignore-case':
      return sameText(argument, where);
    case 'wildcard':
      return wildcard(argument, where);
    case 'anything-but':
      return anythingBut(argument, where);
    case 'numeric':
      return numeric(argument, where);
    case 'cidr':
      return cidr(argument, where);
    case 'exists':
      if (typeof argument !== 'boolean') throw new InvalidEventPattern(`exists match pattern must be either true or false (${where})`);
      return (value) => (value !== undefined) === argument;
    default:
      throw new InvalidEventPattern(`Unrecognized match type ${kind} (${where})`);
  }
}

const text = (value: unknown, kind: string, where: string): string => {
  if (typeof value !== 'string' || (value === '' && kind !== 'equals-ignore-case')) throw new InvalidEventPattern(`${kind} match pattern must be a string (${where})`);
  return value;
};

function affix(kind: 'prefix' | 'suffix', argument: unknown, where: string): Test {
  const ignoreCase = isObject(argument) && 'equals-ignore-case' in argument;
  const wanted = text(ignoreCase ? argument['equals-ignore-case'] : argument, kind, where);
  const fold = (value: string): string => (ignoreCase ? value.toLowerCase() : value);
  return (value) => typeof value === 'string' && (kind === 'prefix' ? fold(value).startsWith(fold(wanted)) : fold(value).endsWith(fold(wanted)));
}

function sameText(argument: unknown, where: string): Test {
  const wanted = text(argument, 'equals-ignore-case', where).toLowerCase();
  return (value) => typeof value === 'string' && value.toLowerCase() === wanted;
}

function wildcard(argument: unknown, where: string): Test {
  const wanted = text(argument, 'wildcard', where);
  if (/\*\*/.test(wanted)) throw new InvalidEventPattern(`Consecutive wildcard characters (${where})`);
  if (/\\(?![*\\])/.test(wanted)) throw new InvalidEventPattern(`Invalid escape character (${where})`);
  const source = wanted.replace(/\\([*\\])|\*|[.+?^${}()|[\]]/g, (found, escaped: string | undefined) => (escaped === undefined ? (found === '*' ? '[\\s\\S]*' : `\\${found}`) : `\\${escaped}`));
  const pattern = new RegExp(`^${source}$`);
  return (value) => typeof value === 'string' && pattern.test(value);
}

function anythingBut(argument: unknown, where: string): Test {
  const excluded = anythingButTests(argument, where);
  // An absent field is not "anything".
  return (value) => value !== undefined && !excluded.some((test) => test(value));
}

function anythingButTests(argument: unknown, where: string): Test[] {
  if (Array.isArray(argument)) {
    if (argument.length === 0 || !argument.every((one) => ['string', 'number'].includes(typeof one))) throw new InvalidEventPattern(`anything-but needs strings or numbers (${where})`);
    return argument.map((one) => (value) => value === one);
  }
  if (['string', 'number'].includes(typeof argument)) return [(value) => value === argument];
  if (!isObject(argument) || Object.keys(argument).length !== 1) throw new InvalidEventPattern(`anything-but match pattern is not supported (${where})`);
  const [kind, inner] = Object.entries(argument)[0] ?? ['', null];
  const all = Array.isArray(inner) ? inner : [inner];
  if (kind === 'prefix' || kind === 'suffix') return all.map((one) => affix(kind, one, where));
  if (kind === 'wildcard') return all.map((one) => wildcard(one, where));
  if (kind === 'equals-ignore-case') return all.map((one) => sameText(one, where));
  throw new InvalidEventPattern(`Unsupported anything-but pattern ${kind} (${where})`);
}

const comparisons: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  '=': (value, bound) => value === bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
};

function numeric(argument: unknown, where: string): Test {
  if (!Array.isArray(argument) || argument.length === 0 || argument.length % 2 === 1 || argument.length > 4) throw new InvalidEventPattern(`Invalid numeric match (${where})`);
  const pairs: { compare: (value: number, bound: number) => boolean; bound: number }[] = [];
  for (let index = 0; index < argument.length; index += 2) {
    const compare = comparisons[String(argument[index])];
    const bound: unknown = argument[index + 1];
    // AWS: numbers from -5e9 to 5e9.
    if (compare === undefined || typeof bound !== 'number' || Math.abs(bound) > 5e9) throw new InvalidEventPattern(`Invalid numeric match (${where})`);
    pairs.push({ compare, bound });
  }
  return (value) => typeof value === 'number' && pairs.every(({ compare, bound }) => compare(value, bound));
}

function cidr(argument: unknown, where: string): Test {
  const range = parse(() => ipaddr.parseCIDR(text(argument, 'cidr', where)));
  if (range === null) throw new InvalidEventPattern(`Malformed CIDR (${where})`);
  return (value) => {
    const address = typeof value === 'string' ? parse(() => ipaddr.parse(value)) : null;
    return address !== null && address.kind() === range[0].kind() && address.match(range);
  };
}

function parse<T>(run: () => T): T | null {
  try {
    return run();
  } catch {
    return null;
  }
}
