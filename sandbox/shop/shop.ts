// The demo service: a blue and a green fleet behind one listener, ready to be loaded.
import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { SandboxClock } from '../aws/world.ts';
import type { LoadBalancing } from '../services/elbv2/load-balancing.ts';
import { Backend } from './backend.ts';
import { Fleet } from './fleet.ts';
import { serveListener, type ServedListener } from './load-balancer.ts';
import type { Carts, InstanceParts } from './server.ts';
import { Releases, type ShopVersion } from './version.ts';

export interface ShopOptions {
  readonly elb: LoadBalancing;
  readonly clock: SandboxClock;
  readonly name?: string;
  readonly blue: ShopVersion;
  /** Absent: green is an empty group for a deployment to fill. */
  readonly green?: ShopVersion;
  /** Per side, default 1. */
  readonly instances?: number;
  /** Default blue 100, green 0. */
  readonly weights?: { readonly blue: number; readonly green: number };
  /** Given ARNs, where a configuration names them; otherwise they are made up. */
  readonly arns?: { readonly loadBalancer?: string; readonly listener?: string; readonly rule?: string; readonly blue?: string; readonly green?: string };
  /** Also put a rule for `/*` in front of the default action; the weights are then the rule's. Default false. */
  readonly withRule?: boolean;
  /** Actions before the forward action, for example a login; they must have `Order`. */
  readonly actionsBefore?: readonly Action[];
  readonly stickinessSeconds?: number;
}

export class Shop {
  readonly blue: Fleet;
  readonly green: Fleet;
  readonly backend: Backend;
  readonly releases = new Releases();
  readonly loadBalancerArn: string;
  readonly listenerArn: string;
  readonly ruleArn: string | null;
  /** For further instances of the same shop. */
  readonly instanceParts: InstanceParts;
  readonly #options: ShopOptions;
  #served: ServedListener | null = null;

  constructor(options: ShopOptions) {
    const { elb, clock, name = 'shop', arns = {} } = options;
    this.#options = options;
    this.backend = new Backend();
    const carts: Carts = new Map();
    this.instanceParts = { clock, backend: this.backend, carts };
    const healthCheck = { path: '/health', intervalSeconds: 10, healthyThreshold: 2, unhealthyThreshold: 2 };
    const group = (side: 'blue' | 'green'): Fleet => new Fleet(elb.createTargetGroup({ name: `${name}-${side}`, healthCheck, deregistrationDelaySeconds: 30, ...(arns[side] === undefined ? {} : { arn: arns[side] }) }).arn, elb, this.instanceParts);
    this.blue = group('blue');
    this.green = group('green');
    this.loadBalancerArn = elb.createLoadBalancer({ name, ...(arns.loadBalancer === undefined ? {} : { arn: arns.loadBalancer }) }).arn;
    const actions = this.#actions(options.weights ?? { blue: 100, green: 0 });
    this.listenerArn = elb.createListener({ loadBalancerArn: this.loadBalancerArn, actions, ...(arns.listener === undefined ? {} : { arn: arns.listener }) }).arn;
    this.ruleArn = options.withRule === true
      ? elb.createRule({ listenerArn: this.listenerArn, priority: 10, conditions: [{ Field: 'path-pattern', Values: ['/*'] }], actions, ...(arns.rule === undefined ? {} : { arn: arns.rule }) }).arn
      : null;
  }

  /** Where users reach the shop: the load balancer. */
  get url(): string {
    if (this.#served === null) throw new Error('the shop is not started');
    return this.#served.url;
  }

  async start(): Promise<void> {
    const { elb, blue, green, instances = 1 } = this.#options;
    this.releases.add(blue);
    if (green !== undefined) this.releases.add(green);
    await this.blue.launch(blue, instances);
    if (green !== undefined) await this.green.launch(green, instances);
    this.#served = await serveListener(elb, this.listenerArn);
  }

  /** Shifts traffic as a release tool would, by the same API that everybody uses. */
  shift(weights: { readonly blue: number; readonly green: number }): void {
    const actions = this.#actions(weights);
    if (this.ruleArn === null) this.#options.elb.modifyListener(this.listenerArn, actions);
    else this.#options.elb.modifyRule(this.ruleArn, actions);
  }

  async stop(): Promise<void> {
    await this.#served?.close();
    this.#served = null;
    this.backend.stop();
    await Promise.all([this.blue.crash(), this.green.crash()]);
  }

  #actions({ blue, green }: { readonly blue: number; readonly green: number }): Action[] {
    const { actionsBefore = [], stickinessSeconds } = this.#options;
    const forward: Action = {
      Type: 'forward',
      Order: actionsBefore.length + 1,
      ForwardConfig: {
        TargetGroups: [{ TargetGroupArn: this.blue.targetGroupArn, Weight: blue }, { TargetGroupArn: this.green.targetGroupArn, Weight: green }],
        TargetGroupStickinessConfig: stickinessSeconds === undefined ? { Enabled: false } : { Enabled: true, DurationSeconds: stickinessSeconds },
      },
    };
    return [...actionsBefore, forward];
  }
}
