// How many requests failed, as far as the metrics were read when the decision was made.
import { dataIn } from '../audit/data.ts';
import type { AuditRow } from '../audit/entry.ts';
import type { MetricsReading } from '../domain/metrics.ts';
import type { Instant } from '../domain/vocabulary.ts';
import { plain, utc } from './messages-text.ts';

const minuteMs = 60_000;

/** The last reading of the metrics that a decision was made from; null where none was read. */
function lastReading(rows: readonly AuditRow[]): Extract<MetricsReading, { status: 'read' }> | null {
  for (const row of rows.toReversed()) {
    if (row.kind !== 'assessed') continue;
    const metrics = readingIn(row);
    if (metrics?.status === 'read') return metrics;
  }
  return null;
}

const readingIn = (row: AuditRow): MetricsReading | null => (dataIn(row) as { readonly question?: { readonly metrics?: MetricsReading } } | null)?.question?.metrics ?? null;

/** Sum of the values in the last `count` minutes; null where there is none. */
function sumOf(column: readonly (number | null)[], count: number): number | null {
  const values = column.slice(-count).filter((value) => value !== null);
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
}

/**
 * One line for each declared metric that counts errors.
 * @param from when the fault began; the whole minute in which it did is counted.
 */
export function failedRequests(rows: readonly AuditRow[], from: Instant | null): string[] {
  const reading = lastReading(rows);
  const minutes = reading === null || from === null ? 0 : Math.ceil((Date.parse(reading.end) - Date.parse(from)) / minuteMs);
  if (reading === null || minutes <= 0) return ['Failed requests: not measured.'];
  const lines = reading.metrics.flatMap(({ name, requests, errors }) => {
    const [failed, all] = [errors === null ? null : sumOf(errors, minutes), sumOf(requests, minutes)];
    if (failed === null || all === null || all === 0) return [];
    return [`Failed requests (${plain(name, 60)}): ${failed} of ${all} (${((100 * failed) / all).toFixed(1)} %) in the ${minutes === 1 ? 'minute' : `${minutes} minutes`} before ${utc(reading.end)}, when the last decision was made; what failed later is not in it.`];
  });
  return lines.length > 0 ? lines : ['Failed requests: not measured.'];
}
