// What the ledger remembers of one service, as the decision reads it.
import type { Outcome } from './workflow.ts';
import type { Instant, KnownGood, Release, SignalKind } from './vocabulary.ts';

/** The service's lock; every field null or 0 when nobody ever held it. */
export interface LockState {
  readonly owner: string | null;
  /** Grows by one each time the lock changes hands. */
  readonly fence: number;
  readonly leaseUntil: Instant | null;
  readonly coolDownUntil: Instant | null;
  readonly lastRollbackId: string | null;
  /** Until when a call of a rollback that was ended from outside may still change a target; absent where none ever was on its way. */
  readonly unsettledUntil?: Instant;
}

/** One rollback that acted, or was about to; or, in shadow, would have. */
export interface RollbackRecord {
  readonly rollbackId: string;
  readonly service: string;
  readonly startedAt: Instant;
  /** True when no person asked for it: only these count against the daily budget. */
  readonly isAutomatic: boolean;
  readonly release: Pick<Release, 'id' | 'version'> | null;
  readonly goodVersion: string | null;
  /** Null while it runs, and where it died without a trace. */
  readonly endedAt: Instant | null;
  readonly outcome: Outcome | null;
  /** Present for a service in shadow: nothing was changed, so it counts for nothing but itself. */
  readonly isShadow?: true;
  /** Present when only flags were turned off: the release is still live, and can be suspected again. */
  readonly keepsRelease?: true;
}

/** A signal that was delivered to one run, kept so that others can count it. */
export interface DeliveredSignal {
  readonly at: Instant;
  readonly rollbackId: string;
  readonly kind: SignalKind;
  /** Alarm name, deployment id, or the other tool's name and its id as `tool/id`. */
  readonly source: string;
  readonly status: 'firing' | 'quiet';
  readonly since: Instant | null;
  readonly summary: string;
  /** Set when the alarm was muted or suppressed: it proves nothing before this instant. */
  readonly mutedUntil: Instant | null;
  /** The rollback that it was left to; null: to none, the run that brought it goes on itself. Absent in rows of earlier versions. */
  readonly leftTo?: string | null;
}

/** Everything one Assess or one look of the Watch needs to know of a service. Newest first. */
export interface ServiceLedger {
  readonly lock: LockState;
  readonly releases: readonly Release[];
  readonly knownGoods: readonly KnownGood[];
  readonly rollbacks: readonly RollbackRecord[];
  /** Rollbacks that would have been made, had the service not been in shadow. */
  readonly shadowed: readonly RollbackRecord[];
  readonly signals: readonly DeliveredSignal[];
  /** Versions that were rolled back. */
  readonly quarantined: readonly string[];
}
