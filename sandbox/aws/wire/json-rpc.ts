// awsJson1.0 and awsJson1.1: the operation in x-amz-target, one JSON document each way.
import { JsonCodec } from '@smithy/core/protocols';
import type { NormalizedSchema } from '@smithy/core/schema';
import { crc32 } from 'node:zlib';
import type { AwsError } from '../world.ts';
import { headerOf, type Dialect, type WireReply } from './dialect.ts';
import { findError, type ServiceModel } from './model.ts';

const codec = new JsonCodec({ timestampFormat: { useTrait: true, default: 7 }, jsonName: false });

export function jsonDialect(version: '1.0' | '1.1'): Dialect {
  const contentType = `application/x-amz-json-${version}`;
  return {
    operation: (model, request) => {
      const [target, operation] = (headerOf(request, 'x-amz-target') ?? '').split('.');
      return target === model.target && operation !== undefined ? operation : null;
    },
    decode: (operation, request) => {
      const text = request.body.toString('utf8');
      return operation.input.isUnitSchema() ? {} : decodeJson(operation.input, text === '' ? '{}' : text);
    },
    encode: (operation, output, { model, requestId }) => {
      const body = operation.output.isUnitSchema() ? '{}' : encodeJson(operation.output, output ?? {});
      return jsonReply(200, body, { contentType, requestId, model });
    },
    encodeError: (model, error, requestId) => encodeJsonError(model, error, { contentType, requestId }),
    codes: { accessDenied: 'AccessDeniedException', throttled: 'ThrottlingException', invalid: 'ValidationException' },
    deniedStatus: 400,
  };
}

/** The JSON text of a value by its schema, as it goes over the wire. */
function encodeJson(schema: NormalizedSchema, value: unknown): string {
  const serializer = codec.createSerializer();
  serializer.write(schema, value);
  return serializer.flush();
}

/** Back from JSON text to a value by its schema. */
function decodeJson(schema: NormalizedSchema, text: string): unknown {
  return codec.createDeserializer().readObject(schema, JSON.parse(text) as never);
}

function encodeJsonError(model: ServiceModel, error: AwsError, reply: { contentType: string; requestId: string }): WireReply {
  const modelled = findError(model, error.code);
  const name = modelled?.name ?? error.code;
  const fields = modelled === undefined ? error.fields : (JSON.parse(encodeJson(modelled.schema, error.fields)) as object);
  const messageKey = modelled !== undefined && 'Message' in modelled.schema.getMemberSchemas() ? 'Message' : 'message';
  const body = JSON.stringify({ __type: `${model.namespace}#${name}`, ...fields, [messageKey]: error.message });
  const status = modelled?.status ?? error.status;
  const fault = status < 500 ? 'Sender' : 'Receiver';
  const headers = model.queryCompatible ? { 'x-amzn-query-error': `${modelled?.queryCode ?? error.code};${fault}` } : {};
  return jsonReply(status, body, { ...reply, model, headers });
}

function jsonReply(
  status: number,
  text: string,
  options: { contentType: string; requestId: string; model: ServiceModel; headers?: Record<string, string> },
): WireReply {
  const body = Buffer.from(text);
  const headers: Record<string, string> = {
    'content-type': options.contentType,
    'x-amzn-requestid': options.requestId,
    ...options.headers,
  };
  // Clients of DynamoDB compare this; other services do not send it.
  if (options.model.target === 'DynamoDB_20120810') headers['x-amz-crc32'] = String(crc32(body));
  return { status, headers, body };
}
