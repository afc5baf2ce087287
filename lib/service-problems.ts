// Looks at one service beyond the schema: what is well formed, and still cannot be meant.
import type { Journey, ServiceConfig } from '../lambdas/config/schema.ts';
import type { Problem } from './config-problems.ts';
import { suggestion } from './schema-words.ts';
import { signalProblems } from './signal-problems.ts';

/** @param at where the service stands, for the path of each problem. */
export const serviceProblems = (service: ServiceConfig, at: readonly PropertyKey[]): readonly Problem[] => [
  ...signalProblems(service).map(({ path, ...problem }) => ({ ...problem, path: [...at, ...path] })),
  ...twiceNamed(service.signals.alarms.map(({ name }) => name), [...at, 'signals', 'alarms']),
  ...Object.entries(service.journeys).flatMap(([name, journey]) => journeyProblems(journey, [...at, 'journeys', name])),
];

/** One alarm must not count as two signals, by two groups of its own. */
const twiceNamed = (names: readonly string[], at: readonly PropertyKey[]): Problem[] =>
  names.flatMap((name, index) => (names.indexOf(name) < index ? [{ path: [...at, index, 'name'], message: `names alarm "${name}" a second time; leave one of them out` }] : []));

const pattern = /\{\{\s*([^{}]*?)\s*\}\}/g;

/** Each `{{name}}` has to be a secret of the journey or a value that an earlier request carries. */
function journeyProblems(journey: Journey, at: readonly PropertyKey[]): Problem[] {
  const known = Object.keys(journey.secrets).map((name) => `secret.${name}`);
  return journey.requests.flatMap((request, index) => {
    const here = [...at, 'requests', index];
    const found = [
      ...unknownIn(request.url, known, [...here, 'url']),
      ...Object.entries(request.headers).flatMap(([name, value]) => unknownIn(value, known, [...here, 'headers', name])),
      ...unknownIn(request.body, known, [...here, 'body']),
    ];
    known.push(...Object.keys(request.carry));
    return found;
  });
}

/** Also inside a JSON body, at the place of the text. */
function unknownIn(value: unknown, known: readonly string[], at: readonly PropertyKey[]): Problem[] {
  if (typeof value === 'string') return [...value.matchAll(pattern)].flatMap(([whole, name = '']) => (known.includes(name) ? [] : [{ path: at, message: unknownWords(whole, name, known) }]));
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, member]) => unknownIn(member, known, [...at, key]));
}

const unknownWords = (whole: string, name: string, known: readonly string[]): string =>
  `${whole} has no value: no secret of this journey and no earlier request carries "${name}"${known.length === 0 ? '' : suggestion(name, known)}`;
