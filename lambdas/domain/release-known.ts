// What the ledger says of a change that was just seen: a release of its own, part of one that a pipeline announced, or a rollback's doing. Pure.
import { at } from './instants.ts';
import type { ServiceLedger } from './ledger.ts';
import type { DeploymentReading } from './readings.ts';
import type { ReleaseEvent } from './release-event.ts';
import type { Instant, Reason, Release } from './vocabulary.ts';

type Past = Pick<ServiceLedger, 'releases' | 'rollbacks' | 'knownGoods' | 'lock'>;

/** Clocks of AWS and of whoever announces a release differ by so much, in milliseconds. */
const skew = 10_000;

/** When something was changed: not before `from`, not after `to`. */
export interface Changed {
  readonly version: string;
  readonly from: Instant;
  readonly to: Instant;
}

const overlaps = ({ from, to }: Changed, start: Instant, end: Instant | null): boolean =>
  at(to) >= at(start) - skew && (end === null || at(from) <= at(end) + skew);

/**
 * Why a change that ECS or Lambda shows is no release of its own; null when it is one.
 * Neither says who asked: what moved to a version that was there before while a rollback ran is the rollback's doing,
 * and what moved while a pipeline's release went out is that release.
 */
export function notAnother(change: Changed, past: Past): Reason | null {
  // One that died without an end goes on only for as long as it holds the lock.
  const rollback = past.rollbacks.find(({ startedAt, endedAt, rollbackId }) => (endedAt !== null || past.lock.owner === rollbackId) && overlaps(change, startedAt, endedAt));
  if (rollback !== undefined && wasLiveBefore(change.version, past))
    return { code: 'own-rollback', text: `Rollback ${rollback.rollbackId} put ${change.version} back; it is no release.` };
  const [last] = newestFirst(past.releases.filter(({ startedAt }) => at(startedAt) <= at(change.from)));
  // ECS's circuit breaker goes back with a deployment that, once it is whole, looks like any other.
  if (last?.origin === 'ecs' && last.status === 'failed' && last.previousVersion === change.version)
    return { code: 'own-rollback', text: `ECS gave release ${last.version} up and put ${change.version} back by itself; it is no release.` };
  const announced = past.releases.find(({ origin, startedAt, finishedAt }) => origin === 'event' && overlaps(change, startedAt, finishedAt));
  return announced === undefined ? null
    : { code: 'part-of-release', text: `${change.version} went live while release ${announced.version} was going out: it is that release.` };
}

/** A rollback only ever goes to what was live before. */
const wasLiveBefore = (version: string, { releases, knownGoods }: Pick<Past, 'releases' | 'knownGoods'>): boolean =>
  releases.some((release) => release.version === version || release.previousVersion === version)
  || knownGoods.some(({ version: good, states }) => good === version || holds(JSON.stringify(states), version));

/** States are each strategy's own; a version stands in them as a value, or at the end of an ARN. */
const holds = (states: string, version: string): boolean => [`"${version}"`, `/${version}"`, `:${version}"`].some((value) => states.includes(value));

export const wasRolledBack = ({ id, startedAt }: Pick<Release, 'id' | 'startedAt'>, rollbacks: Past['rollbacks'], before?: Instant): boolean =>
  rollbacks.some(({ release, startedAt: since }) => release?.id === id && at(since) >= at(startedAt) && (before === undefined || at(since) <= at(before)));

/** True where ECS gave a deployment up and shows another task definition as the newest of that service: what failed is not live. */
export const isUndoneByEcs = ({ id, version }: Pick<Release, 'id' | 'version'>, newest: Pick<Release, 'id' | 'version'> | null): boolean =>
  newest !== null && newest.id !== id && newest.version !== version;

/** The release that a deployment of ECS's own undoes; null where none on record is. */
export const undoneBy = ({ undoes, version, startedAt }: Pick<DeploymentReading, 'undoes' | 'version' | 'startedAt'>, releases: readonly Release[]): Release | null => {
  const [last] = newestFirst(releases.filter((one) => at(one.startedAt) <= at(startedAt)));
  const isLast = last?.origin === 'ecs' && last.status === 'failed' && last.previousVersion === version;
  return releases.find(({ id }) => id === undoes) ?? (isLast ? last : null);
};

const newestFirst = (releases: readonly Release[]): Release[] => releases.toSorted((a, b) => at(b.startedAt) - at(a.startedAt));

/** Begins the id of every release of one Lambda alias: the version follows. */
export const aliasPrefix = ({ functionName, alias }: { readonly functionName: string; readonly alias: string }): string => `${functionName}:${alias}:`;

/** The newest release of an alias; null when none is on record. */
export const lastOfAlias = (releases: readonly Release[], alias: { readonly functionName: string; readonly alias: string }): Release | null =>
  newestFirst(releases).find(({ origin, id }) => origin === 'lambda-alias' && id.startsWith(aliasPrefix(alias))) ?? null;

export interface Attempt {
  readonly id: string;
  readonly startedAt: Instant;
  readonly known: Release | null;
}

/** Pipelines send one id again when they ship the same build once more: that is another release, under the id with its time. */
export function attemptOf({ releaseId, phase, at: when }: Extract<ReleaseEvent, { origin: 'event' }>, { releases, rollbacks }: Pick<Past, 'releases' | 'rollbacks'>): Attempt {
  const known = newestFirst(releases).find(({ id }) => id === releaseId || id.startsWith(`${releaseId}@`));
  if (known === undefined) return { id: releaseId, startedAt: when, known: null };
  const isOver = known.finishedAt !== null && at(when) > at(known.finishedAt);
  const isAgain = isOver && (phase === 'started' || wasRolledBack(known, rollbacks, when)) || (phase === 'started' && wasRolledBack(known, rollbacks, when));
  // The pipeline of a release that was rolled back while it went out may still say that it finished.
  return isAgain ? { id: `${releaseId}@${when}`, startedAt: when, known: null } : { id: known.id, startedAt: known.startedAt, known };
}
