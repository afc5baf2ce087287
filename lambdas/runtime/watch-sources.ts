// Makes a release of what an event tells, by looking at its source: CodeDeploy, ECS, a Lambda alias, or the pipeline's own word.
import { readDeployments } from '../adapters/deployments.ts';
import { readEcsDeployments } from '../adapters/ecs-deployments.ts';
import { readSeen } from '../adapters/ledger-poll.ts';
import { groupsOf, isSameAlias, isSameService, releaseSources } from '../config/release-sources.ts';
import type { ServiceConfig } from '../config/schema.ts';
import { at } from '../domain/instants.ts';
import type { ServiceLedger } from '../domain/ledger.ts';
import { type DeploymentReading, releaseFrom } from '../domain/readings.ts';
import type { ReleaseEvent } from '../domain/release-event.ts';
import { aliasPrefix, attemptOf, lastOfAlias, notAnother } from '../domain/release-known.ts';
import type { Reason, Release } from '../domain/vocabulary.ts';
import type { WatchParts } from './watch.ts';

export interface Recording {
  readonly service: string;
  readonly event: ReleaseEvent;
  readonly config: ServiceConfig;
  readonly ledger: ServiceLedger;
}

type Of<Origin extends ReleaseEvent['origin']> = Extract<ReleaseEvent, { readonly origin: Origin }>;

export interface EcsRecording extends Recording {
  readonly event: Of<'ecs'>;
}

/** The release that the event tells of, or why there is none to record. */
export async function releaseOf(recording: Recording, parts: WatchParts): Promise<Release | Reason> {
  const { event } = recording;
  switch (event.origin) {
    case 'codedeploy': return fromCodeDeploy(recording, event, parts);
    case 'ecs': return fromEcs(recording, event, parts);
    case 'lambda-alias': return fromAlias(recording, event, await seenBefore(recording, event, parts));
    case 'event': return fromPipeline(recording, event, parts);
    default: throw new Error(`no release comes from "${String((event as { origin: unknown }).origin)}"`);
  }
}

async function fromCodeDeploy({ service, config }: Recording, event: Of<'codedeploy'>, { codeDeploy }: WatchParts): Promise<Release | Reason> {
  const group = groupsOf(config).find(({ application, deploymentGroup }) => application === event.application && deploymentGroup === event.deploymentGroup);
  if (group === undefined) return { code: 'not-ours', text: `${event.application}/${event.deploymentGroup} is not a target of ${service}.` };
  const [reading] = await readDeployments(codeDeploy, { groups: [group], ids: [event.deploymentId], settled: new Set(), list: null });
  if (reading === undefined) return { code: 'not-ours', text: `CodeDeploy has no deployment ${event.deploymentId} of ${event.application}/${event.deploymentGroup}.` };
  if (reading.nature === 'rollback') return { code: 'own-rollback', text: `Deployment ${reading.id} is a rollback, not a release.` };
  return reading.nature === 'upkeep' ? { code: 'upkeep', text: `Deployment ${reading.id} only brings instances up to date.` } : releaseFrom(service, reading);
}

async function fromEcs({ service, config, ledger }: Recording, event: Of<'ecs'>, { ecs }: WatchParts): Promise<Release | Reason> {
  const source = releaseSources(config).ecs.find((one) => isSameService(one, { cluster: event.cluster, service: event.ecsService }));
  if (source === undefined) return { code: 'not-ours', text: `ECS service ${event.cluster}/${event.ecsService} is no source of releases of ${service}.` };
  const reading = (await readEcsDeployments(ecs, source)).find(({ id }) => id === event.deploymentId);
  if (reading === undefined) return { code: 'not-ours', text: `ECS shows no deployment ${event.deploymentId} of ${event.cluster}/${event.ecsService} (any more).` };
  return ecsRelease(reading, service, ledger);
}

/** @returns why an ECS deployment is no release; or the release. */
function ecsRelease(reading: DeploymentReading, service: string, ledger: ServiceLedger): Release | Reason {
  const { id, version, startedAt } = reading;
  if (reading.nature === 'rollback') return { code: 'own-rollback', text: `Deployment ${id} is ECS's own rollback, not a release.` };
  if (reading.nature === 'upkeep') return { code: 'upkeep', text: `Deployment ${id} starts the same task definition ${version} again.` };
  const known = ledger.releases.find((release) => release.id === id);
  const reason = known === undefined ? notAnother({ version, from: startedAt, to: startedAt }, ledger) : null;
  return reason ?? { ...releaseFrom(service, reading), origin: 'ecs', previousVersion: known?.previousVersion ?? reading.previousVersion ?? lastEcsVersion(ledger, reading) };
}

/** What was live before, where ECS shows it no more: the last release of ECS's on record. */
const lastEcsVersion = ({ releases }: ServiceLedger, { startedAt }: DeploymentReading): string | null =>
  releases.filter(({ origin, status, startedAt: began }) => origin === 'ecs' && status === 'finished' && at(began) < at(startedAt))
    .toSorted((a, b) => at(b.startedAt) - at(a.startedAt))[0]?.version ?? null;

/** An alias has no deployments: its releases are told apart by their version, and a version that comes back after another is a new one. */
function fromAlias({ service, config, ledger }: Recording, event: Of<'lambda-alias'>, before: string | null): Release | Reason {
  const source = releaseSources(config).lambda.find((one) => isSameAlias(one, event));
  if (source === undefined) return { code: 'not-ours', text: `Alias ${event.alias} of ${event.functionName} is no source of releases of ${service}.` };
  const { version, previousVersion, actor, at: when, phase } = event;
  const last = lastOfAlias(ledger.releases, source);
  if (last !== null && last.status === 'in-progress' && last.previousVersion === version)
    return { code: 'taken-back', text: `Alias ${event.alias} went back to ${version} before release ${last.version} was whole.` };
  const isSame = last !== null && last.version === version && last.undoneAt === undefined && !ledger.rollbacks.some(({ release }) => release?.id === last.id);
  const [startedAt, id] = isSame ? [last.startedAt, last.id] : [when, `${aliasPrefix(source)}${version}@${when}`];
  const reason = isSame ? null : notAnother({ version, from: when, to: when }, ledger);
  const isOver = phase === 'finished';
  return reason ?? {
    id, service, version, previousVersion: isSame ? last.previousVersion : previousVersion ?? last?.version ?? before, startedAt, finishedAt: isOver ? when : null,
    status: isOver ? 'finished' : 'in-progress', origin: 'lambda-alias', actor: isSame ? last.actor : actor, touched: [], left: null, alarmsAtStart: [],
  };
}

/** CloudTrail tells where an alias went, not where it was; of the first release the last poll knows. */
async function seenBefore({ service, config }: Recording, event: Of<'lambda-alias'>, { table }: WatchParts): Promise<string | null> {
  const source = releaseSources(config).lambda.find((one) => isSameAlias(one, event));
  const seen = source === undefined ? null : await readSeen(table, service, `${source.functionName}:${source.alias}`);
  return seen === null || seen.version === event.version ? null : seen.version;
}

/** A pipeline may name the deployment that it made: then AWS knows more of it than the pipeline does, whichever event comes first. */
async function fromPipeline(recording: Recording, event: Of<'event'>, parts: WatchParts): Promise<Release | Reason> {
  const told = { ...(event.manifest === null ? {} : { manifest: event.manifest }), ...(event.touched === null ? {} : { touched: event.touched }) };
  const deployment = await deploymentNamed(recording, event.releaseId, parts);
  if (deployment !== null) return { ...deployment, ...told };
  const { id, startedAt } = attemptOf(event, recording.ledger);
  const isOver = event.phase === 'finished';
  return {
    id, service: recording.service, version: event.version, previousVersion: event.previousVersion, startedAt, finishedAt: isOver ? event.at : null,
    status: isOver ? 'finished' : 'in-progress', origin: 'event', actor: event.actor, touched: [], ...told, left: null, alarmsAtStart: [],
  };
}

async function deploymentNamed({ service, config, ledger }: Recording, releaseId: string, { codeDeploy, ecs }: WatchParts): Promise<Release | null> {
  if (/^d-[A-Z0-9]+$/.test(releaseId)) {
    const [reading] = await readDeployments(codeDeploy, { groups: groupsOf(config), ids: [releaseId], settled: new Set(), list: null });
    return reading?.nature === 'release' ? releaseFrom(service, reading) : null;
  }
  if (!releaseId.startsWith('ecs-svc/')) return null;
  const readings = (await Promise.all(releaseSources(config).ecs.map((source) => readEcsDeployments(ecs, source)))).flat();
  const reading = readings.find(({ id }) => id === releaseId);
  const release = reading === undefined ? null : ecsRelease(reading, service, ledger);
  return release === null || 'code' in release ? null : release;
}

/** What ECS shows of the service of an event: its circuit breaker may have gone back by itself. */
export async function newestOfEcs(recording: EcsRecording, parts: WatchParts): Promise<DeploymentReading | null> {
  const [newest = null] = await shownByEcs(recording, parts);
  return newest;
}

/** The deployment that an event names; null where ECS shows it no more. */
export const deploymentOfEcs = async (recording: EcsRecording, parts: WatchParts): Promise<DeploymentReading | null> =>
  (await shownByEcs(recording, parts)).find(({ id }) => id === recording.event.deploymentId) ?? null;

async function shownByEcs({ event, config }: EcsRecording, { ecs }: WatchParts): Promise<DeploymentReading[]> {
  const source = releaseSources(config).ecs.find((one) => isSameService(one, { cluster: event.cluster, service: event.ecsService }));
  return source === undefined ? [] : readEcsDeployments(ecs, source);
}
