// The schema of an instant in an event; apart from the other instants, so that a handler without schemas need not bundle them.
import * as z from 'zod';
import { parseInstant } from './instants.ts';
import type { Instant } from './vocabulary.ts';

export const instant = z.string().max(40).transform((text, context): Instant => {
  const parsed = parseInstant(text);
  if (parsed !== null) return parsed;
  context.addIssue({ code: 'custom', message: 'needs an instant such as 2026-11-20T09:14:07Z' });
  return z.NEVER;
});
