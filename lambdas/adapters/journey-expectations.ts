// Compares an answer with what a journey expects of it.
import { canonicalJson } from '../audit/canonical.ts';
import type { JourneyRequest } from '../config/schema.ts';
import type { Json } from '../domain/vocabulary.ts';
import type { AnswerBody } from './journey-body.ts';
import type { Answer } from './journey-request.ts';

type Mask = (text: string) => string;

/**
 * What was found instead of what was expected, in words; null when everything is as expected.
 * @param body of that answer.
 * @param mask takes secrets out of what is quoted, before it is cut: half a secret is recognized by nobody.
 * @throws ExchangeFailed for a body that is beyond the limits of `AnswerBody`.
 */
export function disappointment(expect: JourneyRequest['expect'], { answer, body }: { readonly answer: Answer; readonly body: AnswerBody }, mask: Mask): string | null {
  const short = shortener(mask);
  const statuses = Array.isArray(expect.status) ? expect.status : [expect.status];
  if (!statuses.includes(answer.status)) return `answered ${answer.status}, expected ${statuses.join(' or ')}`;
  if (expect.latencyMs !== undefined && answer.durationMs > expect.latencyMs) return `took ${answer.durationMs} ms, expected at most ${expect.latencyMs} ms`;
  for (const [name, wanted] of Object.entries(expect.header)) {
    const found = answer.headers[name.toLowerCase()];
    const text = Array.isArray(found) ? found.join(', ') : found;
    if (text !== wanted) return `header ${name} is ${text === undefined ? 'missing' : short(text)}, expected ${short(wanted)}`;
  }
  for (const wanted of expect.text) if (!body.text.includes(wanted)) return `the body does not contain ${short(wanted)}`;
  if (expect.json.length === 0) return null;
  if (!body.isJson) return `the body is not JSON, but ${answer.body.length} bytes of ${mask(mediaType(answer))}, with status ${answer.status}`;
  for (const wanted of expect.json) {
    const why = jsonDisappointment(wanted, body, short);
    if (why !== null) return why;
  }
  return null;
}

/** Without its parameters, where it is one: a service could say anything there. What a broken server prints in a body is nobody's to keep, so nothing of it is quoted. */
function mediaType({ headers }: Answer): string {
  const type = (headers['content-type'] ?? '').slice(0, 100).split(';')[0]?.trim().toLowerCase() ?? '';
  return /^[a-z]+\/[a-z0-9.+-]+$/.test(type) ? type : 'no known type';
}

function jsonDisappointment(wanted: JourneyRequest['expect']['json'][number], body: AnswerBody, short: Mask): string | null {
  if ('exists' in wanted) return body.find(wanted.path, ({ length }) => length > 0) === wanted.exists ? null : `${wanted.path} is ${wanted.exists ? 'missing' : 'there'}`;
  const due = canonicalJson(wanted.equals);
  const other = body.find(wanted.path, (found) => (found.length === 0 ? null : firstOther(found, due)));
  if (other === null) return `${wanted.path} is missing, expected ${short(due)}`;
  return other === undefined ? null : `${wanted.path} is ${short(other)}, expected ${short(due)}`;
}

/** As text; undefined where all are as due. */
function firstOther(found: readonly Json[], due: string): string | undefined {
  for (const value of found) {
    const text = canonicalJson(value);
    if (text !== due) return text;
  }
  return undefined;
}

const shortener = (mask: Mask): Mask => (text) => {
  const masked = mask(text);
  return masked.length > 120 ? `${JSON.stringify(masked.slice(0, 120))}…` : JSON.stringify(masked);
};
