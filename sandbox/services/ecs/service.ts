// ECS on the wire: DescribeServices and DescribeTaskDefinition, and UpdateService where there are rolling deployments.
import * as schemas from '@aws-sdk/client-ecs';
import type { DescribeServicesRequest, DescribeServicesResponse, DescribeTaskDefinitionRequest, DescribeTaskDefinitionResponse, Service } from '@aws-sdk/client-ecs';
import type { AwsService, Operation } from '../../aws/world.ts';
import type { Ecs, EcsServiceRecord } from './ecs.ts';
import { rollingServiceShown, updateService } from './rolling-operations.ts';
import type { RollingServices } from './rolling.ts';

const describeServices = (ecs: Ecs, rolling: RollingServices | undefined): Operation<DescribeServicesRequest, DescribeServicesResponse> => ({
  mutating: false,
  authorize: ({ cluster = 'default', services = [] }) => [{ action: 'ecs:DescribeServices', resources: services.map((name) => ecs.serviceArn(cluster, name)) }],
  run: ({ cluster = 'default', services = [] }) => {
    const found = services.map((name) => ({ name, service: shownAt(ecs, rolling, { cluster, name }) }));
    return {
      services: found.flatMap(({ service }) => service ?? []),
      failures: found.filter(({ service }) => service === undefined).map(({ name }) => ({ arn: ecs.serviceArn(cluster, name), reason: 'MISSING' })),
    };
  },
});

function shownAt(ecs: Ecs, rolling: RollingServices | undefined, { cluster, name }: { readonly cluster: string; readonly name: string }): Service | undefined {
  const [bluegreen, ofEcs] = [ecs.find(cluster, name), rolling?.find(cluster, name)];
  return bluegreen === undefined ? ofEcs && rollingServiceShown(ofEcs) : serviceShown(bluegreen);
}

function serviceShown({ arn, cluster, name, desiredCount, taskSets }: EcsServiceRecord): Service {
  const primary = taskSets.find(({ status }) => status === 'PRIMARY');
  return {
    serviceArn: arn, serviceName: name, clusterArn: arn.replace(/:service\/.*$/, `:cluster/${cluster}`), status: 'ACTIVE', desiredCount,
    runningCount: taskSets.reduce((sum, { fleet }) => sum + fleet.instances.filter(({ isRunning }) => isRunning).length, 0), pendingCount: 0,
    taskDefinition: primary?.taskDefinitionArn, deploymentController: { type: 'CODE_DEPLOY' },
    taskSets: taskSets.map((set) => ({
      id: set.id, taskDefinition: set.taskDefinitionArn, status: set.status, scale: { value: 100, unit: 'PERCENT' }, runningCount: set.fleet.instances.filter(({ isRunning }) => isRunning).length,
      loadBalancers: [{ targetGroupArn: set.fleet.targetGroupArn, containerName: name, containerPort: 80 }],
    })),
  };
}

const describeTaskDefinition = (ecs: Ecs): Operation<DescribeTaskDefinitionRequest, DescribeTaskDefinitionResponse> => ({
  mutating: false,
  authorize: () => [{ action: 'ecs:DescribeTaskDefinition', resources: ['*'] }],
  run: ({ taskDefinition = '' }) => {
    const { arn, family, revision, image, status } = ecs.taskDefinition(taskDefinition);
    return { taskDefinition: { taskDefinitionArn: arn, family, revision, status, containerDefinitions: [{ name: family, image, portMappings: [{ containerPort: 80 }], essential: true }] } };
  },
});

export const ecsService = (ecs: Ecs, rolling?: RollingServices): AwsService => ({
  signingName: 'ecs',
  iamPrefix: 'ecs',
  schemas,
  operations: {
    DescribeServices: describeServices(ecs, rolling), DescribeTaskDefinition: describeTaskDefinition(ecs),
    ...(rolling === undefined ? {} : { UpdateService: updateService(ecs, rolling) }),
  },
});
