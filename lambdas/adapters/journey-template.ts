// Fills `{{name}}` and `{{secret.name}}` in a journey's URL, headers and body.
import type { Json } from '../domain/vocabulary.ts';
import { credentialsIn, spelled, spelledLength } from './journey-spellings.ts';

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

/** As a value is written into a template. */
export const asText = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

export const fillText = (template: string, values: Values): string =>
  template.replaceAll(pattern, (_, name: string) => asText(valueOf(name, values)));

/** Half a letter, which JSON may hold and no URL can. */
const wellFormed = (text: string): string => Buffer.from(text).toString();

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
    const encoded = encodeURIComponent(wellFormed(text));
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

/** Whether a template uses what an answer carried: then the service had a say in what comes of it. */
export const usesCarried = (template: string): boolean => [...template.matchAll(pattern)].some((match) => match[1]?.startsWith('secret.') === false);

/** The name of the template that a URL begins with; null where it is written out. */
export const leadingName = (template: string): string | null => /^\{\{\s*([A-Za-z][A-Za-z0-9_.]*)\s*\}\}/.exec(template)?.[1] ?? null;

/** Values that nobody may read, and what stands in their place. */
export interface Concealed {
  readonly values: Iterable<string>;
  readonly instead: string;
}

/** Letters of a text that are masked and go on. No reason quotes more, and what a service answers must not choose how long masking takes. */
const quotedLength = 500;

/**
 * Takes values, also URL-encoded, JSON-escaped or in base64, out of the first 500 letters of a text, and leaves the rest out; of Basic credentials also user and password.
 * Where one is spelled otherwise, nobody can say which letters are its own: then nothing of the text is left. Throws for no text and no value.
 */
export function masker(concealed: readonly Concealed[]): (text: string) => string {
  const sought = concealed.map(({ values }) => [...values].flatMap((value) => [value, ...credentialsIn(value)]));
  const spellings = sought.map((values) => [...new Set(values.flatMap(spellingsOf))]);
  const isSpelled = sought.map(spelled);
  const longest = Math.max(0, ...spellings.flat().map(({ length }) => length));
  return (text) => {
    const begin = folded(text.slice(0, quotedLength + longest));
    // One number a letter: 0 for what may be read, else whose value covers it. Values may overlap.
    const marks = new Uint8Array(Math.min(text.length, quotedLength + spelledLength));
    for (const [index, group] of spellings.entries())
      for (const spelling of group) {
        const within = begin.slice(0, quotedLength + spelling.length);
        for (let at = within.indexOf(spelling); at !== -1; at = within.indexOf(spelling, at + 1)) marks.fill(index + 1, at, at + spelling.length);
      }
    const letters = Array.from(marks, (mark, at) => (mark === 0 ? text.charAt(at) : mark === marks[at - 1] ? '' : concealed[mark - 1]?.instead ?? ''));
    const masked = letters.slice(0, quotedLength).join('');
    const hidden = isSpelled.findIndex((holds) => holds(letters.join('')));
    if (hidden !== -1) return concealed[hidden]?.instead ?? '';
    return text.length > quotedLength ? `${masked}…` : masked;
  };
}

function spellingsOf(value: string): string[] {
  const whole = wellFormed(value);
  return [value, whole, encodeURIComponent(whole), JSON.stringify(value).slice(1, -1), Buffer.from(value).toString('base64')].filter((spelling) => spelling !== '').map(folded);
}

/** In small letters, as many as before: a host name comes back in lower case, percent signs come in both. */
const folded = (text: string): string => text.replaceAll('\u0130', 'i').toLowerCase().replaceAll('ς', 'σ');

// What is shorter is a number of a page or an order rather than a token, and would be taken out of words.
const shortestToken = 6;

/** What one answer gives to the next request may be a session's token: its texts, however deep. */
export function tokensIn(value: Json | undefined): readonly string[] {
  if (typeof value === 'string') return value.length < shortestToken ? [] : [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(tokensIn) : [];
}
