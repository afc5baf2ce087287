// The list of strategies: name to manifest. Their live halves are bundled one by one, so they are not imported here.
import { manifest as albWeights } from './alb-weights/manifest.ts';
import { manifest as codedeploy } from './codedeploy/manifest.ts';
import { manifest as ecsService } from './ecs-service/manifest.ts';
import { manifest as lambdaAlias } from './lambda-alias/manifest.ts';
import { manifest as route53Weights } from './route53-weights/manifest.ts';
import { manifest as ssmParameter } from './ssm-parameter/manifest.ts';
import type { Manifest } from './strategy.ts';

export const manifests = {
  'alb-weights': albWeights, codedeploy, 'ecs-service': ecsService, 'lambda-alias': lambdaAlias, 'route53-weights': route53Weights, 'ssm-parameter': ssmParameter,
} as const;

export type StrategyName = keyof typeof manifests;

/** @throws Error for a name that is not registered: unknown is refused, never defaulted. */
export function manifestOf(name: string): Manifest {
  if (!Object.hasOwn(manifests, name)) throw new Error(`unknown strategy "${name}"; known: ${Object.keys(manifests).join(', ')}`);
  return manifests[name as StrategyName];
}
