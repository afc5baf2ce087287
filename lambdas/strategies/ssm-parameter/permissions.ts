// What the role of ssm-parameter may do: exactly its calls, on exactly its target.
import type { Changed, Permissions } from '../strategy.ts';
import { isToken } from '../target-fields.ts';
import type { SsmParameterTarget } from './manifest.ts';

export const permissions: Permissions<SsmParameterTarget> = ({ parameter }, { partition, account, region }) => {
  // The ARN of parameter `x` and that of `/x` are written alike.
  const arn = parameter.startsWith('arn:') || isToken(parameter) ? parameter : `arn:${partition}:ssm:${region}:${account}:parameter/${parameter.replace(/^\//, '')}`;
  return [
    { actions: ['ssm:GetParameter'], resources: [arn] },
    // Never a parameter that does not exist: that would be somebody's typing error made live.
    { actions: ['ssm:PutParameter'], resources: [arn], conditions: { StringEquals: { 'ssm:Overwrite': 'true' } } },
  ];
};

export const changed: Changed<SsmParameterTarget> = ({ parameter }) => [`parameter ${parameter.replace(/^arn:[^:]*:ssm:[^:]*:[^:]*:parameter\//, '').replace(/^\//, '')}`];
