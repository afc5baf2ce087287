// ripcord approve | reject: signs a person's answer with their own AWS credentials and sends it to the engine.
import { createHash, createHmac } from 'node:crypto';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Command } from 'commander';
import { Mistake, type Terminal } from './terminal.ts';

interface AnswerOptions {
  readonly comment: string;
  readonly url?: string;
  readonly engine: string;
}

export function addAnswerCommands(program: Command, screen: Terminal): void {
  for (const [name, description] of [['approve', 'Let a rollback that waits for a person go ahead'], ['reject', 'Stop a rollback that waits for a person']] as const)
    program.command(name)
      .description(`${description}. Who you are is taken from your AWS credentials, which have to be a session of an approver role.`)
      .argument('<rollback>', 'name of the Step Functions execution')
      .option('-c, --comment <text>', 'kept in the audit', '')
      .option('--url <url>', 'function URL that takes the answer (default: from the engine, or RIPCORD_APPROVAL_URL)')
      .option('--engine <name>', 'name of the engine', 'ripcord')
      .action(async (rollback: string, options: AnswerOptions) => { await sendAnswer({ rollback, answer: name, ...options }, screen); });
}

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

async function sendAnswer(given: AnswerOptions & { readonly rollback: string; readonly answer: 'approve' | 'reject' }, screen: Terminal): Promise<void> {
  const client = new SSMClient({});
  const url = safeUrl(given.url ?? process.env['RIPCORD_APPROVAL_URL'] ?? await urlOf(client, given.engine));
  const body = JSON.stringify({ rollback: given.rollback, answer: given.answer, comment: given.comment });
  const region = /\.lambda-url\.([a-z0-9-]+)\.on\.aws$/.exec(url.hostname)?.[1] ?? await client.config.region();
  const signer = new SignatureV4({ service: 'lambda', region, credentials: await client.config.credentials(), sha256: Sha256 });
  const signed = await signer.sign({
    method: 'POST', protocol: url.protocol, hostname: url.hostname, ...(url.port === '' ? {} : { port: Number(url.port) }), path: url.pathname,
    headers: { host: url.host, 'content-type': 'application/json' }, body,
  });
  const { host: _, ...headers } = signed.headers;
  const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(30_000), redirect: 'error' });
  const text = await response.text();
  if (response.ok) screen.out(sentenceOf(text, 'result'));
  else throw new Mistake(refusal(response.status, text));
}

async function urlOf(client: SSMClient, engine: string): Promise<string> {
  const { Parameter } = await client.send(new GetParameterCommand({ Name: `/${engine}/approval-url` }));
  return Parameter?.Value ?? '';
}

/** A signature may not travel in clear text, but to the sandbox on this machine. */
function safeUrl(text: string): URL {
  if (!URL.canParse(text)) throw new Mistake(`"${text}" is no URL: give the stack's output ApprovalUrl with --url`);
  const url = new URL(text);
  const isLocal = url.hostname === '127.0.0.1' || url.hostname === 'localhost' || url.hostname === '[::1]';
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal)) throw new Mistake(`${url.protocol} is not safe for a signed answer: the URL has to begin with https:`);
  return url;
}

function refusal(status: number, text: string): string {
  const why = sentenceOf(text, 'error');
  // IAM answers before the function does, and in its own words.
  return status === 403 && !text.includes('"code"')
    ? `IAM refused the call: sign in with an approver's role that may call the function URL (${why})`
    : `Not taken (${status}): ${why}`;
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
