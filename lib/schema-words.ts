// Reads the words out of a zod schema: known keys, known values, and the one nearest to what was typed.
import type * as z from 'zod';

type Definition = z.core.$ZodTypeDef & {
  readonly innerType?: z.ZodType; readonly in?: z.ZodType; readonly shape?: Record<string, z.ZodType>; readonly element?: z.ZodType;
  readonly valueType?: z.ZodType; readonly options?: readonly z.ZodType[]; readonly values?: readonly unknown[];
};

const defOf = (schema: z.ZodType): Definition => schema.def as unknown as Definition;

/** Strips what only wraps a schema: optional, default, prefault, pipe. */
function bare(schema: z.ZodType): z.ZodType {
  const def = defOf(schema);
  const inner = def.innerType ?? def.in;
  return inner === undefined ? schema : bare(inner);
}

function branches(schema: z.ZodType): readonly z.ZodType[] {
  const plain = bare(schema);
  return defOf(plain).options?.flatMap(branches) ?? [plain];
}

function schemasAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly z.ZodType[] {
  const here = branches(schema);
  const [key, ...rest] = path;
  if (key === undefined) return here;
  return here.flatMap((one) => {
    const def = defOf(one);
    const next = def.shape?.[String(key)] ?? def.valueType ?? def.element;
    return next === undefined ? [] : schemasAt(next, rest);
  });
}

/** Keys that a mapping at this path may have. */
export const keysAt = (schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] =>
  [...new Set(schemasAt(schema, path).flatMap((one) => Object.keys(defOf(one).shape ?? {})))];

/** Values that choose a branch of the union at this path. */
export const discriminatorValues = (schema: z.ZodType, path: readonly PropertyKey[], discriminator: string): readonly string[] => {
  const container = path.at(-1) === discriminator ? path.slice(0, -1) : path;
  return [...new Set(schemasAt(schema, [...container, discriminator]).flatMap((one) => (defOf(one).values ?? []).map(String)))];
};

/** What a union at this path accepts, in a few words. */
export const alternatives = (schema: z.ZodType, path: readonly PropertyKey[]): string =>
  schemasAt(schema, path).map((one) => {
    const { shape, values, type } = defOf(one);
    return shape === undefined ? (values ?? [type]).join(', ') : `{ ${required(shape).join(', ')} }`;
  }).join(' or ');

const required = (shape: Record<string, z.ZodType>): string[] => {
  const names = Object.keys(shape).filter((key) => !(shape[key] as z.ZodType).safeParse(undefined).success);
  return names.length > 0 ? names : Object.keys(shape);
};


/** `; did you mean "alarms"?`, or the list of known words when none is near. */
export function suggestion(given: string, known: readonly string[]): string {
  const nearest = known.map((word) => ({ word, distance: distance(given.toLowerCase(), word.toLowerCase()) })).toSorted((a, b) => a.distance - b.distance)[0];
  if (nearest !== undefined && nearest.distance <= Math.max(2, Math.floor(given.length / 3))) return `; did you mean "${nearest.word}"?`;
  return known.length === 0 ? '' : `; known: ${known.join(', ')}`;
}

/** Levenshtein: insertions, deletions and replacements from one word to the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries())
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)));
    row = next;
  }
  return row.at(-1) ?? 0;
}
