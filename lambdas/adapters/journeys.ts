// Runs the journeys of a service side by side, as a user would go through them, and says of each whether it passed.
import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { LookupFunction } from 'node:net';
import type { Journey, JourneyRequest } from '../config/schema.ts';
import type { Json } from '../domain/vocabulary.ts';
import type { JourneyResult } from '../domain/workflow.ts';
import { AnswerBody } from './journey-body.ts';
import { assertLead, carried } from './journey-carried.ts';
import { disappointment } from './journey-expectations.ts';
import { type Exchange, exchange, ExchangeFailed } from './journey-request.ts';
import { fillJson, fillText, fillUrl, JourneyBroken, leadingName, masker, tokensIn, usesCarried, usesSecret, type Values } from './journey-template.ts';
import type { SecretReference } from './secrets.ts';

export interface JourneyTools {
  readonly rollbackId: string;
  /** Reads the secrets of one journey by name. */
  readonly readSecrets: (references: Readonly<Record<string, SecretReference>>) => Promise<Map<string, string>>;
  /** How names are resolved; default the system's. */
  readonly lookup?: LookupFunction;
}

/** A journey that is not through by then has failed, in milliseconds. */
const journeyLimitMs = 120_000;

/** Every journey's outcome is reported; none hides another's. */
export async function runJourneys(journeys: Readonly<Record<string, Journey>>, tools: JourneyTools): Promise<JourneyResult[]> {
  return Promise.all(Object.entries(journeys).map(([name, journey]) => runJourney(name, journey, tools).catch((error: unknown) => brokenOff(name, error))));
}

/** Of an error that nobody thought of only the name goes on: its message may quote anything. */
const brokenOff = (journey: string, error: unknown): JourneyResult =>
  ({ journey, ok: false, durationMs: 0, failedAt: null, reason: `it broke off with ${error instanceof Error ? error.name : 'an unknown error'}`, couldNotRun: true });

async function runJourney(name: string, journey: Journey, tools: JourneyTools): Promise<JourneyResult> {
  const began = performance.now();
  const result = (ok: boolean, failedAt: string | null, reason: string | null, isBroken = false): JourneyResult =>
    ({ journey: name, ok, durationMs: Math.round(performance.now() - began), failedAt, reason, ...(isBroken ? { couldNotRun: true as const } : {}) });
  let secrets: Map<string, string>;
  try {
    secrets = await tools.readSecrets(journey.secrets);
  } catch (error) {
    return result(false, null, `its secrets could not be read: ${messageOf(error)}`, true);
  }
  const values = new Map<string, Json>([...secrets].map(([key, value]) => [`secret.${key}`, value]));
  const mask = (text: string): string => masker([{ values: secrets.values(), instead: '[secret]' }, { values: tokensOf(values), instead: '[carried]' }])(text);
  const answeredBy = new Map<string, URL>();
  for (const request of journey.requests) {
    try {
      const left = journeyLimitMs - (performance.now() - began);
      if (left <= 0) return result(false, request.name, `the journey was not through after ${journeyLimitMs / 1000} s`);
      const why = await runRequest(request, { journey, values, answeredBy, left, tools, mask });
      if (why !== null) return result(false, request.name, clean(mask(why)));
    } catch (error) {
      const isBroken = error instanceof Error && (error.name === 'JourneyBroken' || error.name === 'AddressRefused');
      return result(false, request.name, clean(mask(messageOf(error))), isBroken);
    }
  }
  return result(true, null, null);
}

const tokensOf = (values: Values): string[] => [...values].flatMap(([key, value]) => (key.startsWith('secret.') ? [] : tokensIn(value)));

interface Course {
  readonly journey: Journey;
  readonly values: Map<string, Json>;
  /** Carried name to the URL whose answer gave it. */
  readonly answeredBy: Map<string, URL>;
  readonly left: number;
  readonly tools: JourneyTools;
  readonly mask: (text: string) => string;
}

/** @returns why the request failed, or null; what it carries is added to the values. */
async function runRequest(request: JourneyRequest, course: Course): Promise<string | null> {
  const answer = await exchange(fill(request, course));
  const body = new AnswerBody(answer.body);
  const why = disappointment(request.expect, { answer, body }, course.mask);
  if (why !== null) return why;
  const found = carried(request.carry, body);
  if (typeof found === 'string') return found;
  for (const [name, value] of found) {
    course.values.set(name, value);
    course.answeredBy.set(name, answer.url);
  }
  return null;
}

const alwaysConfidential = ['authorization', 'cookie', 'proxy-authorization'];

function fill(request: JourneyRequest, { journey, values, answeredBy, left, tools }: Course): Exchange {
  const url = fillUrl(request.url, values);
  const body = bodyOf(request, values);
  const given = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), headerValue(name, value, values)]));
  const confidential = new Set([...Object.entries(request.headers).filter(([, value]) => usesSecret(value)).map(([name]) => name.toLowerCase()), ...alwaysConfidential]);
  const isBodyConfidential = usesSecret(JSON.stringify(request.body ?? null));
  const from = answeredBy.get(leadingName(request.url) ?? '');
  if (from !== undefined) {
    const isConfidential = isBodyConfidential || usesSecret(request.url) || Object.keys(given).some((name) => confidential.has(name));
    assertLead({ to: url, from, journey, values, isConfidential });
  }
  return {
    method: request.method,
    url,
    headers: {
      accept: '*/*', 'accept-encoding': 'identity', ...(body === null ? {} : { 'content-type': body.type }), ...given,
      'user-agent': 'ripcord-journey', // An execution's name may hold letters that no header takes.
      'x-ripcord-rollback': encodeURIComponent(tools.rollbackId),
    },
    confidential,
    body: body?.text ?? null,
    isBodyConfidential,
    timeoutMs: Math.min(request.timeoutMs, left),
    followRedirects: request.followRedirects,
    allowHosts: journey.allowHosts,
    allowLoopback: journey.allowLoopback,
    ...(tools.lookup === undefined ? {} : { lookup: tools.lookup }),
  };
}

/** @throws JourneyBroken for what the catalogue or a secret puts there; ExchangeFailed for what the service gave. */
function headerValue(name: string, template: string, values: Values): string {
  const text = fillText(template, values);
  try {
    validateHeaderName(name);
  } catch {
    throw new JourneyBroken(`header ${JSON.stringify(name)} has a name that HTTP does not allow`);
  }
  try {
    validateHeaderValue(name, text);
  } catch {
    if (usesCarried(template)) throw new ExchangeFailed(`header ${name} cannot hold what an earlier request carried`);
    throw new JourneyBroken(`header ${name} has a value that HTTP does not allow: a line break, or a letter beyond Latin-1`);
  }
  return text;
}

function bodyOf(request: JourneyRequest, values: Values): { readonly text: string; readonly type: string } | null {
  if (request.body === undefined) return null;
  if ('text' in request.body) return { text: fillText(request.body.text, values), type: 'text/plain; charset=utf-8' };
  return { text: JSON.stringify(fillJson(request.body.json, values)), type: 'application/json' };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What a sick service answers must not run over a message: no control characters, at most 400 characters. */
const clean = (text: string): string => text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, 400);
