// Writes a release into the ledger when its event comes: once, in whatever order the events come, and never a rollback.
import { readAlarms } from '../adapters/alarms.ts';
import { readEntry } from '../adapters/catalogue.ts';
import { agreedStart, putRelease, updateRelease } from '../adapters/ledger-history.ts';
import { readService } from '../adapters/ledger.ts';
import { isSameAlias, releaseSources } from '../config/release-sources.ts';
import { failedLooked, type FailedQuestion } from '../domain/bake-end.ts';
import { parseReleaseEvent } from '../domain/release-event.ts';
import { aliasPrefix, lastOfAlias, undoneBy } from '../domain/release-known.ts';
import { captureSteps } from '../domain/rungs.ts';
import type { Reason, Release } from '../domain/vocabulary.ts';
import type { WatchInput, Watching } from '../domain/workflow.ts';
import { deploymentOfEcs, type EcsRecording, newestOfEcs, type Recording, releaseOf } from './watch-sources.ts';
import type { WatchParts } from './watch.ts';

type RecordInput = Extract<WatchInput, { readonly verb: 'record' }>;

export interface Recorded {
  readonly watching: Watching;
  /** Present where a rollback is started, as AWS calls the release failed. */
  readonly failed?: FailedQuestion;
}

/** @throws Refusal for an event that tells of no release, or a service that is not in the catalogue. */
export async function recordRelease({ input, watchId }: RecordInput, parts: WatchParts): Promise<Recorded> {
  const { service, event } = parseReleaseEvent(input);
  const [{ entry }, ledger] = await Promise.all([readEntry(parts.catalogue, service), readService(parts.table, service, parts.clock.now())]);
  const recording: Recording = { service, event, config: entry.service, ledger };
  const found = await releaseOf(recording, parts);
  if ('code' in found) {
    if (found.code === 'taken-back') await stopTakenBack(recording, parts);
    if (found.code === 'own-rollback' && event.origin === 'ecs') await noteUndone({ ...recording, event }, parts);
    return { watching: watching(recording, 'ignored', found) };
  }
  const watcher: Watcher = { watchId, parts };
  if (event.phase === 'failed') return fail({ ...recording, event }, found, watcher);
  // A pipeline may call a deployment finished that AWS still makes.
  const isOver = event.phase === 'finished' && (event.origin !== 'event' || found.finishedAt !== null);
  return { watching: await (isOver ? finish(recording, found, watcher) : begin(recording, found, watcher)) };
}

interface Watcher {
  readonly watchId: string;
  readonly parts: WatchParts;
}

/** The first event of this release; alarms that fire now will send no event for it, so they are read here. */
async function begin(recording: Recording, given: Release, { watchId, parts }: Watcher): Promise<Watching> {
  const known = recording.ledger.releases.find(({ id }) => id === given.id);
  // AWS says when its own deployments began; of two events of a pipeline that come at once, each would say something else.
  const release = known === undefined && given.origin === 'event' ? { ...given, startedAt: await agreedStart(parts.table, given) } : given;
  if (known !== undefined && known.startedAt !== release.startedAt) return isWatched(recording, release, { watchId, parts });
  const alarms = await readAlarms(parts.cloudWatch, recording.config.signals.alarms);
  const alarmsAtStart = alarms.filter(({ state }) => state === 'ALARM').map(({ name }) => name);
  if (await putRelease(parts.table, { ...release, alarmsAtStart }, watchId)) return watching(recording, 'started', null, release.id);
  return isWatched(recording, release, { watchId, parts });
}

/** A repeat; but what only this event says of the release is kept. */
async function isWatched(recording: Recording, release: Release, { parts }: Watcher): Promise<Watching> {
  const reason = { code: 'duplicate', text: `Release ${release.version} is watched already.` };
  return watching(recording, 'ignored', await addManifest(recording, release, parts) ? { code: 'manifest-added', text: `${reason.text} What the pipeline says of it is kept.` } : reason);
}

/** @returns whether the event said anything that the ledger did not know. */
async function addManifest({ event, ledger }: Recording, release: Release, { table }: WatchParts): Promise<boolean> {
  if (event.origin !== 'event' || (event.manifest === null && event.touched === null)) return false;
  const known = ledger.releases.find(({ id }) => id === release.id) ?? release;
  return updateRelease(table, known, { ...(event.manifest === null ? {} : { manifest: event.manifest }), ...(event.touched === null ? {} : { touched: event.touched }) });
}

async function finish(recording: Recording, release: Release, watcher: Watcher, isReadAgain = false): Promise<Watching> {
  const { table, clock } = watcher.parts;
  const known = recording.ledger.releases.find(({ id }) => id === release.id);
  // Events may come out of order, and the first may never come.
  if (known === undefined) {
    const begun = await begin(recording, release, watcher);
    if (begun.kind !== 'ignored' || isReadAgain) return begun;
    // Its start was recorded after the ledger was read: then this is its end all the same.
    return finish({ ...recording, ledger: await readService(table, recording.service, clock.now()) }, release, watcher, true);
  }
  await addManifest(recording, known, watcher.parts);
  if (known.left !== null) return watching(recording, 'ignored', { code: 'duplicate', text: `What release ${release.version} left is kept already.` });
  // A repeat of the call that recorded it: only this watch sees it through its bake.
  if (known.finishedAt !== null && await putRelease(table, known, watcher.watchId)) return watching(recording, 'started', null, release.id);
  await updateRelease(table, known, { status: release.status, finishedAt: release.finishedAt });
  return watching(recording, 'finished', null, release.id);
}

/** ECS gave a deployment up. */
async function fail(recording: EcsRecording, release: Release, { watchId, parts }: Watcher): Promise<Recorded> {
  const at = parts.clock.now().toISOString();
  const { service, event: { deploymentId, cluster, ecsService } } = recording;
  const newest = await newestOfEcs(recording, parts);
  const failure: FailedQuestion = {
    service, event: { deploymentId, cluster, ecsService }, version: release.version, newest: newest === null ? null : { id: newest.id, version: newest.version },
  };
  const known = recording.ledger.releases.find(({ id }) => id === release.id) ?? release;
  const { reasons: [reason = null], rollback } = failedLooked(failure);
  const undone = rollback === null ? { undoneAt: known.undoneAt ?? at } : {};
  const failed: Release = { ...known, status: 'failed', finishedAt: known.finishedAt ?? release.finishedAt ?? at, ...undone };
  if (known === release) await putRelease(parts.table, failed, watchId);
  else await updateRelease(parts.table, known, { status: failed.status, finishedAt: failed.finishedAt, ...undone });
  if (rollback === null) return { watching: watching(recording, 'ignored', reason) };
  return { watching: { ...watching(recording, 'signal', reason, release.id), rollback }, failed: failure };
}

/** An alias that goes back to where it was ends the release that was half way out. */
async function stopTakenBack({ event, ledger, config }: Recording, { table }: WatchParts): Promise<void> {
  const source = event.origin === 'lambda-alias' ? releaseSources(config).lambda.find((one) => isSameAlias(one, event)) : undefined;
  const last = source === undefined ? null : lastOfAlias(ledger.releases, source);
  if (event.origin === 'lambda-alias' && last !== null) await updateRelease(table, last, { status: 'stopped', finishedAt: event.at, undoneAt: event.at });
}

/** What ECS's own rollback undoes may be told of as failed before that one began, or never. */
async function noteUndone(recording: EcsRecording, parts: WatchParts): Promise<void> {
  const reading = await deploymentOfEcs(recording, parts);
  const undone = reading === null ? null : undoneBy(reading, recording.ledger.releases);
  if (reading !== null && undone !== null && undone.undoneAt === undefined) await updateRelease(parts.table, undone, { undoneAt: reading.startedAt });
}

function watching({ service, event, config }: Recording, kind: Watching['kind'], reason: Reason | null, releaseId?: string): Watching {
  return {
    service, releaseId: releaseId ?? idOf(event), kind, reason,
    steps: kind === 'ignored' || kind === 'signal' ? [] : captureSteps(service, config.targets),
    hasJourneys: Object.keys(config.journeys).length > 0,
  };
}

function idOf(event: Recording['event']): string {
  if (event.origin === 'event') return event.releaseId;
  return event.origin === 'lambda-alias' ? `${aliasPrefix(event)}${event.version}` : event.deploymentId;
}
