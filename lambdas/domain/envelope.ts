// What every input of a workflow has in common: who it is about, the EventBridge envelope, and how a bad one is refused.
import * as z from 'zod';
import { Refusal } from './errors.ts';
import { instant } from './instant-field.ts';
import { htmlTag, shown, unsafeCharacter } from './shown.ts';

/** A state of Step Functions takes 256 KiB; no real event comes near it, and the audit keeps what is read. */
const maximumCharacters = 200_000;

/** What is nested so deep that a function which calls itself runs out of stack is no event: real ones have about ten levels. */
const maximumDepth = 100;

export const serviceName = z.string().max(40).regex(/^[a-z][a-z0-9-]*$/, { error: 'needs the name of a service: lower-case letters, digits and hyphens' });

/** One line a person or another tool wrote. */
export const line = (maximum: number) => z.string().trim().min(1, { error: 'must not be empty' })
  .max(maximum, { error: `is too long: at most ${maximum} characters` })
  .refine((text) => !unsafeCharacter.test(text), { error: 'must not contain control or direction characters' })
  .refine((text) => !htmlTag.test(text), { error: 'must not contain HTML' });

/** An identifier of AWS or another tool. */
export const identifier = (maximum: number) => z.string().min(1).max(maximum).refine((text) => !unsafeCharacter.test(text), { error: 'must not contain control characters' });

/** The envelope as EventBridge sends it; unknown keys of AWS's own are dropped, not refused: AWS adds some every year. */
export const envelope = z.object({
  source: z.string().max(256),
  'detail-type': z.string().max(256),
  time: instant.optional(),
  detail: z.record(z.string(), z.unknown()),
});
export type Envelope = z.output<typeof envelope>;

/**
 * Parses or refuses with one clear reason.
 * @throws Refusal with code `bad-input`; at most 200 characters of the input are repeated, cleaned.
 */
export function parseOrRefuse<Output>(schema: z.ZodType<Output>, value: unknown, where: string): Output {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw refuse(`${where}: ${firstIssue(parsed.error)}`);
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'is not as expected';
  const path = issue.path.map(String).join('.');
  const message = issue.code === 'unrecognized_keys' ? `has keys that do not belong here: ${issue.keys.join(', ')}` : issue.message;
  return path === '' ? message : `"${path}" ${message}`;
}

export const refuse = (reason: string): Refusal => new Refusal('bad-input', shown(reason));

/** Level by level, so that no depth is too much for it. */
function isDeeperThan(value: unknown, levels: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > levels) return true;
    level = level.flatMap((one) => (one !== null && typeof one === 'object' ? Object.values(one) : []));
  }
  return false;
}

/** @throws Refusal unless the input is a JSON object of a size that can be read and kept. */
export function objectOrRefuse(input: unknown): Record<string, unknown> {
  if (typeof input === 'string') throw refuse(`the input must be a JSON object, not text: ${input}`);
  if (input === null || typeof input !== 'object' || Array.isArray(input)) throw refuse('the input must be a JSON object');
  if (isDeeperThan(input, maximumDepth)) throw refuse(`the input is nested more than ${maximumDepth} levels deep`);
  const length = JSON.stringify(input).length;
  if (length > maximumCharacters) throw refuse(`the input is too large: ${length} characters, at most ${maximumCharacters}`);
  return input as Record<string, unknown>;
}
