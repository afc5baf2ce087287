// Signature Version 4: what AWS's own signer makes is accepted, anything changed afterwards is not.
import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { expect, test } from 'vitest';
import { readCredential, verifySignature, type SignedRequest } from '../../../sandbox/aws/signature.ts';

const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

class Sha256 {
  readonly #hash;
  constructor(key?: unknown) {
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', key as Buffer);
  }
  update(data: string | Uint8Array): void {
    this.#hash.update(data);
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }
  reset(): void {
    throw new Error('not used');
  }
}

async function sign(request: { method: string; path: string; query?: Record<string, string>; body?: string; service?: string; sessionToken?: string }): Promise<SignedRequest> {
  const { method, path, query = {}, body = '', service = 'lambda', sessionToken } = request;
  const credentials = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: secret, ...(sessionToken === undefined ? {} : { sessionToken }) };
  const signer = new SignatureV4({ service, region: 'eu-west-1', credentials, sha256: Sha256 });
  const headers = { host: '127.0.0.1:1234', 'content-type': 'application/json', 'x-padded': ' a   b ' };
  const signed = await signer.sign({ method, protocol: 'http:', hostname: '127.0.0.1', path, query, headers, body });
  const text = Object.entries(query).map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`).join('&');
  const lower = Object.fromEntries(Object.entries(signed.headers).map(([name, value]) => [name.toLowerCase(), value]));
  return { method, path, query: text, headers: lower, body: Buffer.from(body) };
}

test.each([
  ['a plain POST', { method: 'POST', path: '/', body: '{"answer":"approve"}' }],
  ['a GET with a query to be sorted and encoded', { method: 'GET', path: '/rollbacks', query: { z: '1', a: 'b c/d', 'ä!': '*' } }],
  ['a path with escapes', { method: 'GET', path: '/2015-03-31/functions/arn%3Aaws%3Alambda/x%20y' }],
  ['a session token', { method: 'POST', path: '/', sessionToken: 'a/token+' }],
])('%s, signed by the SDK\'s signer, is accepted with the right secret only', async (_name, parts) => {
  const request = await sign(parts);
  expect(verifySignature(request, secret)).toBe(true);
  expect(verifySignature(request, `${secret}x`)).toBe(false);
});

const signed = await sign({ method: 'POST', path: '/approve', query: { a: '1' }, body: 'yes' });

test.each<[string, Partial<SignedRequest>]>([
  ['the method', { method: 'PUT' }],
  ['the path', { path: '/reject' }],
  ['the query', { query: 'a=2' }],
  ['the body', { body: Buffer.from('no') }],
  ['the body and the header that declares its hash', { body: Buffer.from('no'), headers: { ...signed.headers, 'x-amz-content-sha256': createHash('sha256').update('no').digest('hex') } }],
  ['a signed header', { headers: { ...signed.headers, 'content-type': 'text/plain' } }],
  ['the time', { headers: { ...signed.headers, 'x-amz-date': '20260101T000000Z' } }],
  ['the claimed key\'s Region', { headers: { ...signed.headers, authorization: String(signed.headers.authorization).replace('eu-west-1', 'us-east-1') } }],
  ['the list of signed headers, leaving out the host', { headers: { ...signed.headers, authorization: String(signed.headers.authorization).replace('host;', '') } }],
  ['everything: no signature at all', { headers: {} }],
])('a request is refused when somebody changed %s', (_name, change) => {
  expect(verifySignature(signed, secret)).toBe(true);
  expect(verifySignature({ ...signed, ...change }, secret)).toBe(false);
});

test('the credential tells key, Region and service', () => {
  expect(readCredential(signed.headers)).toMatchObject({ accessKeyId: 'ASIAEXAMPLE', region: 'eu-west-1', service: 'lambda' });
  expect(readCredential({ authorization: 'Bearer x' })).toBeNull();
});
