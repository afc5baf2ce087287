// Says what is wrong with a configuration so that it can be mended at once: one line a problem, with the nearest known word.
import type * as z from 'zod';
import { alternatives, discriminatorValues, keysAt, suggestion } from './schema-words.ts';

export interface Problem {
  readonly path: readonly PropertyKey[];
  /** The problem is about this key of the mapping at `path`, so the line is the key's. */
  readonly key?: string;
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/** One problem for each thing to mend; a union's problem is that of the branch which was meant. */
export function problemsOf(error: z.ZodError, schema: z.ZodType, input: unknown): readonly Problem[] {
  return error.issues.flatMap((issue) => problemsOfIssue(issue, schema, input));
}

function problemsOfIssue(issue: Issue, schema: z.ZodType, input: unknown): readonly Problem[] {
  if (issue.code === 'unrecognized_keys') return unknownKeys(issue, schema);
  if (issue.code === 'invalid_union') return unionProblems(issue, schema, input);
  if (issue.code === 'invalid_key') return [{ path: issue.path.slice(0, -1), key: String(issue.path.at(-1)), message: issue.issues[0]?.message ?? issue.message }];
  if (issue.code === 'invalid_type' && valueAt(input, issue.path) === undefined && isDefaultMessage(issue.message))
    return [{ path: issue.path, message: `is missing; it needs ${article(issue.expected)}` }];
  return [{ path: issue.path, message: issue.message }];
}

function unknownKeys(issue: Extract<Issue, { code: 'unrecognized_keys' }>, schema: z.ZodType): readonly Problem[] {
  const known = keysAt(schema, issue.path);
  return issue.keys.map((key) => ({ path: issue.path, key, message: `is not a known key${suggestion(key, known)}` }));
}

/** The branch that was meant is the one with the fewest problems at its own level; what a schema says about the whole union goes first. */
function unionProblems(issue: Extract<Issue, { code: 'invalid_union' }>, schema: z.ZodType, input: unknown): readonly Problem[] {
  const given = valueAt(input, issue.path);
  const discriminator = 'discriminator' in issue ? issue.discriminator : undefined;
  if (discriminator !== undefined) {
    const known = discriminatorValues(schema, issue.path, discriminator);
    const container = issue.path.at(-1) === discriminator ? issue.path.slice(0, -1) : issue.path;
    const value = (valueAt(input, container) as Record<string, unknown> | undefined)?.[discriminator];
    return [{ path: [...container, discriminator], message: value === undefined ? `is missing; it must be one of ${known.join(', ')}` : `"${String(value)}" is not known${suggestion(String(value), known)}` }];
  }
  if (!isDefaultMessage(issue.message)) return [{ path: issue.path, message: issue.message }];
  if (given === undefined) return [{ path: issue.path, message: `is missing; it needs one of: ${alternatives(schema, issue.path)}` }];
  const best = issue.errors.toSorted((a, b) => shallow(a) - shallow(b) || a.length - b.length)[0] ?? [];
  const isUnclear = issue.errors.filter((one) => shallow(one) === shallow(best)).length > 1;
  if (isUnclear) return [{ path: issue.path, message: `needs one of: ${alternatives(schema, issue.path)}` }];
  return best.flatMap((inner) => problemsOfIssue({ ...inner, path: [...issue.path, ...inner.path] } as Issue, schema, input));
}

/** Problems that say "this is another branch": unknown keys count one each, and missing keys too. */
const shallow = (issues: readonly Issue[]): number =>
  issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : issue.path.length <= 1 ? 1 : 0), 0);

const isDefaultMessage = (message: string): boolean => message.startsWith('Invalid input');

const article = (expected: string): string => (/^[aeiou]/.test(expected) ? `an ${expected}` : `a ${expected}`);

const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((value, key) => (value === null || typeof value !== 'object' ? undefined : (value as Record<PropertyKey, unknown>)[key]), input);
