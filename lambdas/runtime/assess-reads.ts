// The reads of Assess in two steps of parallel calls: what the service is and what happened to it, then what is true right now.
import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { CodeDeployClient } from '@aws-sdk/client-codedeploy';
import { readAlarms } from '../adapters/alarms.ts';
import { type CatalogueStore, type VersionedEntry, readEntry } from '../adapters/catalogue.ts';
import { type WatchedGroup, readDeployments } from '../adapters/deployments.ts';
import { acquireLock } from '../adapters/ledger-lock.ts';
import { type StormWindows, addToStorm, readStorm } from '../adapters/ledger-storm.ts';
import type { LedgerTable } from '../adapters/ledger-table.ts';
import { readService } from '../adapters/ledger.ts';
import { readMetrics } from '../adapters/metrics.ts';
import { readTraffic } from '../adapters/traffic.ts';
import type { ServiceConfig } from '../config/schema.ts';
import type { ServiceLedger } from '../domain/ledger.ts';
import type { Question } from '../domain/question.ts';
import type { DeploymentReading } from '../domain/readings.ts';
import type { Admitted, Trigger } from '../domain/trigger.ts';
import type { AssessInput } from '../domain/workflow.ts';

export interface AssessSources {
  readonly catalogue: CatalogueStore;
  readonly table: LedgerTable;
  readonly cloudWatch: CloudWatchClient;
  readonly codeDeploy: CodeDeployClient;
  /** More distinct services than this with a signal in so many minutes are a storm. */
  readonly storm: { readonly services: number; readonly minutes: number };
}

export interface Known {
  readonly entry: VersionedEntry['entry'];
  readonly configVersion: number;
  readonly ledger: ServiceLedger;
  readonly windows: StormWindows;
}

/** What is known before anything is looked at. */
export async function readKnown({ catalogue, table, storm }: AssessSources, service: string, now: Date): Promise<Known> {
  const [{ entry, version }, ledger, windows] = await Promise.all([
    readEntry(catalogue, service), readService(table, service, now), readStorm(table, storm.minutes, now),
  ]);
  return { entry, configVersion: version, ledger, windows };
}

export interface Seen {
  /** Fence of the lock; null for a dry run, which needs none, and when another run has the lock. */
  readonly fence: number | null;
  readonly lockedBy: string | null;
  readonly storm: Question['storm'];
  readonly alarms: Question['alarms'];
  readonly traffic: Question['traffic'];
  readonly metrics: Question['metrics'];
  readonly deployments: readonly DeploymentReading[];
}

/** Takes the lock and reads every signal at its source, side by side. */
export async function readNow(sources: AssessSources, input: AssessInput, about: { readonly admitted: Admitted; readonly known: Known; readonly now: Date }): Promise<Seen> {
  const { admitted: { service, trigger }, known, now } = about;
  const { signals } = known.entry.service;
  const isDryRun = trigger.kind === 'person' && trigger.mode === 'dry-run';
  const [lock, storm, alarms, traffic, metrics, deployments] = await Promise.all([
    isDryRun ? null : acquireLock(sources.table, service, input.rollbackId, { now }),
    stormNow(sources, { service, trigger, input, now }, known.windows),
    readAlarms(sources.cloudWatch, signals.alarms),
    readTraffic(sources.cloudWatch, signals.traffic, now),
    readMetrics(sources.cloudWatch, signals, now),
    deploymentsNow(sources.codeDeploy, known, trigger, now),
  ]);
  return {
    fence: lock?.held === true ? lock.fence : null, lockedBy: lock?.held === false ? lock.owner : null, storm, alarms, traffic, metrics, deployments,
  };
}

interface StormSignal {
  readonly service: string;
  readonly trigger: Trigger;
  readonly input: AssessInput;
  readonly now: Date;
}

/** The first look of a run adds its service; a person's request, a muted alarm and a "quiet again" are no sign of trouble. */
async function stormNow({ table, storm }: AssessSources, { service, trigger, input, now }: StormSignal, windows: StormWindows): Promise<Question['storm']> {
  const isTrouble = trigger.kind !== 'person' && !(trigger.kind === 'alarm' && trigger.mutedUntil !== null) && !(trigger.kind === 'external' && trigger.status === 'quiet');
  const current = isTrouble && input.look === 0 ? await addToStorm(table, service, storm.minutes, now) : windows.current;
  const services = [...new Set([...current, ...windows.previous])].toSorted();
  return { services, limit: storm.services, minutes: storm.minutes, isAnnounced: false };
}

/** How far CodeDeploy's own history is read when the ledger knows no good version yet, in days. */
const historyDays = 30;

async function deploymentsNow(client: CodeDeployClient, { entry, ledger }: Known, trigger: Trigger, now: Date): Promise<DeploymentReading[]> {
  const groups = groupsOf(entry.service);
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

/** The deployment groups among the service's targets. */
export const groupsOf = ({ targets }: ServiceConfig): WatchedGroup[] => Object.entries(targets).flatMap(([targetId, target]) =>
  (target.strategy === 'codedeploy' ? [{ targetId, application: target.application, deploymentGroup: target.deploymentGroup, platform: target.platform }] : []));
