// The deployment configurations that CodeDeploy brings along, and room for one's own.
import type { ComputePlatform, DeploymentConfigInfo } from '@aws-sdk/client-codedeploy';
import { AwsError } from '../../aws/world.ts';

/** How traffic, or the fleet, moves. Percents are of traffic for Lambda and ECS, of instances for Server. */
export type TrafficPlan =
  | { readonly kind: 'all-at-once' }
  | { readonly kind: 'canary'; readonly percent: number; readonly minutes: number }
  | { readonly kind: 'linear'; readonly percent: number; readonly minutes: number }
  | { readonly kind: 'batches'; readonly percent: number | 'one' };

interface Config {
  readonly name: string;
  readonly computePlatform: ComputePlatform;
  readonly traffic: TrafficPlan;
}

const shifting = (computePlatform: 'Lambda' | 'ECS', prefix: string, kinds: readonly (readonly ['Canary' | 'Linear', number])[]): Config[] => [
  { name: `CodeDeployDefault.${prefix}AllAtOnce`, computePlatform, traffic: { kind: 'all-at-once' } },
  ...kinds.map(([kind, minutes]): Config => ({
    name: `CodeDeployDefault.${prefix}${kind}10Percent${kind === 'Linear' ? 'Every' : ''}${minutes}Minute${minutes === 1 && prefix === 'Lambda' ? '' : 's'}`,
    computePlatform,
    traffic: { kind: kind === 'Canary' ? 'canary' : 'linear', percent: 10, minutes },
  })),
];

const defaults: readonly Config[] = [
  { name: 'CodeDeployDefault.OneAtATime', computePlatform: 'Server', traffic: { kind: 'batches', percent: 'one' } },
  { name: 'CodeDeployDefault.HalfAtATime', computePlatform: 'Server', traffic: { kind: 'batches', percent: 50 } },
  { name: 'CodeDeployDefault.AllAtOnce', computePlatform: 'Server', traffic: { kind: 'batches', percent: 100 } },
  ...shifting('Lambda', 'Lambda', [['Canary', 5], ['Canary', 10], ['Canary', 15], ['Canary', 30], ['Linear', 1], ['Linear', 2], ['Linear', 3], ['Linear', 10]]),
  ...shifting('ECS', 'ECS', [['Canary', 5], ['Canary', 15], ['Linear', 1], ['Linear', 3]]),
];

export class DeploymentConfigs {
  readonly #configs = new Map(defaults.map((config) => [config.name, config]));

  add(config: Config): void {
    this.#configs.set(config.name, config);
  }

  /** @throws AwsError `DeploymentConfigDoesNotExistException`. */
  get(name: string): Config {
    const config = this.#configs.get(name);
    if (config === undefined) throw new AwsError('DeploymentConfigDoesNotExistException', `No Deployment Configuration found for name: ${name}`);
    return config;
  }

  describe(name: string): DeploymentConfigInfo {
    const { computePlatform, traffic } = this.get(name);
    const routing = traffic.kind === 'canary'
      ? { type: 'TimeBasedCanary' as const, timeBasedCanary: { canaryPercentage: traffic.percent, canaryInterval: traffic.minutes } }
      : traffic.kind === 'linear' ? { type: 'TimeBasedLinear' as const, timeBasedLinear: { linearPercentage: traffic.percent, linearInterval: traffic.minutes } } : { type: 'AllAtOnce' as const };
    return { deploymentConfigName: name, computePlatform, ...(computePlatform === 'Server' ? {} : { trafficRoutingConfig: routing }) };
  }

  /** The default of a platform. */
  static defaultFor(platform: ComputePlatform): string {
    return platform === 'Server' ? 'CodeDeployDefault.OneAtATime' : `CodeDeployDefault.${platform}AllAtOnce`;
  }
}

/** The steps of a traffic shift: percent on the new side, and how long to wait after it (sandbox milliseconds). */
export function shiftSteps(plan: TrafficPlan): { percent: number; waitMilliseconds: number }[] {
  if (plan.kind === 'canary') return [{ percent: plan.percent, waitMilliseconds: plan.minutes * 60_000 }, { percent: 100, waitMilliseconds: 0 }];
  if (plan.kind !== 'linear') return [{ percent: 100, waitMilliseconds: 0 }];
  const count = Math.ceil(100 / plan.percent);
  return Array.from({ length: count }, (_, index) => ({ percent: Math.min(100, (index + 1) * plan.percent), waitMilliseconds: index === count - 1 ? 0 : plan.minutes * 60_000 }));
}
