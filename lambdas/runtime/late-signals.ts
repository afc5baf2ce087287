// What came in while a rollback was being closed: whoever brought it joined this run and ended, so it is here or nowhere that people hear of it.
import { dataIn } from '../audit/data.ts';
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

/** A signal has the instant at which its run began; that run writes it as long as a function may work, no longer. */
const writingMs = 60_000;

/** From which instant on signals have to be read, so that none is missed which was written after the last look. */
export const readFrom = (lookedAt: Instant): Instant => new Date(Date.parse(lookedAt) - writingMs).toISOString();

/** Tells one signal from all others of its service. */
export const keyOf = ({ at, rollbackId }: Pick<DeliveredSignal, 'at' | 'rollbackId'>): string => `${at}#${rollbackId}`;

/** Those that nobody has looked at: a round of proof looks at all that is wrong by then, a decision cannot ask a tool or a person again. */
export function unlooked(signals: readonly DeliveredSignal[], input: ReportInput, rows: readonly AuditRow[]): DeliveredSignal[] {
  const lookedAt = Date.parse(lastLookedAt(input, rows));
  const weighed = input.verified === null ? weighedIn(rows) : null;
  return signals.filter((signal) => Date.parse(signal.at) >= lookedAt || (weighed !== null && ['external', 'person'].includes(signal.kind) && signal.leftTo === input.rollbackId && !weighed.has(keyOf(signal))));
}

/** Signals that the last decision had before it. */
function weighedIn(rows: readonly AuditRow[]): Set<string> {
  const last = rows.findLast(({ kind }) => kind === 'assessed');
  const question = last === undefined ? null : dataIn(last)?.['question'] as { readonly delivered?: readonly DeliveredSignal[] } | undefined;
  return new Set((question?.delivered ?? []).map(keyOf));
}

/** As a reason of the rollback that they were left to. */
export const lateText = ({ kind, source, status, at, summary }: DeliveredSignal): string => plain(`${told}: ${kind} ${source}, ${status}, at ${utc(at)}: ${summary}`, 600);

/**
 * Those somebody has to hear of. Of one source the newest word counts: what fired and was quiet again wakes nobody. Nor does an alarm's event that
 * says it fired before the last look: it was delivered late, and that look has read the alarm since.
 * @param late newest first.
 */
export const firing = (late: readonly DeliveredSignal[], lookedAt: Instant): DeliveredSignal[] => late.filter(({ kind, source, since, status }, index) =>
  status === 'firing' && !(kind === 'alarm' && since !== null && Date.parse(since) < Date.parse(lookedAt) - marginMs) && late.findIndex((one) => one.source === source) === index);

/** Names them all, and wakes somebody where one fires and the outcome would have let everybody sleep. @param late newest first. */
export function withLateSignals(ending: Ending, late: readonly DeliveredSignal[], lookedAt: Instant): Ending {
  if (late.length === 0) return ending;
  const reasons = late.slice(0, 10).map((signal) => ({ code: 'late-signal', text: lateText(signal) }));
  const wakes = firing(late, lookedAt).length > 0 && ending.outcome === 'recovered';
  return { ...ending, reasons: [...reasons, ...ending.reasons], ...(wakes ? { page: true, headline: `${ending.headline}; ${told}` } : {}) };
}
