// A call to one of the engine's function URLs, signed with a person's own AWS credentials: IAM says who they are.
import { createHash, createHmac } from 'node:crypto';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { SignatureV4 } from '@smithy/signature-v4';
import { Mistake } from './terminal.ts';

/** SHA-256 and HMAC as the signer wants them. */
class Sha256 {
  private readonly hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void { this.hash.update(bytesOf(data)); }
  async digest(): Promise<Uint8Array> { return this.hash.digest(); }
  reset(): void { throw new Error('one hash is made of one object'); }
}

const bytesOf = (data: string | ArrayBuffer | ArrayBufferView): Buffer =>
  (typeof data === 'string' ? Buffer.from(data) : ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : Buffer.from(data));

/** Which URL is meant, in the words of whoever has to mend something. */
export interface Endpoint {
  /** Given with an option or a variable; null asks the engine. */
  readonly url: string | null;
  readonly engine: string;
  /** Last part of the SSM parameter's name. */
  readonly parameter: string;
  /** Of the stack. */
  readonly output: string;
  /** Who may call it. */
  readonly role: string;
}

/** @returns the sentence that came back. @throws Mistake with what to do when it was not taken; the error of AWS when the engine is not there. */
export async function postSigned(endpoint: Endpoint, said: object): Promise<string> {
  const client = new SSMClient({});
  const url = safeUrl(endpoint.url ?? await urlOf(client, endpoint), endpoint.output);
  const body = JSON.stringify(said);
  const region = /\.lambda-url\.([a-z0-9-]+)\.on\.aws$/.exec(url.hostname)?.[1] ?? await client.config.region();
  const signer = new SignatureV4({ service: 'lambda', region, credentials: await client.config.credentials(), sha256: Sha256 });
  const signed = await signer.sign({
    method: 'POST', protocol: url.protocol, hostname: url.hostname, ...(url.port === '' ? {} : { port: Number(url.port) }), path: url.pathname,
    headers: { host: url.host, 'content-type': 'application/json' }, body,
  });
  const { host: _, ...headers } = signed.headers;
  const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(30_000), redirect: 'error' });
  const text = await response.text();
  if (!response.ok) throw new Mistake(refusal(response.status, text, endpoint));
  return sentenceOf(text, 'result');
}

async function urlOf(client: SSMClient, { engine, parameter }: Endpoint): Promise<string> {
  const { Parameter } = await client.send(new GetParameterCommand({ Name: `/${engine}/${parameter}` }));
  return Parameter?.Value ?? '';
}

/** A signature may not travel in clear text, but to the sandbox on this machine. */
function safeUrl(text: string, output: string): URL {
  if (!URL.canParse(text)) throw new Mistake(`"${text}" is no URL: give the stack's output ${output} with --url`);
  const url = new URL(text);
  const isLocal = url.hostname === '127.0.0.1' || url.hostname === 'localhost' || url.hostname === '[::1]';
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal)) throw new Mistake(`${url.protocol} is not safe for a signed call: the URL has to begin with https:`);
  return url;
}

function refusal(status: number, text: string, { role }: Endpoint): string {
  const why = sentenceOf(text, 'error');
  // IAM answers before the function does, and in its own words.
  if (status === 403 && !text.includes('"code"')) return `IAM refused the call: sign in with ${role} role that may call the function URL (${why})`;
  return `Not taken (${status}): ${why}${status >= 500 ? '. The function failed: try again in a moment; its log says why.' : ''}`;
}

function sentenceOf(text: string, field: 'result' | 'error'): string {
  try {
    const parsed = JSON.parse(text) as Record<string, unknown> | null;
    const found = parsed?.[field] ?? parsed?.['Message'] ?? parsed?.['message'];
    return typeof found === 'string' ? found : text.slice(0, 500);
  } catch {
    return text.slice(0, 500);
  }
}
