// What the ledger alone decides, before anything else is read: in a storm the reads themselves would be what breaks. Pure, and kept for replay.
import { at } from './instants.ts';
import type { LockState } from './ledger.ts';
import { because } from './reasons.ts';
import { stormText } from './storm-text.ts';
import type { Trigger } from './trigger.ts';
import type { Instant, Reason, RollbackMode } from './vocabulary.ts';

/** A question that was answered without the catalogue's and the alarms' help. */
export interface DoorQuestion {
  /** Why nothing more was read: `not-needed`, or what could not be read. */
  readonly unread: string;
  readonly service: string;
  readonly rollbackId: string;
  readonly startedAt: Instant;
  readonly now: Instant;
  readonly look: number;
  readonly trigger: Trigger;
  /** The service's own mode where the catalogue could be read; else `roll-back`. */
  readonly mode: RollbackMode;
  readonly lockedBy: string | null;
  /** This run has the lock, so that Report has to free it. */
  readonly hasLock: boolean;
  readonly storm: {
    readonly services: readonly string[];
    readonly limit: number;
    readonly minutes: number;
    /** The run that told on-call of this storm; null when this run has to. */
    readonly announcedBy: string | null;
  };
}

export const isAtDoor = (question: object): question is DoorQuestion => 'unread' in question;

/** A sign of trouble, from a machine: no person's word, no mute, no "quiet again". Everything else is looked at with care. */
export const isTrouble = (trigger: Trigger): boolean =>
  trigger.kind !== 'person' && !(trigger.kind === 'alarm' && trigger.mutedUntil !== null) && !(trigger.kind === 'external' && trigger.status === 'quiet');

/** Another run has the lock, and its lease goes on. */
export function heldByOther(lock: LockState, rollbackId: string, now: Instant): string | null {
  const { owner, leaseUntil } = lock;
  return owner !== null && owner !== rollbackId && leaseUntil !== null && at(leaseUntil) > at(now) ? owner : null;
}

export interface DoorVerdict {
  readonly verdict: 'leave' | 'joined';
  readonly page: boolean;
  readonly headline: string;
  readonly reasons: readonly Reason[];
}

/** A run that nobody needs any more ends as `joined`, without Report; one that has the lock or the page to give away ends as `leave`. */
export function decideAtDoor({ service, lockedBy, hasLock, storm }: DoorQuestion): DoorVerdict {
  if (lockedBy !== null) return told('joined', false, because('joined', `Rollback ${lockedBy} is at work on ${service}; this signal was given to it.`));
  const { announcedBy } = storm;
  if (announcedBy === null) return told('leave', true, because('storm', stormText(storm)));
  return told(hasLock ? 'leave' : 'joined', false, because('storm', `${stormText(storm)} Rollback ${announcedBy} told on-call.`));
}

const told = (verdict: DoorVerdict['verdict'], page: boolean, reason: Reason): DoorVerdict => ({ verdict, page, headline: reason.text, reasons: [reason] });
