// The Lambda API: invoking functions and reading their configuration, merged with the operations on aliases.
import * as lambda from '@aws-sdk/client-lambda';
import type * as api from '@aws-sdk/client-lambda';
import { createHash } from 'node:crypto';
import { AwsError, type AwsService, type Operation } from '../../aws/world.ts';
import { aliasOperations } from './alias-operations.ts';
import type { LambdaAliases } from './aliases.ts';
import type { Functions } from './functions.ts';
import type { LambdaFunction } from './lambda-function.ts';

const syncLimitBytes = 6 * 1024 * 1024;
const asyncLimitBytes = 1024 * 1024;

function arnAsked(functions: Functions, input: { FunctionName: string | undefined; Qualifier?: string | undefined }): string {
  const name = input.FunctionName ?? '';
  const arn = name.startsWith('arn:') ? name : functions.arnOf(name);
  return input.Qualifier === undefined ? arn : `${arn}:${input.Qualifier}`;
}

function payloadOf(input: api.InvocationRequest): unknown {
  const text = Buffer.from(input.Payload ?? new Uint8Array()).toString();
  const limit = input.InvocationType === 'Event' ? asyncLimitBytes : syncLimitBytes;
  if (Buffer.byteLength(text) > limit) throw new AwsError('RequestTooLargeException', `Request must be smaller than ${limit} bytes for the InvokeFunction operation`, { status: 413, fields: { Type: 'User' } });
  if (text === '') return {};
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new AwsError('InvalidRequestContentException', `Could not parse request body into json: ${(error as Error).message}`, { fields: { Type: 'User' } });
  }
}

async function invoke(functions: Functions, input: api.InvocationRequest): Promise<Record<string, unknown>> {
  const arn = arnAsked(functions, input);
  const payload = payloadOf(input);
  functions.find(arn);
  if (input.InvocationType === 'DryRun') return { StatusCode: 204 };
  if (input.InvocationType === 'Event') {
    void functions.invokeLater(arn, payload);
    return { StatusCode: 202 };
  }
  const answer = await functions.invoke(arn, payload);
  return {
    StatusCode: 200,
    ExecutedVersion: '$LATEST',
    Payload: Buffer.from(JSON.stringify(answer.payload)),
    ...(answer.functionError === null ? {} : { FunctionError: answer.functionError }),
  };
}

const configuration = ({ spec, lastModified }: LambdaFunction): Record<string, unknown> => ({
  FunctionName: spec.name,
  FunctionArn: spec.arn,
  Runtime: spec.runtime,
  Role: spec.roleArn,
  Handler: spec.handler,
  Description: spec.description,
  Timeout: spec.timeoutSeconds,
  MemorySize: spec.memoryMb,
  LastModified: lastModified.toISOString().replace('Z', '+0000'),
  Version: '$LATEST',
  State: 'Active',
  LastUpdateStatus: 'Successful',
  PackageType: 'Zip',
  CodeSha256: createHash('sha256').update(spec.codeDirectory).digest('base64'),
  Environment: { Variables: spec.environment },
});

/** Each call goes to the side that knows the function. */
function either(knows: (functionName: string) => boolean, first: Operation, second: Operation): Operation {
  const pick = (input: { FunctionName?: string }): Operation => (knows(input.FunctionName ?? '') ? first : second);
  return {
    mutating: first.mutating,
    authorize: (input: { FunctionName?: string }, context) => pick(input).authorize(input as never, context),
    run: (input: { FunctionName?: string }, context) => pick(input).run(input as never, context),
  };
}

/** Lambda as an AWS service of the sandbox: functions that run, and functions that are only versions and aliases. */
export function lambdaService(functions: Functions, aliases?: LambdaAliases): AwsService {
  const onFunction = (action: string) => (input: { FunctionName: string | undefined }) => [{ action: `lambda:${action}`, resources: [arnAsked(functions, input)] }];
  const operations: Record<string, Operation> = {
    Invoke: { mutating: true, authorize: onFunction('InvokeFunction'), run: (input: api.InvocationRequest) => invoke(functions, input) },
    GetFunction: {
      mutating: false,
      authorize: onFunction('GetFunction'),
      run: (input: api.GetFunctionRequest) => ({ Configuration: configuration(functions.find(arnAsked(functions, input))), Code: { RepositoryType: 'S3' } }),
    },
    GetFunctionConfiguration: {
      mutating: false,
      authorize: onFunction('GetFunctionConfiguration'),
      run: (input: api.GetFunctionConfigurationRequest) => configuration(functions.find(arnAsked(functions, input))),
    },
    ListFunctions: {
      mutating: false,
      authorize: () => [{ action: 'lambda:ListFunctions', resources: ['*'] }],
      run: () => ({ Functions: functions.list().map(configuration) }),
    },
  };
  if (aliases !== undefined) {
    const { GetFunctionConfiguration: ofAlias, ...others } = aliasOperations(aliases);
    const own = operations['GetFunctionConfiguration'];
    Object.assign(operations, others, own === undefined ? {} : { GetFunctionConfiguration: either((name) => aliases.has(name), ofAlias, own) });
  }
  return { signingName: 'lambda', iamPrefix: 'lambda', schemas: lambda, operations };
}
