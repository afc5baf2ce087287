// What CodeDeploy says was deployed to the service's targets: releases, rollbacks, upkeep. Changes nothing.
import { BatchGetDeploymentsCommand, type CodeDeployClient, type DeploymentInfo, ListDeploymentsCommand } from '@aws-sdk/client-codedeploy';
import type { DeploymentReading } from '../domain/readings.ts';
import type { Release } from '../domain/vocabulary.ts';
import { type Platform, type Revision, versionIn } from '../strategies/codedeploy/revision.ts';
import { calling, isFault } from './aws-errors.ts';

/** One deployment group of the service. */
export interface WatchedGroup {
  readonly targetId: string;
  readonly application: string;
  readonly deploymentGroup: string;
  readonly platform: Platform;
}

export interface DeploymentQuestion {
  readonly groups: readonly WatchedGroup[];
  /** Ids to read whatever the list says: the one an event names, and those whose end the ledger does not know. */
  readonly ids: readonly string[];
  /** Ids that need no reading: the ledger knows how they ended. */
  readonly settled: ReadonlySet<string>;
  /** The time whose deployments are listed; null when only the named ones are wanted. */
  readonly list: { readonly from: Date; readonly to: Date } | null;
}

/** More per call is refused. */
const idsPerCall = 25;
/** Newest deployments of all groups that are read in detail at most. */
const detailsLimit = 100;

/**
 * Lists the groups' deployments of a time and reads the named ones, side by side; then, only if there are any, those nobody knew.
 * A deployment of another group is never returned, whoever asks for it.
 */
export async function readDeployments(client: CodeDeployClient, question: DeploymentQuestion): Promise<DeploymentReading[]> {
  const time = question.list;
  const [named, ...lists] = await Promise.all([
    details(client, question, question.ids), ...(time === null ? [] : question.groups.map((group) => list(client, group, time))),
  ]);
  const known = new Set([...question.ids, ...question.settled]);
  const unknown = [...new Set(lists.flat())].filter((id) => !known.has(id)).slice(0, detailsLimit);
  return [...named, ...await details(client, question, unknown)];
}

async function list(client: CodeDeployClient, group: WatchedGroup, time: { readonly from: Date; readonly to: Date }): Promise<string[]> {
  const ids: string[] = [];
  let nextToken: string | undefined;
  do {
    const page = await calling('codedeploy:ListDeployments', client.send(new ListDeploymentsCommand({
      applicationName: group.application, deploymentGroupName: group.deploymentGroup, createTimeRange: { start: time.from, end: time.to },
      ...(nextToken === undefined ? {} : { nextToken }),
    })));
    ids.push(...page.deployments ?? []);
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return ids;
}

async function details(client: CodeDeployClient, { groups }: DeploymentQuestion, ids: readonly string[]): Promise<DeploymentReading[]> {
  const calls: Promise<DeploymentInfo[]>[] = [];
  for (let index = 0; index < ids.length; index += idsPerCall) calls.push(batch(client, ids.slice(index, index + idsPerCall)));
  const infos = (await Promise.all(calls)).flat();
  return infos.flatMap((info) => {
    const group = groups.find(({ application, deploymentGroup }) => info.applicationName === application && info.deploymentGroupName === deploymentGroup);
    return group === undefined ? [] : [deploymentReading(info, group)];
  });
}

async function batch(client: CodeDeployClient, deploymentIds: string[]): Promise<DeploymentInfo[]> {
  try {
    return (await calling('codedeploy:BatchGetDeployments', client.send(new BatchGetDeploymentsCommand({ deploymentIds })))).deploymentsInfo ?? [];
  } catch (error) {
    // One id that does not exist, or is none, refuses the whole call; the ids come from an event, which anybody may have typed.
    if (!isFault(error, 'gone', 'invalid')) throw error;
    if (deploymentIds.length === 1) return [];
    return (await Promise.all(deploymentIds.map((id) => batch(client, [id])))).flat();
  }
}

const statuses: Readonly<Record<string, Release['status']>> = { Succeeded: 'finished', Failed: 'failed', Stopped: 'stopped' };
const rollbackCreators = new Set(['codeDeployRollback', 'CloudFormationRollback']);
const upkeepCreators = new Set(['autoscaling', 'autoscalingTermination', 'CodeDeployAutoUpdate']);
/** How the descriptions of Ripcord's own deployments begin. */
const mark = 'ripcord ';

/** One deployment in Ripcord's words. */
export function deploymentReading(info: DeploymentInfo, { targetId, platform }: WatchedGroup): DeploymentReading {
  const { deploymentId: id = '', creator = '', description = '', rollbackInfo } = info;
  // The deployment that was rolled back carries the id of its rollback; the rollback carries the id of what it undoes.
  const undoes = rollbackInfo?.rollbackDeploymentId === undefined ? rollbackInfo?.rollbackTriggeringDeploymentId ?? null : null;
  const version = (revision: DeploymentInfo['revision']) => versionIn(platform, (revision ?? null) as Revision | null);
  const isRollback = rollbackCreators.has(creator) || description.startsWith(mark) || undoes !== null;
  // The start can be later than the end by clock skew; the creation never is.
  return {
    id,
    targetId,
    // A revision that does not say its version is equal to no other.
    version: version(info.revision) ?? `deployment ${id}`,
    previousVersion: version(info.previousRevision),
    startedAt: (info.createTime ?? info.startTime ?? new Date(0)).toISOString(),
    finishedAt: info.completeTime?.toISOString() ?? null,
    status: statuses[info.status ?? ''] ?? 'in-progress',
    actor: creator === '' ? 'unknown' : creator,
    nature: isRollback ? 'rollback' : upkeepCreators.has(creator) ? 'upkeep' : 'release',
    undoes,
  };
}
