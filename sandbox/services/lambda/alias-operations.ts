// Lambda operations on aliases and versions; the Lambda service serves them beside its own.
import type {
  AliasConfiguration, FunctionConfiguration, GetAliasRequest, GetFunctionConfigurationRequest, ListAliasesRequest, ListAliasesResponse,
  ListVersionsByFunctionRequest, ListVersionsByFunctionResponse, UpdateAliasRequest,
} from '@aws-sdk/client-lambda';
import type { Authorization, Operation } from '../../aws/world.ts';
import { qualifierOf, type LambdaAliases } from './aliases.ts';

const on = (aliases: LambdaAliases, action: string, functionName: string | undefined): Authorization[] => [{ action: `lambda:${action}`, resources: [aliases.arn(functionName ?? '')] }];

/** By operation name. GetFunctionConfiguration only knows published versions and aliases of functions that `aliases.has`. */
export const aliasOperations = (aliases: LambdaAliases): Readonly<Record<'GetAlias' | 'UpdateAlias' | 'ListAliases' | 'ListVersionsByFunction' | 'GetFunctionConfiguration', Operation>> => ({
  GetAlias: getAlias(aliases),
  UpdateAlias: updateAlias(aliases),
  ListAliases: listAliases(aliases),
  ListVersionsByFunction: listVersions(aliases),
  GetFunctionConfiguration: getFunctionConfiguration(aliases),
});

const getAlias = (aliases: LambdaAliases): Operation<GetAliasRequest, AliasConfiguration> => ({
  mutating: false,
  authorize: ({ FunctionName }) => on(aliases, 'GetAlias', FunctionName),
  run: ({ FunctionName = '', Name = '' }) => aliases.aliasShown(FunctionName, aliases.alias(FunctionName, Name)),
});

const updateAlias = (aliases: LambdaAliases): Operation<UpdateAliasRequest, AliasConfiguration> => ({
  mutating: true,
  authorize: ({ FunctionName }) => on(aliases, 'UpdateAlias', FunctionName),
  run: ({ FunctionName = '', Name = '', ...change }) => aliases.aliasShown(FunctionName, aliases.updateAlias(FunctionName, Name, change)),
});

const listAliases = (aliases: LambdaAliases): Operation<ListAliasesRequest, ListAliasesResponse> => ({
  mutating: false,
  authorize: ({ FunctionName }) => on(aliases, 'ListAliases', FunctionName),
  run: ({ FunctionName = '', FunctionVersion }) => ({
    Aliases: aliases.aliases(FunctionName).filter(({ functionVersion }) => FunctionVersion === undefined || functionVersion === FunctionVersion).map((alias) => aliases.aliasShown(FunctionName, alias)),
  }),
});

const listVersions = (aliases: LambdaAliases): Operation<ListVersionsByFunctionRequest, ListVersionsByFunctionResponse> => ({
  mutating: false,
  authorize: ({ FunctionName }) => on(aliases, 'ListVersionsByFunction', FunctionName),
  run: ({ FunctionName = '' }) => ({ Versions: aliases.versions(FunctionName).map((version) => aliases.versionShown(FunctionName, version)) }),
});

const getFunctionConfiguration = (aliases: LambdaAliases): Operation<GetFunctionConfigurationRequest, FunctionConfiguration> => ({
  mutating: false,
  authorize: ({ FunctionName = '', Qualifier }) => {
    const qualifier = Qualifier ?? qualifierOf(FunctionName);
    return [{ action: 'lambda:GetFunctionConfiguration', resources: [`${aliases.arn(FunctionName)}${qualifier === null ? '' : `:${qualifier}`}`] }];
  },
  run: ({ FunctionName = '', Qualifier }) => {
    const newest = aliases.versions(FunctionName).at(-1)?.version ?? '';
    const qualifier = Qualifier ?? qualifierOf(FunctionName) ?? newest;
    const alias = aliases.aliases(FunctionName).find(({ name }) => name === qualifier);
    return aliases.versionShown(FunctionName, aliases.version(FunctionName, alias?.functionVersion ?? qualifier));
  },
});
