// Roles and policies of a template, for the sandbox's IAM.
import type { PolicyDocument } from '../../aws/iam/policy.ts';
import { optionalText, text, type Making, type ResourceType } from '../resource-type.ts';

type RawPolicy = { readonly PolicyName: string; readonly PolicyDocument: PolicyDocument };

const logs = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'];
// What AWS's own managed policies allow, for those that functions are usually given.
const awsManaged: Readonly<Record<string, PolicyDocument>> = {
  'service-role/AWSLambdaBasicExecutionRole': { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: logs, Resource: '*' }] },
  AWSXRayDaemonWriteAccess: {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords', 'xray:GetSamplingRules', 'xray:GetSamplingTargets', 'xray:GetSamplingStatisticSummaries'], Resource: '*' }],
  },
};

function useManaged(making: Making, arn: string): void {
  const { iam } = making.target;
  const [, name] = /^arn:aws:iam::aws:policy\/(.+)$/.exec(arn) ?? [];
  if (name === undefined) return;
  const document = awsManaged[name];
  if (document === undefined) throw new Error(`ManagedPolicyArns: the sandbox does not know ${arn}`);
  iam.putManagedPolicy(arn, document);
}

const role: ResourceType = {
  acted: ['RoleName', 'AssumeRolePolicyDocument', 'Policies', 'ManagedPolicyArns', 'Path'],
  ignored: ['Description', 'MaxSessionDuration', 'Tags'],
  make: (making) => {
    const { iam, place } = making.target;
    const { Policies = [], ManagedPolicyArns = [], AssumeRolePolicyDocument } = making.properties;
    const roleName = making.name('RoleName', 64);
    const arn = `arn:${place.partition}:iam::${place.account}:role${optionalText(making, 'Path') ?? '/'}${roleName}`;
    for (const one of ManagedPolicyArns as string[]) useManaged(making, one);
    iam.putRole({
      roleName,
      arn,
      trust: AssumeRolePolicyDocument as PolicyDocument,
      policies: (Policies as RawPolicy[]).map(({ PolicyName, PolicyDocument: document }) => ({ name: PolicyName, document })),
      managedPolicyArns: ManagedPolicyArns as string[],
    });
    return { ref: roleName, attributes: { Arn: arn, RoleId: `AROA${making.uuid().replaceAll('-', '').slice(0, 17).toUpperCase()}` } };
  },
};

const policy: ResourceType = {
  acted: ['PolicyName', 'PolicyDocument', 'Roles'],
  ignored: [],
  make: (making) => {
    const name = text(making, 'PolicyName');
    for (const roleName of (making.properties['Roles'] ?? []) as string[])
      making.target.iam.putRolePolicy(roleName, { name, document: making.properties['PolicyDocument'] as PolicyDocument });
    return { ref: name, attributes: { Id: making.uuid() } };
  },
};

const managedPolicy: ResourceType = {
  acted: ['ManagedPolicyName', 'PolicyDocument', 'Roles', 'Path'],
  ignored: ['Description'],
  make: (making) => {
    const { iam, place } = making.target;
    const arn = `arn:${place.partition}:iam::${place.account}:policy${optionalText(making, 'Path') ?? '/'}${making.name('ManagedPolicyName', 128)}`;
    iam.putManagedPolicy(arn, making.properties['PolicyDocument'] as PolicyDocument);
    for (const roleName of (making.properties['Roles'] ?? []) as string[]) iam.attachRolePolicy(roleName, arn);
    return { ref: arn, attributes: { PolicyArn: arn, PolicyId: making.uuid() } };
  },
};

export const iamTypes: Readonly<Record<string, ResourceType>> = { 'AWS::IAM::Role': role, 'AWS::IAM::Policy': policy, 'AWS::IAM::ManagedPolicy': managedPolicy };
