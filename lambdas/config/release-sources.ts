// Where releases of a service come from besides CodeDeploy and pipelines: the ECS services and Lambda aliases it declares or has as targets. Pure.
import type { ServiceConfig } from './schema.ts';

export interface EcsSource {
  readonly cluster: string;
  readonly service: string;
}

export interface AliasSource {
  readonly functionName: string;
  readonly alias: string;
}

export interface ReleaseSources {
  readonly ecs: readonly EcsSource[];
  readonly lambda: readonly AliasSource[];
}

export interface DeploymentGroup {
  readonly targetId: string;
  readonly application: string;
  readonly deploymentGroup: string;
  readonly platform: 'Server' | 'Lambda' | 'ECS';
}

type Configured = Pick<ServiceConfig, 'targets' | 'releases'>;

/** Names and ARNs of one thing are one: what counts is what stands after the last slash or colon. */
const bare = (nameOrArn: string): string => nameOrArn.split(/[/:]/).at(-1) ?? nameOrArn;
const keyOf = (source: EcsSource | AliasSource): string =>
  ('cluster' in source ? `ecs/${bare(source.cluster)}/${bare(source.service)}` : `lambda/${bare(source.functionName)}/${source.alias}`);

/** CodeDeploy tells of its own deployments, so an ECS service or an alias that it deploys to is no second source. */
export function releaseSources({ targets, releases }: Configured): ReleaseSources {
  const taken = new Set(codeDeployed({ targets }).map(keyOf));
  const unique = <Source extends EcsSource | AliasSource>(sources: readonly Source[]): Source[] =>
    sources.filter((source, index) => !taken.has(keyOf(source)) && sources.findIndex((other) => keyOf(other) === keyOf(source)) === index);
  const others = Object.values(targets).filter(({ strategy }) => strategy !== 'codedeploy').flatMap((target) => sourceIn(target));
  return {
    ecs: unique([...releases?.ecs ?? [], ...others.filter((one) => 'cluster' in one)]),
    lambda: unique([...releases?.lambda ?? [], ...others.filter((one) => 'alias' in one)]),
  };
}

/** Declared sources that CodeDeploy deploys to: each would be recorded twice. */
export function declaredTwice({ targets, releases }: Configured): (EcsSource | AliasSource)[] {
  const taken = new Set(codeDeployed({ targets }).map(keyOf));
  return [...releases?.ecs ?? [], ...releases?.lambda ?? []].filter((source) => taken.has(keyOf(source)));
}

const codeDeployed = ({ targets }: Pick<Configured, 'targets'>): (EcsSource | AliasSource)[] =>
  Object.values(targets).filter(({ strategy }) => strategy === 'codedeploy').flatMap((target) => sourceIn(target));

/** Read by its fields, so that any strategy which names an ECS service or an alias brings its releases with it. */
function sourceIn(target: object): (EcsSource | AliasSource)[] {
  const { cluster, service, functionName, alias } = target as Partial<Record<'cluster' | 'service' | 'functionName' | 'alias', unknown>>;
  if (typeof cluster === 'string' && typeof service === 'string') return [{ cluster, service }];
  return typeof functionName === 'string' && typeof alias === 'string' ? [{ functionName, alias }] : [];
}

/** True when both name the same ECS service, by name or by ARN. */
export const isSameService = (one: EcsSource, other: EcsSource): boolean => keyOf(one) === keyOf(other);

/** True when both name the same alias, whether the function is given by name or by ARN. */
export const isSameAlias = (one: AliasSource, other: AliasSource): boolean => keyOf(one) === keyOf(other);

/** The CodeDeploy deployment groups among the service's targets. */
export const groupsOf = ({ targets }: Pick<Configured, 'targets'>): DeploymentGroup[] => Object.entries(targets).flatMap(([targetId, target]) =>
  (target.strategy === 'codedeploy' ? [{ targetId, application: target.application, deploymentGroup: target.deploymentGroup, platform: target.platform }] : []));
