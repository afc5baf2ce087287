// Makes targets from the constructs people already have: a listener, a hosted zone, a deployment group, a parameter, an alias, an ECS service.
import type {
  aws_codedeploy as codedeploy, aws_ecs as ecs, aws_elasticloadbalancingv2 as elbv2, aws_iam as iam, aws_lambda as lambda, aws_route53 as route53, aws_ssm as ssm,
  Duration,
} from 'aws-cdk-lib';
import type { TargetConfig } from '../lambdas/config/schema.ts';

export type TargetInput = TargetConfig;

/** `last-known-good`: the side that survived its bake. A side's name: always that side, as in a stable/canary layout. */
export type GoodSide = 'last-known-good' | { readonly side: string };

export interface AlbWeightsOptions {
  readonly listener: elbv2.IApplicationListener | elbv2.INetworkListener;
  /** @default - the listener's default action */
  readonly rule?: elbv2.ApplicationListenerRule;
  /** Side to target group: every group the action may forward to. */
  readonly targetGroups: Readonly<Record<string, elbv2.ITargetGroup>>;
  readonly good: GoodSide;
  /** Healthy targets the good side must have before it gets traffic. @default 1 */
  readonly minimumHealthyTargets?: number;
}

export interface Route53WeightsOptions {
  readonly hostedZone: route53.IHostedZone;
  readonly recordName: string;
  readonly recordType: 'A' | 'AAAA' | 'CNAME';
  /** Side to the record's SetIdentifier. */
  readonly records: Readonly<Record<string, string>>;
  readonly good: GoodSide;
}

export interface CodeDeployOptions {
  /** Deployment configuration of a redeploy. @default - all at once */
  readonly deploymentConfig?: string;
}

export interface SsmParameterOptions {
  /** The value that was good, or one value that always means off. */
  readonly good: 'last-known-good' | { readonly value: string };
  /** How long applications may go on with the value they read before. @default 60 seconds */
  readonly takesEffect?: Duration;
}

export interface EcsServiceOptions {
  /** Task and execution role of the task definitions, where ECS asks whether they may be passed. @default - none is passed */
  readonly roles?: readonly iam.IRole[];
}

const codeDeploy = (group: { application: { applicationName: string }; deploymentGroupName: string }, options: CodeDeployOptions) => ({
  strategy: 'codedeploy',
  application: group.application.applicationName,
  deploymentGroup: group.deploymentGroupName,
  good: 'last-known-good',
  ...(options.deploymentConfig === undefined ? {} : { deploymentConfig: options.deploymentConfig }),
}) as const;

/** One thing that can be put back. */
export const RollbackTarget = {
  /** Traffic weights of a listener or rule. */
  albWeights: ({ listener, rule, targetGroups, good, minimumHealthyTargets }: AlbWeightsOptions): TargetInput => ({
    strategy: 'alb-weights',
    listenerArn: listener.listenerArn,
    ...(rule === undefined ? {} : { ruleArn: rule.listenerRuleArn }),
    targetGroups: Object.fromEntries(Object.entries(targetGroups).map(([side, group]) => [side, group.targetGroupArn])),
    good,
    minimumHealthyTargets: minimumHealthyTargets ?? 1,
  }),

  /** Weighted DNS records. */
  route53Weights: ({ hostedZone, recordName, recordType, records, good }: Route53WeightsOptions): TargetInput => ({
    strategy: 'route53-weights', hostedZoneId: hostedZone.hostedZoneId, recordName, recordType, records: { ...records }, good,
  }),

  /** A deployment group of instances. */
  codeDeployServer: (group: codedeploy.IServerDeploymentGroup, options: CodeDeployOptions = {}): TargetInput =>
    ({ ...codeDeploy(group, options), platform: 'Server' }),

  /** A deployment group that shifts a Lambda alias. */
  codeDeployLambda: (group: codedeploy.ILambdaDeploymentGroup, alias: lambda.IAlias, options: CodeDeployOptions = {}): TargetInput =>
    ({ ...codeDeploy(group, options), platform: 'Lambda', functionName: alias.version.lambda.functionName, alias: alias.aliasName }),

  /** A deployment group of an ECS service. */
  codeDeployEcs: (group: codedeploy.IEcsDeploymentGroup, service: ecs.IBaseService, options: CodeDeployOptions = {}): TargetInput =>
    ({ ...codeDeploy(group, options), platform: 'ECS', cluster: service.cluster.clusterName, service: service.serviceName }),

  /** A feature flag or a configuration value that is no secret. */
  ssmParameter: (parameter: ssm.IStringParameter | ssm.IStringListParameter, { good, takesEffect }: SsmParameterOptions): TargetInput =>
    ({ strategy: 'ssm-parameter', parameter: parameter.parameterArn, good, takesEffectSeconds: takesEffect?.toSeconds() ?? 60 }),

  /** An alias that no CodeDeploy deployment group shifts. */
  lambdaAlias: (alias: lambda.IAlias): TargetInput =>
    ({ strategy: 'lambda-alias', functionName: alias.version.lambda.functionName, alias: alias.aliasName, good: 'last-known-good' }),

  /** An ECS service with rolling deployments. */
  ecsService: (service: ecs.IBaseService, { roles = [] }: EcsServiceOptions = {}): TargetInput => ({
    strategy: 'ecs-service', cluster: service.cluster.clusterName, service: service.serviceName, good: 'last-known-good',
    ...(roles.length === 0 ? {} : { roles: roles.map(({ roleArn }) => roleArn) }),
  }),
} as const;
