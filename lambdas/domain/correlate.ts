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
  if (live !== undefined && live.version !== accused.version)
    return { suspect: null, refusal: because('newer-release', `Release ${accused.version} is suspected, but release ${live.version} began after the fault and ${mayBeLive(live)}. Ripcord never rolls back what is newer than the fault.`) };
  return { suspect: accused, refusal: null };
}

/** How much of a failed or stopped deployment is in place, AWS does not say. */
const mayBeLive = ({ status }: ReleaseFacts): string => (status === 'failed' || status === 'stopped' ? `${status === 'failed' ? 'failed' : 'was stopped'}, and some of it may be live` : 'is live now');

/** The Watch names a release for its failure alone, and AWS undid it meanwhile. */
const isUndoneFailure = ({ trigger, releases }: Question): boolean => trigger.kind === 'watch' && trigger.metrics !== true && trigger.quarantined !== true
  && trigger.alarms.length + trigger.journeys.length === 0 && releases.some(({ id, undoneAt }) => id === trigger.releaseId && undoneAt !== undefined);

/** The newest release when the person asked. One that began while somebody thought about it is not what they saw. */
function askedFor({ startedAt }: Question, releases: readonly ReleaseFacts[]): Correlation {
  const [live] = releases;
  const seen = releases.find((release) => at(release.startedAt) <= at(startedAt) + skew) ?? null;
  if (live === undefined || live.version === seen?.version) return { suspect: seen, refusal: null };
  return { suspect: null, refusal: because('newer-release', `Release ${live.version} began at ${live.startedAt}, after this rollback was asked for. Ripcord never rolls back what is newer than what a person saw: ask again if it is meant.`) };
}

function accusedByName({ trigger }: Question, releases: readonly ReleaseFacts[]): ReleaseFacts | undefined {
  if (trigger.kind === 'deployment') return releases.find(({ id }) => id === trigger.deploymentId);
  if (trigger.kind === 'watch') return releases.find(({ id }) => id === trigger.releaseId);
  return undefined;
}

function accusedBy(question: Question, releases: readonly ReleaseFacts[], fault: Fault): ReleaseFacts[] {
  const oldest = at(fault.from) - question.policy.releaseWindowMinutes * 60_000;
  const accused = releases.find((release) => mayHaveCaused(release, fault) && at(release.startedAt) >= oldest);
  return accused === undefined ? [] : [accused];
}

const newest = (releases: readonly ReleaseFacts[]): ReleaseFacts | undefined => releases.toSorted((a, b) => at(b.startedAt) - at(a.startedAt))[0];

function noRelease({ policy }: Question, last: ReleaseFacts | undefined): Reason {
  const window = `in the ${policy.releaseWindowMinutes} minutes before it began`;
  return because('no-release', last === undefined
    ? `No release explains this: none is on record ${window}. Look for another cause.`
    : `No release explains this: the last one, ${last.version} at ${last.startedAt}, does not lie ${window}. Look for another cause.`);
}
