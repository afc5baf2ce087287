// Values that nobody sends on purpose but somebody will, and ways to put them into a good one.
import * as fc from 'fast-check';

export const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);

export const nasty = fc.oneof(
  fc.jsonValue(), fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom<unknown>('', ' ', '\u0000', '\u202Egnp', '\uD800', '<script>alert(1)</script>', '{{secret.key}}', '../../etc/passwd', "'; DROP TABLE x; --", '__proto__', 'x'.repeat(100_000), -1, 1e308, true, null, [], {}),
  fc.integer({ min: 50, max: 30_000 }).map(nested),
);

/** Every place in a value: a list of keys. */
export function places(value: unknown, at: readonly string[] = []): (readonly string[])[] {
  if (value === null || typeof value !== 'object') return [at];
  return [at, ...Object.entries(value).flatMap(([key, member]) => places(member, [...at, key]))];
}

export function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  const members = value as Record<string, unknown>;
  const changed = replaced(members[key], rest, by);
  return Array.isArray(value) ? value.map((one: unknown, index) => (String(index) === key ? changed : one)) : { ...members, [key]: changed };
}

/** Mostly what is there is put in another way; now and then something stands beside it that nobody asked for. */
const beside = fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.string({ maxLength: 20 }) });

/** Any part of one of the samples put in another way. */
export const mutated = (samples: readonly object[]): fc.Arbitrary<unknown> => fc.constantFrom(...samples).chain((sample) =>
  fc.record({ at: fc.constantFrom(...places(sample)), by: nasty, extra: beside })
    .map(({ at, by, extra }) => replaced(sample, extra === undefined ? at : [...at.slice(0, -1), extra], by)));
