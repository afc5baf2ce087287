// The list of what each strategy may do: name to permissions. For the synthesizer; no handler imports it.
import { permissions as albWeights } from './alb-weights/permissions.ts';
import { permissions as codedeploy } from './codedeploy/permissions.ts';
import { permissions as ecsService } from './ecs-service/permissions.ts';
import { permissions as lambdaAlias } from './lambda-alias/permissions.ts';
import { permissions as route53Weights } from './route53-weights/permissions.ts';
import { permissions as ssmParameter } from './ssm-parameter/permissions.ts';
import type { StrategyName } from './registry.ts';
import type { Permissions } from './strategy.ts';

const all = {
  'alb-weights': albWeights, codedeploy, 'ecs-service': ecsService, 'lambda-alias': lambdaAlias, 'route53-weights': route53Weights, 'ssm-parameter': ssmParameter,
} as const satisfies Record<StrategyName, unknown>;

/** @throws Error for a name that is not registered: unknown is refused, never defaulted. */
export function permissionsOf(name: string): Permissions {
  if (!Object.hasOwn(all, name)) throw new Error(`unknown strategy "${name}"; known: ${Object.keys(all).join(', ')}`);
  return all[name as StrategyName] as unknown as Permissions;
}
