// An alb-weights target of the user's: the listener, rule and target groups under their own ARNs, with real servers behind them.
import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Fleet } from '../shop/fleet.ts';
import { serveListener, type ServedListener } from '../shop/load-balancer.ts';
import { MutableVersion } from '../stage/workload.ts';
import type { AlbTarget } from './document.ts';
import { newVersion, oldVersion, shortName, type Ground, type OwnTarget } from './ground.ts';

/**
 * Group stickiness of the rehearsed action, in seconds: the harder case, as clients with a cookie have to move too. Below the shortest deadline of a
 * rehearsed proof: of a way back that takes longer a person would be asked first.
 */
const stickinessSeconds = 300;

/** Listeners and target groups are shared by the targets that name them. */
export class AlbTargets {
  readonly #ground: Ground;
  readonly #fleets = new Map<string, Fleet>();
  readonly #served = new Map<string, ServedListener>();
  #priority = 1;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** @param isPrimary a rule then takes every path; otherwise one that no user asks for. */
  async create(id: string, target: AlbTarget, { isPrimary, defaultOf }: { isPrimary: boolean; defaultOf: (listenerArn: string) => AlbTarget | undefined }): Promise<OwnTarget> {
    const sides = sidesOf(Object.keys(target.targetGroups), target.good);
    const fleets = new Map(Object.entries(target.targetGroups).map(([side, arn]) => [side, this.#fleet(arn)]));
    this.#listener(target, defaultOf(target.listenerArn));
    if (target.ruleArn !== undefined) this.#rule(target, sides, { arn: target.ruleArn, path: isPrimary ? '/*' : `/.rehearsal/${id}/*` });
    const count = Math.max(2, target.minimumHealthyTargets ?? 1);
    for (const [side, fleet] of fleets) if (fleet.instances.length === 0) await fleet.launch(side === sides.old ? this.#ground.old : new MutableVersion('0.9.0'), count);
    const served = await this.#serve(target.listenerArn);
    return new OwnAlb({ id, target, sides, fleets, url: served.url, ground: this.#ground });
  }

  async stop(): Promise<void> {
    for (const served of this.#served.values()) await served.close();
    await Promise.all([...this.#fleets.values()].map((fleet) => fleet.crash()));
  }

  #fleet(arn: string): Fleet {
    const known = this.#fleets.get(arn) ?? this.#ground.fleet(arn.split('/').at(-2) ?? arn, arn);
    this.#fleets.set(arn, known);
    return known;
  }

  #listener({ listenerArn }: AlbTarget, defaultTarget: AlbTarget | undefined): void {
    const elb = this.#ground.sandbox.services.loadBalancing;
    if (elb.listeners.has(listenerArn)) return;
    const [, kind = 'app', name = 'rehearsed', balancerId] = /:listener\/(app|net)\/([^/]+)\/([^/]+)/.exec(listenerArn) ?? [];
    const given = balancerId === undefined ? {} : { arn: `${listenerArn.split(':listener/')[0] ?? ''}:loadbalancer/${kind}/${name}/${balancerId}` };
    const balancer = elb.createLoadBalancer({ name, kind: kind === 'net' ? 'network' : 'application', ...given });
    for (const arn of Object.values(defaultTarget?.targetGroups ?? {})) this.#fleet(arn);
    const actions: Action[] = defaultTarget === undefined
      ? [{ Type: 'fixed-response', Order: 1, FixedResponseConfig: { StatusCode: '404', ContentType: 'text/plain', MessageBody: 'no rule of the rehearsal' } }]
      : forwardTo(defaultTarget, sidesOf(Object.keys(defaultTarget.targetGroups), defaultTarget.good).old);
    elb.createListener({ loadBalancerArn: balancer.arn, arn: listenerArn, actions });
  }

  #rule(target: AlbTarget, { old }: Sides, { arn, path }: { arn: string; path: string }): void {
    const elb = this.#ground.sandbox.services.loadBalancing;
    elb.createRule({ listenerArn: target.listenerArn, arn, priority: path === '/*' ? 1000 : this.#priority++, conditions: [{ Field: 'path-pattern', Values: [path] }], actions: forwardTo(target, old) });
  }

  async #serve(listenerArn: string): Promise<ServedListener> {
    const known = this.#served.get(listenerArn) ?? await serveListener(this.#ground.sandbox.services.loadBalancing, listenerArn);
    this.#served.set(listenerArn, known);
    return known;
  }
}

export interface Sides {
  readonly old: string;
  readonly fresh: string;
}

/** The good side, or the first, serves the old version; another one gets the release. */
export function sidesOf(names: readonly string[], good: 'last-known-good' | { readonly side: string }): Sides {
  const old = typeof good === 'object' ? good.side : names[0] ?? '';
  return { old, fresh: names.find((name) => name !== old) ?? old };
}

const isNetwork = ({ listenerArn }: AlbTarget): boolean => listenerArn.includes(':listener/net/');

function forwardTo(target: AlbTarget, side: string): Action[] {
  const TargetGroups = Object.entries(target.targetGroups).map(([name, TargetGroupArn]) => ({ TargetGroupArn, Weight: name === side ? 100 : 0 }));
  return [{ Type: 'forward', Order: 1, ForwardConfig: { TargetGroups, TargetGroupStickinessConfig: isNetwork(target) ? { Enabled: false } : { Enabled: true, DurationSeconds: stickinessSeconds } } }];
}

interface OwnAlbParts {
  readonly id: string;
  readonly target: AlbTarget;
  readonly sides: Sides;
  readonly fleets: ReadonlyMap<string, Fleet>;
  readonly url: string;
  readonly ground: Ground;
}

class OwnAlb implements OwnTarget {
  readonly id: string;
  readonly summary: string;
  readonly spreadSeconds = 2;
  readonly #parts: OwnAlbParts;

  constructor(parts: OwnAlbParts) {
    const { id, target, sides, fleets } = parts;
    this.#parts = parts;
    this.id = id;
    const others = [...fleets.keys()].filter((side) => side !== sides.old && side !== sides.fresh);
    const what = target.ruleArn === undefined ? `listener ${shortName(target.listenerArn)}` : `rule ${shortName(target.ruleArn)}`;
    this.summary = `${what}${isNetwork(target) ? '' : ' with group stickiness'}; ${sides.old} serves ${oldVersion}, ${sides.fresh} gets ${newVersion}${others.length === 0 ? '' : `, ${others.join(', ')} stay${others.length === 1 ? 's' : ''} at 0`}`;
  }

  url(): string {
    return this.#parts.url;
  }

  async release(): Promise<void> {
    const { target, sides, fleets, ground } = this.#parts;
    await Promise.all((fleets.get(sides.fresh)?.instances ?? []).map((instance) => instance.install(ground.fresh)));
    const elb = ground.sandbox.services.loadBalancing;
    const actions = forwardTo(target, sides.fresh);
    if (target.ruleArn === undefined) elb.modifyListener(target.listenerArn, actions);
    else elb.modifyRule(target.ruleArn, actions);
  }

  look(): { isBack: boolean; shown: string } {
    const { target, sides, ground } = this.#parts;
    const elb = ground.sandbox.services.loadBalancing;
    const list = target.ruleArn === undefined ? elb.listener(target.listenerArn).actions : elb.rule(target.ruleArn).actions;
    const groups = list.current.find(({ Type }) => Type === 'forward')?.ForwardConfig?.TargetGroups ?? [];
    const weights = Object.entries(target.targetGroups).map(([side, arn]) => ({ side, weight: groups.find(({ TargetGroupArn }) => TargetGroupArn === arn)?.Weight ?? 0 }));
    return { isBack: weights.every(({ side, weight }) => (weight > 0) === (side === sides.old)), shown: weights.map(({ side, weight }) => `${side} ${weight}`).join(', ') };
  }

  async stop(): Promise<void> {
    // The listener and the fleets may belong to several targets; `AlbTargets` stops them.
  }
}
