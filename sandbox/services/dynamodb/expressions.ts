// dynalite parses each expression of each call anew; what it made of one is used again here for other values of the same types.
import { createRequire } from 'node:module';

type Value = Readonly<Record<string, unknown>>;
type Compare = (operator: string, one: unknown, other: unknown) => boolean;

/** What a parser is given: it takes the names that it meets out of the unused ones, and asks `compare` whether the bounds of a BETWEEN are in order. */
export interface Context {
  readonly attrNames?: Readonly<Record<string, string>>;
  readonly attrVals?: Readonly<Record<string, Value>>;
  readonly unusedAttrNames: Record<string, true>;
  readonly unusedAttrVals: Record<string, true>;
  readonly isReserved: (name: string) => boolean;
  readonly compare: Compare;
}

/** Gives a tree, the text of a refusal, or throws a syntax error. */
type Parse = (expression: string, options: { readonly context: Context }) => unknown;

interface Comparison {
  readonly operator: string;
  readonly names: readonly [string, string];
  readonly answer: boolean;
}

interface Parsed {
  /** With a `Hole` where a value stood. */
  readonly tree: unknown;
  readonly usedNames: readonly string[];
  readonly usedValues: readonly string[];
  readonly comparisons: readonly Comparison[];
}

class Hole {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

// Ripcord has some dozens.
const mostRemembered = 1000;
// The one function for whose refusal a parser looks into a value.
const looksInside = 'attribute_type';

/**
 * Parses as `parse` does, but an expression with the same names and types of values once only: all that a parser asks of a value is its type,
 * and what it compares, which is compared again. A refusal is not remembered.
 */
export function remembering(parse: Parse): Parse {
  const known = new Map<string, Parsed>();
  return (expression, { context }) => {
    if (expression.includes(looksInside)) return parse(expression, { context });
    const key = keyOf(expression, context);
    const found = known.get(key);
    if (found !== undefined && found.comparisons.every((one) => isSame(one, context))) return bound(found, context);
    const { result, parsed } = watched(parse, expression, context);
    if (parsed !== null) known.set(key, parsed);
    if (known.size > mostRemembered) known.delete(known.keys().next().value ?? '');
    return result;
  };
}

/** From here on dynalite parses so, in this process. */
export function rememberExpressions(): void {
  const require = createRequire(import.meta.url);
  for (const name of ['conditionParser', 'updateParser', 'projectionParser']) {
    const parser = require(`dynalite/db/${name}`) as { parse: Parse & { forgetful?: Parse } };
    // This file may be loaded more than once in a process, dynalite is not.
    const forgetful = parser.parse.forgetful ?? parser.parse;
    parser.parse = Object.assign(remembering(forgetful), { forgetful });
  }
}

function keyOf(expression: string, { attrNames = {}, attrVals = {} }: Context): string {
  return JSON.stringify([expression, attrNames, Object.entries(attrVals).map(([name, value]) => [name, Object.keys(value)])]);
}

function watched(parse: Parse, expression: string, context: Context): { readonly result: unknown; readonly parsed: Parsed | null } {
  const { attrNames = {}, attrVals = {} } = context;
  const nameOf = new Map(Object.entries(attrVals).map(([name, value]) => [value, name] as const));
  const names = unusedOf(attrNames);
  const values = unusedOf(attrVals);
  const comparisons: Comparison[] = [];
  const compare: Compare = (operator, one, other) => {
    const answer = context.compare(operator, one, other);
    comparisons.push({ operator, names: [nameOf.get(one as Value) ?? '', nameOf.get(other as Value) ?? ''], answer });
    return answer;
  };
  const result = parse(expression, { context: { ...context, unusedAttrNames: names, unusedAttrVals: values, compare } });
  const usedNames = Object.keys(attrNames).filter((name) => !(name in names));
  const usedValues = Object.keys(attrVals).filter((name) => !(name in values));
  use(context, { usedNames, usedValues });
  if (typeof result === 'string') return { result, parsed: null };
  const tree = replaced(result, (node) => { const name = nameOf.get(node as Value); return name === undefined ? null : new Hole(name); });
  return { result, parsed: { tree, usedNames, usedValues, comparisons } };
}

const unusedOf = (all: object): Record<string, true> => Object.fromEntries(Object.keys(all).map((name) => [name, true]));

function isSame({ operator, names: [one, other], answer }: Comparison, { attrVals = {}, compare }: Context): boolean {
  return compare(operator, attrVals[one], attrVals[other]) === answer;
}

/** A tree of its own for each call: dynalite writes into it. */
function bound(parsed: Parsed, context: Context): unknown {
  use(context, parsed);
  return replaced(parsed.tree, (node) => (node instanceof Hole ? (context.attrVals?.[node.name] ?? null) : null));
}

function use({ unusedAttrNames, unusedAttrVals }: Context, { usedNames, usedValues }: Pick<Parsed, 'usedNames' | 'usedValues'>): void {
  for (const name of usedNames) delete unusedAttrNames[name];
  for (const name of usedValues) delete unusedAttrVals[name];
}

/** A copy, in which each object for which there is another is replaced by it. */
function replaced(node: unknown, replacement: (node: object) => object | null): unknown {
  if (typeof node !== 'object' || node === null) return node;
  const other = replacement(node);
  if (other !== null) return other;
  if (Array.isArray(node)) return node.map((one) => replaced(one, replacement));
  // Some have no prototype, lest a name of Object's be found in them.
  const copy = Object.create(Object.getPrototypeOf(node) as object | null) as Record<string, unknown>;
  for (const [name, member] of Object.entries(node)) copy[name] = replaced(member, replacement);
  return copy;
}
