// A mirror of the user's own service: answers each request of a journey as a healthy version would have to, or as a sick one does.
import http from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import type { ShopVersion } from '../shop/version.ts';
import type { JourneyRequest } from './document.ts';
import { CannotBuild, holds, openness, withWish, type Json, type Wish } from './json-body.ts';

export interface MirrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One expectation that no answer of the mirror can meet, with its place inside the request. */
export interface Unmet {
  readonly where: readonly (string | number)[];
  readonly why: string;
}

/** Names the request of a journey, so that two requests for one path can be told apart. */
export const requestHeader = 'x-rehearsal-request';
/** What load balancers ask; no path of a user's service. */
export const healthPath = '/.rehearsal/health';

const fine: MirrorAnswer = { status: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":true}' };

interface Known {
  readonly answer: MirrorAnswer;
  readonly accepted: readonly number[];
  /** The last request of its journey: where a sick version breaks it. */
  readonly isLast: boolean;
}

export class Mirror {
  readonly #known = new Map<string, Known>();

  learn(id: string, known: Known): void {
    this.#known.set(id, known);
  }

  readonly respond = (request: http.IncomingMessage, { sickness = {} }: ShopVersion): MirrorAnswer => {
    if (request.url === healthPath) return fine;
    const known = this.#known.get(String(request.headers[requestHeader] ?? ''));
    const isBroken = (sickness.checkout === 'fails' && known?.isLast === true) || Math.random() < (sickness.errorRate ?? 0);
    if (!isBroken) return known?.answer ?? fine;
    return { status: known?.accepted.includes(500) === true ? 503 : 500, headers: { 'content-type': 'application/json' }, body: '{"error":"internal error"}' };
  };
}

export const statusesOf = ({ expect }: JourneyRequest): readonly number[] => [expect?.status ?? 200].flat();

/** The answer that meets what the request expects, and every expectation that it cannot meet. `carried` gives a value to each carried name. */
export function answerTo(request: JourneyRequest, carried: (name: string) => Json): { answer: MirrorAnswer; unmet: readonly Unmet[] } {
  const statuses = statusesOf(request);
  const asksForBody = (request.expect?.json ?? []).length + (request.expect?.text ?? []).length + Object.keys(request.carry ?? {}).length > 0;
  const status = statuses.find((one) => one >= 200 && (!asksForBody || !hasNoBody(one))) ?? statuses.find((one) => one >= 200);
  const statusUnmet: Unmet[] = status === undefined ? [{ where: ['expect', 'status'], why: 'no HTTP server ends an exchange with such a status' }] : [];
  const isBare = request.method === 'HEAD' || hasNoBody(status ?? 200);
  const json = jsonBody(request, carried, isBare);
  const text = textBody(request, json.body, isBare);
  const headers = headersOf(request);
  const type = json.body === undefined ? 'text/plain; charset=utf-8' : 'application/json';
  return {
    answer: { status: status ?? 200, headers: { 'content-type': type, ...headers.headers }, body: text.body },
    unmet: [...statusUnmet, ...json.unmet, ...text.unmet, ...headers.unmet],
  };
}

const hasNoBody = (status: number): boolean => status === 204 || status === 205 || status === 304;

/** Where a carried value stands when its own path finds nothing in any body. */
export const insteadOf = (name: string): string => `$.rehearsal_${name}`;

interface Wanted {
  readonly where: Unmet['where'];
  readonly path: string;
  readonly wish: Wish;
}

function wantedOf({ expect, carry = {} }: JourneyRequest, carried: (name: string) => Json): Wanted[] {
  const expected = (expect?.json ?? []).map((one, index): Wanted => ({
    where: ['expect', 'json', index], path: one.path,
    wish: 'equals' in one ? { equals: one.equals } : one.exists ? { any: 'made-up' } : { absent: true },
  }));
  return [...expected, ...Object.entries(carry).map(([name, path]): Wanted => ({ where: ['carry', name], path, wish: { any: carried(name) } }))];
}

function jsonBody(request: JourneyRequest, carried: (name: string) => Json, isBare: boolean): { body: Json | undefined; unmet: Unmet[] } {
  const wanted = wantedOf(request, carried);
  if (isBare) return { body: undefined, unmet: wanted.map(({ where }) => ({ where, why: 'such an answer has no body' })) };
  const unmet: Unmet[] = [];
  let body: Json | undefined;
  const rank = ({ wish, path }: Wanted): number => ('equals' in wish ? 0 : 'any' in wish && isCarry(wish) ? 10 : 20) + openness(path);
  for (const { where, path, wish } of wanted.toSorted((a, b) => rank(a) - rank(b))) {
    try {
      body = withWish(body, path, wish);
    } catch (error) {
      if (!(error instanceof CannotBuild)) throw error;
      unmet.push({ where, why: error.message });
    }
  }
  // What later requests carry has to come from somewhere, or nothing after this request could be rehearsed.
  for (const { where: [kind, name] } of unmet) if (kind === 'carry') body = withWish(body, insteadOf(String(name)), { any: carried(String(name)) });
  if (body === undefined && wanted.length > unmet.length) body = {};
  const failed = wanted.filter(({ where, path, wish }) => !unmet.some((one) => isDeepStrictEqual(one.where, where)) && !holds(body, path, wish));
  return { body, unmet: [...unmet, ...failed.map(({ where, path }) => ({ where, why: `no body was found in which ${path} is as expected, beside the other expectations` }))] };
}

// A carried value may be a URL that the next request asks, so it goes before one that is made up.
const isCarry = ({ any }: { readonly any: Json }): boolean => any !== 'made-up';

function textBody({ expect }: JourneyRequest, json: Json | undefined, isBare: boolean): { body: string; unmet: Unmet[] } {
  const fragments = expect?.text ?? [];
  if (isBare) return { body: '', unmet: fragments.map((_, index) => ({ where: ['expect', 'text', index], why: 'such an answer has no body' })) };
  if (json === undefined) return { body: fragments.length === 0 ? fine.body : fragments.join('\n'), unmet: [] };
  const body = withFragments(json, fragments.filter((fragment) => !JSON.stringify(json).includes(fragment)));
  const missing = fragments.map((fragment, index) => ({ fragment, index })).filter(({ fragment }) => !body.includes(fragment));
  return { body, unmet: missing.map(({ index }) => ({ where: ['expect', 'text', index], why: 'the text cannot stand in a body that is JSON as well' })) };
}

/** Fragments that are members of an object, such as `"status":"ok"`, are written as they are; others become a text inside the JSON. */
function withFragments(json: Json, fragments: readonly string[]): string {
  const body = JSON.stringify(json);
  if (fragments.length === 0 || typeof json !== 'object' || json === null) return body;
  if (Array.isArray(json)) return JSON.stringify([...json, ...fragments]);
  const members = fragments.filter((fragment) => isMembers(fragment, json));
  const texts = fragments.filter((fragment) => !members.includes(fragment));
  const inner = [...members, ...(texts.length === 0 ? [] : [`"rehearsal":${JSON.stringify(texts)}`]), ...(body === '{}' ? [] : [body.slice(1, -1)])];
  return `{${inner.join(',')}}`;
}

function isMembers(fragment: string, beside: { readonly [key: string]: Json }): boolean {
  try {
    return Object.keys(JSON.parse(`{${fragment}}`) as object).every((key) => !Object.hasOwn(beside, key));
  } catch {
    return false;
  }
}

const ofTheConnection = new Set(['connection', 'keep-alive', 'transfer-encoding', 'proxy-connection', 'upgrade', 'te', 'trailer', 'content-length', 'content-encoding']);

function headersOf({ expect }: JourneyRequest): { headers: Record<string, string>; unmet: Unmet[] } {
  const headers: Record<string, string> = {};
  const unmet: Unmet[] = [];
  for (const [name, value] of Object.entries(expect?.header ?? {})) {
    const why = headerProblem(name, value);
    if (why === null) headers[name.toLowerCase()] = value;
    else unmet.push({ where: ['expect', 'header', name], why });
  }
  return { headers, unmet };
}

function headerProblem(name: string, value: string): string | null {
  if (ofTheConnection.has(name.toLowerCase())) return 'this header is made by the connection, not by the service';
  try {
    http.validateHeaderName(name);
    http.validateHeaderValue(name, value);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
