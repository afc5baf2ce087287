// codedeploy: stops a running deployment with rollback, or redeploys the last known good revision.
import * as z from 'zod';
import type { Manifest } from '../strategy.ts';
import { deployedStates } from './plan.ts';

const common = {
  strategy: z.literal('codedeploy'),
  application: z.string().min(1).max(100),
  deploymentGroup: z.string().min(1).max(100),
  /** A redeploy goes to the revision that survived its bake; there is no other safe choice. */
  good: z.literal('last-known-good', { error: 'needs its good side: `good: last-known-good`' }),
  /** Deployment configuration of the redeploy. Absent: all at once. */
  deploymentConfig: z.string().min(1).optional(),
};

const target = z.discriminatedUnion('platform', [
  z.strictObject({ ...common, platform: z.literal('Server') }),
  z.strictObject({ ...common, platform: z.literal('Lambda'), functionName: z.string().min(1), alias: z.string().min(1) }),
  z.strictObject({ ...common, platform: z.literal('ECS'), cluster: z.string().min(1), service: z.string().min(1) }),
]);

export type CodeDeployTarget = z.output<typeof target>;

export const manifest: Manifest<CodeDeployTarget> = {
  name: 'codedeploy',
  summary: 'Stop a running CodeDeploy deployment with rollback, or redeploy the last known good revision.',
  order: 40,
  way: 'redeploy',
  target,
  expectedSeconds: 300,
  states: deployedStates,
  statements: (of, { partition, account, region }) => {
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
        ? [{
            actions: ['lambda:GetAlias', 'lambda:GetFunctionConfiguration'],
            resources: [`arn:${partition}:lambda:${region}:${account}:function:${of.functionName}`, `arn:${partition}:lambda:${region}:${account}:function:${of.functionName}:*`],
            because: 'Versions of this one function: a redeploy goes back to one that is not known beforehand.',
          }]
        : []),
      ...(of.platform === 'ECS'
        ? [
            { actions: ['ecs:DescribeServices'], resources: [`arn:${partition}:ecs:${region}:${account}:service/${of.cluster}/${of.service}`] },
            { actions: ['ecs:DescribeTaskDefinition'], resources: ['*'], because: 'ecs:DescribeTaskDefinition has no resource-level permissions.' },
          ]
        : []),
    ];
  },
};
