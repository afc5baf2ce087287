// What was read of the services around one: those it depends on, and those that depend on it.
import type { Neighbour } from '../config/schema.ts';
import { type Fault, faultOf } from './fault.ts';
import { at } from './instants.ts';
import type { RollbackRecord } from './ledger.ts';
import type { AlarmReading } from './readings.ts';
import type { Release } from './vocabulary.ts';

/** A release of a neighbour, as far as a decision about this service needs it. */
export type NeighbourRelease = Pick<Release, 'id' | 'version' | 'startedAt' | 'finishedAt' | 'status' | 'touched'>;

export interface NeighbourReading extends Omit<Neighbour, 'alarms'> {
  /** Newest first; of the release window. */
  readonly releases: readonly NeighbourRelease[];
  /** Newest first; of the release window, without those in shadow. */
  readonly rollbacks: readonly Pick<RollbackRecord, 'rollbackId' | 'release' | 'endedAt' | 'outcome'>[];
  /** The run that has its lock; null when nobody is at work on it. */
  readonly lockedBy: string | null;
  readonly alarms: readonly Pick<AlarmReading, 'name' | 'state' | 'since' | 'fault' | 'suppressedBy' | 'evaluationState'>[];
}

/** `unknown`: no alarm of it is known, or none can be read: neither sick nor well. */
export interface Health {
  readonly state: 'sick' | 'well' | 'unknown';
  /** The earliest fault of the alarms that fire; null unless sick, and where nobody knows. */
  readonly fault: Fault | null;
}

export function healthOf({ alarms }: NeighbourReading): Health {
  const readable = alarms.filter(({ suppressedBy, evaluationState }) => suppressedBy === null && evaluationState === null);
  const firing = readable.filter(({ state }) => state === 'ALARM');
  const [fault = null] = firing.flatMap((alarm) => faultOf(alarm) ?? []).toSorted((a, b) => at(a.to) - at(b.to));
  if (firing.length > 0) return { state: 'sick', fault };
  return { state: readable.some(({ state }) => state === 'OK') ? 'well' : 'unknown', fault: null };
}

/** The rollback of this service's release that is being made now: recorded, not ended, and its run still has the lock. */
export const runningRollback = ({ rollbacks, lockedBy }: NeighbourReading): NeighbourReading['rollbacks'][number] | null =>
  rollbacks.find(({ rollbackId, endedAt }) => endedAt === null && rollbackId === lockedBy) ?? null;

/**
 * When a release was taken back, with or without success: null when it was not, or is not yet. What did not end as one of these changed nothing for sure.
 */
export const undoneAt = ({ rollbacks }: NeighbourReading, releaseId: string): string | null =>
  rollbacks.find(({ release, outcome }) => release?.id === releaseId && (outcome === 'recovered' || outcome === 'not-recovered'))?.endedAt ?? null;

/** Releases that began so close to each other are taken for one change of several services: a train of deployments runs for minutes. In milliseconds. */
const together = 10 * 60_000;
export const wentTogether = (one: Pick<Release, 'startedAt'>, other: Pick<Release, 'startedAt'>): boolean => Math.abs(at(one.startedAt) - at(other.startedAt)) <= together;
