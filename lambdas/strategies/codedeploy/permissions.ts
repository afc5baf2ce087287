// What the role of codedeploy may do: exactly its calls, on exactly its target.
import type { Changed, Permissions } from '../strategy.ts';
import type { CodeDeployTarget } from './manifest.ts';

export const permissions: Permissions<CodeDeployTarget> = (of, { partition, account, region }) => {
  const arn = `arn:${partition}:codedeploy:${region}:${account}`;
  return [
    {
      // UpdateDeploymentGroup is never called: CreateDeployment demands it when it overrides the group's alarms.
      actions: [
        'codedeploy:BatchGetDeployments', 'codedeploy:CreateDeployment', 'codedeploy:GetDeployment',
        'codedeploy:GetDeploymentGroup', 'codedeploy:ListDeployments', 'codedeploy:UpdateDeploymentGroup',
      ],
      resources: [`${arn}:deploymentgroup:${of.application}/${of.deploymentGroup}`],
    },
    // These three are never called either: CodeDeploy demands them of whoever calls CreateDeployment.
    {
      actions: ['codedeploy:GetApplicationRevision', 'codedeploy:RegisterApplicationRevision'],
      resources: [`${arn}:application:${of.application}`],
    },
    {
      actions: ['codedeploy:GetDeploymentConfig'],
      resources: [`${arn}:deploymentconfig:*`],
      because: 'The deployment configuration is the group\'s own, and can change without Ripcord hearing of it.',
    },
    {
      actions: ['codedeploy:StopDeployment'],
      resources: ['*'],
      because: 'codedeploy:StopDeployment has no resource-level permissions.',
    },
    ...(of.platform === 'Lambda'
      ? [
          { actions: ['lambda:GetAlias'], resources: [`arn:${partition}:lambda:${region}:${account}:function:${of.functionName}`] },
          {
            actions: ['lambda:GetFunctionConfiguration'], resources: [`arn:${partition}:lambda:${region}:${account}:function:${of.functionName}:*`],
            because: 'Versions of this one function: a redeploy goes back to one that is not known beforehand.',
          },
        ]
      : []),
    ...(of.platform === 'ECS'
      ? [
          { actions: ['ecs:DescribeServices'], resources: [`arn:${partition}:ecs:${region}:${account}:service/${of.cluster}/${of.service}`] },
          { actions: ['ecs:DescribeTaskDefinition'], resources: ['*'], because: 'ecs:DescribeTaskDefinition has no resource-level permissions.' },
        ]
      : []),
  ];
};

export const changed: Changed<CodeDeployTarget> = (of) => [
  `deployment group ${of.application}/${of.deploymentGroup}`,
  ...(of.platform === 'Lambda' ? [`alias ${of.functionName}:${of.alias}`] : []),
  ...(of.platform === 'ECS' ? [`ECS service ${of.cluster}/${of.service}`] : []),
];
