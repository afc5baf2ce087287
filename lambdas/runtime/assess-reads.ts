// The reads of Assess in two steps of parallel calls: what the service is and what happened to it, then what is true right now.
import type { CodeDeployClient } from '@aws-sdk/client-codedeploy';
import { readAlarms } from '../adapters/alarms.ts';
import { type CatalogueStore, type VersionedEntry, readEntry } from '../adapters/catalogue.ts';
import { readDeployments } from '../adapters/deployments.ts';
import { isFault } from '../adapters/aws-errors.ts';
import { type Earlier, readEarlier } from '../adapters/ledger-earlier.ts';
import { acquireLock } from '../adapters/ledger-lock.ts';
import { readNeighbours } from '../adapters/ledger-neighbours.ts';
import { addToStorm, type StormWindows, readStorm } from '../adapters/ledger-storm.ts';
import type { LedgerTable } from '../adapters/ledger-table.ts';
import { newestReleases, readService } from '../adapters/ledger.ts';
import { type MetricsSources, readMetrics } from '../adapters/metrics.ts';
import { readTraffic } from '../adapters/traffic.ts';
import { groupsOf as deploymentGroupsOf } from '../config/release-sources.ts';
import { isCountedUnread } from '../domain/counted.ts';
import { isTrouble } from '../domain/door.ts';
import type { ServiceLedger } from '../domain/ledger.ts';
import { beganAt, furthestGood } from '../domain/passed.ts';
import type { Question } from '../domain/question.ts';
import { shiftPlan } from '../domain/shift-plan.ts';
import type { DeploymentReading } from '../domain/readings.ts';
import type { Admitted, Trigger } from '../domain/trigger.ts';
import type { Instant } from '../domain/vocabulary.ts';
import type { AssessInput } from '../domain/workflow.ts';
import { doorOf } from './assess-door.ts';
import { companyOf, namesIn } from './assess-storm.ts';
import { isRetryable } from './handle-errors.ts';

export interface AssessSources extends MetricsSources {
  readonly catalogue: CatalogueStore;
  readonly table: LedgerTable;
  readonly codeDeploy: CodeDeployClient;
  /** More distinct services than this with a signal in so many minutes are a storm; so are more than `unrelated` that have nothing to do with each other (absent: as many). */
  readonly storm: { readonly services: number; readonly minutes: number; readonly unrelated?: number };
}

export interface Known {
  readonly entry: VersionedEntry['entry'];
  readonly configVersion: number;
  readonly ledger: ServiceLedger;
  readonly windows: StormWindows;
}

/** What is known when nothing but the ledger was read, and why. */
export interface Unread {
  readonly unread: string;
  readonly ledger: ServiceLedger;
  readonly windows: StormWindows;
}

/** What is known before anything is looked at. In a storm, and beside a run that has the lock, the ledger is enough. */
export async function readKnown({ catalogue, table, storm }: AssessSources, input: AssessInput, about: { readonly admitted: Admitted; readonly now: Date }): Promise<Known | Unread> {
  const { admitted: { service, trigger }, now } = about;
  const abort = new AbortController();
  const reading = outcomeOf(readEntry(catalogue, service, abort.signal));
  const [ledger, windows] = await Promise.all([readService(table, service, now), readStorm(table, storm.minutes, now)]);
  const door = doorOf(input, { service, trigger, ledger, windows, now }, storm.services);
  if (door === 'closed') {
    abort.abort();
    return { unread: 'not-needed', ledger, windows };
  }
  const read = await reading;
  if ('value' in read) return { entry: read.value.entry, configVersion: read.value.version, ledger, windows };
  if (door === 'stormy' && isRetryable(read.error)) return { unread: whyOf(read.error), ledger, windows };
  throw read.error;
}

/** An error as a value: whether it matters is known only when other answers are there. */
const outcomeOf = async <Value>(work: Promise<Value>): Promise<{ readonly value: Value } | { readonly error: unknown }> => {
  try {
    return { value: await work };
  } catch (error) {
    return { error };
  }
};

const whyOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 300);

export interface Seen {
  /** Fence of the lock; null for a dry run, which needs none, and when another run has the lock. */
  readonly fence: number | null;
  readonly lockedBy: string | null;
  readonly unsettledUntil?: Instant;
  readonly storm: Question['storm'];
  readonly alarms: Question['alarms'];
  readonly traffic: Question['traffic'];
  readonly metrics: Question['metrics'];
  readonly deployments: readonly DeploymentReading[];
  readonly neighbours?: NonNullable<Question['neighbours']>;
  /** Null where the ledger has all releases. */
  readonly earlier: Earlier | null;
}

/** What is known when the signals could not be read, but the ledger is enough. */
export interface SeenAtDoor extends Pick<Seen, 'fence' | 'lockedBy'> {
  readonly unread: string;
  readonly windows: StormWindows;
}

/** Takes the lock and reads every signal at its source, side by side. */
export async function readNow(sources: AssessSources, input: AssessInput, about: { readonly admitted: Admitted; readonly known: Known; readonly now: Date }): Promise<Seen | SeenAtDoor> {
  const { admitted: { service, trigger }, known, now } = about;
  const isDryRun = trigger.kind === 'person' && trigger.mode === 'dry-run';
  const reading = outcomeOf(readSignals(sources, { trigger, known, now }));
  const lock = isDryRun ? null : await acquireLock(sources.table, service, input.rollbackId, { now });
  const hold = { fence: lock?.held === true ? lock.fence : null, lockedBy: lock?.held === false ? lock.owner : null };
  const read = await reading;
  const unsettled = lock?.held === true && lock.unsettledUntil !== undefined && lock.unsettledUntil > now.toISOString() ? { unsettledUntil: lock.unsettledUntil } : {};
  if ('value' in read) return { ...hold, ...unsettled, storm: stormOf(sources, { service, known }), ...read.value };
  if (!isRetryable(read.error)) throw read.error;
  const windows = await windowsUnread(sources, { input, trigger, known, service, now }, read.error);
  const isStorm = input.approval === null && isTrouble(trigger) && namesIn(windows).length > sources.storm.services;
  if (hold.lockedBy !== null || isStorm) return { ...hold, unread: whyOf(read.error), windows };
  throw read.error;
}

/** Which group of the brake a service is of: alone it is its own. */
export const groupOf = ({ name, group = name }: Known['entry']): string => group;

function stormOf({ storm: { services: limit, minutes, unrelated } }: AssessSources, { service, known }: { readonly service: string; readonly known: Known }): Question['storm'] {
  return { ...companyOf(known.windows, { service, group: groupOf(known.entry) }), limit, minutes, isAnnounced: false, ...(unrelated === undefined ? {} : { unrelated }) };
}

interface UnreadSignal {
  readonly service: string;
  readonly trigger: Trigger;
  readonly input: AssessInput;
  readonly known: Known;
  readonly now: Date;
}

/** Whom others have counted by now. Where the source of the signals is down this service counts too: its own are unknown. Too many questions are no fault of the source's. */
async function windowsUnread({ table, storm: { minutes } }: AssessSources, { service, trigger, input, known, now }: UnreadSignal, error: unknown): Promise<StormWindows> {
  const { entry, windows } = known;
  if (isFault(error, 'throttled') || input.approval !== null || !isCountedUnread(trigger, entry.service)) return readStorm(table, minutes, now);
  return { ...windows, current: await addToStorm(table, { service, group: groupOf(entry) }, minutes, now) };
}

/** A fault may have begun an hour before this look at the most: a hold, and a wait for others. */
const faultAgeMinutes = 60;

async function readSignals({ table, cloudWatch, cloudWatchIn, codeDeploy }: AssessSources, { known, trigger, now }: { readonly known: Known; readonly trigger: Trigger; readonly now: Date }): Promise<Pick<Seen, 'alarms' | 'traffic' | 'metrics' | 'deployments' | 'neighbours' | 'earlier'>> {
  const { around = [], service: { signals, policy } } = known.entry;
  const theirs = around.flatMap(({ alarms }) => alarms.map((name) => ({ name })));
  const [newest] = known.ledger.releases.toSorted((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt));
  const shift = shiftPlan(known.entry.service, newest, now.toISOString(), known.ledger);
  const from = new Date(now.getTime() - (policy.releaseWindowMinutes + faultAgeMinutes) * 60_000);
  const [alarms, traffic, metrics, deployments, neighbours, earlier] = await Promise.all([
    readAlarms(cloudWatch, [...signals.alarms, ...theirs]), readTraffic(cloudWatch, signals.traffic, now), readMetrics({ cloudWatch, cloudWatchIn }, { ...signals, shift }, now), deploymentsNow(codeDeploy, known, trigger, now),
    readNeighbours(table, around, { from, now }), earlierOf(table, known, from),
  ]);
  const ours = signals.alarms.length;
  return { alarms: alarms.slice(0, ours), traffic, metrics, deployments, earlier, ...(around.length === 0 ? {} : { neighbours: withAlarms(around, neighbours, alarms.slice(ours)) }) };
}

/** Where the newest releases do not reach back to what a way back may lead to: a declared side can run a version of any age. */
async function earlierOf(table: LedgerTable, { entry, ledger }: Known, from: Date): Promise<Earlier | null> {
  const { releases } = ledger;
  const oldest = releases.at(-1);
  if (oldest === undefined || releases.length < newestReleases) return null;
  const hasSides = Object.values(entry.service.targets).some(({ good }) => typeof good === 'object' && 'side' in good);
  const good = hasSides ? null : furthestGood(ledger, from.getTime());
  return good !== null && beganAt(releases, good) !== null ? { releases: [], unreadBefore: oldest.startedAt } : readEarlier(table, oldest, good);
}

const withAlarms = (around: NonNullable<Known['entry']['around']>, read: Awaited<ReturnType<typeof readNeighbours>>, alarms: Question['alarms']): NonNullable<Question['neighbours']> =>
  read.map((one, index) => ({
    ...one,
    alarms: alarms.filter(({ name }) => around[index]?.alarms.includes(name) === true)
      .map(({ name, state, since, fault, suppressedBy, evaluationState }) => ({ name, state, since, fault, suppressedBy, evaluationState })),
  }));

/** How far CodeDeploy's own history is read when the ledger knows no good version yet, in days. */
const historyDays = 30;

async function deploymentsNow(client: CodeDeployClient, { entry, ledger }: Known, trigger: Trigger, now: Date): Promise<DeploymentReading[]> {
  const groups = deploymentGroupsOf(entry.service);
  if (groups.length === 0) return [];
  const needsHistory = ledger.knownGoods.length === 0;
  const minutes = needsHistory ? historyDays * 24 * 60 : entry.service.policy.releaseWindowMinutes + 60;
  const isOurs = trigger.kind === 'deployment' && groups.some(({ application, deploymentGroup }) => application === trigger.application && deploymentGroup === trigger.deploymentGroup);
  const own = ledger.releases.filter(({ origin }) => origin === 'codedeploy');
  const open = own.filter(({ finishedAt }) => finishedAt === null).slice(0, 10).map(({ id }) => id);
  return readDeployments(client, {
    groups,
    ids: [...new Set([...(isOurs ? [trigger.deploymentId] : []), ...open])],
    // Without known-good versions even those that the ledger knows are read: how long each stayed live is the proof.
    settled: new Set(needsHistory ? [] : own.filter(({ finishedAt }) => finishedAt !== null).map(({ id }) => id)),
    list: { from: new Date(now.getTime() - minutes * 60_000), to: now },
  });
}
