// Looks at the templates in the texts of a journey.
import type { Journey } from '../lambdas/config/schema.ts';
import type { Problem } from './config-problems.ts';
import { suggestion } from './schema-words.ts';

const pattern = /\{\{\s*([^{}]*?)\s*\}\}/g;

/** A value that only the deployment knows cannot be looked at. */
export const isToken = (text: string): boolean => text.includes('${Token[');

export const withoutTemplates = (text: string, instead = ''): string => text.replaceAll(pattern, instead);

/** Each `{{name}}` has to be a secret of the journey or a value that an earlier request carries. */
export function templateProblems(journey: Journey, at: readonly PropertyKey[]): Problem[] {
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
