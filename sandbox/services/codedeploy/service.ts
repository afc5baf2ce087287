// CodeDeploy on the wire: which operations are served.
import * as schemas from '@aws-sdk/client-codedeploy';
import type { AwsService } from '../../aws/world.ts';
import type { CodeDeploy } from './codedeploy.ts';
import { batchGetDeployments, createDeployment, getDeployment, listDeployments, stopDeployment } from './deployment-operations.ts';
import { batchGetDeploymentTargets, getApplicationRevision, getDeploymentConfig, getDeploymentGroup, listDeploymentTargets, registerApplicationRevision } from './group-operations.ts';

export const codeDeployService = (codedeploy: CodeDeploy): AwsService => ({
  signingName: 'codedeploy',
  iamPrefix: 'codedeploy',
  schemas,
  operations: {
    CreateDeployment: createDeployment(codedeploy),
    StopDeployment: stopDeployment(codedeploy),
    GetDeployment: getDeployment(codedeploy),
    BatchGetDeployments: batchGetDeployments(codedeploy),
    ListDeployments: listDeployments(codedeploy),
    GetDeploymentGroup: getDeploymentGroup(codedeploy),
    GetDeploymentConfig: getDeploymentConfig(codedeploy),
    GetApplicationRevision: getApplicationRevision(codedeploy),
    RegisterApplicationRevision: registerApplicationRevision(codedeploy),
    ListDeploymentTargets: listDeploymentTargets(codedeploy),
    BatchGetDeploymentTargets: batchGetDeploymentTargets(codedeploy),
  },
});
