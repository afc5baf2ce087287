// Makes an example value for any shape of the SDK's schemas, the same one each time.
import { NormalizedSchema } from '@smithy/core/schema';

type Within = readonly string[];

/** Undefined where the shape cannot be built without recursing. */
export function exampleOf(schema: NormalizedSchema, within: Within = []): unknown {
  if (schema.isUnitSchema()) return {};
  if (schema.isDocumentSchema()) return { any: ['document', 1] };
  if (schema.isListSchema() || schema.isMapSchema()) {
    const item = exampleOf(schema.getValueSchema(), within);
    if (item === undefined) return undefined;
    return schema.isListSchema() ? [item, item] : { 'one-key': item };
  }
  if (!schema.isStructSchema()) return exampleScalar(schema);
  const name = schema.getName(true) ?? '';
  if (within.includes(name)) return undefined;
  const members = exampleMembers(schema, [...within, name]);
  if (schema.isUnionSchema()) return members[0] === undefined ? undefined : Object.fromEntries([members[0]]);
  return Object.fromEntries(members);
}

function exampleMembers(schema: NormalizedSchema, within: Within): [name: string, value: unknown][] {
  const members = [...schema.structIterator()].map(([name, member]): [string, unknown] => [name, exampleOf(member, within)]);
  return members.filter(([, value]) => value !== undefined);
}

function exampleScalar(schema: NormalizedSchema): unknown {
  const traits = schema.getMergedTraits();
  if (traits.httpResponseCode) return 202;
  if (schema.isStringSchema()) return traits.httpHeader === undefined && typeof traits.httpPrefixHeaders !== 'string' ? 'a <b> & "ü" c=d+e' : 'header-text';
  if (schema.isBooleanSchema()) return true;
  if (schema.isNumericSchema()) return 7;
  if (schema.isTimestampSchema()) return new Date('2026-11-20T09:14:07Z');
  if (schema.isBlobSchema()) return new Uint8Array([0, 255, 10]);
  if (schema.isBigIntegerSchema()) return 7n;
  throw new Error(`no example for ${schema.getName(true) ?? 'a nameless shape'}`);
}

/** The same value without what differs in kind only: wrapped strings, buffers, and the SDK's own metadata. */
export function plain(value: unknown): unknown {
  if (Object.prototype.toString.call(value) === '[object String]') return String(value);
  if (value instanceof Uint8Array) return [...value];
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key, item]) => item !== undefined && key !== '$metadata');
  return Object.fromEntries(entries.map(([key, item]) => [key, plain(item)]));
}
