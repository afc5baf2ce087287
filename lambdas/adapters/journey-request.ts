// One HTTP exchange of a journey: a limit on the time of the whole, on the body, and on where redirects lead.
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { bareHost, isSameServer, namesServer, portOf } from '../config/journey-addresses.ts';
import { fence } from './journey-fence.ts';

export const maximumBodyBytes = 1024 * 1024;

/** A request with all templates filled. */
export interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Names (lower case) of headers that must not follow a redirect to another host. */
  readonly confidential: ReadonlySet<string>;
  readonly body: string | null;
  /** The body holds a secret, so it must not follow a redirect to another host either. */
  readonly isBodyConfidential: boolean;
  /** For connection, redirects and body together, in milliseconds. */
  readonly timeoutMs: number;
  readonly followRedirects: number;
  readonly allowHosts: readonly string[];
  readonly allowLoopback: readonly string[];
  readonly lookup?: LookupFunction;
}

export interface Answer {
  /** Where it came from, after redirects. */
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  readonly durationMs: number;
}

/** Error name `ExchangeFailed`: the service did not answer as HTTP should. */
export class ExchangeFailed extends Error {
  override readonly name = 'ExchangeFailed';
}

/** @throws ExchangeFailed for a timeout, a broken connection, too large a body or a refused redirect; AddressRefused for an address out of bounds. */
export async function exchange(first: Exchange): Promise<Answer> {
  const began = performance.now();
  let now = first;
  for (let redirects = 0; ; redirects += 1) {
    const left = first.timeoutMs - (performance.now() - began);
    const answer = await once(now, left, first.timeoutMs);
    const location = answer.headers.location;
    const isRedirect = [301, 302, 303, 307, 308].includes(answer.status) && location !== undefined;
    // Without followRedirects a redirect is an answer like any other: the journey may expect it.
    if (!isRedirect || first.followRedirects === 0) return { ...answer, url: now.url, durationMs: Math.round(performance.now() - began) };
    if (redirects >= first.followRedirects) throw new ExchangeFailed(`more than ${first.followRedirects} redirects`);
    now = redirected(now, answer.status, location);
  }
}

function redirected(from: Exchange, status: number, location: string): Exchange {
  if (!URL.canParse(location, from.url.href)) throw new ExchangeFailed('redirected to something that is no URL');
  const url = new URL(location, from.url.href);
  if (url.protocol !== 'https:' && (url.protocol !== 'http:' || from.url.protocol === 'https:'))
    throw new ExchangeFailed(`redirected from ${from.url.protocol} to ${url.protocol}`);
  const isOtherHost = url.hostname !== from.url.hostname;
  if (isOtherHost && !from.allowHosts.includes(url.hostname) && !namesServer(from.allowHosts, url))
    throw new ExchangeFailed(`redirected to ${url.host}, which \`allowHosts\` does not name`);
  const isOtherServer = !isSameServer(from.url, url);
  const isPlainGet = status === 303 || ((status === 301 || status === 302) && from.method === 'POST');
  if (isOtherServer && from.isBodyConfidential && !isPlainGet) throw new ExchangeFailed(`redirected to ${url.host} with a body that holds a secret`);
  const dropped = new Set([...(isOtherServer ? from.confidential : []), ...(isPlainGet ? ['content-type', 'content-length'] : []), 'host']);
  const headers = Object.fromEntries(Object.entries(from.headers).filter(([name]) => !dropped.has(name.toLowerCase())));
  return { ...from, url, headers, ...(isPlainGet ? { method: from.method === 'HEAD' ? 'HEAD' : 'GET', body: null } : {}) };
}

async function once(one: Exchange, leftMs: number, limitMs: number): Promise<Omit<Answer, 'url' | 'durationMs'>> {
  const request = open(one, fence(one.url, one.allowLoopback, one.lookup));
  const late = new ExchangeFailed(`no complete answer within ${limitMs} ms`);
  let isLate = false;
  const timer = setTimeout(() => { isLate = true; request.destroy(late); }, Math.max(1, leftMs));
  try {
    const response = await responseTo(request, one.body);
    return { status: response.statusCode ?? 0, headers: response.headers, body: await collect(response) };
  } catch (error) {
    if (isLate) throw late;
    const failure = error instanceof Error ? error : new Error(String(error));
    throw failure.name === 'ExchangeFailed' || failure.name === 'AddressRefused' ? failure : new ExchangeFailed(describe(failure), { cause: failure });
  } finally {
    clearTimeout(timer);
    request.destroy();
  }
}

function open(one: Exchange, lookup: LookupFunction): ClientRequest {
  const isTls = one.url.protocol === 'https:';
  // A connection of its own: a kept one would go on reaching the side that the weights no longer name.
  return (isTls ? requestHttps : requestHttp)({
    agent: false, lookup, method: one.method, host: bareHost(one.url), port: portOf(one.url), path: `${one.url.pathname}${one.url.search}`,
    headers: { ...one.headers, ...(one.body === null ? {} : { 'content-length': Buffer.byteLength(one.body) }) },
    ...(isTls ? { servername: serverName(one.url) } : {}),
  });
}

function responseTo(request: ClientRequest, body: string | null): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // Stays in place after the response: an error without a listener would end the process.
    request.on('error', reject);
    request.on('response', resolve);
    // Without a listener Node only closes the connection, and nobody would ever answer.
    request.on('upgrade', () => { reject(new ExchangeFailed('switched to another protocol than HTTP')); });
    request.end(body ?? undefined);
  });
}

async function collect(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maximumBodyBytes) throw new ExchangeFailed('answered with a body of more than 1 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

// TLS has no server name for an IP literal.
const serverName = (url: URL): string => (isIP(bareHost(url)) === 0 ? url.hostname : '');

function describe(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map((one: unknown) => (one instanceof Error ? one.message : String(one))).join('; ');
  return error.message === '' ? error.name : error.message;
}
