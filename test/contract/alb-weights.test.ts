// alb-weights against the sandbox's load balancer: as a rule, as a default action, with a login and with stickiness.
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Action, ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterEach, describe, expect, it } from 'vitest';
import type { StepRequest } from '../../lambdas/domain/vocabulary.ts';
import { createStrategy } from '../../lambdas/strategies/alb-weights/live.ts';
import type { Strategy } from '../../lambdas/strategies/strategy.ts';
import { LoadBalancing } from '../../sandbox/services/elbv2/load-balancing.ts';
import { groupsOf } from '../../sandbox/services/elbv2/actions.ts';
import type { TargetGroupRecord } from '../../sandbox/services/elbv2/records.ts';
import { loadBalancingService } from '../../sandbox/services/elbv2/service.ts';
import { Account, Bench, place } from './bench.ts';
import { keepsTheContract, type Subject } from './strategy.contract.ts';

const login: Action = {
  Type: 'authenticate-oidc', Order: 1,
  AuthenticateOidcConfig: { Issuer: 'https://id.example', AuthorizationEndpoint: 'https://id.example/a', TokenEndpoint: 'https://id.example/t', UserInfoEndpoint: 'https://id.example/u', ClientId: 'shop', ClientSecret: 'kept to itself' },
};

interface Shop extends Subject {
  readonly elb: LoadBalancing;
  readonly blue: TargetGroupRecord;
  readonly green: TargetGroupRecord;
  actions(): readonly Action[];
  set(actions: readonly Action[]): void;
  readonly healthyServer: number;
}

async function server(): Promise<{ port: number; close: () => void }> {
  const listening = http.createServer((_, response) => { response.end('ok'); });
  await new Promise<void>((resolve) => { listening.listen(0, '127.0.0.1', resolve); });
  return { port: (listening.address() as AddressInfo).port, close: () => { listening.close(); listening.closeAllConnections(); } };
}

async function start(kind: 'rule' | 'listener', given: { readonly stickiness?: object; readonly attachBlue?: boolean } = {}): Promise<Shop> {
  const account = new Account(50);
  const elb = new LoadBalancing({ place, clock: account.clock, metrics: { record: () => undefined } });
  const instance = await server();
  account.onClose(() => { elb.stop(); instance.close(); });
  const [blue, green] = ['blue', 'green'].map((name) => elb.createTargetGroup({ name, healthCheck: { intervalSeconds: 5, healthyThreshold: 2 } })) as [TargetGroupRecord, TargetGroupRecord];
  const forward = (weights: Readonly<Record<string, number>>): Action => ({
    Type: 'forward', Order: 2,
    ForwardConfig: { TargetGroups: Object.entries(weights).map(([TargetGroupArn, Weight]) => ({ TargetGroupArn, Weight })), ...(given.stickiness === undefined ? {} : { TargetGroupStickinessConfig: given.stickiness }) },
  });
  const bad = [login, forward(given.attachBlue === false ? { [green.arn]: 1 } : { [blue.arn]: 0, [green.arn]: 100 })];
  const calm: Action[] = [{ Type: 'fixed-response', Order: 1, FixedResponseConfig: { StatusCode: '404' } }];
  const balancer = elb.createLoadBalancer({ name: 'shop' });
  const listener = elb.createListener({ loadBalancerArn: balancer.arn, actions: kind === 'listener' ? bad : calm });
  const rule = kind === 'rule' ? elb.createRule({ listenerArn: listener.arn, priority: 10, conditions: [], actions: bad }) : undefined;
  const record = rule ?? listener;
  for (const group of [blue, green]) elb.registerTargets(group.arn, [{ Id: '127.0.0.1', Port: instance.port }]);
  for (const invariant of elb.invariants()) account.server.calls.addInvariant(invariant);
  await account.serve([loadBalancingService(elb)]);
  await account.clock.sleep(15_000);
  const options = account.client();
  const strategy = createStrategy({ loadBalancing: () => new ElasticLoadBalancingV2Client(options) }) as unknown as Strategy;
  const step: StepRequest = {
    id: 'first/traffic', service: 'shop', strategy: 'alb-weights', targetId: 'traffic',
    target: { strategy: 'alb-weights', listenerArn: listener.arn, ...(rule === undefined ? {} : { ruleArn: rule.arn }), targetGroups: { blue: blue.arn, green: green.arn }, good: 'last-known-good' },
    good: { version: '1', basis: 'baked', state: { weights: { blue: 1, green: 0 }, strangers: {}, stickiness: { enabled: false, durationSeconds: null }, actions: [] } },
    release: { id: 'r-2', version: '2', startedAt: new Date(account.clock.now()).toISOString(), isFinished: true, left: { weights: { blue: 0, green: 7 }, strangers: {} } },
  };
  const actions = (): readonly Action[] => record.actions.current;
  const set = (list: readonly Action[]): void => { if (rule === undefined) elb.modifyListener(listener.arn, list); else elb.modifyRule(rule.arn, list); };
  const weights = (): Readonly<Record<string, number>> => Object.fromEntries(groupsOf(actions().at(-1) ?? { Type: 'forward' }).map(({ TargetGroupArn = '', Weight = 0 }) => [TargetGroupArn, Weight]));
  const modify = rule === undefined ? 'ModifyListener' : 'ModifyRule';
  return {
    bench: new Bench(account, strategy, step), elb, blue, green, actions, set, healthyServer: instance.port,
    read: `elasticloadbalancing:${rule === undefined ? 'DescribeListeners' : 'DescribeRules'}`, write: `elasticloadbalancing:${modify}`,
    world: () => actions(),
    isBack: () => (weights()[blue.arn] ?? 0) > 0 && weights()[green.arn] === 0,
    somebodyElse: () => set([login, forward({ [blue.arn]: 30, [green.arn]: 70 })]),
    unused: {},
    breaches: () => account.server.calls.breaches.map(({ invariant, problem }) => `${invariant}: ${problem}`),
  };
}

const noPages = 'Elastic Load Balancing is asked by ARN and by target group: neither answer has pages';
keepsTheContract({ name: 'alb-weights on a rule', start: () => start('rule'), skips: { pages: noPages } });
keepsTheContract({ name: 'alb-weights on a default action', start: () => start('listener'), skips: { pages: noPages } });

describe('alb-weights on a live load balancer', () => {
  let shop: Shop | undefined;
  afterEach(async () => { await shop?.bench.account.close(); });

  it('keeps the login, whose secret it never sees', async () => {
    shop = await start('rule');
    const applied = await shop.bench.apply();
    expect(applied.status).toBe('changed');
    expect(shop.actions()[0]).toEqual(login);
    expect(JSON.stringify([applied, shop.bench.rows])).not.toContain('kept to itself');
  });

  it('switches stickiness between groups off', async () => {
    shop = await start('rule', { stickiness: { Enabled: true, DurationSeconds: 3600 } });
    expect(await shop.bench.apply()).toMatchObject({ status: 'changed', summary: expect.stringContaining('stickiness off') as string });
    expect(shop.actions()[1]?.ForwardConfig?.TargetGroupStickinessConfig?.Enabled).toBe(false);
  });

  it('does not send traffic to a group whose targets are sick', async () => {
    shop = await start('rule');
    shop.elb.deregisterTargets(shop.blue.arn, [{ Id: '127.0.0.1', Port: shop.healthyServer }]);
    expect(await shop.bench.apply()).toMatchObject({ status: 'failed', reason: { code: 'destination-unhealthy', text: expect.stringContaining('1 draining') as string } });
    expect(shop.bench.changes()).toEqual([]);
  });

  it('does not send traffic to a detached group, because nobody checked its health', async () => {
    shop = await start('rule', { attachBlue: false });
    expect(await shop.bench.apply()).toMatchObject({ status: 'failed', reason: { code: 'destination-unhealthy', text: expect.stringContaining('unused') as string } });
  });

  it('says that a deleted target group is gone, and that a deleted rule is', async () => {
    shop = await start('rule');
    shop.elb.targetGroups.delete(shop.blue.arn);
    expect(await shop.bench.apply()).toMatchObject({ status: 'failed', reason: { code: 'destination-gone' } });
    shop.elb.rules.clear();
    expect(await shop.bench.apply()).toMatchObject({ status: 'failed', reason: { code: 'gone', text: expect.stringContaining('elasticloadbalancing:DescribeRules') as string } });
  });

  it('does not act on a plan that is no longer true', async () => {
    shop = await start('rule');
    const planned = await shop.bench.plan();
    await shop.somebodyElse();
    expect(await shop.bench.apply(planned)).toMatchObject({ status: 'changed-by-someone-else' });
    expect(shop.bench.changes()).toEqual([]);
  });

  it('makes its reads side by side: however many they are, they take as long as one', async () => {
    shop = await start('rule');
    shop.bench.account.server.faults.add({ name: 'slow reads', when: ({ operation }) => operation.startsWith('Describe'), effect: { kind: 'delay', wallMilliseconds: 500 } });
    const began = performance.now();
    await shop.bench.apply();
    expect(performance.now() - began).toBeLessThan(1000);
    expect(shop.bench.calls().map((call) => call.operation).toSorted()).toEqual(['DescribeRules', 'DescribeTargetGroupAttributes', 'DescribeTargetGroupAttributes', 'DescribeTargetHealth', 'DescribeTargetHealth', 'ModifyRule']);
  });
});
