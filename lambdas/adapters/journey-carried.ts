// What an answer gives to the next requests: how much of it, and where a URL of it may lead.
import { isSameServer, namesServer, portOf } from '../config/journey-addresses.ts';
import type { Journey, JourneyRequest } from '../config/schema.ts';
import type { Json } from '../domain/vocabulary.ts';
import type { AnswerBody } from './journey-body.ts';
import { ExchangeFailed } from './journey-request.ts';
import { asText, fillText, JourneyBroken, leadingName, tokensIn, type Values } from './journey-template.ts';

/** Of one carried value: no token, identifier or basket is larger, and each is looked for in all that is quoted. */
export const carryLimits = { bytes: 4096, texts: 100 } as const;

/** @returns the carried values, or why one cannot be carried: named, never quoted. @throws ExchangeFailed for a body that is beyond the limits of `AnswerBody`. */
export function carried(carry: JourneyRequest['carry'], body: AnswerBody): Map<string, Json> | string {
  const values = new Map<string, Json>();
  if (Object.keys(carry).length === 0) return values;
  if (!body.isJson) return 'the body is not JSON, so nothing can be carried to the next request';
  for (const [name, path] of Object.entries(carry)) {
    const value = body.find(path, ([first]) => first);
    if (value === undefined) return `${path} is missing, so "${name}" cannot be carried to the next request`;
    const why = excess(value);
    if (why !== null) return `"${name}" at ${path} ${why} that are carried to the next request`;
    values.set(name, value);
  }
  return values;
}

function excess(value: Json): string | null {
  const bytes = Buffer.byteLength(asText(value));
  if (bytes > carryLimits.bytes) return `has ${bytes} bytes, more than the ${carryLimits.bytes}`;
  const texts = tokensIn(value).length;
  return texts > carryLimits.texts ? `holds ${texts} texts, more than the ${carryLimits.texts}` : null;
}

/** A request whose URL begins with what an answer carried. */
export interface Lead {
  readonly to: URL;
  /** What answered with it. */
  readonly from: URL;
  readonly journey: Journey;
  readonly values: Values;
  /** The request holds something that only a named server may get. */
  readonly isConfidential: boolean;
}

/**
 * The rules of redirects for a URL that the service handed out: what is confidential goes to servers that the catalogue names, by host, port and scheme.
 * @throws ExchangeFailed for a step from https: to http:; JourneyBroken for a server that no one named.
 */
export function assertLead({ to, from, journey, values, isConfidential }: Lead): void {
  if (from.protocol === 'https:' && to.protocol !== 'https:') throw new ExchangeFailed(`the carried URL leads from ${from.protocol} to ${to.protocol}`);
  const named = journey.requests.flatMap(({ url }) => namedIn(url, values));
  const isNamed = named.some((one) => isSameServer(one, to) && (one.protocol === 'http:' || to.protocol === 'https:'));
  if (isNamed || namesServer(journey.allowHosts, to)) return;
  if (!journey.allowHosts.includes(to.hostname) && !named.some(({ hostname }) => hostname === to.hostname))
    throw new JourneyBroken(`the carried URL leads to ${to.host}, which neither a request of this journey nor \`allowHosts\` names`);
  if (isConfidential)
    throw new JourneyBroken(`the carried URL leads to ${to.host}, and this request holds a secret: name ${to.hostname}:${portOf(to)} in \`allowHosts\` if it may go there`);
}

/** Written out, or begun by a secret: both are the catalogue's own choice. */
function namedIn(template: string, values: Values): URL[] {
  const name = leadingName(template);
  const url = name === null ? template : name.startsWith('secret.') ? fillText(`{{${name}}}`, values) : '';
  return URL.canParse(url) ? [new URL(url)] : [];
}
