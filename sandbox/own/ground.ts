// What the targets of one rehearsed service share: the sandbox, the two versions, and how an instance answers.
import type { Sandbox } from '../sandbox.ts';
import { CodeDeploy } from '../services/codedeploy/codedeploy.ts';
import { codeDeployService } from '../services/codedeploy/service.ts';
import { Ecs } from '../services/ecs/ecs.ts';
import { RollingServices } from '../services/ecs/rolling.ts';
import { ecsService } from '../services/ecs/service.ts';
import { Backend } from '../shop/backend.ts';
import { Fleet } from '../shop/fleet.ts';
import { serveListener } from '../shop/load-balancer.ts';
import type { InstanceParts } from '../shop/server.ts';
import { Releases } from '../shop/version.ts';
import { MutableVersion } from '../stage/workload.ts';
import { healthPath, type Mirror } from './mirror.ts';

export const oldVersion = '1.0.0';
export const newVersion = '2.0.0';

/** One of the user's targets as it stands in the sandbox. */
export interface OwnTarget {
  readonly id: string;
  /** One line: what stands for it. */
  readonly summary: string;
  /** Writes the release: from now on the new version gets the traffic, once the change has spread. */
  release(): Promise<void>;
  /** Sandbox seconds after `release` until every user is served by it. */
  readonly spreadSeconds: number;
  /** Base URL for the next user's request, if this target carried the traffic. */
  url(): string;
  /** Whether the old version has all of it again, and how it stands. */
  look(): { readonly isBack: boolean; readonly shown: string };
  stop(): Promise<void>;
}

export class Ground {
  readonly sandbox: Sandbox;
  readonly old = new MutableVersion(oldVersion);
  readonly fresh = new MutableVersion(newVersion);
  readonly releases = new Releases();
  readonly instance: InstanceParts;
  #codedeploy: CodeDeploy | null = null;
  #ecs: { readonly ecs: Ecs; readonly rolling: RollingServices } | null = null;

  constructor(sandbox: Sandbox, mirror: Mirror) {
    this.sandbox = sandbox;
    this.instance = { clock: sandbox.clock, backend: new Backend(), carts: new Map(), respond: mirror.respond };
    this.releases.add(this.old);
    this.releases.add(this.fresh);
  }

  /** Registered with the sandbox when the first target needs it. */
  get codedeploy(): CodeDeploy {
    if (this.#codedeploy !== null) return this.#codedeploy;
    const { clock, place, services } = this.sandbox;
    this.#codedeploy = new CodeDeploy({ clock, place, bus: services.events, alarmState: (name) => services.cloudwatch.alarmState(name) });
    this.sandbox.register(codeDeployService(this.#codedeploy));
    return this.#codedeploy;
  }

  get ecs(): Ecs {
    return this.#cluster().ecs;
  }

  /** Services whose deployments ECS makes itself. */
  get rolling(): RollingServices {
    return this.#cluster().rolling;
  }

  /** An empty fleet in a target group of its own. */
  fleet(name: string, arn?: string): Fleet {
    const elb = this.sandbox.services.loadBalancing;
    const healthCheck = { path: healthPath, intervalSeconds: 10, healthyThreshold: 2, unhealthyThreshold: 2 };
    const group = elb.createTargetGroup({ name, healthCheck, deregistrationDelaySeconds: 30, ...(arn === undefined ? {} : { arn }) });
    return new Fleet(group.arn, elb, this.instance);
  }

  /** Makes the function of that name with a version for each of the two releases, unless another target did. */
  publishBoth(functionName: string): void {
    const { aliases } = this.sandbox.services;
    if (aliases.has(functionName)) return;
    aliases.createFunction(functionName);
    for (const version of [oldVersion, newVersion]) aliases.publishVersion(functionName, version);
  }

  /** A listener over target groups, the first with all of the traffic. */
  async balanced(id: string, targetGroupArns: readonly string[]): Promise<{ listenerArn: string; url: string; close: () => Promise<void> }> {
    const elb = this.sandbox.services.loadBalancing;
    const balancer = elb.createLoadBalancer({ name: `rehearsal-${id}` });
    const TargetGroups = targetGroupArns.map((TargetGroupArn, index) => ({ TargetGroupArn, Weight: index === 0 ? 100 : 0 }));
    const listener = elb.createListener({ loadBalancerArn: balancer.arn, actions: [{ Type: 'forward', Order: 1, ForwardConfig: { TargetGroups } }] });
    const served = await serveListener(elb, listener.arn);
    return { listenerArn: listener.arn, url: served.url, close: () => served.close() };
  }

  #cluster(): { readonly ecs: Ecs; readonly rolling: RollingServices } {
    if (this.#ecs !== null) return this.#ecs;
    const { clock, place } = this.sandbox;
    const ecs = new Ecs(place);
    this.#ecs = { ecs, rolling: new RollingServices({ ecs, place, clock }) };
    this.sandbox.register(ecsService(ecs, this.#ecs.rolling));
    return this.#ecs;
  }
}

/** The last part of an ARN or of a name with slashes. */
export const shortName = (arn: string): string => arn.split('/').slice(-1)[0] ?? arn;
