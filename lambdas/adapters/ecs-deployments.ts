// What ECS says of the deployments of one service that it runs itself: releases, restarts, its own rollbacks. Changes nothing.
import { type Deployment, DescribeServicesCommand, type ECSClient, type Service } from '@aws-sdk/client-ecs';
import type { EcsSource } from '../config/release-sources.ts';
import type { DeploymentReading } from '../domain/readings.ts';
import { RipcordError } from '../domain/errors.ts';
import { calling } from './aws-errors.ts';

const statuses: Readonly<Record<string, DeploymentReading['status']>> = { COMPLETED: 'finished', FAILED: 'failed' };

/** `family:revision` of a task definition's ARN. */
const versionOf = (taskDefinition: string | undefined): string | null => taskDefinition?.split('/').at(-1) ?? null;

/**
 * The deployments that ECS still shows, newest first: the one that counts (`PRIMARY`), and those it replaces until their tasks are gone.
 * Who made them, ECS does not say.
 * @throws RipcordError (`ecs-service-missing`) when there is no such service; AwsCallError when it cannot be read.
 */
export async function readEcsDeployments(client: ECSClient, { cluster, service }: EcsSource): Promise<DeploymentReading[]> {
  const { services = [], failures = [] } = await calling('ecs:DescribeServices', client.send(new DescribeServicesCommand({ cluster, services: [service] })));
  const [found] = services;
  if (found === undefined || found.status === 'INACTIVE')
    throw new RipcordError('stop', 'ecs-service-missing', `ECS has no service ${service} in cluster ${cluster}${failures[0]?.reason === undefined ? '' : ` (${failures[0].reason})`}`);
  return readingsOf(found);
}

function readingsOf({ deployments = [] }: Service): DeploymentReading[] {
  const newestFirst = deployments.toSorted((a, b) => (b.createdAt?.getTime() ?? 0) - (a.createdAt?.getTime() ?? 0));
  return newestFirst.map((deployment, index) => reading(deployment, newestFirst.slice(index + 1)));
}

function reading(deployment: Deployment, older: readonly Deployment[]): DeploymentReading {
  const { id = '', taskDefinition, createdAt, updatedAt, rolloutState = '', rolloutStateReason = '' } = deployment;
  const status = statuses[rolloutState] ?? 'in-progress';
  const version = versionOf(taskDefinition);
  const before = versionOf(older[0]?.taskDefinition);
  // Nothing but the text tells ECS's own rollback from a release.
  const isRollback = /rolling back|rolled back/i.test(rolloutStateReason) && status !== 'failed';
  return {
    id,
    targetId: '',
    // A task definition that is not named is equal to no other.
    version: version ?? `deployment ${id}`,
    previousVersion: before,
    startedAt: (createdAt ?? new Date(0)).toISOString(),
    finishedAt: status === 'in-progress' ? null : updatedAt?.toISOString() ?? null,
    status,
    actor: 'unknown',
    nature: isRollback ? 'rollback' : version !== null && version === before ? 'upkeep' : 'release',
    undoes: isRollback ? older.find(({ rolloutState: state = '' }) => statuses[state] === 'failed')?.id ?? null : null,
  };
}
