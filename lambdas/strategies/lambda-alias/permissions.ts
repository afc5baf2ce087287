// What the role of lambda-alias may do: exactly its calls, on exactly its target.
import type { Changed, Permissions } from '../strategy.ts';
import type { LambdaAliasTarget } from './manifest.ts';

export const permissions: Permissions<LambdaAliasTarget> = ({ functionName }, { partition, account, region }) => {
  const arn = `arn:${partition}:lambda:${region}:${account}:function:${functionName}`;
  return [
    // Lambda cannot narrow these to one alias.
    { actions: ['lambda:GetAlias', 'lambda:UpdateAlias'], resources: [arn] },
    {
      actions: ['lambda:GetFunctionConfiguration'],
      resources: [`${arn}:*`],
      because: 'Versions of this one function: the good one is not known beforehand.',
    },
  ];
};

export const changed: Changed<LambdaAliasTarget> = ({ functionName, alias }) => [`alias ${functionName}:${alias}`];
