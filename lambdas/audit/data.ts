// What a row says, for whoever reads one: somebody may have put in a row, or bent one, and reading on is worth more than stopping there.
import type { JsonObject } from '../domain/vocabulary.ts';
import type { AuditRow } from './entry.ts';

/** Null for what is no JSON object: no function of the engine wrote it, and `verify` names the row. */
export function dataIn({ data }: Pick<AuditRow, 'data'>): JsonObject | null {
  try {
    const parsed: unknown = JSON.parse(data);
    return parsed !== null && typeof parsed === 'object' && !Array.isArray(parsed) ? parsed as JsonObject : null;
  } catch {
    return null;
  }
}
