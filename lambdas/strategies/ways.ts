// The ways of all strategies, by name. For Assess.
import { way as albWeights } from './alb-weights/way.ts';
import { way as codedeploy } from './codedeploy/way.ts';
import { way as ecsService } from './ecs-service/way.ts';
import { way as lambdaAlias } from './lambda-alias/way.ts';
import type { StrategyName } from './registry.ts';
import { way as route53Weights } from './route53-weights/way.ts';
import { way as ssmParameter } from './ssm-parameter/way.ts';
import type { Way } from './way.ts';

const ways = {
  'alb-weights': albWeights, codedeploy, 'ecs-service': ecsService, 'lambda-alias': lambdaAlias, 'route53-weights': route53Weights, 'ssm-parameter': ssmParameter,
} as const satisfies Record<StrategyName, Way>;

/** @throws Error for a name that is not registered: unknown is refused, never defaulted. */
export function wayOf(name: string): Way {
  if (!Object.hasOwn(ways, name)) throw new Error(`unknown strategy "${name}"`);
  return ways[name as StrategyName];
}
