// What the sandbox keeps of load balancers, listeners, rules, target groups and targets.
import type { Action, RuleCondition, TargetHealth } from '@aws-sdk/client-elastic-load-balancing-v2';

export interface LoadBalancerRecord {
  readonly arn: string;
  readonly name: string;
  readonly kind: 'application' | 'network';
  readonly createdAt: number;
}

/** A list of actions with its history: what was created, what the API shows, what the data plane follows. */
export interface ActionList {
  readonly created: readonly Action[];
  current: readonly Action[];
  applied: readonly Action[];
}

export interface ListenerRecord {
  readonly arn: string;
  readonly loadBalancerArn: string;
  readonly port: number;
  readonly actions: ActionList;
}

export interface RuleRecord {
  readonly arn: string;
  readonly listenerArn: string;
  readonly priority: number;
  readonly conditions: readonly RuleCondition[];
  readonly actions: ActionList;
}

export interface TargetRecord {
  /** An address on the loopback interface. */
  readonly id: string;
  readonly port: number;
  health: TargetHealth;
  successes: number;
  failures: number;
  /** Epoch milliseconds; null while registered. */
  drainingUntil: number | null;
}

export interface HealthCheck {
  readonly path: string;
  /** Sandbox seconds. */
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly healthyThreshold: number;
  readonly unhealthyThreshold: number;
  /** For example `200` or `200-299`. */
  readonly matcher: string;
}

export interface TargetGroupRecord {
  readonly arn: string;
  readonly name: string;
  readonly port: number;
  readonly healthCheck: HealthCheck;
  readonly deregistrationDelaySeconds: number;
  readonly targets: Map<string, TargetRecord>;
}

export const targetKey = (id: string, port: number): string => `${id}:${port}`;

/** `app/shop/0a1b…` and `targetgroup/blue/0a1b…`: the values of the metrics' dimensions. */
export const loadBalancerDimension = (arn: string): string => arn.split(':loadbalancer/')[1] ?? arn;
export const targetGroupDimension = (arn: string): string => arn.split(':').at(-1) ?? arn;
