// A person who may approve: signs the answer with a session of an approver's role and sends it to the function URL, as `ripcord approve` does.
import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Sandbox } from '../sandbox.ts';

/** SHA-256 and HMAC as the signer wants them. */
class Sha256 {
  readonly #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error('one hash is made of one object');
  }
}

const bytesOf = (data: string | ArrayBuffer | ArrayBufferView): Buffer =>
  (typeof data === 'string' ? Buffer.from(data) : ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : Buffer.from(data));

/**
 * @param options `ownPolicy: false`: the role may call only what the function's own policy lets it.
 * @throws Error with what the function URL answered, when it did not take the answer.
 */
export async function approve(sandbox: Sandbox, roleArn: string, rollback: string, { ownPolicy = true }: { readonly ownPolicy?: boolean } = {}): Promise<string> {
  const [target] = sandbox.services.functionUrls.urls;
  if (target === undefined) throw new Error('the deployed engine has no function URL that takes an answer');
  const roleName = roleArn.slice(roleArn.lastIndexOf('/') + 1);
  const allowed = ['lambda:InvokeFunctionUrl', 'lambda:InvokeFunction'];
  sandbox.iam.putRole({ roleName, arn: roleArn, policies: !ownPolicy ? [] : [{ name: 'answer', document: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: allowed, Resource: target.functionArn }] } }] });
  const { accessKeyId, secretAccessKey, sessionToken } = sandbox.iam.issueKey(roleName, 'rehearsal');
  const url = new URL(target.url);
  const body = JSON.stringify({ rollback, answer: 'approve', comment: 'approved by the rehearsal' });
  const signer = new SignatureV4({ service: 'lambda', region: sandbox.place.region, credentials: { accessKeyId, secretAccessKey, sessionToken }, sha256: Sha256 });
  const signed = await signer.sign({
    method: 'POST', protocol: url.protocol, hostname: url.hostname, port: Number(url.port), path: url.pathname, headers: { host: url.host, 'content-type': 'application/json' }, body,
  });
  const { host: _host, ...headers } = signed.headers;
  const response = await fetch(url, { method: 'POST', headers, body, redirect: 'error' });
  const text = await response.text();
  if (!response.ok) throw new Error(`the approval was not taken (${response.status}): ${text.slice(0, 300)}`);
  return text;
}
