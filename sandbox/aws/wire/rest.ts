// restJson1 and restXml: the operation in method and path, members in path, query, headers and body.
import { FromStringShapeDeserializer, JsonCodec, ToStringShapeSerializer } from '@smithy/core/protocols';
import type { NormalizedSchema } from '@smithy/core/schema';
import type { AwsError } from '../world.ts';
import { headerOf, type Dialect, type WireReply, type WireRequest } from './dialect.ts';
import { findError, type OperationModel, type ServiceModel } from './model.ts';
import { matchRoute } from './route.ts';
import { decodeXml, encodeErrorXml, encodeXml, renamed } from './xml.ts';

type Format = 'json' | 'xml';
type Member = readonly [name: string, schema: NormalizedSchema];

const jsonCodec = new JsonCodec({ timestampFormat: { useTrait: true, default: 7 }, jsonName: true });

export function restDialect(format: Format): Dialect {
  return {
    operation: (model, request) => matchRoute(model, request)?.operation.name ?? null,
    decode: (operation, request, model) => decodeRequest(format, operation, { request, model }),
    encode: (operation, output, reply) => encodeReply(format, operation, { output: (output ?? {}) as Record<string, unknown>, ...reply }),
    encodeError: (model, error, requestId) => encodeRestError(format, model, { error, requestId }),
    codes: {
      accessDenied: format === 'json' ? 'AccessDeniedException' : 'AccessDenied',
      throttled: format === 'json' ? 'TooManyRequestsException' : 'Throttling',
      invalid: format === 'json' ? 'InvalidParameterValueException' : 'InvalidInput',
    },
    deniedStatus: 403,
  };
}

function decodeRequest(format: Format, operation: OperationModel, { request, model }: { request: WireRequest; model: ServiceModel }): unknown {
  if (operation.input.isUnitSchema()) return {};
  const strings = new FromStringShapeDeserializer(stringSettings(format));
  const labels = matchRoute(model, request)?.labels ?? {};
  const query = new URLSearchParams(request.query);
  const input: Record<string, unknown> = {};
  for (const [name, member] of operation.input.structIterator()) {
    const value = readBound(strings, [name, member], { labels, query, request });
    if (value !== undefined) input[name] = value;
    if (member.getMergedTraits().httpPayload && request.body.length > 0) input[name] = readPayload(format, member, request.body);
  }
  const bodySchema = renamed(operation.input, operation.input.getName() ?? operation.name, isInBody);
  if (request.body.length > 0 && hasMembers(bodySchema)) Object.assign(input, decodeBody(format, bodySchema, request.body));
  return input;
}

function readBound(
  strings: FromStringShapeDeserializer,
  [name, member]: Member,
  from: { labels: Readonly<Record<string, string>>; query: URLSearchParams; request: WireRequest },
): unknown {
  const traits = member.getMergedTraits();
  if (traits.httpLabel) return strings.read(member, from.labels[name] ?? '') as unknown;
  if (traits.httpQuery !== undefined) {
    const values = from.query.getAll(traits.httpQuery);
    if (values.length === 0) return undefined;
    return member.isListSchema() ? values.map((value) => strings.read(member.getValueSchema(), value) as unknown) : (strings.read(member, values[0] ?? '') as unknown);
  }
  if (traits.httpQueryParams) return Object.fromEntries(from.query);
  if (traits.httpHeader !== undefined) {
    const value = headerOf(from.request, traits.httpHeader.toLowerCase());
    return value === undefined ? undefined : (strings.read(member, value) as unknown);
  }
  if (typeof traits.httpPrefixHeaders === 'string') {
    const prefix = traits.httpPrefixHeaders.toLowerCase();
    const names = Object.keys(from.request.headers).filter((header) => header.startsWith(prefix));
    return Object.fromEntries(names.map((header) => [header.slice(prefix.length), headerOf(from.request, header)]));
  }
  return undefined;
}

function readPayload(format: Format, member: NormalizedSchema, body: Buffer): unknown {
  if (member.isBlobSchema() || member.isStreaming()) return new Uint8Array(body);
  if (member.isStringSchema()) return body.toString('utf8');
  return decodeBody(format, member, body);
}

function decodeBody(format: Format, schema: NormalizedSchema, body: Buffer): object {
  if (format === 'xml') return decodeXml(schema, body) as object;
  return jsonCodec.createDeserializer().readObject(schema, JSON.parse(body.toString('utf8')) as never) as object;
}

function encodeReply(
  format: Format,
  operation: OperationModel,
  reply: { output: Record<string, unknown>; model: ServiceModel; requestId: string },
): WireReply {
  const headers: Record<string, string> = { 'x-amzn-requestid': reply.requestId };
  let status = operation.http?.status ?? 200;
  let payload: Uint8Array | null = null;
  if (operation.output.isUnitSchema()) return { status, headers, body: Buffer.alloc(0) };
  const strings = new ToStringShapeSerializer(stringSettings(format));
  for (const [name, member] of operation.output.structIterator()) {
    const traits = member.getMergedTraits();
    const value = reply.output[name];
    if (traits.httpPayload) payload = value === undefined ? Buffer.alloc(0) : writePayload(format, member, { value, headers, model: reply.model });
    if (value === undefined || value === null) continue;
    if (traits.httpResponseCode) status = Number(value);
    if (traits.httpHeader !== undefined) {
      strings.write(member, value);
      headers[traits.httpHeader.toLowerCase()] = strings.flush();
    }
  }
  if (payload !== null) return { status, headers, body: payload };
  const rootName = operation.output.getName() ?? `${operation.name}Response`;
  const schema = renamed(operation.output, rootName, isInBody);
  headers['content-type'] = contentTypes[format];
  if (!hasMembers(schema) && format === 'xml') return { status, headers, body: Buffer.alloc(0) };
  return { status, headers, body: encodeBody(format, schema, { value: reply.output, rootName, xmlNamespace: reply.model.xmlNamespace }) };
}

const contentTypes = { json: 'application/json', xml: 'text/xml' } as const;

function writePayload(
  format: Format,
  member: NormalizedSchema,
  options: { value: unknown; headers: Record<string, string>; model: ServiceModel },
): Uint8Array {
  const { value, headers, model } = options;
  if (member.isBlobSchema() || member.isStreaming()) return typeof value === 'string' ? Buffer.from(value) : (value as Uint8Array);
  if (member.isStringSchema()) return Buffer.from(String(value));
  headers['content-type'] = contentTypes[format];
  return encodeBody(format, member, { value, rootName: member.getName() ?? 'Payload', xmlNamespace: model.xmlNamespace });
}

function encodeBody(format: Format, schema: NormalizedSchema, options: { value: unknown; rootName: string; xmlNamespace: string }): Uint8Array {
  if (format === 'xml') return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${encodeXml(schema, options.value, options)}`);
  const serializer = jsonCodec.createSerializer();
  serializer.write(schema, options.value);
  return Buffer.from(serializer.flush());
}

function encodeRestError(format: Format, model: ServiceModel, { error, requestId }: { error: AwsError; requestId: string }): WireReply {
  const modelled = findError(model, error.code);
  const status = modelled?.status ?? error.status;
  if (format === 'xml') {
    const body = Buffer.from(encodeErrorXml(model, error, { modelled, requestId, status }));
    return { status, headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId }, body };
  }
  const type = modelled?.name ?? error.code;
  const fields = modelled === undefined ? error.fields : jsonErrorFields(modelled.schema, error.fields);
  const body = Buffer.from(JSON.stringify({ ...fields, message: error.message, Message: error.message }));
  return { status, headers: { 'content-type': 'application/json', 'x-amzn-requestid': requestId, 'x-amzn-errortype': type }, body };
}

function jsonErrorFields(schema: NormalizedSchema, fields: unknown): object {
  const serializer = jsonCodec.createSerializer();
  serializer.write(schema, fields);
  return JSON.parse(serializer.flush()) as object;
}

function stringSettings(format: Format): ConstructorParameters<typeof ToStringShapeSerializer>[0] {
  return { timestampFormat: { useTrait: true, default: format === 'json' ? 7 : 5 }, httpBindings: true };
}

function isInBody(member: NormalizedSchema): boolean {
  const traits = member.getMergedTraits();
  const elsewhere = traits.httpLabel || traits.httpQueryParams || traits.httpPayload || traits.httpResponseCode;
  return !elsewhere && traits.httpQuery === undefined && traits.httpHeader === undefined && traits.httpPrefixHeaders === undefined;
}

function hasMembers(schema: NormalizedSchema): boolean {
  return !schema.structIterator().next().done;
}
