// Load balancers over real HTTP: weights, health, stickiness, fail-open, metrics, and what is refused.
import type { Action, DescribeTargetHealthOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OperationContext } from '../../../sandbox/aws/world.ts';
import type { SpedUpClock } from '../../../sandbox/clock.ts';
import { describeTargetHealth } from '../../../sandbox/services/elbv2/describe-operations.ts';
import { Shop, type ShopOptions } from '../../../sandbox/shop/shop.ts';
import { place, refusal, rigAtSpeed, until, type Rig } from './rig.ts';

let rig: Rig<SpedUpClock>;
let shop: Shop;

const start = async (over: Partial<ShopOptions> = {}): Promise<void> => {
  shop = new Shop({ elb: rig.elb, clock: rig.clock, blue: { name: 'v1' }, green: { name: 'v2' }, ...over });
  await shop.start();
};
const states = (groupArn: string): string[] => {
  const context: OperationContext = { caller: { kind: 'root', arn: 'root' }, place, clock: rig.clock, requestId: '1' };
  const { TargetHealthDescriptions } = describeTargetHealth(rig.elb).run({ TargetGroupArn: groupArn }, context) as DescribeTargetHealthOutput;
  return (TargetHealthDescriptions ?? []).map(({ TargetHealth }) => `${TargetHealth?.State ?? ''} ${TargetHealth?.Reason ?? ''}`.trim());
};
const healthy = (): Promise<void> => until(() => [shop.blue, shop.green].every(({ targetGroupArn }) => states(targetGroupArn).every((state) => state === 'healthy')), 'both sides are healthy');
const get = async (path = '/catalogue', headers: Record<string, string> = {}): Promise<{ status: number; version: string; cookie: string | null }> => {
  const response = await fetch(`${shop.url}${path}`, { headers, redirect: 'manual' });
  await response.text();
  return { status: response.status, version: response.headers.get('x-shop-version') ?? 'none', cookie: response.headers.get('set-cookie') };
};
const many = async (count: number, headers: Record<string, string> = {}): Promise<Record<string, number>> => {
  const answers = await Promise.all(Array.from({ length: count }, () => get('/catalogue', headers)));
  return answers.reduce<Record<string, number>>((counts, { version, status }) => ({ ...counts, [`${version} ${status}`]: (counts[`${version} ${status}`] ?? 0) + 1 }), {});
};
const weights = (list: readonly Action[]) => list[0]?.ForwardConfig?.TargetGroups?.map(({ Weight }) => Weight);
const sum = (name: string, dimensions: Record<string, string>): number => {
  const read = rig.cloudwatch.store.read({ namespace: 'AWS/ApplicationELB', name, dimensions }, { start: 0, end: Infinity, periodSeconds: 86_400 });
  return [...read.values()].reduce((total, samples) => total + samples.sum, 0);
};

beforeEach(() => {
  rig = rigAtSpeed(40);
});

afterEach(async () => {
  await shop.stop();
  rig.elb.stop();
  rig.clock.stop();
});

describe('a load balancer', () => {
  it('shares requests by weight', async () => {
    await start({ weights: { blue: 70, green: 30 } });
    await healthy();
    const counts = await many(600);
    expect(counts['v1 200']).toBeGreaterThan(360);
    expect(counts['v2 200']).toBeGreaterThan(120);
    expect((counts['v1 200'] ?? 0) + (counts['v2 200'] ?? 0)).toBe(600);
  });

  it('sends nothing to weight 0, and checks its health all the same', async () => {
    await start();
    await healthy();
    expect(await many(50)).toEqual({ 'v1 200': 50 });
  });

  it('shows a change at once and follows it after the propagation delay', async () => {
    await start();
    await healthy();
    shop.shift({ blue: 0, green: 100 });
    const { actions } = rig.elb.listener(shop.listenerArn);
    expect([weights(actions.current), weights(actions.applied)]).toEqual([[0, 100], [100, 0]]);
    await rig.clock.sleep(1500);
    expect(await many(20)).toEqual({ 'v2 200': 20 });
  });

  it('answers 503 when all weights are zero, and the invariant says so', async () => {
    await start();
    await healthy();
    const broken = (): (string | null)[] => rig.elb.invariants().map((invariant) => invariant.check());
    expect(broken()).toEqual([null, null, null]);
    shop.shift({ blue: 0, green: 0 });
    await rig.clock.sleep(1500);
    expect((await get()).status).toBe(503);
    expect(broken()[0]).toContain('all weights are zero');
  });

  it('calls a group that no listener names unused, whatever its targets do', async () => {
    await start();
    const spare = rig.elb.createTargetGroup({ name: 'spare', healthCheck: { path: '/health', intervalSeconds: 10 } });
    rig.elb.registerTargets(spare.arn, [{ Id: '127.0.0.1', Port: shop.blue.instances[0]?.port }]);
    await rig.clock.sleep(25_000);
    expect(states(spare.arn)).toEqual(['unused Target.NotInUse']);
    expect([...spare.targets.values()].map(({ health, successes }) => [health.State, successes])).toEqual([['unused', 0]]);
  });

  it('finds a target unhealthy by its own answers, with the reason', async () => {
    await start({ green: { name: 'v2', sickness: { health: 'fails' } }, weights: { blue: 50, green: 50 } });
    await until(() => states(shop.green.targetGroupArn)[0] === 'unhealthy Target.ResponseCodeMismatch', 'green is unhealthy');
    await shop.blue.crash();
    await until(() => states(shop.blue.targetGroupArn)[0] === 'unhealthy Target.FailedHealthChecks', 'blue is unhealthy');
    await shop.blue.recover();
    await until(() => states(shop.blue.targetGroupArn)[0] === 'healthy', 'blue is healthy again');
    expect(states(shop.green.targetGroupArn)).toEqual(['unhealthy Target.ResponseCodeMismatch']);
  });

  it('avoids the unhealthy target of a group, but fails open when all are unhealthy', async () => {
    await start({ instances: 2 });
    await healthy();
    const [first, second] = shop.blue.instances;
    await first?.stop();
    await until(() => states(shop.blue.targetGroupArn).includes('unhealthy Target.FailedHealthChecks'), 'one is unhealthy');
    expect(await many(30)).toEqual({ 'v1 200': 30 });
    await second?.stop();
    await until(() => states(shop.blue.targetGroupArn).every((state) => state.startsWith('unhealthy')), 'both are unhealthy');
    await first?.start();
    const counts = await many(20);
    expect(counts['v1 200']).toBe(10);
    expect(counts['none 502']).toBe(10);
  });

  it('does not move weight away from a group whose targets are all down', async () => {
    await start({ weights: { blue: 0, green: 100 } });
    await healthy();
    await shop.green.crash();
    expect(await many(10)).toEqual({ 'none 502': 10 });
  });

  it('drains a deregistered target: no more requests, gone after the delay', async () => {
    await start({ instances: 2 });
    await healthy();
    const port = shop.blue.instances[0]?.port;
    rig.elb.deregisterTargets(shop.blue.targetGroupArn, [{ Id: '127.0.0.1', Port: port }]);
    expect(states(shop.blue.targetGroupArn)).toContain('draining Target.DeregistrationInProgress');
    await until(() => states(shop.blue.targetGroupArn).length === 1, 'the target is gone');
  });

  it('keeps a client with the AWSALBTG cookie on its group, even at weight 0, until stickiness ends', async () => {
    await start({ weights: { blue: 0, green: 100 }, stickinessSeconds: 3600 });
    await healthy();
    const { cookie } = await get();
    expect(cookie).toMatch(/^AWSALBTG=/);
    const held = { cookie: (cookie ?? '').split(';')[0] ?? '' };
    shop.shift({ blue: 100, green: 0 });
    await rig.clock.sleep(1500);
    expect(await many(10, held)).toEqual({ 'v2 200': 10 });
    expect(await many(10)).toEqual({ 'v1 200': 10 });
    const TargetGroups = [{ TargetGroupArn: shop.blue.targetGroupArn, Weight: 100 }, { TargetGroupArn: shop.green.targetGroupArn, Weight: 0 }];
    rig.elb.modifyListener(shop.listenerArn, [{ Type: 'forward', ForwardConfig: { TargetGroups, TargetGroupStickinessConfig: { Enabled: false } } }]);
    await rig.clock.sleep(1500);
    expect(await many(10, held)).toEqual({ 'v1 200': 10 });
  });

  it('counts requests and target errors per group, and no error metric without an error', async () => {
    await start({ green: { name: 'v2', sickness: { errorRate: 1 } } });
    await healthy();
    const loadBalancer = { LoadBalancer: shop.loadBalancerArn.split(':loadbalancer/')[1] ?? '' };
    const green = { ...loadBalancer, TargetGroup: shop.green.targetGroupArn.split(':').at(-1) ?? '' };
    await many(20);
    expect(sum('RequestCount', loadBalancer)).toBe(20);
    expect(rig.cloudwatch.store.list().filter(({ name }) => name.includes('5XX'))).toEqual([]);
    shop.shift({ blue: 0, green: 100 });
    await rig.clock.sleep(1500);
    await many(10);
    expect(sum('HTTPCode_Target_5XX_Count', loadBalancer)).toBe(10);
    expect(sum('HTTPCode_Target_5XX_Count', green)).toBe(10);
    expect(sum('RequestCount', green)).toBe(10);
    await shop.green.crash();
    await many(5);
    expect(sum('HTTPCode_ELB_5XX_Count', loadBalancer)).toBe(5);
    expect(sum('HTTPCode_Target_5XX_Count', green)).toBe(10);
  });

  it('follows rules by path, fixed responses and redirects', async () => {
    await start();
    await healthy();
    rig.elb.createRule({ listenerArn: shop.listenerArn, priority: 1, conditions: [{ Field: 'path-pattern', Values: ['/closed*'] }], actions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '418', MessageBody: 'closed' } }] });
    rig.elb.createRule({ listenerArn: shop.listenerArn, priority: 2, conditions: [{ Field: 'path-pattern', PathPatternConfig: { Values: ['/old'] } }], actions: [{ Type: 'redirect', RedirectConfig: { Path: '/catalogue', StatusCode: 'HTTP_301' } }] });
    rig.elb.createRule({ listenerArn: shop.listenerArn, priority: 3, conditions: [{ Field: 'host-header', Values: ['*.other.example'] }], actions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } }] });
    expect((await get('/closed/today')).status).toBe(418);
    expect((await get('/old')).status).toBe(301);
    expect((await get('/catalogue')).status).toBe(200);
    expect(refusal(() => rig.elb.createRule({ listenerArn: shop.listenerArn, priority: 1, conditions: [], actions: [{ Type: 'forward', TargetGroupArn: shop.blue.targetGroupArn }] })).code).toBe('PriorityInUse');
  });

  it('notices a login that a change dropped or altered', async () => {
    const login: Action = { Type: 'authenticate-oidc', Order: 1, AuthenticateOidcConfig: { Issuer: 'https://id.example', AuthorizationEndpoint: 'https://id.example/a', TokenEndpoint: 'https://id.example/t', UserInfoEndpoint: 'https://id.example/u', ClientId: 'shop', ClientSecret: 'hidden' } };
    await start({ actionsBefore: [login] });
    const broken = (): (string | null)[] => rig.elb.invariants().map((invariant) => invariant.check());
    shop.shift({ blue: 0, green: 100 });
    expect(broken()).toEqual([null, null, null]);
    rig.elb.modifyListener(shop.listenerArn, [{ Type: 'forward', TargetGroupArn: shop.blue.targetGroupArn }]);
    expect(broken()[1]).toContain('it lost authenticate-oidc');
    expect(broken()[2]).toContain('a login action was changed or dropped');
  });

  it('refuses what AWS refuses, by the wire codes', async () => {
    await start();
    const blue = shop.blue.targetGroupArn;
    const modify = (actions: readonly Action[]): string => refusal(() => rig.elb.modifyListener(shop.listenerArn, actions)).code;
    expect(modify([])).toBe('ValidationError');
    expect(modify([{ Type: 'forward', TargetGroupArn: `${blue}x` }])).toBe('TargetGroupNotFound');
    expect(modify([{ Type: 'forward', ForwardConfig: { TargetGroups: [{ TargetGroupArn: blue, Weight: 1000 }] } }])).toBe('ValidationError');
    expect(modify([{ Type: 'forward', TargetGroupArn: blue, ForwardConfig: { TargetGroups: [{ TargetGroupArn: shop.green.targetGroupArn, Weight: 1 }] } }])).toBe('InvalidLoadBalancerAction');
    expect(modify([{ Type: 'forward', TargetGroupArn: blue, Order: 1 }, { Type: 'fixed-response', FixedResponseConfig: { StatusCode: '200' }, Order: 2 }])).toBe('InvalidLoadBalancerAction');
    expect(modify([{ Type: 'forward', TargetGroupArn: blue }, { Type: 'forward', TargetGroupArn: blue }])).toBe('ValidationError');
    expect(refusal(() => rig.elb.modifyListener(`${shop.listenerArn}x`, [])).code).toBe('ListenerNotFound');
    expect(refusal(() => rig.elb.modifyRule('arn:x', [])).code).toBe('RuleNotFound');
  });
});
