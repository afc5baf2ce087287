// rpcv2Cbor: how newer clients speak to CloudWatch.
import { CborCodec } from '@smithy/core/cbor';
import { NormalizedSchema } from '@smithy/core/schema';
import { headerOf, type Dialect, type WireReply } from './dialect.ts';
import { findError } from './model.ts';

const codec = new CborCodec();
const document = NormalizedSchema.of(15);

export const cborDialect: Dialect = {
  operation: (_model, request) => /^\/service\/[^/]+\/operation\/([^/]+)$/.exec(request.path)?.[1] ?? null,
  decode: (operation, request) => {
    if (operation.input.isUnitSchema() || request.body.length === 0) return {};
    return codec.createDeserializer().read(operation.input, request.body) as unknown;
  },
  encode: (operation, output, { requestId }) =>
    cborReply(200, operation.output.isUnitSchema() ? encodeCbor(document, {}) : encodeCbor(operation.output, output ?? {}), requestId),
  encodeError: (model, error, requestId) => {
    const modelled = findError(model, error.code);
    const status = modelled?.status ?? error.status;
    const type = modelled === undefined ? error.code : `${model.namespace}#${modelled.name}`;
    const body = encodeCbor(document, { __type: type, ...error.fields, message: error.message });
    const reply = cborReply(status, body, requestId);
    if (!model.queryCompatible) return reply;
    const queryError = `${modelled?.queryCode ?? error.code};${status < 500 ? 'Sender' : 'Receiver'}`;
    return { ...reply, headers: { ...reply.headers, 'x-amzn-query-error': queryError } };
  },
  codes: { accessDenied: 'AccessDeniedException', throttled: 'ThrottlingException', invalid: 'ValidationException' },
  deniedStatus: 400,
};

function encodeCbor(schema: NormalizedSchema, value: unknown): Uint8Array {
  const serializer = codec.createSerializer();
  serializer.write(schema, value);
  return serializer.flush();
}

function cborReply(status: number, body: Uint8Array, requestId: string): WireReply {
  return { status, headers: { 'content-type': 'application/cbor', 'smithy-protocol': 'rpc-v2-cbor', 'x-amzn-requestid': requestId }, body };
}

export function isCbor(request: Parameters<Dialect['operation']>[1]): boolean {
  return headerOf(request, 'smithy-protocol') === 'rpc-v2-cbor';
}
