// What the poll makes of the world beside the ledger: releases and alarms whose events never came. Pure; the same finding has the same name.
import { createHash } from 'node:crypto';
import type { AliasSource, EcsSource } from '../config/release-sources.ts';
import { faultOf, mayHaveCaused } from './fault.ts';
import { at } from './instants.ts';
import type { ServiceLedger } from './ledger.ts';
import type { AlarmReading, DeploymentReading } from './readings.ts';
import { lastOfAlias, notAnother, wasRolledBack } from './release-known.ts';
import type { Instant, JsonObject, Reason, Release } from './vocabulary.ts';

/** One execution to start, once. */
export interface Lost {
  readonly machine: 'watch' | 'rollback';
  readonly name: string;
  readonly input: JsonObject;
  readonly reason: Reason;
}

export interface Polled {
  readonly service: string;
  readonly ledger: ServiceLedger;
  readonly windowMinutes: number;
  readonly now: Instant;
  /** When an Assess last weighed the service's alarms; null when none ever did. */
  readonly assessedAt: Instant | null;
}

/** An event and the run it starts need seconds; what they did not bring within so many, they will not bring. */
const graceSeconds = 150;

const isSettled = (instant: Instant | null, now: Instant): boolean => instant !== null && at(now) - at(instant) >= graceSeconds * 1000;

/**
 * However short a service's window, a deployment that began so long ago is looked for, in minutes: its end has a grace of its own after that of its
 * start, polls come five minutes apart, and one of them may fail.
 */
const leastMinutes = 20;

/** How far back deployments are looked for whose events did not arrive, in minutes. */
export const lookBackMinutes = ({ windowMinutes }: Pick<Polled, 'windowMinutes'>): number => Math.max(leastMinutes, windowMinutes);

const isRecent = (instant: Instant, polled: Polled): boolean => at(polled.now) - at(instant) <= lookBackMinutes(polled) * 60_000;

/** Without the time of the poll in it: the next poll must find the same name. At most 80 characters. */
const nameOf = (service: string, ...parts: readonly string[]): string => `poll-${service}-${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 24)}`;

function found(polled: Polled, detail: JsonObject, text: string): Lost {
  const { service } = polled;
  return {
    machine: 'watch', name: nameOf(service, JSON.stringify(detail)), reason: { code: 'release-found', text },
    input: { service, event: { source: 'ripcord.poll', 'detail-type': 'Release Found', detail } },
  };
}

/** The newest deployment of a CodeDeploy group that CodeDeploy has not undone by itself: older ones are superseded, and nothing can be captured of them any more. */
export function lostDeployment(group: { readonly application: string; readonly deploymentGroup: string }, readings: readonly DeploymentReading[], polled: Polled): Lost | null {
  const newestFirst = readings.filter(({ nature }) => nature !== 'upkeep').toSorted((a, b) => at(b.startedAt) - at(a.startedAt));
  const undoing = newestFirst.filter(({ undoes, status }) => undoes !== null && status === 'finished');
  const undone = newestFirst.filter(({ id }) => undoing.some(({ undoes }) => undoes === id));
  // Ripcord may have gone back further.
  if (undone.some((one) => wasRolledBack(one, polled.ledger.rollbacks))) return null;
  return lostNewest(group, newestFirst.find((one) => !undoing.includes(one) && !undone.includes(one)), polled);
}

function lostNewest(group: Parameters<typeof lostDeployment>[0], newest: DeploymentReading | undefined, polled: Polled): Lost | null {
  const { ledger, now } = polled;
  if (newest === undefined || newest.nature !== 'release' || !isRecent(newest.startedAt, polled) || !isSettled(newest.finishedAt ?? newest.startedAt, now)) return null;
  const known = ledger.releases.find(({ id }) => id === newest.id);
  if (known !== undefined && wasRolledBack(known, ledger.rollbacks)) return null;
  const named = { deploymentId: newest.id, application: group.application, deploymentGroup: group.deploymentGroup };
  if (newest.status === 'failed' || newest.status === 'stopped') return lostFailure(newest, named, polled);
  const phase = phaseOf(newest, known);
  return phase === null ? null : found(polled, { origin: 'codedeploy', phase, ...named }, `Deployment ${newest.id} of ${newest.version} ${phase}, and its event did not arrive.`);
}

/** `started`, `finished`, or null when the ledger knows as much. */
function phaseOf({ status }: DeploymentReading, known: Release | undefined): 'started' | 'finished' | null {
  if (status === 'in-progress') return known === undefined ? 'started' : null;
  return known === undefined || known.left === null ? 'finished' : null;
}

/** A failure that nobody weighed: the event of CodeDeploy's that starts a rollback, made up again. */
function lostFailure({ id, version, status, finishedAt }: DeploymentReading, named: JsonObject, polled: Polled): Lost | null {
  const { service, assessedAt } = polled;
  if (finishedAt === null || (assessedAt !== null && at(assessedAt) >= at(finishedAt))) return null;
  const event = {
    source: 'aws.codedeploy', 'detail-type': 'CodeDeploy Deployment State-change Notification', time: finishedAt, foundBy: 'the poll',
    detail: { ...named, state: status === 'failed' ? 'FAILURE' : 'STOP' },
  };
  return { machine: 'rollback', name: nameOf(service, id, status), input: { service, event }, reason: { code: 'failure-found', text: `Deployment ${id} of ${version} ${status}, and its event did not arrive.` } };
}

/** The newest deployment that ECS made of one service. */
export function lostEcsDeployment(source: EcsSource, readings: readonly DeploymentReading[], polled: Polled): Lost | null {
  const { ledger, now } = polled;
  const [newest] = readings;
  if (newest === undefined || newest.nature !== 'release' || !isRecent(newest.startedAt, polled) || !isSettled(newest.finishedAt ?? newest.startedAt, now)) return null;
  const known = ledger.releases.find(({ id }) => id === newest.id);
  if (known === undefined ? notAnother({ version: newest.version, from: newest.startedAt, to: newest.startedAt }, ledger) !== null : wasRolledBack(known, ledger.rollbacks)) return null;
  const phase = newest.status === 'failed' ? (known?.status === 'failed' ? null : 'failed') : phaseOf(newest, known);
  return phase === null ? null
    : found(polled, { origin: 'ecs', phase, deploymentId: newest.id, cluster: source.cluster, ecsService: source.service }, `ECS deployment ${newest.id} of ${newest.version} ${phase}, and its event did not arrive.`);
}

/** What an alias points to. Nothing tells since when. */
export interface AliasReading {
  /** The version that is new: of two that share the traffic, the one that is not the alias's own. */
  readonly version: string;
  /** The other one while two share the traffic. */
  readonly sharedWith: string | null;
}

/** What the poll before saw, and when: a change since lies between. */
export interface AliasSeen extends AliasReading {
  readonly at: Instant;
}

/** @param seen null on the first poll of an alias: what it points to then is where things begin. */
export function lostAliasMove(source: AliasSource, reading: AliasReading, known: { readonly seen: AliasSeen | null; readonly polled: Polled }): Lost | null {
  const { seen, polled } = known;
  const { ledger, now } = polled;
  const last = lastOfAlias(ledger.releases, source);
  const isOver = reading.sharedWith === null;
  const named = { origin: 'lambda-alias', phase: isOver ? 'finished' : 'started', functionName: source.functionName, alias: source.alias, version: reading.version, actor: 'unknown' };
  const text = `Alias ${source.alias} of ${source.functionName} points to ${reading.version}${isOver ? '' : ' too'}, and no event told so.`;
  if (last !== null && last.version === reading.version && last.undoneAt === undefined && !wasRolledBack(last, ledger.rollbacks))
    return isOver && last.finishedAt === null ? found(polled, { ...named, previousVersion: last.previousVersion, at: seen?.at ?? now }, text) : null;
  if (seen === null || (seen.version === reading.version && (seen.sharedWith === null) === isOver)) return null;
  if (seen.version !== reading.version && notAnother({ version: reading.version, from: seen.at, to: now }, ledger) !== null) return null;
  return found(polled, { ...named, previousVersion: reading.sharedWith ?? seen.version, at: seen.at }, text);
}

/** Alarms that fire with a release to suspect, and that no run has weighed since they began; once more when a cool-down is over in which they were left. */
export function lostAlarms(alarms: readonly AlarmReading[], polled: Polled): (Lost & { readonly alarm: string })[] {
  const { ledger: { lock, signals }, now, service } = polled;
  // A run at work reads every alarm again; what it leaves behind is found by the next poll.
  if (lock.owner !== null && lock.leaseUntil !== null && at(lock.leaseUntil) > at(now)) return [];
  const isMuted = (name: string): boolean => signals.some(({ source, mutedUntil }) => source === name && mutedUntil !== null && at(mutedUntil) > at(now));
  return alarms.flatMap((alarm) => {
    const { name, state, since, suppressedBy, evaluationState } = alarm;
    if (state !== 'ALARM' || since === null || suppressedBy !== null || evaluationState !== null || isMuted(name) || !isSettled(since, now)) return [];
    const suspect = suspectOf(alarm, polled);
    if (suspect === null || wasWeighed(since, polled)) return [];
    const event = {
      source: 'aws.cloudwatch', 'detail-type': 'CloudWatch Alarm State Change', time: since, foundBy: 'the poll',
      detail: { alarmName: name, state: { value: 'ALARM', timestamp: since } },
    };
    const cooled = pastCoolDown(since, polled);
    const why = cooled.length === 0 ? 'its event did not arrive' : 'the cool-down is over';
    const reason = { code: 'alarm-found', text: `Alarm ${name} is in ALARM since ${since}, release ${suspect.version} may have caused it, and ${why}.` };
    return [{ alarm: name, machine: 'rollback' as const, name: nameOf(service, name, since, ...cooled), input: { service, event }, reason }];
  });
}

/** Whether an Assess looked, or a rollback went on, after the alarm began. What a cool-down left counts only until its end: nothing could be done about it before. */
function wasWeighed(since: Instant, polled: Polled): boolean {
  const { assessedAt, ledger: { rollbacks, shadowed } } = polled;
  const weighed = [...rollbacks, ...shadowed].map(({ startedAt, endedAt }) => endedAt ?? startedAt);
  const [from = since] = pastCoolDown(since, polled);
  return [...weighed, ...(assessedAt === null ? [] : [assessedAt])].some((instant) => at(instant) >= at(from));
}

/** The end of the last cool-down, where it is over and the alarm began before it. */
function pastCoolDown(since: Instant, { ledger: { lock: { coolDownUntil } }, now }: Polled): Instant[] {
  return coolDownUntil !== null && at(coolDownUntil) <= at(now) && at(since) < at(coolDownUntil) ? [coolDownUntil] : [];
}

function suspectOf(alarm: AlarmReading, polled: Polled): Release | null {
  const { ledger: { releases, rollbacks }, windowMinutes } = polled;
  const fault = faultOf(alarm);
  if (fault === null) return null;
  const oldest = at(fault.from) - windowMinutes * 60_000;
  return releases.find((release) => mayHaveCaused(release, fault) && at(release.startedAt) >= oldest && !wasRolledBack(release, rollbacks)) ?? null;
}
