// Compares a value with its schema: what is missing, of the wrong type, or unknown to AWS.
import { NormalizedSchema } from '@smithy/core/schema';

export interface ShapeProblem {
  /** For example `actions.0.forwardConfig`. */
  readonly path: string;
  readonly kind: 'missing' | 'type' | 'unknown';
  readonly detail: string;
}

export function checkShape(schema: NormalizedSchema, value: unknown, path = ''): ShapeProblem[] {
  const problems: ShapeProblem[] = [];
  check(schema, value, { path, problems });
  return problems;
}

interface Place {
  readonly path: string;
  readonly problems: ShapeProblem[];
}

function check(schema: NormalizedSchema, value: unknown, place: Place): void {
  const { path, problems } = place;
  if (schema.isUnitSchema() || schema.isDocumentSchema()) return;
  if (schema.isStructSchema()) return checkStruct(schema, value, place);
  if (schema.isListSchema()) {
    if (!Array.isArray(value)) return void problems.push(wrong(path, 'a list', value));
    const inner = schema.getValueSchema();
    for (const [index, item] of value.entries()) check(inner, item, { path: join(path, String(index)), problems });
  } else if (schema.isMapSchema()) {
    if (!isRecord(value)) return void problems.push(wrong(path, 'a map', value));
    const inner = schema.getValueSchema();
    for (const [key, item] of Object.entries(value)) if (item !== null) check(inner, item, { path: join(path, key), problems });
  } else {
    const expected = expectedInstead(schema, value);
    if (expected !== null) problems.push(wrong(path, expected, value));
  }
}

function checkStruct(schema: NormalizedSchema, value: unknown, { path, problems }: Place): void {
  if (!isRecord(value)) return void problems.push(wrong(path, 'a structure', value));
  const { members, required } = membersOf(schema);
  for (const name of required) if (value[name] === undefined || value[name] === null) problems.push({ path: join(path, name), kind: 'missing', detail: 'is required' });
  for (const [name, item] of Object.entries(value)) {
    if (item === undefined || item === null || name === '$unknown') continue;
    const member = members.get(name);
    if (member === undefined) problems.push({ path: join(path, name), kind: 'unknown', detail: `is no member of ${schema.getName() ?? 'the shape'}` });
    else check(member, item, { path: join(path, name), problems });
  }
}

interface Members {
  readonly members: ReadonlyMap<string, NormalizedSchema>;
  readonly required: readonly string[];
}

// The schemas of a client never change.
const known = new WeakMap<object, Members>();

function membersOf(schema: NormalizedSchema): Members {
  const source = schema.getSchema() as unknown as readonly unknown[];
  const found = known.get(source);
  if (found !== undefined) return found;
  const members = new Map(schema.structIterator());
  // The schema lists its required members first and tells how many they are.
  const made = { members, required: [...members.keys()].slice(0, Number(source[6] ?? 0)) };
  known.set(source, made);
  return made;
}

/** Null: it is what the schema says. */
function expectedInstead(schema: NormalizedSchema, value: unknown): string | null {
  if (schema.isStringSchema()) return typeof value === 'string' || isWrapped(value) ? null : 'a string';
  if (schema.isBooleanSchema()) return typeof value === 'boolean' ? null : 'a boolean';
  if (schema.isNumericSchema()) return typeof value === 'number' && !Number.isNaN(value) ? null : 'a number';
  if (schema.isTimestampSchema()) return value instanceof Date && !Number.isNaN(value.getTime()) ? null : 'a date';
  if (schema.isBlobSchema()) return value instanceof Uint8Array || typeof value === 'string' ? null : 'bytes';
  return null;
}

// Strings that hold JSON come wrapped from the SDK's codecs.
function isWrapped(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object String]';
}

function wrong(path: string, expected: string, value: unknown): ShapeProblem {
  return { path, kind: 'type', detail: `should be ${expected}, is ${Array.isArray(value) ? 'a list' : typeof value}` };
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array) && !(value instanceof Date);
}
