// Compares an answer with what a journey expects of it.
import { type JsonValue, query } from 'jsonpath-rfc9535';
import { canonicalJson } from '../audit/canonical.ts';
import type { JourneyRequest } from '../config/schema.ts';
import type { Json } from '../domain/vocabulary.ts';
import type { Answer } from './journey-request.ts';
import { JourneyBroken } from './journey-template.ts';

type Mask = (text: string) => string;

/**
 * What was found instead of what was expected, in words; null when everything is as expected.
 * @param mask takes secrets out of what is quoted, before it is cut: half a secret is recognized by nobody.
 */
export function disappointment(expect: JourneyRequest['expect'], answer: Answer, mask: Mask): string | null {
  const short = shortener(mask);
  const statuses = Array.isArray(expect.status) ? expect.status : [expect.status];
  if (!statuses.includes(answer.status)) return `answered ${answer.status}, expected ${statuses.join(' or ')}`;
  if (expect.latencyMs !== undefined && answer.durationMs > expect.latencyMs) return `took ${answer.durationMs} ms, expected at most ${expect.latencyMs} ms`;
  for (const [name, wanted] of Object.entries(expect.header)) {
    const found = answer.headers[name.toLowerCase()];
    const text = Array.isArray(found) ? found.join(', ') : found;
    if (text !== wanted) return `header ${name} is ${text === undefined ? 'missing' : short(text)}, expected ${short(wanted)}`;
  }
  const body = answer.body.toString('utf8');
  for (const wanted of expect.text) if (!body.includes(wanted)) return `the body does not contain ${short(wanted)}`;
  if (expect.json.length === 0) return null;
  const json = parsed(body);
  if (json === undefined) return `the body is not JSON: ${short(body)}`;
  for (const wanted of expect.json) {
    const why = jsonDisappointment(wanted, json, short);
    if (why !== null) return why;
  }
  return null;
}

function jsonDisappointment(wanted: JourneyRequest['expect']['json'][number], json: Json, short: Mask): string | null {
  const found = select(json, wanted.path);
  if ('exists' in wanted) return (found.length > 0) === wanted.exists ? null : `${wanted.path} is ${wanted.exists ? 'missing' : 'there'}`;
  if (found.length === 0) return `${wanted.path} is missing, expected ${short(canonicalJson(wanted.equals))}`;
  const other = found.find((value) => canonicalJson(value) !== canonicalJson(wanted.equals));
  return other === undefined ? null : `${wanted.path} is ${short(canonicalJson(other))}, expected ${short(canonicalJson(wanted.equals))}`;
}

/** @throws JourneyBroken for what is no JSONPath. */
export function select(json: Json, path: string): Json[] {
  try {
    return query(json as JsonValue, path);
  } catch (error) {
    throw new JourneyBroken(`${path} is not a JSONPath of RFC 9535: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The JSON of a body; undefined for what is none. */
export function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

const shortener = (mask: Mask): Mask => (text) => {
  const masked = mask(text);
  return masked.length > 120 ? `${JSON.stringify(masked.slice(0, 120))}…` : JSON.stringify(masked);
};
