// Which release could have caused the fault: it began before the fault, not too long before, and nothing newer is live.
import { type Fault, mayHaveCaused, skew } from './fault.ts';
import { at } from './instants.ts';
import type { Question, ReleaseFacts } from './question.ts';
import { releaseFrom, withReadings } from './readings.ts';
import { because } from './reasons.ts';
import type { Reason } from './vocabulary.ts';

export interface Correlation {
  readonly suspect: ReleaseFacts | null;
  /** Why nobody is suspected; null when somebody is. */
  readonly refusal: Reason | null;
}

/** Releases that could be to blame, newest first: ledger and CodeDeploy merged, without rollbacks and without what was rolled back already. */
export function candidates(question: Question): ReleaseFacts[] {
  const known = new Set(question.releases.map(({ id }) => id));
  const undone = undoneReleases(question);
  const fromCodeDeploy = question.deployments
    .filter(({ id, nature }) => nature === 'release' && !known.has(id))
    .map((deployment) => releaseFrom(question.service, deployment));
  return [...withReadings(question.releases, question.deployments), ...fromCodeDeploy]
    .filter(({ id }) => !undone.has(id))
    .toSorted((a, b) => at(b.startedAt) - at(a.startedAt));
}

/** Releases that are no longer live: ECS or CodeDeploy rolled them back by itself, their alias was moved back, or Ripcord did it. */
const undoneReleases = ({ releases, deployments, rollbacks }: Question): ReadonlySet<string> => new Set([
  ...releases.flatMap(({ id, undoneAt }) => (undoneAt === undefined ? [] : [id])),
  ...deployments.flatMap(({ undoes, status }) => (undoes !== null && status === 'finished' ? [undoes] : [])),
  ...rollbacks.flatMap(({ release, outcome, keepsRelease }) => (release !== null && keepsRelease !== true && (outcome === 'recovered' || outcome === 'not-recovered') ? [release.id] : [])),
]);

/** The release that a person's request, a failed deployment, the Watch, or the faults of the firing alarms and tools point to. */
export function correlate(question: Question, faults: readonly Fault[]): Correlation {
  const releases = candidates(question);
  const { trigger } = question;
  if (trigger.kind === 'person') return askedFor(question, releases);
  if (trigger.kind === 'deployment' && undoneReleases(question).has(trigger.deploymentId))
    return { suspect: null, refusal: because('already-undone', `Deployment ${trigger.deploymentId} was rolled back already; nothing is left to do.`) };
  if (isUndoneFailure(question)) return { suspect: null, refusal: because('already-undone', 'The deployment that failed was undone already; nothing is left to do.') };
  const accused = accusedByName(question, releases) ?? newest(faults.flatMap((fault) => accusedBy(question, releases, fault)));
  if (accused === undefined) return { suspect: null, refusal: noRelease(question, releases[0]) };
  const [live] = releases;
  if (live !== undefined && isAnother(live, accused))
    return { suspect: null, refusal: because('newer-release', `Release ${accused.version} is suspected, but release ${live.version} began after the fault and ${mayBeLive(live)}. Ripcord never rolls back what is newer than the fault.`) };
  return { suspect: accused, refusal: null };
}

/** How much of a failed or stopped deployment is in place, AWS does not say. */
const mayBeLive = ({ status }: ReleaseFacts): string => (status === 'failed' || status === 'stopped' ? `${status === 'failed' ? 'failed' : 'was stopped'}, and some of it may be live` : 'is live now');

/** The Watch names a release for its failure alone, and AWS undid it meanwhile. */
const isUndoneFailure = ({ trigger, releases }: Question): boolean => trigger.kind === 'watch' && trigger.metrics !== true && trigger.quarantined !== true
  && trigger.alarms.length + trigger.journeys.length === 0 && releases.some(({ id, undoneAt }) => id === trigger.releaseId && undoneAt !== undefined);

/**
 * Whether a newer record is about another release. AWS records each deployment of one release, all of the same version, and pipelines number the
 * attempts at a build; but two that pipelines announce under names of their own are two, even where each is called `latest`.
 */
const isAnother = (live: ReleaseFacts, other: ReleaseFacts): boolean =>
  live.version !== other.version || (live.origin === 'event' && other.origin === 'event' && buildOf(live) !== buildOf(other));

const buildOf = ({ id }: ReleaseFacts): string => id.replace(/@\d{4}-[^@]*Z$/, '');

/** The newest release when the person asked. One that began while somebody thought about it is not what they saw. */
function askedFor({ startedAt }: Question, releases: readonly ReleaseFacts[]): Correlation {
  const [live] = releases;
  const seen = releases.find((release) => at(release.startedAt) <= at(startedAt) + skew) ?? null;
  if (live === undefined || (seen !== null && !isAnother(live, seen))) return { suspect: seen, refusal: null };
  return { suspect: null, refusal: because('newer-release', `Release ${live.version} began at ${live.startedAt}, after this rollback was asked for. Ripcord never rolls back what is newer than what a person saw: ask again if it is meant.`) };
}

function accusedByName({ trigger }: Question, releases: readonly ReleaseFacts[]): ReleaseFacts | undefined {
  if (trigger.kind === 'deployment') return releases.find(({ id }) => id === trigger.deploymentId);
  if (trigger.kind === 'watch') return releases.find(({ id }) => id === trigger.releaseId);
  return undefined;
}

/** Up to when a fault is laid to a release, epoch milliseconds: through the window, and for as long as it bakes, as its Watch does. */
export const suspectedUntil = ({ startedAt, finishedAt }: Pick<ReleaseFacts, 'startedAt' | 'finishedAt'>, { releaseWindowMinutes, bakeMinutes }: Question['policy']): number =>
  Math.max(at(startedAt) + releaseWindowMinutes * 60_000, at(finishedAt ?? startedAt) + bakeMinutes * 60_000);

function accusedBy(question: Question, releases: readonly ReleaseFacts[], fault: Fault): ReleaseFacts[] {
  const accused = releases.find((release) => mayHaveCaused(release, fault) && at(fault.from) <= suspectedUntil(release, question.policy));
  return accused === undefined ? [] : [accused];
}

const newest = (releases: readonly ReleaseFacts[]): ReleaseFacts | undefined => releases.toSorted((a, b) => at(b.startedAt) - at(a.startedAt))[0];

function noRelease({ policy }: Question, last: ReleaseFacts | undefined): Reason {
  const found = last === undefined ? 'none is on record' : `the last one, ${last.version} at ${last.startedAt}, does not lie`;
  return because('no-release', `No release explains this: ${found} in the ${Math.max(policy.releaseWindowMinutes, policy.bakeMinutes)} minutes before it began. Look for another cause.`);
}
