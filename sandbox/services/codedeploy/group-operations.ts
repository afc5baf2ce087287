// CodeDeploy operations on groups, configurations, revisions and the targets of a deployment.
import type {
  BatchGetDeploymentTargetsInput, BatchGetDeploymentTargetsOutput, DeploymentTarget, GetApplicationRevisionInput, GetApplicationRevisionOutput, GetDeploymentConfigInput, GetDeploymentConfigOutput,
  GetDeploymentGroupInput, GetDeploymentGroupOutput, ListDeploymentTargetsInput, ListDeploymentTargetsOutput, RegisterApplicationRevisionInput,
} from '@aws-sdk/client-codedeploy';
import { AwsError, type Operation } from '../../aws/world.ts';
import type { CodeDeploy } from './codedeploy.ts';
import { groupShown } from './deployment-shown.ts';
import { applicationArn, configArn, groupArn, onAll } from './permissions.ts';
import { revisionKey } from './revisions.ts';

export const getDeploymentGroup = (codedeploy: CodeDeploy): Operation<GetDeploymentGroupInput, GetDeploymentGroupOutput> => ({
  mutating: false,
  authorize: ({ applicationName = '', deploymentGroupName = '' }) => [{ action: 'codedeploy:GetDeploymentGroup', resources: [groupArn(codedeploy, applicationName, deploymentGroupName)] }],
  run: ({ applicationName = '', deploymentGroupName = '' }) => ({ deploymentGroupInfo: groupShown(codedeploy, codedeploy.group(applicationName, deploymentGroupName)) }),
});

export const getDeploymentConfig = (codedeploy: CodeDeploy): Operation<GetDeploymentConfigInput, GetDeploymentConfigOutput> => ({
  mutating: false,
  authorize: ({ deploymentConfigName = '' }) => [{ action: 'codedeploy:GetDeploymentConfig', resources: [configArn(codedeploy, deploymentConfigName)] }],
  run: ({ deploymentConfigName = '' }) => ({ deploymentConfigInfo: codedeploy.configs.describe(deploymentConfigName) }),
});

const date = (at: number | null): Date | undefined => (at === null ? undefined : new Date(at));

export const getApplicationRevision = (codedeploy: CodeDeploy): Operation<GetApplicationRevisionInput, GetApplicationRevisionOutput> => ({
  mutating: false,
  authorize: ({ applicationName = '' }) => [{ action: 'codedeploy:GetApplicationRevision', resources: [applicationArn(codedeploy, applicationName)] }],
  run: ({ applicationName = '', revision }) => {
    const found = codedeploy.application(applicationName).revisions.get(revisionKey(revision ?? {}));
    if (found === undefined) throw new AwsError('RevisionDoesNotExistException', 'The named revision does not exist.');
    return {
      applicationName,
      revision: found.location,
      revisionInfo: { description: found.description, deploymentGroups: [...found.groups], registerTime: new Date(found.registeredAt), firstUsedTime: date(found.firstUsedAt), lastUsedTime: date(found.lastUsedAt) },
    };
  },
});

export const registerApplicationRevision = (codedeploy: CodeDeploy): Operation<RegisterApplicationRevisionInput, object> => ({
  mutating: true,
  authorize: ({ applicationName = '' }) => [{ action: 'codedeploy:RegisterApplicationRevision', resources: [applicationArn(codedeploy, applicationName)] }],
  run: ({ applicationName = '', revision, description }) => {
    codedeploy.registerRevision(applicationName, revision ?? {}, description);
    return {};
  },
});

const idOf = ({ instanceTarget, lambdaTarget, ecsTarget }: DeploymentTarget): string => (instanceTarget ?? lambdaTarget ?? ecsTarget)?.targetId ?? '';

export const listDeploymentTargets = (codedeploy: CodeDeploy): Operation<ListDeploymentTargetsInput, ListDeploymentTargetsOutput> => ({
  mutating: false,
  authorize: onAll('ListDeploymentTargets'),
  run: ({ deploymentId = '' }) => ({ targetIds: codedeploy.deployment(deploymentId).targets.map(idOf) }),
});

export const batchGetDeploymentTargets = (codedeploy: CodeDeploy): Operation<BatchGetDeploymentTargetsInput, BatchGetDeploymentTargetsOutput> => ({
  mutating: false,
  authorize: onAll('BatchGetDeploymentTargets'),
  run: ({ deploymentId = '', targetIds = [] }) => {
    const { targets } = codedeploy.deployment(deploymentId);
    if (targetIds.length > 25) throw new AwsError('DeploymentTargetListSizeExceededException', 'The maximum number of targets that can be associated with a request is 25');
    const unknown = targetIds.find((id) => !targets.some((target) => idOf(target) === id));
    if (unknown !== undefined) throw new AwsError('DeploymentTargetDoesNotExistException', `The deployment target ${unknown} does not exist`);
    return { deploymentTargets: targets.filter((target) => targetIds.includes(idOf(target))) };
  },
});
