// Instants as text: AWS writes them in several ways, Ripcord in one.
import type { Instant } from './vocabulary.ts';

/** Epoch milliseconds of an instant. */
export const at = (instant: Instant): number => Date.parse(instant);

export const instantOf = (epochMilliseconds: number): Instant => new Date(epochMilliseconds).toISOString();

export const later = (instant: Instant, seconds: number): Instant => instantOf(at(instant) + seconds * 1000);

/**
 * Reads an instant the way AWS writes it. CloudWatch uses `+0000`, without the colon that ISO 8601 wants.
 * @returns null for anything that is not an instant with a date, a time and a zone.
 */
export function parseInstant(text: string): Instant | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)$/.test(text)) return null;
  const parsed = Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  return Number.isNaN(parsed) ? null : instantOf(parsed);
}
