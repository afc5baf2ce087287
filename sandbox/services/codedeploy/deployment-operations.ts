// CodeDeploy operations on deployments: create, stop, read, list.
import type {
  BatchGetDeploymentsInput, BatchGetDeploymentsOutput, CreateDeploymentInput, CreateDeploymentOutput, GetDeploymentInput, GetDeploymentOutput,
  ListDeploymentsInput, ListDeploymentsOutput, StopDeploymentInput, StopDeploymentOutput,
} from '@aws-sdk/client-codedeploy';
import { AwsError, type Operation } from '../../aws/world.ts';
import type { CodeDeploy } from './codedeploy.ts';
import { deploymentShown } from './deployment-shown.ts';
import { applicationArn, configArn, groupArn, onAll, onDeployments } from './permissions.ts';
import type { DeploymentRecord } from './records.ts';

const mostInBatch = 25;
const pageSize = 100;

const shown = (codedeploy: CodeDeploy, deployment: DeploymentRecord): NonNullable<GetDeploymentOutput['deploymentInfo']> => deploymentShown(deployment, codedeploy.group(deployment.application, deployment.group));

export const createDeployment = (codedeploy: CodeDeploy): Operation<CreateDeploymentInput, CreateDeploymentOutput> => ({
  mutating: true,
  authorize: ({ applicationName = '', deploymentGroupName = '', deploymentConfigName, overrideAlarmConfiguration }) => {
    const group = groupArn(codedeploy, applicationName, deploymentGroupName);
    return [
      { action: 'codedeploy:CreateDeployment', resources: [group] },
      { action: 'codedeploy:GetDeploymentConfig', resources: [configArn(codedeploy, deploymentConfigName ?? '*')] },
      { action: 'codedeploy:GetApplicationRevision', resources: [applicationArn(codedeploy, applicationName)] },
      { action: 'codedeploy:RegisterApplicationRevision', resources: [applicationArn(codedeploy, applicationName)] },
      ...(overrideAlarmConfiguration === undefined ? [] : [{ action: 'codedeploy:UpdateDeploymentGroup', resources: [group] }]),
    ];
  },
  run: (input) => ({ deploymentId: codedeploy.createDeployment(input).id }),
});

export const stopDeployment = (codedeploy: CodeDeploy): Operation<StopDeploymentInput, StopDeploymentOutput> => ({
  mutating: true,
  authorize: onAll('StopDeployment'),
  run: ({ deploymentId = '', autoRollbackEnabled }) => codedeploy.stopDeployment(deploymentId, autoRollbackEnabled),
});

export const getDeployment = (codedeploy: CodeDeploy): Operation<GetDeploymentInput, GetDeploymentOutput> => ({
  mutating: false,
  authorize: ({ deploymentId = '' }) => onDeployments(codedeploy, 'GetDeployment', [deploymentId]),
  run: ({ deploymentId = '' }) => ({ deploymentInfo: shown(codedeploy, codedeploy.deployment(deploymentId)) }),
});

/** Unknown ids are left out. */
export const batchGetDeployments = (codedeploy: CodeDeploy): Operation<BatchGetDeploymentsInput, BatchGetDeploymentsOutput> => ({
  mutating: false,
  authorize: ({ deploymentIds = [] }) => onDeployments(codedeploy, 'BatchGetDeployments', deploymentIds),
  run: ({ deploymentIds = [] }) => {
    if (deploymentIds.length > mostInBatch) throw new AwsError('BatchLimitExceededException', `The maximum number of deployments is ${mostInBatch}`);
    return { deploymentsInfo: deploymentIds.flatMap((id) => codedeploy.find(id) ?? []).map((deployment) => shown(codedeploy, deployment)) };
  },
});

/** The order is not documented: the sandbox answers neither in order of time nor of name, so that nobody relies on it. */
export const listDeployments = (codedeploy: CodeDeploy): Operation<ListDeploymentsInput, ListDeploymentsOutput> => ({
  mutating: false,
  authorize: ({ applicationName, deploymentGroupName }) => [{ action: 'codedeploy:ListDeployments', resources: [groupArn(codedeploy, applicationName ?? '*', deploymentGroupName ?? '*')] }],
  run: ({ applicationName, deploymentGroupName, includeOnlyStatuses, createTimeRange, nextToken }) => {
    if (applicationName !== undefined && deploymentGroupName === undefined) throw new AwsError('DeploymentGroupNameRequiredException', 'If applicationName is specified, then deploymentGroupName must be specified.');
    if (applicationName === undefined && deploymentGroupName !== undefined) throw new AwsError('ApplicationNameRequiredException', 'If deploymentGroupName is specified, then applicationName must be specified.');
    if (applicationName !== undefined && deploymentGroupName !== undefined) codedeploy.group(applicationName, deploymentGroupName);
    const { start, end } = createTimeRange ?? {};
    const found = codedeploy.deployments(applicationName, deploymentGroupName).filter(({ status, createdAt }) =>
      (includeOnlyStatuses?.includes(status) ?? true) && createdAt >= (start?.getTime() ?? -Infinity) && createdAt <= (end?.getTime() ?? Infinity));
    const ids = found.map(({ id }) => id).toSorted((a, b) => (a.at(-1) ?? '').localeCompare(b.at(-1) ?? ''));
    const from = Number(nextToken ?? 0);
    if (!Number.isInteger(from)) throw new AwsError('InvalidNextTokenException', 'The next token was specified in an invalid format.');
    return { deployments: ids.slice(from, from + pageSize), ...(from + pageSize < ids.length ? { nextToken: String(from + pageSize) } : {}) };
  },
});
