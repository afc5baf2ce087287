// Says what is wrong with a configuration so that it can be mended at once: one line a problem, with the nearest known word.
import type * as z from 'zod';
import { alternatives, keysAt, nearest, suggestion, valueAt } from './schema-words.ts';

export interface Problem {
  readonly path: readonly PropertyKey[];
  /** The problem is about this key of the mapping at `path`, so the line is the key's. */
  readonly key?: string;
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

interface Checked {
  readonly schema: z.ZodType;
  readonly input: unknown;
}

/** One problem for each thing to mend; a union's problem is that of the branch which was meant. */
export function problemsOf(error: z.ZodError, checked: Checked): readonly Problem[] {
  const problems = error.issues.flatMap((issue) => problemsOfIssue(issue, checked));
  // A key that was misspelled is not missing as well.
  const meant = new Set(problems.flatMap(({ path, key }) => {
    const word = key === undefined ? undefined : nearest(key, keysAt(checked, path));
    return word === undefined ? [] : [[...path, word].map(String).join('.')];
  }));
  return problems.filter(({ path, key }) => key !== undefined || valueAt(checked.input, path) !== undefined || !meant.has(path.map(String).join('.')));
}

function problemsOfIssue(issue: Issue, checked: Checked): readonly Problem[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path, key, message: `is not a known key${suggestion(key, keysAt(checked, path))}` }));
  if (issue.code === 'invalid_union') return unionProblems(issue, checked);
  if (issue.code === 'invalid_key') return [{ path: path.slice(0, -1), key: String(path.at(-1)), message: issue.issues[0]?.message ?? issue.message }];
  if (issue.code === 'invalid_type' && path.length === 0) return [{ path, message: `needs a mapping with the key \`${keysAt(checked, []).at(-1)}\`` }];
  if (issue.code === 'invalid_type' && valueAt(checked.input, path) === undefined && isDefaultMessage(issue.message))
    return [{ path, message: `is missing; it needs ${/^[aeiou]/.test(issue.expected) ? 'an' : 'a'} ${issue.expected}` }];
  return [{ path, message: `${issue.message}${misspelt(issue)}` }];
}

/** A schema's own check names what was typed and what there is. */
function misspelt(issue: Issue): string {
  const { typed, known } = (issue.code === 'custom' ? issue.params ?? {} : {}) as { readonly typed?: string; readonly known?: readonly string[] };
  const word = typed === undefined || known === undefined ? undefined : nearest(typed, known);
  return word === undefined ? '' : `; did you mean ${word}?`;
}

type UnionIssue = Extract<Issue, { code: 'invalid_union' }>;

/** What a schema says about the whole union goes first; else the branch that was meant speaks. */
function unionProblems(issue: UnionIssue, checked: Checked): readonly Problem[] {
  const { path } = issue;
  const given = valueAt(checked.input, path);
  if ('options' in issue && Array.isArray(issue.options)) {
    const known = issue.options.map(String);
    return [{ path, message: given === undefined ? `is missing; it must be one of ${known.join(', ')}` : `${JSON.stringify(given)} is not known${typeof given === 'string' ? suggestion(given, known) : ''}` }];
  }
  if (!isDefaultMessage(issue.message)) return [{ path, message: issue.message }];
  if (given === undefined) return [{ path, message: `is missing; it needs one of: ${alternatives(checked, path)}` }];
  const [best, next] = issue.errors.map((issues) => ({ issues, strange: strangeness(issues, given) })).toSorted((a, b) => a.strange - b.strange);
  if (best === undefined || best.strange === next?.strange) return [{ path, message: `needs one of: ${alternatives(checked, path)}` }];
  return best.issues.flatMap((inner) => problemsOfIssue({ ...inner, path: [...path, ...inner.path] }, checked));
}

/** How much says that another branch was meant: its unknown keys and its missing ones, or a value of another kind altogether. */
const strangeness = (issues: readonly Issue[], given: unknown): number =>
  issues.reduce((sum, issue) => {
    if (issue.code === 'unrecognized_keys') return sum + issue.keys.length;
    return sum + (issue.path.length === 0 || valueAt(given, issue.path) === undefined ? 1 : 0);
  }, 0);

const isDefaultMessage = (message: string): boolean => message.startsWith('Invalid input');
