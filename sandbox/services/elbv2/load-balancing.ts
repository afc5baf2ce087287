// Elastic Load Balancing of the sandbox: what is configured, what the data plane already follows, and how healthy the targets are.
import { randomBytes } from 'node:crypto';
import type { Action, RuleCondition, TargetDescription } from '@aws-sdk/client-elastic-load-balancing-v2';
import { AwsError, type Invariant, type MetricsPort, type Place, type SandboxClock } from '../../aws/world.ts';
import { acceptedActions, groupArns, keepSecret } from './actions.ts';
import { checkGroup, draining, initial, startHealthChecks, unused } from './health-checks.ts';
import { actionInvariants } from './invariants.ts';
import { loadBalancerDimension, targetGroupDimension, targetKey, type ActionList, type HealthCheck, type ListenerRecord, type LoadBalancerRecord, type RuleRecord, type TargetGroupRecord } from './records.ts';

export interface LoadBalancingParts {
  readonly place: Place;
  readonly clock: SandboxClock;
  readonly metrics: MetricsPort;
  /** Sandbox milliseconds from an accepted change to the first request that follows it; default 1000. */
  readonly propagationMilliseconds?: number;
}

const defaultHealthCheck: HealthCheck = { path: '/', intervalSeconds: 30, timeoutSeconds: 5, healthyThreshold: 5, unhealthyThreshold: 2, matcher: '200' };
const newId = (): string => randomBytes(8).toString('hex');

export class LoadBalancing {
  readonly parts: LoadBalancingParts;
  readonly loadBalancers = new Map<string, LoadBalancerRecord>();
  readonly listeners = new Map<string, ListenerRecord>();
  readonly rules = new Map<string, RuleRecord>();
  readonly targetGroups = new Map<string, TargetGroupRecord>();
  readonly #stops: (() => void)[] = [];

  constructor(parts: LoadBalancingParts) {
    this.parts = parts;
  }

  /** `arn` only where one is given from outside, such as in a user's services.yaml. */
  createLoadBalancer({ name, kind = 'application', arn }: { name: string; kind?: 'application' | 'network'; arn?: string }): LoadBalancerRecord {
    const made = { arn: arn ?? this.#arn(`loadbalancer/${kind === 'application' ? 'app' : 'net'}/${name}/${newId()}`), name, kind, createdAt: this.parts.clock.now() };
    this.loadBalancers.set(made.arn, made);
    return made;
  }

  createTargetGroup({ name, arn, port = 80, healthCheck = {}, deregistrationDelaySeconds = 300 }: { name: string; arn?: string; port?: number; healthCheck?: Partial<HealthCheck>; deregistrationDelaySeconds?: number }): TargetGroupRecord {
    const group: TargetGroupRecord = { arn: arn ?? this.#arn(`targetgroup/${name}/${newId()}`), name, port, deregistrationDelaySeconds, healthCheck: { ...defaultHealthCheck, ...healthCheck }, targets: new Map() };
    this.targetGroups.set(group.arn, group);
    this.#stops.push(startHealthChecks(group, this.#checking(group)));
    return group;
  }

  /** @throws AwsError `LoadBalancerNotFound`, or as `acceptedActions` does. */
  createListener({ loadBalancerArn, arn, port = 80, actions }: { loadBalancerArn: string; arn?: string; port?: number; actions: readonly Action[] }): ListenerRecord {
    const loadBalancer = this.loadBalancers.get(loadBalancerArn);
    if (loadBalancer === undefined) throw new AwsError('LoadBalancerNotFound', `Load balancers '[${loadBalancerArn}]' not found`);
    const listener = { arn: arn ?? `${loadBalancerArn.replace(':loadbalancer/', ':listener/')}/${newId()}`, loadBalancerArn, port, actions: this.#list(actions) };
    this.listeners.set(listener.arn, listener);
    return listener;
  }

  /** Conditions on path-pattern and host-header. @throws AwsError `ListenerNotFound`, `PriorityInUse`, or as `acceptedActions` does. */
  createRule({ listenerArn, arn, priority, conditions, actions }: { listenerArn: string; arn?: string; priority: number; conditions: readonly RuleCondition[]; actions: readonly Action[] }): RuleRecord {
    this.listener(listenerArn);
    if (this.rulesOf(listenerArn).some((rule) => rule.priority === priority)) throw new AwsError('PriorityInUse', `Priority '${priority}' is currently in use`);
    const rule = { arn: arn ?? `${listenerArn.replace(':listener/', ':listener-rule/')}/${newId()}`, listenerArn, priority, conditions, actions: this.#list(actions) };
    this.rules.set(rule.arn, rule);
    return rule;
  }

  /** @throws AwsError `ListenerNotFound`. */
  listener(arn: string): ListenerRecord {
    const found = this.listeners.get(arn);
    if (found === undefined) throw new AwsError('ListenerNotFound', `One or more listeners not found`);
    return found;
  }

  /** @throws AwsError `RuleNotFound`. */
  rule(arn: string): RuleRecord {
    const found = this.rules.get(arn);
    if (found === undefined) throw new AwsError('RuleNotFound', `One or more rules not found`);
    return found;
  }

  /** @throws AwsError `TargetGroupNotFound`. */
  targetGroup(arn: string): TargetGroupRecord {
    const found = this.targetGroups.get(arn);
    if (found === undefined) throw new AwsError('TargetGroupNotFound', `Target groups '${arn}' not found`);
    return found;
  }

  /** In order of priority. */
  rulesOf(listenerArn: string): RuleRecord[] {
    return [...this.rules.values()].filter((rule) => rule.listenerArn === listenerArn).toSorted((a, b) => a.priority - b.priority);
  }

  /** Replaces the whole list; the data plane follows after the propagation delay. @throws AwsError `ListenerNotFound`, or as `acceptedActions` does. */
  modifyListener(arn: string, actions: readonly Action[]): ListenerRecord {
    const listener = this.listener(arn);
    this.#replace(listener.actions, actions);
    return listener;
  }

  /** As `modifyListener`. */
  modifyRule(arn: string, actions: readonly Action[]): RuleRecord {
    const rule = this.rule(arn);
    this.#replace(rule.actions, actions);
    return rule;
  }

  registerTargets(groupArn: string, targets: readonly TargetDescription[]): void {
    const group = this.targetGroup(groupArn);
    for (const { Id = '', Port = group.port } of targets) {
      const key = targetKey(Id, Port);
      if (group.targets.get(key)?.drainingUntil === null) continue;
      group.targets.set(key, { id: Id, port: Port, health: this.isInUse(groupArn) ? initial : unused, successes: 0, failures: 0, drainingUntil: null });
    }
    this.#checkSoon(group);
  }

  /** Targets of a group in use drain for the group's delay first. @throws AwsError `InvalidTarget`. */
  deregisterTargets(groupArn: string, targets: readonly TargetDescription[]): void {
    const group = this.targetGroup(groupArn);
    for (const { Id = '', Port } of targets) {
      const found = [...group.targets.values()].filter((target) => target.id === Id && (Port === undefined || target.port === Port));
      if (found.length === 0) throw new AwsError('InvalidTarget', `The following targets are not registered: '${Id}'`);
      for (const target of found) {
        const delay = this.isInUse(groupArn) ? group.deregistrationDelaySeconds * 1000 : 0;
        target.drainingUntil = this.parts.clock.now() + delay;
        target.health = draining;
        this.#after(delay, () => {
          const key = targetKey(target.id, target.port);
          if (group.targets.get(key) === target) group.targets.delete(key);
        });
      }
    }
  }

  /** Whether a listener or rule names the group, be it with weight 0. */
  isInUse(groupArn: string): boolean {
    return [...this.listeners.values(), ...this.rules.values()].some(({ actions }) => groupArns(actions.current).includes(groupArn));
  }

  /** Load balancers whose listeners or rules name the group. */
  loadBalancersOf(groupArn: string): string[] {
    const using = [...this.listeners.values()].filter((listener) =>
      groupArns(listener.actions.current).includes(groupArn) || this.rulesOf(listener.arn).some(({ actions }) => groupArns(actions.current).includes(groupArn)));
    return [...new Set(using.map(({ loadBalancerArn }) => loadBalancerArn))];
  }

  invariants(): Invariant[] {
    return actionInvariants(() => [...this.listeners.values(), ...this.rules.values()]);
  }

  /** Ends the health checks. */
  stop(): void {
    for (const stop of this.#stops) stop();
  }

  #list(actions: readonly Action[]): ActionList {
    const accepted = acceptedActions(actions, (arn) => this.targetGroups.has(arn));
    for (const arn of groupArns(accepted)) this.#checkSoon(this.targetGroup(arn));
    return { created: accepted, current: accepted, applied: accepted };
  }

  #replace(list: ActionList, actions: readonly Action[]): void {
    const accepted = acceptedActions(actions.map((action) => keepSecret(action, list.current)), (arn) => this.targetGroups.has(arn));
    list.current = accepted;
    for (const arn of groupArns(accepted)) this.#checkSoon(this.targetGroup(arn));
    this.#after(this.parts.propagationMilliseconds ?? 1000, () => {
      // Changes arrive in the order in which they were made.
      list.applied = accepted;
    });
  }

  #after(milliseconds: number, run: () => void): void {
    this.parts.clock.sleep(milliseconds).then(run, () => undefined);
  }

  // A new target, or a group that just came into use, is checked at once instead of an interval later.
  #checkSoon(group: TargetGroupRecord): void {
    this.#after(1, () => void checkGroup(group, this.#checking(group)));
  }

  #checking(group: TargetGroupRecord): { clock: SandboxClock; inUse: () => boolean; checked: () => void } {
    return { clock: this.parts.clock, inUse: () => this.isInUse(group.arn), checked: () => this.#reportHosts(group) };
  }

  #reportHosts(group: TargetGroupRecord): void {
    const states = [...group.targets.values()].filter(({ drainingUntil }) => drainingUntil === null).map(({ health }) => health.State);
    for (const loadBalancer of this.loadBalancersOf(group.arn)) {
      const dimensions = { TargetGroup: targetGroupDimension(group.arn), LoadBalancer: loadBalancerDimension(loadBalancer) };
      const count = (state: string): number => states.filter((each) => each === state).length;
      this.parts.metrics.record({ namespace: 'AWS/ApplicationELB', name: 'HealthyHostCount', dimensions, value: count('healthy'), unit: 'Count' });
      this.parts.metrics.record({ namespace: 'AWS/ApplicationELB', name: 'UnHealthyHostCount', dimensions, value: count('unhealthy'), unit: 'Count' });
    }
  }

  #arn(resource: string): string {
    return `arn:aws:elasticloadbalancing:${this.parts.place.region}:${this.parts.place.account}:${resource}`;
  }
}
