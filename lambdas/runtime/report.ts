// Ends a rollback: seals the record, closes the ledger's rows, tells people, frees the lock, and looks a last time for what was left to it. Each part is safe to repeat, from wherever it died.
import type { AuditRecord } from '../adapters/audit-record.ts';
import { ChainSealed } from '../adapters/audit-store.ts';
import { closeRollback, quarantine, updateRelease } from '../adapters/ledger-history.ts';
import { ownFence, releaseLock, shutOut } from '../adapters/ledger-lock.ts';
import type { LedgerTable } from '../adapters/ledger-table.ts';
import type { Notices } from '../adapters/notices.ts';
import { sendOnce } from '../adapters/notices-once.ts';
import { dataIn } from '../audit/data.ts';
import { type AuditRow, cursorAt, genesis } from '../audit/entry.ts';
import type { Clock } from '../domain/clock.ts';
import type { DeliveredSignal } from '../domain/ledger.ts';
import type { AuditCursor, Instant } from '../domain/vocabulary.ts';
import type { Reported, ReportInput } from '../domain/workflow.ts';
import { coolDownIn } from './cool-down.ts';
import { incidentReport } from './incident-report.ts';
import { keyOf, lastLookedAt, unlooked, withLateSignals } from './late-signals.ts';
import type { Log } from './logger.ts';
import { endedMessage, type Surroundings } from './messages.ts';
import { endedSubject } from './messages-subject.ts';
import { type Heard, heardIn, leftToRun, tellLate } from './report-late.ts';
import { type Ending, endingOf, hasChanged, keepsRelease, serviceOf } from './report-outcome.ts';
import { runbook } from './report-plan.ts';
import { pageOnce } from './report-told.ts';
import { unsettledUntil } from './unsettled.ts';
import { withUntold } from './untold.ts';

/** What a message and the cool-down need of the catalogue. */
export interface ServiceFacts {
  readonly owner: string;
  readonly runbook: string | null;
  readonly coolDownMinutes: number;
}

export interface ReportParts {
  readonly audit: Pick<AuditRecord, 'append' | 'read' | 'seal'>;
  readonly table: LedgerTable;
  readonly notices: Notices;
  readonly clock: Clock;
  readonly machineArn: string;
  /** Null when the catalogue cannot be read: a rollback has to end all the same. */
  readonly factsOf: (service: string) => Promise<ServiceFacts | null>;
  /** What other runs left for this one from an instant on, newest first. */
  readonly signalsOfOthers: (about: { readonly service: string; readonly rollbackId: string; readonly from: Instant }) => Promise<readonly DeliveredSignal[]>;
  readonly log: Log;
}

interface Sealed {
  readonly ending: Ending;
  readonly said: Heard;
  readonly endedAt: Instant;
  readonly seal: AuditCursor;
  /** The audit tells that something was about to be changed, whatever became of it. */
  readonly hasIntended: boolean;
  /** By its record. */
  readonly coolDownMinutes: number;
}

/** An execution that did not end by itself. */
export interface Death {
  /** Of the execution: `FAILED`, `TIMED_OUT`, `ABORTED`. */
  readonly status: string;
  /** Report had come to its end before, so people know: nobody is told again, whatever the ledger says of it. */
  readonly isTold: boolean;
  /** What the execution had collected, by its record once that is closed: a handler of it may have written until then. */
  readonly inputFrom: (rows: readonly AuditRow[]) => ReportInput;
}

/**
 * Ends one rollback. The lock is freed also when people could not be told; then it throws, so that telling them is tried again. After that
 * nobody joins this run any more, and what did before is told.
 * @param death what the Watchdog calls for; a rollback that Report had sealed before keeps its outcome.
 */
export async function endRollback(collected: ReportInput, parts: ReportParts, death: Death | null = null): Promise<Reported> {
  const { rollbackId } = collected;
  const sealed = await sealRecord(collected, parts, death?.status ?? null);
  const closed = death === null ? null : await parts.audit.read(rollbackId);
  const input = closed === null || death === null ? collected : death.inputFrom(closed);
  const { ending, seal } = sealed;
  await closeLedger(input, parts, sealed);
  const facts = await factsFor(input, parts);
  const around = { machineArn: parts.machineArn, owner: facts?.owner ?? '', runbook: facts?.runbook ?? null };
  const failure = death?.isTold === true ? null : await tell(input, parts, { sealed, around });
  await freeLock(input, parts, { ending, endedAt: sealed.endedAt, coolDownMinutes: facts?.coolDownMinutes ?? sealed.coolDownMinutes, closed });
  if (death?.isTold !== true) await tellLate(input, parts, { ending, said: sealed.said, around });
  parts.log.info(`ended: ${ending.headline}`, { verdict: ending.outcome, auditLength: seal.length, auditHash: seal.hash });
  if (failure !== null) throw failure;
  const plan = plannedIn(input);
  return { rollbackId, outcome: ending.outcome, ok: ending.ok, headline: ending.headline, ...(plan.length === 0 ? {} : { plan }), auditLength: seal.length, auditHash: seal.hash };
}

/** Writes `reported` and `sealed`, or finds them where an earlier try got to. */
async function sealRecord(input: ReportInput, parts: ReportParts, died: string | null, sealedAt: AuditCursor | null = null): Promise<Sealed> {
  const rows = await parts.audit.read(input.rollbackId);
  const last = rows.at(-1);
  const head = last === undefined ? genesis : cursorAt(last);
  const before = reportedIn(input, rows);
  const now = parts.clock.now().toISOString();
  const hasIntended = rows.some(({ kind }) => kind === 'change-intended');
  const { ending, said } = before ?? await endingNow(input, parts, { died, rows, hasIntended });
  const endedAt = before?.endedAt ?? now;
  const plan = plannedIn(input);
  const known = { ending, said, endedAt, hasIntended, coolDownMinutes: coolDownIn(rows) };
  if (sealedAt !== null || last?.kind === 'sealed') return { ...known, seal: sealedAt ?? head };
  const about = { rollbackId: input.rollbackId, service: serviceOf(input) ?? 'unknown' };
  try {
    const cursor = before === null
      ? await parts.audit.append({ ...about, kind: 'reported', at: now, data: {
        ending: { ...ending, reasons: ending.reasons.map((reason) => ({ ...reason })) }, endedAt, ...said, headline: ending.headline,
        ...(plan.length === 0 ? {} : { plan }), markdown: incidentReport({ input, ending, rows, head, endedAt }),
      } }, head)
      : head;
    return { ...known, seal: await parts.audit.seal({ ...about, at: now, data: { outcome: ending.outcome } }, cursor) };
  } catch (error) {
    // Another try of the same step sealed it between our read and our write: what it wrote counts.
    if (error instanceof ChainSealed) return sealRecord(input, parts, died, error.at);
    throw error;
  }
}

async function endingNow(input: ReportInput, parts: ReportParts, { died, rows, hasIntended }: { readonly died: string | null; readonly rows: readonly AuditRow[]; readonly hasIntended: boolean }): Promise<Pick<Sealed, 'ending' | 'said'>> {
  const lookedAt = lastLookedAt(input, rows);
  const left = await leftToRun(input, parts, lookedAt);
  const ending = withLateSignals(withUntold(endingOf(input, died, hasIntended), input.untold), unlooked(left, input, rows), lookedAt);
  const paged = await pageOnce(parts, input, ending);
  return { ending: { ...paged, subject: endedSubject(input, paged) }, said: { lookedAt, heard: left.map(keyOf) } };
}

/** A plan that nothing came of: of a dry run, in shadow, of a way back that was refused or that nobody approved. */
const plannedIn = ({ assessment, plans, results }: ReportInput): string[] => (assessment === null || results.length > 0 ? [] : runbook(assessment, plans));

function reportedIn(input: ReportInput, rows: readonly AuditRow[]): Pick<Sealed, 'ending' | 'endedAt' | 'said'> | null {
  // A row of this kind that says nothing is none of ours.
  const data = rows.flatMap((row) => (row.kind === 'reported' ? [dataIn(row)] : [])).find((one) => one?.['ending'] !== undefined) as (Pick<Sealed, 'ending' | 'endedAt'> & Partial<Heard>) | undefined;
  return data === undefined ? null : { ending: data.ending, endedAt: data.endedAt, said: heardIn(data, input, rows) };
}

async function closeLedger(input: ReportInput, { table }: ReportParts, { ending, endedAt, seal, hasIntended }: Sealed): Promise<void> {
  const { rollbackId, startedAt, assessment, results } = input;
  if (assessment === null) return;
  const { service, release } = assessment;
  await closeRollback(table, { service, startedAt, rollbackId }, { endedAt, outcome: ending.outcome, keepsRelease: keepsRelease(input), auditLength: seal.length, auditHash: seal.hash });
  // A release that did not touch the targets, or lost only its flags, was not taken out of service: it is live and stays so.
  if (ending.outcome !== 'recovered' || release === null || keepsRelease(input) || !(hasIntended || results.some(hasChanged))) return;
  await quarantine(table, service, release.version, { rollbackId, at: endedAt });
  await updateRelease(table, release, { status: 'failed' });
}

async function factsFor(input: ReportInput, { factsOf, log }: ReportParts): Promise<ServiceFacts | null> {
  const service = serviceOf(input);
  if (service === null) return null;
  try {
    return await factsOf(service);
  } catch (error) {
    log.error('the catalogue could not be read for the end message', error);
    return null;
  }
}

/** @returns the error when somebody could not be told. */
async function tell(input: ReportInput, parts: ReportParts, about: { readonly sealed: Sealed; readonly around: Surroundings }): Promise<Error | null> {
  const { sealed: { ending, seal }, around } = about;
  // It had given its signal to another run and died on the way out: that run acts, and tells people how it ended.
  if (input.assessment?.verdict === 'joined' && input.assessment.fence === null && input.results.length === 0) return null;
  try {
    await sendOnce(parts, { rollbackId: input.rollbackId, kind: 'ended', message: endedMessage(input, ending, seal, around) });
    return null;
  } catch (error) {
    parts.log.error('the end message could not be sent', error);
    return error instanceof Error ? error : new Error(String(error));
  }
}

interface Freeing {
  readonly ending: Ending;
  readonly endedAt: Instant;
  readonly coolDownMinutes: number;
  /** The closed record of one that was ended from outside: a call of it may go on that nobody waits for any more. */
  readonly closed: readonly AuditRow[] | null;
}

async function freeLock(input: ReportInput, { table }: ReportParts, how: Freeing): Promise<void> {
  const { rollbackId } = input;
  const service = serviceOf(input);
  if (service === null) return;
  if (how.closed !== null) await shutOut(table, { service, rollbackId, unsettledUntil: unsettledUntil(how.closed) });
  // Assess may have taken the lock and died before it could say so.
  const fence = (how.closed === null ? input.assessment?.fence : null) ?? await ownFence(table, service, rollbackId);
  if (fence === null) return;
  const acted = input.results.length > 0 || (how.ending.outcome === 'died' && input.assessment?.mode !== 'shadow');
  const coolDownUntil = acted ? new Date(Date.parse(how.endedAt) + how.coolDownMinutes * 60_000) : null;
  await releaseLock(table, { service, owner: rollbackId, fence }, coolDownUntil);
}
