// What was read of the services around one: those it depends on, and those that depend on it.
import type { Neighbour } from '../config/schema.ts';
import { type Fault, faultOf } from './fault.ts';
import { at } from './instants.ts';
import type { RollbackRecord } from './ledger.ts';
import type { AlarmReading } from './readings.ts';
import type { Release } from './vocabulary.ts';

/** A release of a neighbour, as far as a decision about this service needs it. */
export type NeighbourRelease = Pick<Release, 'id' | 'version' | 'startedAt' | 'finishedAt' | 'status' | 'touched' | 'undoneAt'>;

export interface NeighbourReading extends Omit<Neighbour, 'alarms'> {
  /** Newest first; of the release window. */
  readonly releases: readonly NeighbourRelease[];
  /** Newest first; of the release window, without those in shadow. */
  readonly rollbacks: readonly Pick<RollbackRecord, 'rollbackId' | 'release' | 'endedAt' | 'outcome'>[];
  /** The run that has its lock; null when nobody is at work on it. */
  readonly lockedBy: string | null;
  readonly alarms: readonly Pick<AlarmReading, 'name' | 'state' | 'since' | 'fault' | 'suppressedBy' | 'evaluationState'>[];
}

/** `well`: every alarm that it has was read and is OK. `unknown`: neither that nor sick. */
export interface Health {
  readonly state: 'sick' | 'well' | 'unknown';
  /** The earliest fault of the alarms that fire; null unless sick, and where nobody knows. */
  readonly fault: Fault | null;
}

const readableOf = ({ alarms }: NeighbourReading): NeighbourReading['alarms'] => alarms.filter(({ suppressedBy, evaluationState }) => suppressedBy === null && evaluationState === null);
const okOf = (neighbour: NeighbourReading): number => readableOf(neighbour).filter(({ state }) => state === 'OK').length;

export function healthOf(neighbour: NeighbourReading): Health {
  const { alarms, hasMoreAlarms } = neighbour;
  const readable = readableOf(neighbour);
  const firing = readable.filter(({ state }) => state === 'ALARM');
  const [fault = null] = firing.flatMap((alarm) => faultOf(alarm) ?? []).toSorted((a, b) => at(a.to) - at(b.to));
  if (firing.length > 0) return { state: 'sick', fault };
  const isWell = alarms.length > 0 && okOf(neighbour) === alarms.length && hasMoreAlarms !== true;
  return { state: isWell ? 'well' : 'unknown', fault: null };
}

/** Why alarms that are OK do not make it well; null where it is well or sick, or none is OK. */
export function notProvenWell(neighbour: NeighbourReading): string | null {
  const { service, alarms, hasMoreAlarms } = neighbour;
  const ok = okOf(neighbour);
  if (ok === 0 || healthOf(neighbour).state !== 'unknown') return null;
  const others = [...(ok < alarms.length ? [`${alarms.length - ok} say${alarms.length - ok === 1 ? 's' : ''} nothing`] : []), ...(hasMoreAlarms === true ? ['others were not read'] : [])];
  return `nobody knows whether ${service} is well: ${ok} of its alarms ${ok === 1 ? 'is' : 'are'} OK, ${others.join(', and ')}`;
}

/** The rollback of this service's release that is being made now: recorded, not ended, and its run still has the lock. */
export const runningRollback = ({ rollbacks, lockedBy }: NeighbourReading): NeighbourReading['rollbacks'][number] | null =>
  rollbacks.find(({ rollbackId, endedAt }) => endedAt === null && rollbackId === lockedBy) ?? null;

/**
 * When a release was taken back, with or without success: null when it was not, or is not yet. What did not end as one of these changed nothing for sure.
 */
export const undoneAt = ({ rollbacks, releases }: NeighbourReading, releaseId: string): string | null =>
  rollbacks.find(({ release, outcome }) => release?.id === releaseId && (outcome === 'recovered' || outcome === 'not-recovered'))?.endedAt
  ?? releases.find(({ id }) => id === releaseId)?.undoneAt ?? null;

/** Releases that began so close to each other are taken for one change of several services: a train of deployments runs for minutes. In milliseconds. */
const together = 10 * 60_000;
export const wentTogether = (one: Pick<Release, 'startedAt'>, other: Pick<Release, 'startedAt'>): boolean => Math.abs(at(one.startedAt) - at(other.startedAt)) <= together;
