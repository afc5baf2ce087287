// Tables, parameters, keys and log groups of a template.
import type { PolicyDocument } from '../../aws/iam/policy.ts';
import type { TableProperties } from '../../services/dynamodb/dynamodb.ts';
import type { Tier } from '../../services/ssm/parameter-store.ts';
import type { Created } from '../intrinsics.ts';
import { optionalText, refuse, text, type Making, type ResourceType } from '../resource-type.ts';

const tableShape = ['TableName', 'KeySchema', 'AttributeDefinitions', 'GlobalSecondaryIndexes', 'LocalSecondaryIndexes', 'StreamSpecification'];
const tableIgnored = [
  'BillingMode', 'ProvisionedThroughput', 'OnDemandThroughput', 'PointInTimeRecoverySpecification', 'SSESpecification', 'DeletionProtectionEnabled', 'TimeToLiveSpecification', 'Tags',
  'TableClass', 'ContributorInsightsSpecification', 'WriteProvisionedThroughputSettings', 'WriteOnDemandThroughputSettings', 'WarmThroughput',
];

async function makeTable(making: Making, policies: readonly unknown[]): Promise<Created> {
  refuse(making, 'StreamSpecification');
  const { tableName, arn } = await making.target.services.dynamodb.createTable({ ...(making.properties as unknown as TableProperties), TableName: making.name('TableName', 255) });
  for (const [index, policy] of policies.entries())
    if (policy !== undefined) making.target.iam.putResourcePolicy(arn, (policy as { PolicyDocument: PolicyDocument }).PolicyDocument, `${making.logicalId}-${index}`);
  return { ref: tableName, attributes: { Arn: arn, TableId: making.uuid() } };
}

const table: ResourceType = {
  acted: [...tableShape, 'ResourcePolicy'],
  ignored: tableIgnored,
  make: (making) => makeTable(making, [making.properties['ResourcePolicy']]),
};

const globalTable: ResourceType = {
  acted: [...tableShape, 'Replicas'],
  ignored: tableIgnored,
  make: (making) => {
    const replicas = (making.properties['Replicas'] ?? []) as { Region?: string; ResourcePolicy?: unknown }[];
    const elsewhere = replicas.filter(({ Region }) => Region !== making.target.place.region);
    if (elsewhere.length > 0) throw new Error(`Replicas in ${elsewhere.map(({ Region }) => Region).join(', ')} are not supported`);
    return makeTable(making, replicas.map(({ ResourcePolicy }) => ResourcePolicy));
  },
};

const parameter: ResourceType = {
  acted: ['Name', 'Type', 'Value', 'Tier'],
  ignored: ['Description', 'AllowedPattern', 'DataType', 'Tags', 'Policies'],
  make: (making) => {
    const type = making.properties['Type'];
    if (type !== 'String' && type !== 'StringList') throw new Error(`Type ${String(type)} is not supported`);
    const tier = making.properties['Tier'];
    const description = optionalText(making, 'Description');
    const name = making.name('Name', 1011);
    const { value } = making.target.services.parameters.put({
      name,
      type,
      value: text(making, 'Value'),
      by: 'cloudformation.amazonaws.com',
      ...(tier === undefined ? {} : { tier: tier as Tier }),
      ...(description === undefined ? {} : { description }),
    });
    return { ref: name, attributes: { Type: type, Value: value } };
  },
};

const key: ResourceType = {
  acted: ['KeyPolicy'],
  ignored: ['EnableKeyRotation', 'RotationPeriodInDays', 'Description', 'Enabled', 'KeySpec', 'KeyUsage', 'MultiRegion', 'Origin', 'PendingWindowInDays', 'Tags', 'BypassPolicyLockoutSafetyCheck'],
  make: (making) => {
    const arn = making.arn('kms', `key/${making.uuid()}`);
    const policy = making.properties['KeyPolicy'];
    if (policy !== undefined) making.target.iam.putResourcePolicy(arn, policy as PolicyDocument, making.logicalId);
    return { ref: making.uuid(), attributes: { Arn: arn, KeyId: making.uuid() } };
  },
};

const keyAlias: ResourceType = { acted: ['AliasName'], ignored: ['TargetKeyId'], make: (making) => ({ ref: text(making, 'AliasName'), attributes: {} }) };

const logGroup: ResourceType = {
  acted: ['LogGroupName'],
  ignored: ['RetentionInDays', 'KmsKeyId', 'LogGroupClass', 'Tags', 'DataProtectionPolicy', 'FieldIndexPolicies', 'DeletionProtectionEnabled', 'ResourcePolicyDocument'],
  make: (making) => {
    const name = making.name('LogGroupName', 512);
    return { ref: name, attributes: { Arn: making.arn('logs', `log-group:${name}:*`) } };
  },
};

export const storageTypes: Readonly<Record<string, ResourceType>> = {
  'AWS::DynamoDB::Table': table,
  'AWS::DynamoDB::GlobalTable': globalTable,
  'AWS::SSM::Parameter': parameter,
  'AWS::KMS::Key': key,
  'AWS::KMS::Alias': keyAlias,
  'AWS::Logs::LogGroup': logGroup,
};
