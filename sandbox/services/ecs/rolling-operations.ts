// ECS on the wire for services with rolling deployments: how DescribeServices shows one, and UpdateService.
import type { Service, UpdateServiceRequest, UpdateServiceResponse } from '@aws-sdk/client-ecs';
import { AwsError, type Operation } from '../../aws/world.ts';
import type { Ecs } from './ecs.ts';
import type { RollingDeployment, RollingServiceRecord, RollingServices } from './rolling.ts';

export function rollingServiceShown({ arn, cluster, name, desiredCount, circuitBreaker, deployments }: RollingServiceRecord): Service {
  return {
    serviceArn: arn, serviceName: name, clusterArn: arn.replace(/:service\/.*$/, `:cluster/${cluster}`), status: 'ACTIVE', desiredCount, launchType: 'FARGATE',
    runningCount: deployments.reduce((sum, { running }) => sum + running, 0), pendingCount: 0, taskDefinition: deployments[0]?.taskDefinitionArn,
    deploymentController: { type: 'ECS' },
    deploymentConfiguration: { strategy: 'ROLLING', maximumPercent: 200, minimumHealthyPercent: 100, deploymentCircuitBreaker: { enable: circuitBreaker, rollback: circuitBreaker } },
    deployments: deployments.map((deployment) => deploymentShown(deployment, desiredCount)),
  };
}

const deploymentShown = ({ id, status, taskDefinitionArn, running, failed, rollout, reason, createdAt, updatedAt }: RollingDeployment, desired: number) => ({
  id, status, taskDefinition: taskDefinitionArn, desiredCount: status === 'PRIMARY' ? desired : 0, runningCount: running, failedTasks: failed, pendingCount: 0,
  rolloutState: rollout, rolloutStateReason: reason, createdAt: new Date(createdAt), updatedAt: new Date(updatedAt), launchType: 'FARGATE' as const,
});

/** Takes a task definition alone; everything else that a service has stays as it is. */
export const updateService = (ecs: Ecs, rolling: RollingServices): Operation<UpdateServiceRequest, UpdateServiceResponse> => ({
  mutating: true,
  authorize: ({ cluster = 'default', service = '' }) => [{ action: 'ecs:UpdateService', resources: [ecs.serviceArn(cluster, service)] }],
  run: ({ cluster = 'default', service = '', taskDefinition, forceNewDeployment = false, ...others }) => {
    const unknown = Object.entries(others).filter(([, value]) => value !== undefined).map(([key]) => key);
    if (unknown.length > 0) throw new AwsError('SandboxUnsupported', `the sandbox's UpdateService does not support ${unknown.join(', ')}`, { status: 501 });
    const found = rolling.find(cluster, service);
    if (found === undefined) {
      ecs.service(cluster, service);
      throw new AwsError('InvalidParameterException', 'Unable to update task definition on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.');
    }
    rolling.update(found, taskDefinition, forceNewDeployment);
    return { service: rollingServiceShown(found) };
  },
});
