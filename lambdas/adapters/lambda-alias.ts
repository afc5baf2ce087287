// What a Lambda alias points to now. Changes nothing.
import { GetAliasCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { AliasSource } from '../config/release-sources.ts';
import { RipcordError } from '../domain/errors.ts';
import type { AliasReading } from '../domain/lost.ts';
import { calling } from './aws-errors.ts';

/** @throws AwsCallError when it cannot be read; RipcordError (`alias-unreadable`) when the answer names no version. */
export async function readAlias(client: LambdaClient, { functionName, alias }: AliasSource): Promise<AliasReading> {
  const { FunctionVersion: own, RoutingConfig } = await calling('lambda:GetAlias', client.send(new GetAliasCommand({ FunctionName: functionName, Name: alias })));
  if (own === undefined) throw new RipcordError('stop', 'alias-unreadable', `Lambda does not say which version alias ${alias} of ${functionName} points to`);
  const [shared] = Object.keys(RoutingConfig?.AdditionalVersionWeights ?? {});
  return shared === undefined ? { version: own, sharedWith: null } : { version: shared, sharedWith: own };
}
