// Ends the rollback of an execution that died: what Report would have said is put together from the audit, as far as it goes.
import { dataIn } from '../audit/data.ts';
import type { AuditRow } from '../audit/entry.ts';
import type { Decision } from '../domain/decide.ts';
import { modeOf } from '../domain/demands.ts';
import { type DoorQuestion, isAtDoor } from '../domain/door.ts';
import { Refusal } from '../domain/errors.ts';
import { instantOf } from '../domain/instants.ts';
import type { Question } from '../domain/question.ts';
import { releaseFrom } from '../domain/readings.ts';
import type { AuditCursor, JsonObject, Release, ReleaseManifest } from '../domain/vocabulary.ts';
import type { Assessment, Reported, ReportInput, StepApplied, StepResult } from '../domain/workflow.ts';
import { rollbackIdOf } from './answer-request.ts';
import { type ReportParts, endRollback } from './report.ts';
import type { Ending } from './report-outcome.ts';

/** `Step Functions Execution Status Change`; its dates are epoch milliseconds, and a large input is left out. */
export interface DeathEvent {
  readonly detail: { readonly name: string; readonly status: 'FAILED' | 'TIMED_OUT' | 'ABORTED'; readonly startDate: number; readonly input?: string | null; readonly error?: string | null };
}

const deaths: readonly unknown[] = ['FAILED', 'TIMED_OUT', 'ABORTED'] satisfies DeathEvent['detail']['status'][];

/** @throws Refusal for what tells of no execution that died: closing a record that goes on, or one under a name that nothing has, would be worse than none. */
export function deathOf(event: unknown): DeathEvent {
  const { name, status, startDate } = ((event as { readonly detail?: unknown } | null | undefined)?.detail ?? {}) as Record<string, unknown>;
  const wrong = (field: string, why: string): Refusal => new Refusal('bad-input', `This tells of no execution that died: \`detail.${field}\` must be ${why}.`);
  if (rollbackIdOf(name) === null) throw wrong('name', 'the name of an execution');
  if (!deaths.includes(status)) throw wrong('status', deaths.join(', '));
  if (typeof startDate !== 'number' || Number.isNaN(new Date(startDate).getTime())) throw wrong('startDate', 'a time in milliseconds');
  return event as DeathEvent;
}

/** Closes the record, frees the lock, tells people. Where Report did its part before the execution ended, nothing is left and nothing is repeated. */
export async function endDead({ detail }: DeathEvent, parts: ReportParts): Promise<Reported> {
  const rows = await parts.audit.read(detail.name);
  const inputFrom = (now: readonly AuditRow[]): ReportInput => reportInput(detail, now);
  return endRollback(inputFrom(rows), parts, { status: detail.status, isTold: hasTold(detail, rows), inputFrom });
}

/** The state machine makes the outcome its own error only after Report returned, and Report returns only when everybody was told. */
function hasTold({ status, error }: DeathEvent['detail'], rows: readonly AuditRow[]): boolean {
  const reported = rows.find(({ kind }) => kind === 'reported');
  if (status !== 'FAILED' || reported === undefined) return false;
  return (dataIn(reported) as { readonly ending?: Partial<Pick<Ending, 'outcome'>> } | null)?.ending?.outcome === error;
}

/** What the execution had collected when it ended, from its own record. */
export function reportInput(detail: DeathEvent['detail'], rows: readonly AuditRow[]): ReportInput {
  const data = rows.flatMap((row) => {
    const said = dataIn(row);
    return said === null ? [] : [{ row, data: said }];
  });
  const last = data.findLast(({ row, data: { question } }) => row.kind === 'assessed' && question !== undefined);
  const assessed = last === undefined ? null : last.data as unknown as AssessedData;
  const assessment = last === undefined || assessed === null ? null : assessmentFrom(assessed, { length: last.row.seq + 1, hash: last.row.hash });
  const input = inputOf(detail.input);
  return {
    rollbackId: detail.name,
    startedAt: assessed?.question.startedAt ?? instantOf(detail.startDate),
    // A large input is not in the event; the service's name is in every row.
    input: input ?? (rows[0] === undefined ? null : { service: rows[0].service }),
    assessment, plans: [], results: resultsFrom(data), verified: null,
    approval: assessed === null || isAtDoor(assessed.question) ? null : assessed.question.approval,
    error: null,
  };
}

interface AssessedData {
  readonly question: Question | DoorQuestion;
  readonly decision: Decision;
  /** The whole one of the release that was decided about; absent in rows of before, whose question has it whole. */
  readonly manifest?: ReleaseManifest | null;
  readonly fence: number | null;
  readonly configVersion: number;
  readonly codeVersion: string;
}

function inputOf(text: string | null | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return text;
  }
}

function assessmentFrom({ question, decision, manifest, fence, configVersion, codeVersion }: AssessedData, audit: AuditCursor): Assessment {
  const { trigger, service, rollbackId } = question;
  // Where the ledger alone decided, no release was looked for.
  const { releases, deployments } = isAtDoor(question) ? { releases: [], deployments: [] } : question;
  const { good, releaseId, rungs: _rungs, ...said } = decision;
  const known = releases.find(({ id }) => id === releaseId);
  const deployment = deployments.find(({ id }) => id === releaseId);
  const release: Release | null = known !== undefined ? { ...known, left: null, ...(manifest == null ? {} : { manifest }) } : deployment === undefined ? null : releaseFrom(service, deployment);
  return {
    ...said, rollbackId, service, release, audit, fence, configVersion, codeVersion,
    mode: isAtDoor(question) ? question.mode : modeOf(question),
    requestedBy: trigger.kind === 'person' ? trigger.requestedBy : null,
    knownGood: good === null ? null : { version: good.version, since: good.since, basis: good.basis },
    // The steps themselves are not in the row; what became of them is, in rows of their own.
    rungs: [],
    verification: { intervalSeconds: 0, passesInARow: 0, deadlineSeconds: 0 },
  };
}

type StepData = Pick<StepApplied, 'stepId' | 'strategy' | 'targetId'> & Partial<StepApplied>;
interface Recorded {
  readonly row: AuditRow;
  readonly data: JsonObject;
}

/** The last word on each step. A change that was intended and then never spoken of again may have been made or not. */
function resultsFrom(rows: readonly Recorded[]): StepResult[] {
  const steps = new Map<string, StepResult>();
  for (const { row, data } of rows) {
    if (row.kind !== 'change-intended' && row.kind !== 'change-made' && row.kind !== 'change-failed') continue;
    const step = data as unknown as StepData;
    const before = steps.get(step.stepId)?.applied;
    const unknown = { code: 'outcome-unknown', text: 'The change was about to be made when the execution ended; nobody knows whether it was.' };
    const status = row.kind === 'change-intended' ? 'failed' : step.status ?? (row.kind === 'change-made' ? 'changed' : 'failed');
    steps.set(step.stepId, {
      rung: step.stepId.split('/')[0] ?? '',
      applied: {
        stepId: step.stepId, strategy: step.strategy, targetId: step.targetId, status, at: row.at, confirmAfterSeconds: 0,
        from: step.from ?? before?.from ?? null, to: step.to ?? before?.to ?? null, handle: step.handle ?? null,
        summary: step.summary ?? before?.summary ?? '', reason: row.kind === 'change-intended' ? unknown : step.reason ?? null,
      },
      confirmed: null,
    });
  }
  return [...steps.values()];
}
