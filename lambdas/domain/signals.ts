// Turns what was read into signals: what fires, since when, which of them measure the same thing, and which are older than the release.
import { type Fault, faultOf, mayHaveCaused } from './fault.ts';
import { at } from './instants.ts';
import type { DeliveredSignal } from './ledger.ts';
import type { Question, ReleaseFacts } from './question.ts';
import type { AlarmReading } from './readings.ts';
import type { Signal } from './vocabulary.ts';
import type { JourneyResult } from './workflow.ts';

/** Another tool's message proves nothing for longer than this, in minutes: unlike an alarm it cannot be read again. */
const externalMinutes = 30;

/** DescribeAlarms is eventually consistent: it may tell of the state before an event for so many seconds after it. A generous guess; AWS names no bound. */
const settleSeconds = 60;

/** What signals are read from: part of a verdict's question, and what the Watch reads at each look. */
export type SignalSources = Pick<Question, 'alarms' | 'delivered' | 'deployments' | 'evidence' | 'externalTools' | 'now' | 'releases' | 'startedAt' | 'trigger'> & Partial<Pick<Question, 'quarantined'>>;

/** Every signal of the service, after it was read again; those of the suspect's time are marked by `isOlderThanRelease`. */
export function readSignals(question: SignalSources, suspect: ReleaseFacts | null): Signal[] {
  return [
    ...question.alarms.map((alarm) => alarmSignal(alarm, question, suspect)),
    ...deploymentSignals(question, suspect),
    ...externals(question).map((signal) => externalSignal(signal, suspect)),
    ...journeySignals(question, suspect),
    ...quarantineSignal(question, suspect),
    ...personSignal(question),
  ];
}

/** The faults that firing alarms and tools speak of: what a release is looked for. */
export function faultsOf(question: SignalSources): Fault[] {
  const alarms = question.alarms.filter((alarm) => statusOf(alarm, question).status === 'firing').map((alarm) => faultOf(alarm));
  const tools = externals(question).filter(({ status }) => status === 'firing').map(({ since, at: delivered }) => ({ from: since ?? delivered, to: since ?? delivered }));
  return [...alarms.filter((fault) => fault !== null), ...tools];
}

export interface Count {
  /** Independent groups with a firing signal that counts. */
  readonly groups: readonly string[];
  /** True when at least one firing signal may be the release's doing. */
  readonly hasAccuser: boolean;
}

/**
 * Counts firing signals, once a group. Quiet and unknown ones change nothing. An alarm that is older than the release says nothing of it beside other alarms,
 * or one that is always red would make one fresh alarm enough; beside what users meet since then it counts.
 */
export function countSignals(signals: readonly Signal[]): Count {
  const firing = signals.filter(({ status }) => status === 'firing');
  const accusers = firing.filter(({ isOlderThanRelease }) => !isOlderThanRelease);
  const counted = firing.filter((one) => accusers.length === 0 || accusers.includes(one) || [one, ...accusers].some(({ kind }) => kind === 'journey' || kind === 'metrics'));
  return { groups: [...new Set(counted.map(({ group }) => group))].toSorted(), hasAccuser: accusers.length > 0 };
}

function alarmSignal(alarm: AlarmReading, question: SignalSources, suspect: ReleaseFacts | null): Signal {
  const fault = faultOf(alarm);
  const { status, summary } = statusOf(alarm, question);
  const isOlder = suspect !== null && (fault === null ? suspect.alarmsAtStart.includes(alarm.name) : !mayHaveCaused(suspect, fault));
  const since = status === 'firing' ? alarm.since : null;
  return { kind: 'alarm', source: alarm.name, group: groupOf(alarm, question), status, since, isOlderThanRelease: status === 'firing' && isOlder, summary };
}

/** End of the mute that an event of this alarm told of; undefined when none goes on. */
export const mutedUntil = ({ delivered, now }: Pick<SignalSources, 'delivered' | 'now'>, alarm: string): string | undefined =>
  delivered.find(({ kind, source, mutedUntil: until }) => kind === 'alarm' && source === alarm && until !== null && at(until) > at(now))?.mutedUntil ?? undefined;

function statusOf(alarm: AlarmReading, { delivered, now, startedAt, trigger }: SignalSources): Pick<Signal, 'status' | 'summary'> {
  const muted = mutedUntil({ delivered, now }, alarm.name);
  if (alarm.evaluationState !== null) return { status: 'unknown', summary: `alarm ${alarm.name}: CloudWatch could not evaluate it (${alarm.evaluationState})` };
  if (alarm.state === 'missing') return { status: 'unknown', summary: `alarm ${alarm.name} does not exist` };
  if (alarm.state === 'INSUFFICIENT_DATA') return { status: 'unknown', summary: `alarm ${alarm.name} has no data` };
  // An OK from before the event that began this run is not the alarm's end. When it stays, the event was no alarm's.
  const isOld = trigger.kind === 'alarm' && trigger.alarm === alarm.name && alarm.since !== null && at(alarm.since) < at(trigger.at);
  if (alarm.state === 'OK' && isOld && at(now) - at(startedAt) < settleSeconds * 1000) return { status: 'unknown', summary: `alarm ${alarm.name} reads OK since ${alarm.since}, which is older than the event that says ALARM` };
  if (alarm.state === 'OK') return { status: 'quiet', summary: `alarm ${alarm.name} is OK` };
  if (muted !== undefined) return { status: 'unknown', summary: `alarm ${alarm.name} is in ALARM, but muted until ${muted}` };
  if (alarm.suppressedBy !== null) return { status: 'unknown', summary: `alarm ${alarm.name} is in ALARM, but suppressed by ${alarm.suppressedBy}` };
  return { status: 'firing', summary: `alarm ${alarm.name} is in ALARM: ${alarm.reason}` };
}

/** A composite says again what its child says: with a child of the service it counts as that child. */
function groupOf(alarm: AlarmReading, question: SignalSources, above: readonly string[] = []): string {
  const seen = [...above, alarm.name];
  const child = question.alarms.find(({ name, state }) => state === 'ALARM' && alarm.children.includes(name) && !seen.includes(name));
  return child === undefined ? alarm.group : groupOf(child, question, seen);
}

function deploymentSignals({ trigger, deployments, releases }: SignalSources, suspect: ReleaseFacts | null): Signal[] {
  const ids = new Set([...(trigger.kind === 'deployment' ? [trigger.deploymentId] : []), ...(suspect?.origin === 'codedeploy' || suspect?.origin === 'ecs' ? [suspect.id] : [])]);
  return [...ids].flatMap((id): Signal[] => {
    const found = deployments.find((one) => one.id === id) ?? releases.find((one) => one.id === id);
    if (found === undefined) return [];
    const isFiring = found.status === 'failed' || found.status === 'stopped';
    const since = isFiring ? found.finishedAt : null;
    return [{ kind: 'deployment', source: id, group: 'deployment', status: isFiring ? 'firing' : 'quiet', since, isOlderThanRelease: false, summary: `deployment ${id} of ${found.version} is ${found.status}` }];
  });
}

/** The newest message of each of the service's tools and ids, of the last half hour. */
function externals({ trigger, delivered, externalTools, now }: SignalSources): DeliveredSignal[] {
  const own: DeliveredSignal[] = trigger.kind !== 'external' ? [] : [{
    at: trigger.at ?? now, rollbackId: '', kind: 'external', source: `${trigger.tool}/${trigger.id}`, status: trigger.status, since: trigger.since, summary: trigger.summary, mutedUntil: null,
  }];
  const recent = [...own, ...delivered]
    .filter(({ kind, source, at: when }) => kind === 'external' && externalTools.includes(toolOf(source)) && at(now) - at(when) <= externalMinutes * 60_000)
    .toSorted((a, b) => at(b.at) - at(a.at));
  return recent.filter(({ source }, index) => recent.findIndex((one) => one.source === source) === index);
}

const toolOf = (source: string): string => source.slice(0, source.indexOf('/'));

function externalSignal({ source, status, since, at: delivered, summary }: DeliveredSignal, suspect: ReleaseFacts | null): Signal {
  const began = since ?? delivered;
  const isOlder = suspect !== null && !mayHaveCaused(suspect, { from: began, to: began });
  return { kind: 'external', source, group: `external/${toolOf(source)}`, status, since: status === 'firing' ? began : null, isOlderThanRelease: status === 'firing' && isOlder, summary };
}

/** Journeys use the same service, so together they are one group. One that nobody saw pass as the release began cannot accuse it. */
function journeySignals({ evidence }: SignalSources, suspect: ReleaseFacts | null): Signal[] {
  const atStart = suspect?.journeysFailedAtStart;
  return (evidence?.results ?? []).map((result) => {
    const { status, summary } = journeyStatus(result);
    const passedAtStart = atStart !== undefined && !atStart.includes(result.journey);
    const isFiring = status === 'firing';
    return { kind: 'journey', source: result.journey, group: 'journeys', status, since: isFiring ? evidence?.at ?? null : null, isOlderThanRelease: isFiring && !passedAtStart, summary };
  });
}

function journeyStatus({ journey, ok, couldNotRun, failedAt, reason }: JourneyResult): Pick<Signal, 'status' | 'summary'> {
  if (couldNotRun === true) return { status: 'unknown', summary: `journey ${journey} could not be run: ${reason ?? 'no reason given'}` };
  if (ok) return { status: 'quiet', summary: `journey ${journey} passes` };
  return { status: 'firing', summary: `journey ${journey} fails at ${failedAt ?? 'its first request'}: ${reason ?? 'no reason given'}` };
}

/** A version that was rolled back needs no second proof; the Watch says that it is out again, and the ledger whether it was. */
function quarantineSignal({ trigger, quarantined = [] }: SignalSources, suspect: ReleaseFacts | null): Signal[] {
  if (trigger.kind !== 'watch' || trigger.quarantined !== true || suspect === null || !quarantined.includes(suspect.version)) return [];
  const summary = `version ${suspect.version} was rolled back before, and is out again`;
  return [{ kind: 'quarantine', source: suspect.version, group: 'quarantine', status: 'firing', since: suspect.startedAt, isOlderThanRelease: false, summary }];
}

function personSignal({ trigger, startedAt }: SignalSources): Signal[] {
  if (trigger.kind !== 'person') return [];
  return [{ kind: 'person', source: trigger.requestedBy, group: 'person', status: 'firing', since: startedAt, isOlderThanRelease: false, summary: `${trigger.requestedBy} asked for it: ${trigger.reason}` }];
}
