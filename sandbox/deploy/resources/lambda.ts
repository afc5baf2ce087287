// Functions of a template, and who may call them how.
import { mkdtempSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RawStatement } from '../../aws/iam/policy.ts';
import { number, optionalText, refuse, text, type Making, type ResourceType } from '../resource-type.ts';

interface Code {
  readonly S3Key?: string;
  readonly ZipFile?: string;
}

function codeDirectory(making: Making): string {
  const { S3Key, ZipFile } = (making.properties['Code'] ?? {}) as Code;
  if (ZipFile !== undefined) {
    const folder = mkdtempSync(path.join(tmpdir(), 'sandbox-inline-'));
    writeFileSync(path.join(folder, 'index.js'), ZipFile);
    return folder;
  }
  if (S3Key === undefined) throw new Error('Code needs S3Key or ZipFile');
  const found = making.asset(S3Key);
  if (!statSync(found).isDirectory()) throw new Error(`Code: asset ${found} is no folder; packed archives are not supported`);
  // Assemblies that differ in their template alone share their code, and so the processes that run it.
  return realpathSync(found);
}

const lambdaFunction: ResourceType = {
  acted: [
    'FunctionName', 'Code', 'Handler', 'Role', 'Runtime', 'Environment', 'Timeout', 'MemorySize', 'ReservedConcurrentExecutions', 'Description', 'DeadLetterConfig', 'Layers', 'VpcConfig', 'PackageType',
  ],
  ignored: ['Architectures', 'TracingConfig', 'LoggingConfig', 'Tags', 'EphemeralStorage', 'KmsKeyArn', 'RuntimeManagementConfig', 'RecursiveLoop', 'SnapStart'],
  make: (making) => {
    const { functions } = making.target.services;
    const { Environment, ReservedConcurrentExecutions, DeadLetterConfig } = making.properties;
    refuse(making, 'Layers');
    refuse(making, 'VpcConfig');
    refuse(making, 'PackageType', ['Zip']);
    const runtime = text(making, 'Runtime');
    if (!runtime.startsWith('nodejs')) throw new Error(`Runtime ${runtime} is not supported: Node.js only`);
    const name = making.name('FunctionName', 64);
    const { spec } = functions.create({
      name,
      handler: text(making, 'Handler'),
      runtime,
      codeDirectory: codeDirectory(making),
      environment: Object.fromEntries(Object.entries((Environment as { Variables?: Record<string, unknown> } | undefined)?.Variables ?? {}).map(([key, value]) => [key, String(value)])),
      roleArn: text(making, 'Role'),
      timeoutSeconds: number(making, 'Timeout', 3),
      memoryMb: number(making, 'MemorySize', 128),
      reservedConcurrency: ReservedConcurrentExecutions === undefined ? null : Number(ReservedConcurrentExecutions),
      description: optionalText(making, 'Description') ?? '',
    });
    const deadLetter = (DeadLetterConfig as { TargetArn?: string } | undefined)?.TargetArn;
    if (deadLetter !== undefined) functions.configureAsync(name, { onFailureArn: deadLetter });
    return { ref: name, attributes: { Arn: spec.arn } };
  },
};

/** A statement as AddPermission writes it into the function's policy. */
function permissionStatement(making: Making, functionArn: string): RawStatement {
  const principal = text(making, 'Principal');
  const [sourceArn, sourceAccount, authType, viaUrl] = ['SourceArn', 'SourceAccount', 'FunctionUrlAuthType', 'InvokedViaFunctionUrl'].map((one) => optionalText(making, one));
  const equals = {
    ...(sourceAccount === undefined ? {} : { 'aws:SourceAccount': sourceAccount }),
    ...(authType === undefined ? {} : { 'lambda:FunctionUrlAuthType': authType }),
  };
  const condition = {
    ...(sourceArn === undefined ? {} : { ArnLike: { 'aws:SourceArn': sourceArn } }),
    ...(Object.keys(equals).length === 0 ? {} : { StringEquals: equals }),
    ...(viaUrl === undefined ? {} : { Bool: { 'lambda:InvokedViaFunctionUrl': viaUrl } }),
  };
  return {
    Sid: making.logicalId,
    Effect: 'Allow',
    Principal: principal.endsWith('.amazonaws.com') ? { Service: principal } : { AWS: principal },
    Action: text(making, 'Action'),
    Resource: functionArn,
    ...(Object.keys(condition).length === 0 ? {} : { Condition: condition }),
  };
}

const permission: ResourceType = {
  acted: ['Action', 'FunctionName', 'Principal', 'SourceArn', 'SourceAccount', 'FunctionUrlAuthType', 'InvokedViaFunctionUrl'],
  ignored: [],
  make: (making) => {
    const given = text(making, 'FunctionName');
    const functionArn = given.startsWith('arn:') ? given : making.target.services.functions.arnOf(given);
    making.target.services.functions.find(functionArn);
    making.target.iam.putResourcePolicy(functionArn, { Version: '2012-10-17', Statement: [permissionStatement(making, functionArn)] }, making.logicalId);
    return { ref: making.uuid(), attributes: { Id: making.uuid() } };
  },
};

const url: ResourceType = {
  acted: ['TargetFunctionArn', 'AuthType', 'InvokeMode', 'Qualifier'],
  ignored: ['Cors'],
  make: async (making) => {
    const { functions, functionUrls } = making.target.services;
    if (making.properties['AuthType'] !== 'AWS_IAM') throw new Error(`AuthType ${String(making.properties['AuthType'])} is not supported: AWS_IAM only`);
    refuse(making, 'InvokeMode', ['BUFFERED']);
    refuse(making, 'Qualifier');
    const given = text(making, 'TargetFunctionArn');
    const { arn } = functions.find(given).spec;
    return { ref: arn, attributes: { FunctionUrl: (await functionUrls.create(arn)).url, FunctionArn: arn } };
  },
};

const eventInvokeConfig: ResourceType = {
  acted: ['FunctionName', 'Qualifier', 'MaximumEventAgeInSeconds', 'MaximumRetryAttempts', 'DestinationConfig'],
  ignored: [],
  make: (making) => {
    const { OnFailure, ...others } = (making.properties['DestinationConfig'] ?? {}) as { OnFailure?: { Destination?: string } };
    if (Object.keys(others).length > 0) throw new Error(`DestinationConfig: ${Object.keys(others).join(', ')} is not supported`);
    refuse(making, 'Qualifier', ['$LATEST']);
    const name = making.target.services.functions.find(text(making, 'FunctionName')).spec.name;
    making.target.services.functions.configureAsync(name, {
      maximumEventAgeSeconds: number(making, 'MaximumEventAgeInSeconds', 21_600),
      maximumRetryAttempts: number(making, 'MaximumRetryAttempts', 2),
      ...(OnFailure?.Destination === undefined ? {} : { onFailureArn: OnFailure.Destination }),
    });
    return { ref: making.uuid(), attributes: {} };
  },
};

const version: ResourceType = {
  acted: ['FunctionName'],
  ignored: ['Description', 'CodeSha256', 'ProvisionedConcurrencyConfig', 'RuntimePolicy'],
  make: (making) => {
    const { functions } = making.target.services;
    const { name, arn } = functions.find(text(making, 'FunctionName')).spec;
    // A template can only ever make the first version of a new function.
    functions.addQualifier(name, '1');
    return { ref: `${arn}:1`, attributes: { Version: '1', FunctionArn: arn } };
  },
};

const alias: ResourceType = {
  acted: ['FunctionName', 'FunctionVersion', 'Name', 'RoutingConfig'],
  ignored: ['Description', 'ProvisionedConcurrencyConfig'],
  make: (making) => {
    const { functions } = making.target.services;
    refuse(making, 'RoutingConfig');
    const { name, arn } = functions.find(text(making, 'FunctionName')).spec;
    functions.addQualifier(name, text(making, 'Name'));
    return { ref: `${arn}:${text(making, 'Name')}`, attributes: { AliasArn: `${arn}:${text(making, 'Name')}` } };
  },
};

export const lambdaTypes: Readonly<Record<string, ResourceType>> = {
  'AWS::Lambda::Function': lambdaFunction,
  'AWS::Lambda::Permission': permission,
  'AWS::Lambda::Url': url,
  'AWS::Lambda::EventInvokeConfig': eventInvokeConfig,
  'AWS::Lambda::Version': version,
  'AWS::Lambda::Alias': alias,
};
