// The list of what each strategy may do, and of what it changes. For the synthesizer; no handler imports it.
import * as albWeights from './alb-weights/permissions.ts';
import * as codedeploy from './codedeploy/permissions.ts';
import * as ecsService from './ecs-service/permissions.ts';
import * as lambdaAlias from './lambda-alias/permissions.ts';
import * as route53Weights from './route53-weights/permissions.ts';
import * as ssmParameter from './ssm-parameter/permissions.ts';
import type { StrategyName } from './registry.ts';
import type { Changed, Permissions } from './strategy.ts';

const all = {
  'alb-weights': albWeights, codedeploy, 'ecs-service': ecsService, 'lambda-alias': lambdaAlias, 'route53-weights': route53Weights, 'ssm-parameter': ssmParameter,
} as const satisfies Record<StrategyName, unknown>;

/** @throws Error for a name that is not registered: unknown is refused, never defaulted. */
function known(name: string): (typeof all)[StrategyName] {
  if (!Object.hasOwn(all, name)) throw new Error(`unknown strategy "${name}"; known: ${Object.keys(all).join(', ')}`);
  return all[name as StrategyName];
}

/** @throws Error for a name that is not registered. */
export const permissionsOf = (name: string): Permissions => known(name).permissions as unknown as Permissions;

/** @throws Error for a name that is not registered. */
export const changedOf = (name: string): Changed => known(name).changed as unknown as Changed;
