// Secrets Manager on the wire: read a secret's value, describe it.
import * as schemas from '@aws-sdk/client-secrets-manager';
import type { DescribeSecretRequest, DescribeSecretResponse, GetSecretValueRequest, GetSecretValueResponse } from '@aws-sdk/client-secrets-manager';
import type { AwsService, Operation } from '../../aws/world.ts';
import type { Secrets } from './secrets.ts';

export const secretsManagerService = (secrets: Secrets): AwsService => ({
  signingName: 'secretsmanager',
  iamPrefix: 'secretsmanager',
  schemas,
  operations: { GetSecretValue: getSecretValue(secrets), DescribeSecret: describeSecret(secrets) },
});

const getSecretValue = (secrets: Secrets): Operation<GetSecretValueRequest, GetSecretValueResponse> => ({
  mutating: false,
  authorize: ({ SecretId, VersionStage, VersionId }) => {
    const resource = secrets.resource(SecretId ?? '');
    const context = { 'secretsmanager:SecretId': resource, 'secretsmanager:VersionStage': VersionStage ?? (VersionId === undefined ? 'AWSCURRENT' : []) };
    return [{ action: 'secretsmanager:GetSecretValue', resources: [resource], context }];
  },
  run: ({ SecretId, VersionId, VersionStage }) => {
    const secret = secrets.get(SecretId ?? '');
    const wanted = { ...(VersionId === undefined ? {} : { versionId: VersionId }), ...(VersionStage === undefined ? {} : { stage: VersionStage }) };
    const version = secrets.version(secret.name, wanted);
    return {
      ARN: secret.arn,
      Name: secret.name,
      VersionId: version.versionId,
      SecretString: version.value,
      VersionStages: [...version.stages],
      CreatedDate: new Date(version.createdAt),
    };
  },
});

const describeSecret = (secrets: Secrets): Operation<DescribeSecretRequest, DescribeSecretResponse> => ({
  mutating: false,
  authorize: ({ SecretId }) => {
    const resource = secrets.resource(SecretId ?? '');
    return [{ action: 'secretsmanager:DescribeSecret', resources: [resource], context: { 'secretsmanager:SecretId': resource } }];
  },
  run: ({ SecretId }) => {
    const secret = secrets.get(SecretId ?? '');
    return {
      ARN: secret.arn,
      Name: secret.name,
      CreatedDate: new Date(secret.createdAt),
      LastChangedDate: new Date(secret.versions.at(-1)?.createdAt ?? secret.createdAt),
      VersionIdsToStages: Object.fromEntries(secret.versions.filter(({ stages }) => stages.length > 0).map(({ versionId, stages }) => [versionId, [...stages]])),
      ...(secret.description === null ? {} : { Description: secret.description }),
    };
  },
});
