// ARNs of CodeDeploy's resources, and which permissions each call takes.
import type { Authorization } from '../../aws/world.ts';
import type { CodeDeploy } from './codedeploy.ts';

export const groupArn = ({ parts: { place } }: CodeDeploy, application: string, group: string): string => `arn:aws:codedeploy:${place.region}:${place.account}:deploymentgroup:${application}/${group}`;
export const applicationArn = ({ parts: { place } }: CodeDeploy, application: string): string => `arn:aws:codedeploy:${place.region}:${place.account}:application:${application}`;
export const configArn = ({ parts: { place } }: CodeDeploy, config: string): string => `arn:aws:codedeploy:${place.region}:${place.account}:deploymentconfig:${config}`;

/** A deployment is reached through its group. */
export function onDeployments(codedeploy: CodeDeploy, action: string, ids: readonly string[]): Authorization[] {
  const arns = ids.map((id) => {
    const deployment = codedeploy.find(id);
    return deployment === undefined ? groupArn(codedeploy, '*', '*') : groupArn(codedeploy, deployment.application, deployment.group);
  });
  return [{ action: `codedeploy:${action}`, resources: [...new Set(arns)] }];
}

/** Actions without resource-level permissions. */
export const onAll = (action: string) => (): Authorization[] => [{ action: `codedeploy:${action}`, resources: ['*'] }];
