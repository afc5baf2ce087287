// How a deployment and a group look in the API's answers.
import type { DeploymentGroupInfo, DeploymentInfo, DeploymentOverview, LastDeploymentInfo, TargetStatus } from '@aws-sdk/client-codedeploy';
import type { CodeDeploy } from './codedeploy.ts';
import type { DeploymentRecord, GroupRecord } from './records.ts';

const date = (at: number | null): Date | undefined => (at === null ? undefined : new Date(at));

export function deploymentShown(deployment: DeploymentRecord, { platform }: GroupRecord): DeploymentInfo {
  const { input } = deployment;
  const blueGreen = platform.computePlatform !== 'Server';
  return {
    applicationName: deployment.application, deploymentGroupName: deployment.group, deploymentConfigName: deployment.config, deploymentId: deployment.id,
    ...(deployment.previousRevision === null ? {} : { previousRevision: deployment.previousRevision }),
    revision: deployment.revision, status: deployment.status, ...(deployment.error === null ? {} : { errorInformation: deployment.error }),
    createTime: new Date(deployment.createdAt), startTime: date(deployment.startedAt), completeTime: date(deployment.completedAt),
    deploymentOverview: overview(deployment), description: input.description, creator: deployment.creator,
    ignoreApplicationStopFailures: input.ignoreApplicationStopFailures ?? false, autoRollbackConfiguration: input.autoRollbackConfiguration,
    rollbackInfo: deployment.rollbackInfo, fileExistsBehavior: input.fileExistsBehavior ?? 'DISALLOW', instanceTerminationWaitTimeStarted: deployment.waitsForTermination,
    deploymentStyle: { deploymentType: blueGreen ? 'BLUE_GREEN' : 'IN_PLACE', deploymentOption: 'WITH_TRAFFIC_CONTROL' },
    computePlatform: platform.computePlatform, overrideAlarmConfiguration: input.overrideAlarmConfiguration, deploymentStatusMessages: [],
  };
}

function overview({ targets }: DeploymentRecord): DeploymentOverview {
  const states = targets.map(({ instanceTarget, lambdaTarget, ecsTarget }) => (instanceTarget ?? lambdaTarget ?? ecsTarget)?.status);
  const count = (state: TargetStatus): number => states.filter((each) => each === state).length;
  return { Pending: count('Pending'), InProgress: count('InProgress'), Succeeded: count('Succeeded'), Failed: count('Failed'), Skipped: count('Skipped'), Ready: count('Ready') };
}

const last = ({ id, status, createdAt, completedAt }: DeploymentRecord): LastDeploymentInfo => ({ deploymentId: id, status, createTime: new Date(createdAt), endTime: date(completedAt) });

export function groupShown(codedeploy: CodeDeploy, group: GroupRecord): DeploymentGroupInfo {
  const attempted = codedeploy.deployments(group.application, group.name).at(-1);
  const successful = codedeploy.lastSuccessful(group.application, group.name);
  return {
    applicationName: group.application, deploymentGroupId: group.id, deploymentGroupName: group.name, deploymentConfigName: group.deploymentConfig,
    serviceRoleArn: `arn:aws:iam::${codedeploy.parts.place.account}:role/codedeploy`, alarmConfiguration: group.alarmConfiguration, autoRollbackConfiguration: group.autoRollbackConfiguration,
    deploymentStyle: { deploymentType: group.platform.computePlatform === 'Server' ? 'IN_PLACE' : 'BLUE_GREEN', deploymentOption: 'WITH_TRAFFIC_CONTROL' },
    computePlatform: group.platform.computePlatform, targetRevision: attempted?.revision,
    ...(successful === null ? {} : { lastSuccessfulDeployment: last(successful) }), ...(attempted === undefined ? {} : { lastAttemptedDeployment: last(attempted) }),
  };
}
