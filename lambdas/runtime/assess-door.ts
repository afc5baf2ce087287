// Ends a run that the ledger alone decides: its row, the signal for whoever is at work, the one page of a storm, and nothing else.
import type { AuditStore } from '../adapters/audit-store.ts';
import { joinSignal } from '../adapters/ledger-history.ts';
import { claimStormPage, type StormWindows } from '../adapters/ledger-storm.ts';
import type { LedgerTable } from '../adapters/ledger-table.ts';
import { type Decision, decide } from '../domain/decide.ts';
import { type DoorQuestion, heldByOther, isTrouble } from '../domain/door.ts';
import type { ServiceLedger } from '../domain/ledger.ts';
import type { Trigger } from '../domain/trigger.ts';
import type { AuditCursor, JsonObject, RollbackMode } from '../domain/vocabulary.ts';
import type { Assessment, AssessInput } from '../domain/workflow.ts';
import { namesIn } from './assess-storm.ts';
import { deliveredBy, isTaken } from './delivered-signal.ts';

export interface DoorParts {
  readonly table: LedgerTable;
  readonly audit: Pick<AuditStore, 'append'>;
  readonly codeVersion: string;
  readonly storm: { readonly services: number; readonly minutes: number };
}

/** What the ledger said in the first step. */
export interface AtDoor {
  readonly service: string;
  readonly trigger: Trigger;
  readonly ledger: Pick<ServiceLedger, 'lock'>;
  readonly windows: StormWindows;
  readonly now: Date;
}

/** `closed`: nothing else has to be read. `stormy`: nothing else has to be read when it cannot be. `open`: everything has to be. */
export type Door = 'closed' | 'stormy' | 'open';

export function doorOf({ rollbackId, approval }: Pick<AssessInput, 'rollbackId' | 'approval'>, at: AtDoor, limit: number): Door {
  if (approval !== null || !isTrouble(at.trigger)) return 'open';
  if (heldByOther(at.ledger.lock, rollbackId, at.now.toISOString()) !== null) return 'closed';
  if (namesIn(at.windows).length <= limit) return 'open';
  // On-call knows, and in this window so many were found sick that the brake stays engaged beyond its end; before that nobody may save the look.
  return at.windows.announcedBy === null || at.windows.current.length <= limit ? 'stormy' : 'closed';
}

/** What is known beyond the first step, when the run got further before something could not be read. */
export interface Further {
  readonly unread: string;
  readonly fence: number | null;
  readonly lockedBy: string | null;
  readonly mode: RollbackMode;
  readonly configVersion: number;
}

/** @returns null when the run that this one was to join is gone: then everything has to be asked anew. */
export async function leaveAtDoor(input: AssessInput, parts: DoorParts, at: AtDoor, further: Partial<Further> & { readonly unread: string }): Promise<Assessment | null> {
  const { lock } = at.ledger;
  const now = at.now.toISOString();
  const fence = further.fence ?? (lock.owner === input.rollbackId ? lock.fence : null);
  const asked: DoorQuestion = {
    unread: further.unread, service: at.service, rollbackId: input.rollbackId, startedAt: input.startedAt, now, look: input.look, trigger: at.trigger,
    mode: further.mode ?? 'roll-back', lockedBy: further.lockedBy ?? heldByOther(lock, input.rollbackId, now), hasLock: fence !== null,
    storm: { services: namesIn(at.windows), limit: parts.storm.services, minutes: parts.storm.minutes, announcedBy: at.windows.announcedBy },
  };
  const question = await withPage(asked, parts, at.now);
  const decision = decide(question);
  const audit = await record(input, parts, { at, question, decision, fence, configVersion: further.configVersion ?? 0 });
  if (audit === null) return null;
  return {
    rollbackId: input.rollbackId, service: at.service, mode: question.mode, verdict: decision.verdict, headline: decision.headline, reasons: decision.reasons,
    page: decision.page, holdSeconds: 0, wantsEvidence: false, approval: null, release: null, knownGood: null, signals: [], rungs: [],
    verification: { intervalSeconds: 0, passesInARow: 0, deadlineSeconds: 0 },
    requestedBy: null, fence, configVersion: further.configVersion ?? 0, codeVersion: parts.codeVersion, firstSignalAt: decision.firstSignalAt, audit,
  };
}

/** Claims the one page when this run would send it; a run in shadow wakes nobody and leaves it to the others. */
async function withPage(question: DoorQuestion, { table, storm }: DoorParts, now: Date): Promise<DoorQuestion> {
  const { lockedBy, mode, storm: { announcedBy } } = question;
  if (lockedBy !== null || announcedBy !== null) return question;
  const isMine = mode !== 'shadow' && await claimStormPage(table, question.rollbackId, storm.minutes, now);
  return isMine ? question : { ...question, storm: { ...question.storm, announcedBy: 'another run' } };
}

interface Row {
  readonly at: AtDoor;
  readonly question: DoorQuestion;
  readonly decision: Decision;
  readonly fence: number | null;
  readonly configVersion: number;
}

async function record(input: AssessInput, { table, audit, codeVersion }: DoorParts, row: Row): Promise<AuditCursor | null> {
  const { at: { service }, question, decision, fence, configVersion } = row;
  const data = { question, decision, fence, configVersion, codeVersion } as unknown as JsonObject;
  const signal = input.look === 0 || question.lockedBy !== null ? deliveredBy(question) : null;
  const isLeft = signal !== null && question.lockedBy !== null;
  if (isLeft && !await isTaken(table, service, signal)) return null;
  const [cursor] = await Promise.all([
    audit.append({ rollbackId: input.rollbackId, service, kind: 'assessed', at: question.now, data }, input.audit),
    signal === null || isLeft ? null : joinSignal(table, service, signal),
  ]);
  return cursor;
}
