// Fills `{{name}}` and `{{secret.name}}` in a journey's URL, headers and body.
import type { Json } from '../domain/vocabulary.ts';

/** Error name `JourneyBroken`: the journey itself is wrong or cannot be run; it says nothing about the service. */
export class JourneyBroken extends Error {
  override readonly name = 'JourneyBroken';
}

/** Values by name; secrets stand under `secret.<name>`. */
export type Values = ReadonlyMap<string, Json>;

const pattern = /\{\{\s*([A-Za-z][A-Za-z0-9_.]*)\s*\}\}/g;

function valueOf(name: string, values: Values): Json {
  const value = values.get(name);
  if (value === undefined) throw new JourneyBroken(`{{${name}}} has no value: no secret and no earlier request of this journey carries it`);
  return value;
}

const asText = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

export const fillText = (template: string, values: Values): string =>
  template.replaceAll(pattern, (_, name: string) => asText(valueOf(name, values)));

/** Fills every string in a JSON body; a string that is one template alone becomes the value with its own type. */
export function fillJson(value: Json, values: Values): Json {
  if (typeof value === 'string') {
    const alone = /^\{\{\s*([A-Za-z][A-Za-z0-9_.]*)\s*\}\}$/.exec(value);
    return alone?.[1] === undefined ? fillText(value, values) : valueOf(alone[1], values);
  }
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => fillJson(item, values));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, member]) => (member === undefined ? [] : [[key, fillJson(member, values)]])));
}

/**
 * Fills a URL. A template at the very start stands for a whole URL; in the path it is encoded except for slashes, in the query wholly.
 * @throws JourneyBroken for a template inside the host: what a service answers must not choose who gets the secrets.
 */
export function fillUrl(template: string, values: Values): URL {
  const hostEnds = /^https?:\/\/[^/?#]*/.exec(template)?.[0].length ?? 0;
  const query = template.indexOf('?');
  const filled = template.replaceAll(pattern, (_, name: string, at: number) => {
    const text = asText(valueOf(name, values));
    if (at === 0) return text;
    if (at <= hostEnds) throw new JourneyBroken(`{{${name}}} stands in the host of the URL: write the host out, and a / after it`);
    const encoded = encodeURIComponent(text);
    return query !== -1 && at > query ? encoded : encoded.replaceAll('%2F', '/');
  });
  if (!URL.canParse(filled)) throw new JourneyBroken('the URL cannot be parsed once its templates are filled');
  const url = new URL(filled);
  const lead = template.startsWith('{{') ? fillText(template.slice(0, template.indexOf('}}') + 2), values) : template.slice(0, hostEnds);
  if (!URL.canParse(lead) || new URL(lead).host !== url.host) throw new JourneyBroken('what follows the first template changes the host of the URL: put a / after it');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new JourneyBroken(`the URL has the scheme ${url.protocol} instead of http: or https:`);
  return url;
}

/** Whether a template uses a secret: such a header does not follow a redirect to another host. */
export const usesSecret = (template: string): boolean => [...template.matchAll(pattern)].some((match) => match[1]?.startsWith('secret.') === true);

/** Takes the values of secrets, also URL-encoded, JSON-escaped or in base64, out of any text that goes on, and puts `instead` there. */
export function masker(secrets: Iterable<string>, instead = '[secret]'): (text: string) => string {
  const spellings = [...secrets].filter((value) => value !== '')
    .flatMap((value) => [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1), Buffer.from(value).toString('base64')])
    .toSorted((a, b) => b.length - a.length);
  // In any case: a host name comes back in lower case, percent signs come in both.
  const patterns = [...new Set(spellings)].map((spelling) => new RegExp(spelling.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`), 'gi'));
  return (text) => {
    let masked = text;
    for (const spelling of patterns) masked = masked.replaceAll(spelling, instead);
    return masked;
  };
}

// What is shorter is a number of a page or an order rather than a token, and would be taken out of words.
const shortestToken = 6;

/** What one answer gives to the next request may be a session's token: its texts, however deep. */
export function tokensIn(value: Json | undefined): readonly string[] {
  if (typeof value === 'string') return value.length < shortestToken ? [] : [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(tokensIn) : [];
}
