// What the role of ecs-service may do: exactly its calls, on exactly its target.
import type { Changed, Permissions } from '../strategy.ts';
import type { EcsServiceTarget } from './manifest.ts';

export const permissions: Permissions<EcsServiceTarget> = ({ cluster, service, roles = [] }, { partition, account, region }) => [
  { actions: ['ecs:DescribeServices', 'ecs:UpdateService'], resources: [`arn:${partition}:ecs:${region}:${account}:service/${cluster}/${service}`] },
  { actions: ['ecs:DescribeTaskDefinition'], resources: ['*'], because: 'ecs:DescribeTaskDefinition has no resource-level permissions.' },
  ...(roles.length === 0 ? [] : [{
    actions: ['iam:PassRole'], resources: roles, conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
    uncalled: { 'iam:PassRole': 'AWS does not document whether UpdateService checks the roles of a task definition that exists already; the game day finds out.' },
  }]),
];

export const changed: Changed<EcsServiceTarget> = ({ cluster, service }) => [`ECS service ${cluster}/${service}`];
