// Reads the words out of a zod schema: known keys, what a union accepts, and the word nearest to what was typed.
import type * as z from 'zod';

type Definition = z.core.$ZodTypeDef & {
  readonly innerType?: z.ZodType; readonly in?: z.ZodType; readonly shape?: Record<string, z.ZodType>; readonly element?: z.ZodType;
  readonly valueType?: z.ZodType; readonly options?: readonly z.ZodType[]; readonly values?: readonly unknown[];
};

interface Checked {
  readonly schema: z.ZodType;
  readonly input: unknown;
}

const defOf = (schema: z.ZodType): Definition => schema.def;

/** Strips what only wraps a schema: optional, default, prefault, pipe. */
function bare(schema: z.ZodType): z.ZodType {
  const { innerType, in: source } = defOf(schema);
  const inner = innerType ?? source;
  return inner === undefined ? schema : bare(inner);
}

const branches = (schema: z.ZodType): readonly z.ZodType[] => defOf(bare(schema)).options?.flatMap(branches) ?? [bare(schema)];

/** A branch whose literals (`strategy: alb-weights`) say something else than the input is not meant. */
const couldMean = (schema: z.ZodType, input: unknown): boolean =>
  Object.entries(defOf(schema).shape ?? {}).every(([key, one]) => {
    const { values } = defOf(bare(one));
    const given = valueAt(input, [key]);
    return values === undefined || given === undefined || values.includes(given);
  });

function schemasAt({ schema, input }: Checked, path: readonly PropertyKey[]): readonly z.ZodType[] {
  const here = branches(schema).filter((one) => couldMean(one, input));
  const [key, ...rest] = path;
  if (key === undefined) return here;
  return here.flatMap((one) => {
    const { shape, valueType, element } = defOf(one);
    const next = shape?.[String(key)] ?? valueType ?? element;
    return next === undefined ? [] : schemasAt({ schema: next, input: valueAt(input, [key]) }, rest);
  });
}

export const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((value, key) => (value === null || typeof value !== 'object' ? undefined : (value as Record<PropertyKey, unknown>)[key]), input);

/** Keys that the mapping at this path may have. */
export const keysAt = (checked: Checked, path: readonly PropertyKey[]): readonly string[] =>
  [...new Set(schemasAt(checked, path).flatMap((one) => Object.keys(defOf(one).shape ?? {})))];

/** What the union at this path accepts, in a few words. */
export const alternatives = (checked: Checked, path: readonly PropertyKey[]): string =>
  schemasAt(checked, path).map((one) => {
    const { shape, values, type } = defOf(one);
    return shape === undefined ? (values ?? [type]).join(', ') : `{ ${required(shape).join(', ')} }`;
  }).join(' or ');

function required(shape: Record<string, z.ZodType>): string[] {
  const names = Object.entries(shape).filter(([, one]) => !one.safeParse(undefined).success).map(([name]) => name);
  return names.length > 0 ? names : Object.keys(shape);
}

/** The known word that was probably meant: the beginning of it, or a few letters away. */
export function nearest(given: string, known: readonly string[]): string | undefined {
  const begun = known.find((word) => given.length >= 4 && word.startsWith(given));
  const [first] = known.map((word) => ({ word, distance: distance(given.toLowerCase(), word.toLowerCase()) })).toSorted((a, b) => a.distance - b.distance);
  return begun ?? (first !== undefined && first.distance <= Math.min(2, Math.floor(given.length / 3)) ? first.word : undefined);
}

/** `; did you mean "alarms"?`, or the list of known words when none is near. */
export function suggestion(given: string, known: readonly string[]): string {
  const word = nearest(given, known);
  if (word !== undefined) return `; did you mean "${word}"?`;
  return known.length === 0 ? '' : `; known: ${known.join(', ')}`;
}

/** Levenshtein: insertions, deletions and replacements from one word to the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, letter] of from.split('').entries()) {
    const next = [i + 1];
    for (const [j, other] of to.split('').entries())
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)));
    row = next;
  }
  return row.at(-1) ?? 0;
}
