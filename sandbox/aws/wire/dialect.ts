// What a wire dialect has to do: bytes to an operation's input, output and errors to bytes.
import type { IncomingHttpHeaders } from 'node:http';
import type { AwsError } from '../world.ts';
import type { OperationModel, ServiceModel } from './model.ts';

export interface WireRequest {
  readonly method: string;
  /** Still percent-encoded, without the query. */
  readonly path: string;
  /** Still percent-encoded, without the question mark. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface WireReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface Dialect {
  /** Name of the operation that the request asks for, or null when it does not say in this dialect's way. */
  operation(model: ServiceModel, request: WireRequest): string | null;
  /** @throws SyntaxError and the like for bytes that are not in this dialect. */
  decode(operation: OperationModel, request: WireRequest, model: ServiceModel): unknown;
  encode(operation: OperationModel, output: unknown, reply: { readonly model: ServiceModel; readonly requestId: string }): WireReply;
  encodeError(model: ServiceModel, error: AwsError, requestId: string): WireReply;
  readonly codes: { readonly accessDenied: string; readonly throttled: string; readonly invalid: string };
  /** Status of an access that is denied. */
  readonly deniedStatus: number;
}

export function headerOf(request: WireRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}
