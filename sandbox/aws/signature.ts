// Signature Version 4 as AWS checks it: who signed a request, and whether with the secret that belongs to the key.
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export interface SignedRequest {
  readonly method: string;
  /** As it came, percent-encoded, without the query. */
  readonly path: string;
  /** As it came, without the question mark. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

export interface Credential {
  readonly accessKeyId: string;
  /** YYYYMMDD */
  readonly date: string;
  readonly region: string;
  /** Signing name of the service. */
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const form = /^AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request,\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/;

/** What the Authorization header says; null when there is none, or it is not Signature Version 4. */
export function readCredential(headers: IncomingHttpHeaders): Credential | null {
  const match = form.exec(headers.authorization?.trim() ?? '');
  if (match === null) return null;
  const [, accessKeyId = '', date = '', region = '', service = '', signedHeaders = '', signature = ''] = match;
  return { accessKeyId, date, region, service, signedHeaders: signedHeaders.split(';'), signature };
}

/**
 * Whether the request was signed with this secret. The age of the signature is not looked at: handlers run on sped-up time.
 * The host and everything in SignedHeaders count; an unsigned host is refused as AWS does.
 */
export function verifySignature(request: SignedRequest, secretAccessKey: string): boolean {
  const credential = readCredential(request.headers);
  if (credential === null || !credential.signedHeaders.includes('host')) return false;
  const stamp = headerText(request.headers, 'x-amz-date');
  if (!stamp.startsWith(credential.date)) return false;
  const scope = `${credential.date}/${credential.region}/${credential.service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonicalRequest(request, credential))].join('\n');
  const expected = hmac(signingKey(scope, secretAccessKey), toSign).toString('hex');
  return timingSafeEqual(Buffer.from(expected), Buffer.from(credential.signature));
}

// One for each secret, day and service: four of the six digests of a request are the same as the last time.
const signingKeys = new Map<string, Buffer>();
// More than the functions of one sandbox times its services; sandbox days go by quickly.
const keptKeys = 2000;

function signingKey(scope: string, secretAccessKey: string): Buffer {
  const name = `${scope} ${secretAccessKey}`;
  const known = signingKeys.get(name);
  if (known !== undefined) return known;
  const made = scope.split('/').reduce<Buffer | string>((previous, part) => hmac(previous, part), `AWS4${secretAccessKey}`) as Buffer;
  if (signingKeys.size >= keptKeys) signingKeys.clear();
  signingKeys.set(name, made);
  return made;
}

function canonicalRequest(request: SignedRequest, credential: Credential): string {
  // Every service but S3 encodes the path once more when it signs.
  const path = credential.service === 's3' ? request.path : request.path.split('/').map(encode).join('/');
  const declared = headerText(request.headers, 'x-amz-content-sha256');
  const actual = sha256(request.body);
  const payload = declared === 'UNSIGNED-PAYLOAD' ? declared : actual;
  const headers = credential.signedHeaders.map((name) => `${name}:${headerText(request.headers, name).trim().replace(/\s+/g, ' ')}\n`);
  return [request.method, path === '' ? '/' : path, canonicalQuery(request.query), headers.join(''), credential.signedHeaders.join(';'), payload].join('\n');
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  const pairs = query.split('&').filter((pair) => pair !== '').map((pair) => {
    const at = pair.indexOf('=');
    const [name, value] = at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
    return [encode(decode(name)), encode(decode(value))] as const;
  });
  return pairs.toSorted(([a, x], [b, y]) => compare(a, b) || compare(x, y)).map(([name, value]) => `${name}=${value}`).join('&');
}

function headerText(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name.toLowerCase()];
  return Array.isArray(value) ? value.join(',') : (value ?? '');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function decode(text: string): string {
  return decodeURIComponent(text.replace(/\+/g, '%20'));
}

function sha256(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
