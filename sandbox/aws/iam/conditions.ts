// The Condition block of an IAM statement. An operator that is not known here is refused, never taken as met.
import * as net from 'node:net';
import { matchesArn, matchesWildcard } from './match.ts';

export type ConditionContext = Readonly<Record<string, string | readonly string[]>>;
export type ConditionBlock = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

type Test = (wanted: string, given: string) => boolean;

const operators: Readonly<Record<string, Test>> = {
  StringEquals: (wanted, given) => wanted === given,
  StringEqualsIgnoreCase: (wanted, given) => wanted.toLowerCase() === given.toLowerCase(),
  StringLike: (wanted, given) => matchesWildcard(wanted, given),
  ArnEquals: matchesArn,
  ArnLike: matchesArn,
  Bool: (wanted, given) => wanted.toLowerCase() === given.toLowerCase(),
  NumericEquals: (wanted, given) => Number(given) === Number(wanted),
  NumericLessThan: (wanted, given) => Number(given) < Number(wanted),
  NumericLessThanEquals: (wanted, given) => Number(given) <= Number(wanted),
  NumericGreaterThan: (wanted, given) => Number(given) > Number(wanted),
  NumericGreaterThanEquals: (wanted, given) => Number(given) >= Number(wanted),
  DateEquals: (wanted, given) => time(given) === time(wanted),
  DateLessThan: (wanted, given) => time(given) < time(wanted),
  DateLessThanEquals: (wanted, given) => time(given) <= time(wanted),
  DateGreaterThan: (wanted, given) => time(given) > time(wanted),
  DateGreaterThanEquals: (wanted, given) => time(given) >= time(wanted),
  IpAddress: isInNetwork,
};

const negations: Readonly<Record<string, string>> = {
  StringNotEquals: 'StringEquals',
  StringNotEqualsIgnoreCase: 'StringEqualsIgnoreCase',
  StringNotLike: 'StringLike',
  ArnNotEquals: 'ArnEquals',
  ArnNotLike: 'ArnLike',
  NumericNotEquals: 'NumericEquals',
  DateNotEquals: 'DateEquals',
  NotIpAddress: 'IpAddress',
};

/**
 * Whether every operator and key of the block is met.
 * @throws Error for an operator that the sandbox does not know.
 */
export function meetsConditions(block: ConditionBlock | undefined, context: ConditionContext): boolean {
  if (block === undefined) return true;
  const values = valuesIn(context);
  // Evaluated in full, so that an unknown operator is found even behind one that is not met.
  const results = Object.entries(block).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, wanted]) => meets(operator, textsOf(wanted), { given: values.get(key.toLowerCase()), values })),
  );
  return results.every(Boolean);
}

/** By key in lower case, as IAM compares keys. */
export const valuesIn = (context: ConditionContext): ReadonlyMap<string, readonly string[]> =>
  new Map(Object.entries(context).map(([key, value]) => [key.toLowerCase(), typeof value === 'string' ? [value] : value]));

/** @throws Error for an operator that the sandbox does not know. */
export function checkOperators(block: ConditionBlock | undefined): void {
  for (const operator of Object.keys(block ?? {})) if (operator !== 'Null') parse(operator);
}

function meets(
  operator: string,
  wanted: readonly string[],
  context: { given: readonly string[] | undefined; values: ReadonlyMap<string, readonly string[]> },
): boolean {
  const { given } = context;
  if (operator === 'Null') return wanted.includes(String(given === undefined || given.length === 0));
  const { set, test, negated, ifExists } = parse(operator);
  const patterns = wanted.map((text) => substitute(text, context.values));
  const matchesAny = (value: string): boolean => patterns.some((pattern) => pattern !== null && test(pattern, value)) !== negated;
  if (set === 'all') return (given ?? []).every(matchesAny);
  if (set === 'any') return (given ?? []).some(matchesAny);
  if (given === undefined || given.length === 0) return ifExists || negated;
  return negated ? given.every(matchesAny) : given.some(matchesAny);
}

interface Parsed {
  readonly set: 'all' | 'any' | null;
  readonly test: Test;
  readonly negated: boolean;
  readonly ifExists: boolean;
}

// There are only so many that are known.
const parsed = new Map<string, Parsed>();

function parse(operator: string): Parsed {
  const known = parsed.get(operator) ?? read(operator);
  parsed.set(operator, known);
  return known;
}

function read(operator: string): Parsed {
  const match = /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/.exec(operator);
  const base = match?.[2] ?? '';
  const negated = Object.hasOwn(negations, base);
  const name = negated ? (negations[base] ?? '') : base;
  const test = Object.hasOwn(operators, name) ? operators[name] : undefined;
  if (test === undefined) throw new Error(`the sandbox does not know the IAM condition operator "${operator}"`);
  const set = match?.[1] === 'ForAllValues' ? 'all' : match?.[1] === 'ForAnyValue' ? 'any' : null;
  return { set, test, negated, ifExists: match?.[3] !== undefined };
}

/** Fills in `${aws:PrincipalTag/x}` and the like; null when the variable has no single value: such a pattern matches nothing. */
export function substitute(text: string, values: ReadonlyMap<string, readonly string[]>): string | null {
  let isKnown = true;
  const filled = text.replace(/\$\{([^}]+)\}/g, (_whole, name: string) => {
    // ${*}, ${?} and ${$} stand for the characters themselves; the wildcard form is not needed by any policy here.
    if (name === '$') return '$';
    const [key = '', fallback] = name.split(/,\s*/);
    const value = values.get(key.trim().toLowerCase());
    if (value?.length === 1) return value[0] ?? '';
    if (fallback !== undefined) return fallback.replace(/^'|'$/g, '');
    isKnown = false;
    return '';
  });
  return isKnown ? filled : null;
}

function textsOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).map(String);
}

function time(text: string): number {
  return /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text);
}

function isInNetwork(wanted: string, given: string): boolean {
  const [address = '', bits] = wanted.split('/');
  const family = net.isIPv6(address) ? 'ipv6' : 'ipv4';
  if (net.isIP(given) === 0 || net.isIPv6(given) !== (family === 'ipv6')) return false;
  const list = new net.BlockList();
  list.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
  return list.check(given, family);
}
