// awsQuery: a form in, XML out.
import type { AwsError } from '../world.ts';
import type { Dialect, WireReply, WireRequest } from './dialect.ts';
import { decodeForm } from './form.ts';
import { findError, type ServiceModel } from './model.ts';
import { encodeErrorXml, encodeXml } from './xml.ts';

export const queryDialect: Dialect = {
  operation: (_model, request) => form(request).get('Action'),
  decode: (operation, request) => decodeForm(operation.input, form(request)),
  encode: (operation, output, { model, requestId }) => {
    const result = operation.output.isUnitSchema()
      ? ''
      : encodeXml(operation.output, output ?? {}, { rootName: `${operation.name}Result`, xmlNamespace: '' });
    const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`;
    const text = `<${operation.name}Response xmlns="${model.xmlNamespace}">${result}${metadata}</${operation.name}Response>`;
    return xmlReply(200, text, requestId);
  },
  encodeError: (model, error, requestId) => encodeQueryError(model, error, requestId),
  codes: { accessDenied: 'AccessDenied', throttled: 'Throttling', invalid: 'ValidationError' },
  deniedStatus: 403,
};

function form(request: WireRequest): URLSearchParams {
  return new URLSearchParams(request.body.length > 0 ? request.body.toString('utf8') : request.query);
}

function encodeQueryError(model: ServiceModel, error: AwsError, requestId: string): WireReply {
  const modelled = findError(model, error.code);
  const status = modelled?.status ?? error.status;
  return xmlReply(status, encodeErrorXml(model, error, { modelled, requestId, status }), requestId);
}

export function xmlReply(status: number, text: string, requestId: string): WireReply {
  return { status, headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId }, body: Buffer.from(text) };
}
