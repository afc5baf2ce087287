// Writes a release into the ledger when its event comes: once, in whatever order the events come, and never a rollback.
import { readAlarms } from '../adapters/alarms.ts';
import { readEntry } from '../adapters/catalogue.ts';
import { readDeployments } from '../adapters/deployments.ts';
import { putRelease, updateRelease } from '../adapters/ledger-history.ts';
import { readService } from '../adapters/ledger.ts';
import type { ServiceConfig } from '../config/schema.ts';
import type { ServiceLedger } from '../domain/ledger.ts';
import { releaseFrom } from '../domain/readings.ts';
import { type ReleaseEvent, parseReleaseEvent } from '../domain/release-event.ts';
import { captureSteps } from '../domain/rungs.ts';
import type { Reason, Release } from '../domain/vocabulary.ts';
import type { WatchInput, Watching } from '../domain/workflow.ts';
import { groupsOf } from './assess-reads.ts';
import type { WatchParts } from './watch.ts';

type RecordInput = Extract<WatchInput, { readonly verb: 'record' }>;

interface Recording {
  readonly service: string;
  readonly event: ReleaseEvent;
  readonly config: ServiceConfig;
  readonly ledger: ServiceLedger;
}

/** @throws Refusal for an event that tells of no release, or a service that is not in the catalogue. */
export async function recordRelease({ input, watchId }: RecordInput, parts: WatchParts): Promise<Watching> {
  const { service, event } = parseReleaseEvent(input);
  const [{ entry }, ledger] = await Promise.all([readEntry(parts.catalogue, service), readService(parts.table, service, parts.clock.now())]);
  const recording: Recording = { service, event, config: entry.service, ledger };
  const found = event.origin === 'codedeploy' ? await fromCodeDeploy(recording, event, parts) : fromPipeline(recording, event);
  if ('code' in found) return watching(recording, 'ignored', found);
  return event.phase === 'finished' ? finish(recording, found, { watchId, parts }) : begin(recording, found, { watchId, parts });
}

interface Watcher {
  readonly watchId: string;
  readonly parts: WatchParts;
}

async function fromCodeDeploy({ service, config }: Recording, event: Extract<ReleaseEvent, { origin: 'codedeploy' }>, { codeDeploy }: WatchParts): Promise<Release | Reason> {
  const group = groupsOf(config).find(({ application, deploymentGroup }) => application === event.application && deploymentGroup === event.deploymentGroup);
  if (group === undefined) return { code: 'not-ours', text: `${event.application}/${event.deploymentGroup} is not a target of ${service}.` };
  const [reading] = await readDeployments(codeDeploy, { groups: [group], ids: [event.deploymentId], settled: new Set(), list: null });
  if (reading === undefined) return { code: 'not-ours', text: `CodeDeploy has no deployment ${event.deploymentId} of ${event.application}/${event.deploymentGroup}.` };
  if (reading.nature === 'rollback') return { code: 'own-rollback', text: `Deployment ${reading.id} is a rollback, not a release.` };
  return reading.nature === 'upkeep' ? { code: 'upkeep', text: `Deployment ${reading.id} only brings instances up to date.` } : releaseFrom(service, reading);
}

function fromPipeline({ service, ledger }: Recording, event: Extract<ReleaseEvent, { origin: 'event' }>): Release {
  // A pipeline tells only the time of this event; when the release began, the ledger knows, if anybody does.
  const startedAt = ledger.releases.find(({ id }) => id === event.releaseId)?.startedAt ?? event.at;
  const isOver = event.phase === 'finished';
  return {
    id: event.releaseId, service, version: event.version, previousVersion: event.previousVersion, startedAt, finishedAt: isOver ? event.at : null,
    status: isOver ? 'finished' : 'in-progress', origin: 'event', actor: event.actor, touched: event.touched, left: null, alarmsAtStart: [],
  };
}

/** The first event of this release; alarms that fire now will send no event for it, so they are read here. */
async function begin(recording: Recording, release: Release, { watchId, parts }: Watcher): Promise<Watching> {
  const alarms = await readAlarms(parts.cloudWatch, recording.config.signals.alarms);
  const alarmsAtStart = alarms.filter(({ state }) => state === 'ALARM').map(({ name }) => name);
  if (await putRelease(parts.table, { ...release, alarmsAtStart }, watchId)) return watching(recording, 'started', null, release.id);
  return watching(recording, 'ignored', { code: 'duplicate', text: `Release ${release.version} is watched already.` });
}

async function finish(recording: Recording, release: Release, watcher: Watcher): Promise<Watching> {
  const known = recording.ledger.releases.find(({ id }) => id === release.id);
  // Events may come out of order, and the first may never come.
  if (known === undefined) return begin(recording, release, watcher);
  if (known.left !== null) return watching(recording, 'ignored', { code: 'duplicate', text: `What release ${release.version} left is kept already.` });
  // A repeat of the call that recorded it: only this watch sees it through its bake.
  if (known.finishedAt !== null && await putRelease(watcher.parts.table, known, watcher.watchId)) return watching(recording, 'started', null, release.id);
  await updateRelease(watcher.parts.table, known, { status: release.status, finishedAt: release.finishedAt });
  return watching(recording, 'finished', null, release.id);
}

function watching({ service, event, config }: Recording, kind: Watching['kind'], reason: Reason | null, releaseId?: string): Watching {
  return {
    service, releaseId: releaseId ?? (event.origin === 'codedeploy' ? event.deploymentId : event.releaseId), kind, reason,
    steps: kind === 'ignored' ? [] : captureSteps(service, config.targets),
    hasJourneys: Object.keys(config.journeys).length > 0,
  };
}
