// Compares a value with its schema: what is missing, of the wrong type, or unknown to AWS.
import { NormalizedSchema } from '@smithy/core/schema';

export interface ShapeProblem {
  /** For example `actions.0.forwardConfig`. */
  readonly path: string;
  readonly kind: 'missing' | 'type' | 'unknown';
  readonly detail: string;
}

export function checkShape(schema: NormalizedSchema, value: unknown, path = ''): ShapeProblem[] {
  if (schema.isUnitSchema() || schema.isDocumentSchema()) return [];
  if (schema.isStructSchema()) return checkStruct(schema, value, path);
  if (schema.isListSchema()) {
    if (!Array.isArray(value)) return [wrong(path, 'a list', value)];
    return value.flatMap((item, index) => checkShape(schema.getValueSchema(), item, join(path, String(index))));
  }
  if (schema.isMapSchema()) {
    if (!isRecord(value)) return [wrong(path, 'a map', value)];
    return Object.entries(value).flatMap(([key, item]) => (item === null ? [] : checkShape(schema.getValueSchema(), item, join(path, key))));
  }
  return checkScalar(schema, value, path);
}

function checkStruct(schema: NormalizedSchema, value: unknown, path: string): ShapeProblem[] {
  if (!isRecord(value)) return [wrong(path, 'a structure', value)];
  const members = new Map(schema.structIterator());
  // The schema lists its required members first and tells how many they are.
  const source = schema.getSchema() as unknown as readonly unknown[];
  const required = [...members.keys()].slice(0, Number(source[6] ?? 0));
  const missing = required.filter((name) => value[name] === undefined || value[name] === null);
  const problems: ShapeProblem[] = missing.map((name) => ({ path: join(path, name), kind: 'missing', detail: 'is required' }));
  for (const [name, item] of Object.entries(value)) {
    const member = members.get(name);
    if (item === undefined || item === null || name === '$unknown') continue;
    if (member === undefined) problems.push({ path: join(path, name), kind: 'unknown', detail: `is no member of ${schema.getName() ?? 'the shape'}` });
    else problems.push(...checkShape(member, item, join(path, name)));
  }
  return problems;
}

function checkScalar(schema: NormalizedSchema, value: unknown, path: string): ShapeProblem[] {
  if (schema.isStringSchema()) return typeof value === 'string' || isWrapped(value) ? [] : [wrong(path, 'a string', value)];
  if (schema.isBooleanSchema()) return typeof value === 'boolean' ? [] : [wrong(path, 'a boolean', value)];
  if (schema.isNumericSchema()) return typeof value === 'number' && !Number.isNaN(value) ? [] : [wrong(path, 'a number', value)];
  if (schema.isTimestampSchema()) return value instanceof Date && !Number.isNaN(value.getTime()) ? [] : [wrong(path, 'a date', value)];
  if (schema.isBlobSchema()) return value instanceof Uint8Array || typeof value === 'string' ? [] : [wrong(path, 'bytes', value)];
  return [];
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
