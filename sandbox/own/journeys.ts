// The user's journeys as the rehearsal runs them: the same requests and expectations, sent to the sandbox's front instead of the service.
import type { Journey, JourneyRequest, Service, Where } from './document.ts';
import type { Json } from './json-body.ts';
import { answerTo, insteadOf, requestHeader, statusesOf, type Mirror, type Unmet } from './mirror.ts';

/** Something of the configuration that the rehearsal leaves out, or another value that it takes. */
export interface Note {
  readonly where: Where;
  readonly text: string;
}

export interface RehearsedJourneys {
  readonly journeys: Readonly<Record<string, Journey>>;
  /** What was left out, as no answer could meet it. */
  readonly leftOut: readonly Note[];
  /** What was replaced. */
  readonly replaced: readonly Note[];
  /** Secret's ARN to its made-up text. */
  readonly secrets: ReadonlyMap<string, string>;
}

const origin = /^https?:\/\/[^/?#]*/;
/** A laptop under load answers within this, in milliseconds. */
const shortestLimit = 1000;

/** Teaches the mirror every request of the service's journeys. @param front base URL of the sandbox's front. */
export function rehearsedJourneys(service: Service, name: string, { mirror, front }: { mirror: Mirror; front: string }): RehearsedJourneys {
  const found = Object.entries(service.journeys ?? {}).map(([id, journey]) => new Rehearsed({ id, journey, front, where: ['services', name, 'journeys', id] }, mirror));
  return {
    journeys: Object.fromEntries(found.map(({ id, copy }) => [id, copy])),
    leftOut: found.flatMap(({ leftOut }) => leftOut),
    replaced: found.flatMap(({ replaced }) => replaced),
    secrets: secretTexts(service, front),
  };
}

interface About {
  readonly id: string;
  readonly journey: Journey;
  readonly front: string;
  readonly where: Where;
}

class Rehearsed {
  readonly id: string;
  readonly copy: Journey;
  readonly leftOut: Note[] = [];
  readonly replaced: Note[] = [];
  readonly #about: About;

  constructor(about: About, mirror: Mirror) {
    const { id, journey, front } = about;
    this.id = id;
    this.#about = about;
    const { host, hostname } = new URL(front);
    const requests = journey.requests.map((request, index) => this.#request(request, index, mirror));
    this.copy = { ...journey, requests, allowHosts: [...journey.allowHosts ?? [], hostname], allowLoopback: [...journey.allowLoopback ?? [], host] };
  }

  #request(request: JourneyRequest, index: number, mirror: Mirror): JourneyRequest {
    const { id, front, journey, where } = this.#about;
    const here: Where = [...where, 'requests', index];
    const { answer, unmet } = answerTo(request, (name) => this.#carried(name));
    mirror.learn(`${id}/${index}`, { answer, accepted: statusesOf(request), isLast: index === journey.requests.length - 1 });
    this.leftOut.push(...unmet.map(({ where: inside, why }) => ({ where: [...here, ...inside], text: why })));
    if (origin.test(request.url)) this.replaced.push({ where: [...here, 'url'], text: `${origin.exec(request.url)?.[0] ?? ''} → ${front}` });
    const limited = this.#limits(request, here);
    return { ...withoutUnmet(limited, unmet), url: request.url.replace(origin, front), headers: { ...request.headers, [requestHeader]: `${id}/${index}` } };
  }

  /** A carried value that begins the URL of a later request has to lead to the front. */
  #carried(name: string): Json {
    const { journey, front } = this.#about;
    return journey.requests.some(({ url }) => new RegExp(`^\\{\\{\\s*${name}\\s*\\}\\}`).test(url)) ? `${front}/carried-${name}` : `made-up-${name}`;
  }

  #limits(request: JourneyRequest, here: Where): JourneyRequest {
    const { timeoutMs, expect } = request;
    const isShort = (limit: number | undefined): boolean => limit !== undefined && limit < shortestLimit;
    const text = (limit: number | undefined): string => `${limit ?? 0} ms → ${shortestLimit} ms: this computer runs everything at once`;
    if (isShort(timeoutMs)) this.replaced.push({ where: [...here, 'timeoutMs'], text: text(timeoutMs) });
    if (isShort(expect?.latencyMs)) this.replaced.push({ where: [...here, 'expect', 'latencyMs'], text: text(expect?.latencyMs) });
    return {
      ...request,
      ...(isShort(timeoutMs) ? { timeoutMs: shortestLimit } : {}),
      ...(expect !== undefined && isShort(expect.latencyMs) ? { expect: { ...expect, latencyMs: shortestLimit } } : {}),
    };
  }
}

/** The request without what no answer meets. */
function withoutUnmet(request: JourneyRequest, unmet: readonly Unmet[]): JourneyRequest {
  const isUnmet = (...where: (string | number)[]): boolean => unmet.some((one) => where.every((part, index) => one.where[index] === part));
  const { expect, carry } = request;
  const carriedHere = Object.fromEntries(Object.entries(carry ?? {}).map(([name, path]) => [name, isUnmet('carry', name) ? insteadOf(name) : path]));
  if (expect === undefined) return { ...request, ...(carry === undefined ? {} : { carry: carriedHere }) };
  const { status, ...rest } = expect;
  return {
    ...request,
    ...(carry === undefined ? {} : { carry: carriedHere }),
    expect: {
      ...rest,
      ...(status === undefined || isUnmet('expect', 'status') ? {} : { status }),
      ...(expect.json === undefined ? {} : { json: expect.json.filter((_, index) => !isUnmet('expect', 'json', index)) }),
      ...(expect.text === undefined ? {} : { text: expect.text.filter((_, index) => !isUnmet('expect', 'text', index)) }),
      ...(expect.header === undefined ? {} : { header: Object.fromEntries(Object.entries(expect.header).filter(([name]) => !isUnmet('expect', 'header', name))) }),
    },
  };
}

/** One text for each secret that a journey names: JSON where a key of it is read. A secret that begins a URL leads to the front. */
function secretTexts({ journeys = {} }: Service, front: string): Map<string, string> {
  const parts = new Map<string, Record<string, string>>();
  const texts = new Map<string, string>();
  for (const { secrets = {}, requests } of Object.values(journeys))
    for (const [name, { arn, key }] of Object.entries(secrets)) {
      const isUrl = requests.some(({ url }) => new RegExp(`^\\{\\{\\s*secret\\.${name}\\s*\\}\\}`).test(url));
      const text = isUrl ? front : `made-up-${name}`;
      if (key === undefined) texts.set(arn, texts.get(arn) ?? text);
      else parts.set(arn, { ...parts.get(arn), [key]: text });
    }
  for (const [arn, keys] of parts) texts.set(arn, JSON.stringify(keys));
  return texts;
}
