// What came in while a rollback was being closed: whoever brought it joined this run and ended, so it is here or nowhere that people hear of it.
import type { AuditRow } from '../audit/entry.ts';
import type { DeliveredSignal } from '../domain/ledger.ts';
import type { Instant } from '../domain/vocabulary.ts';
import type { ReportInput } from '../domain/workflow.ts';
import { plain, utc } from './messages-text.ts';
import type { Ending } from './report-outcome.ts';

/** Whatever joined after this instant nobody has looked at: the last round of proof, or the last decision where nothing was proven. */
export const lastLookedAt = ({ verified, startedAt }: ReportInput, rows: readonly AuditRow[]): Instant =>
  verified?.journeys.at ?? rows.findLast(({ kind }) => kind === 'assessed')?.at ?? startedAt;

const told = 'a new signal came in while this rollback was being closed';

/** A look reads alarms moments after its own instant, and CloudWatch's clock is not Lambda's. */
const marginMs = 10_000;

/**
 * Names them all, and wakes somebody where one fires and the outcome would have let everybody sleep. An alarm's event that says it fired before
 * the last look was delivered late: that look has read the alarm since, so it wakes nobody.
 * @param late newest first.
 */
export function withLateSignals(ending: Ending, late: readonly DeliveredSignal[], lookedAt: Instant): Ending {
  if (late.length === 0) return ending;
  const reasons = late.slice(0, 10).map(({ kind, source, status, at, summary }) => ({
    code: 'late-signal', text: plain(`${told}: ${kind} ${source}, ${status}, at ${utc(at)}: ${summary}`, 600),
  }));
  // Of one source the newest word counts: what fired and was quiet again wakes nobody.
  const isFiring = late.some(({ kind, source, since, status }, index) => status === 'firing' && !(kind === 'alarm' && since !== null && Date.parse(since) < Date.parse(lookedAt) - marginMs) && late.findIndex((one) => one.source === source) === index);
  const wakes = isFiring && ending.outcome === 'recovered';
  return { ...ending, reasons: [...reasons, ...ending.reasons], ...(wakes ? { page: true, headline: `${ending.headline}; ${told}` } : {}) };
}
