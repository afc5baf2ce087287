// What users notice of each strategy's way: from the catalogue, from what the ledger saw last, and from what is live; what nobody read is said to be unknown.
import { describe, expect, it } from 'vitest';
import { manifests } from '../../../lambdas/strategies/registry.ts';
import { wayOf } from '../../../lambdas/strategies/ways.ts';
import type { SeenState } from '../../../lambdas/strategies/way.ts';
import type { JsonObject } from '../../../lambdas/domain/vocabulary.ts';

const nothing: SeenState = { state: null, planned: null, isRunning: false };
const effectOf = (strategy: string, target: JsonObject, seen: Partial<SeenState> = {}) => wayOf(strategy).effect(target, { ...nothing, ...seen });
const told = (strategy: string, target: JsonObject, seen: Partial<SeenState> = {}): string => { const { downtime, seconds, basis } = effectOf(strategy, target, seen); return `${downtime}, ${seconds} s ${basis}`; };

it('is known for every strategy, and a name that nobody registered is refused', () => {
  expect(Object.keys(manifests).map((name) => wayOf(name).kind)).toEqual(['traffic-shift', 'redeploy', 'redeploy', 'traffic-shift', 'traffic-shift', 'flag-off']);
  const orders = Object.keys(manifests).map((name) => wayOf(name).order);
  expect(new Set(orders).size).toBe(orders.length);
  expect(() => wayOf('toString')).toThrow('unknown strategy "toString"');
});

it('of a flag is nothing, and it takes as long as applications hold the old value', () => {
  expect(told('ssm-parameter', { takesEffectSeconds: 600 })).toBe('none, 600 s known');
});

it('of an alias is nothing', () => {
  expect(told('lambda-alias', {})).toBe('none, 5 s typical');
});

describe('of weighted records', () => {
  it('is a mix for as long as the TTL that was read', () => {
    expect(told('route53-weights', {}, { state: { ttlSeconds: 300 } })).toBe('mixed, 360 s known');
  });

  it('is a mix of which nobody knows how long while no TTL was read', () => {
    expect(effectOf('route53-weights', {})).toEqual({ downtime: 'mixed', text: 'resolvers keep the old answer for a TTL that nobody read yet', seconds: 120, basis: 'typical' });
  });
});

describe('of weighted target groups', () => {
  const target = { listenerArn: 'arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/shop/1/2', minimumHealthyTargets: 2 };
  const side = (healthy: number) => ({ targets: { healthy, unhealthy: 1 }, isSticky: false });
  const live = (blue: number, green: number, to: JsonObject = {}) => ({
    state: { weights: { blue: 0, green: 100 }, stickiness: { enabled: true, durationSeconds: 900 } },
    planned: { to: { weights: { blue: 100, green: 0 }, stickiness: { enabled: false, durationSeconds: 900 }, ...to }, facts: { sides: { blue: side(blue), green: side(green) } } },
  });

  it('is nothing, as far as the catalogue tells', () => {
    expect(effectOf('alb-weights', target)).toMatchObject({ downtime: 'none', text: 'traffic moves between targets that run, of which the good side needs 2 healthy' });
  });

  it('is a mix while cookies hold clients, for as long as the cookie lives', () => {
    expect(told('alb-weights', target, { state: { stickiness: { enabled: true, durationSeconds: 900 } } })).toBe('mixed, 900 s known');
    expect(told('alb-weights', target, { state: { stickiness: { enabled: true, durationSeconds: null } } })).toBe('mixed, 5 s typical');
    expect(told('alb-weights', target, live(3, 3, { stickiness: { enabled: true, durationSeconds: 60 } }))).toBe('mixed, 60 s known');
    expect(told('alb-weights', target, live(3, 3))).toBe('none, 5 s typical');
  });

  it('is a mix where a network load balancer keeps connections open', () => {
    expect(told('alb-weights', { ...target, listenerArn: target.listenerArn.replace('/app/', '/net/') })).toBe('mixed, 5 s typical');
  });

  it('is less capacity where fewer healthy targets take what more have now', () => {
    expect(effectOf('alb-weights', target, live(1, 10))).toMatchObject({ downtime: 'less-capacity', text: '1 healthy targets take what 10 have now' });
    expect(told('alb-weights', target, live(10, 1))).toBe('none, 5 s typical');
  });
});

describe('of a rolling deployment', () => {
  it.each<[number, number, string]>([
    [100, 3, 'none'], [50, 4, 'less-capacity'], [50, 1, 'none'], [0, 3, 'interruption'], [0, 0, 'none'], [34, 3, 'less-capacity'], [67, 3, 'none'],
  ])('with %d %% of %d tasks kept is %s', (minimumHealthyPercent, desired, downtime) => {
    expect(effectOf('ecs-service', {}, { state: { taskDefinition: 't:1', others: {}, rolling: { minimumHealthyPercent, desired } } }).downtime).toBe(downtime);
  });

  it('is unknown where the service was not read, or in a state of before it was', () => {
    expect(told('ecs-service', {})).toBe('unknown, 300 s typical');
    expect(told('ecs-service', {}, { state: { taskDefinition: 't:1', others: {} } })).toBe('unknown, 300 s typical');
  });
});

describe('of CodeDeploy', () => {
  const inPlace = (config: string | null, running: JsonObject | null = null) => ({ state: { group: { style: 'IN_PLACE', config }, running } });
  const server = { platform: 'Server' };

  it.each<[string, JsonObject, Partial<SeenState>, string]>([
    ['servers all at once, which is what Ripcord asks for by itself', server, inPlace('CodeDeployDefault.OneAtATime'), 'interruption, 300 s typical'],
    ['servers one at a time', { ...server, deploymentConfig: 'CodeDeployDefault.OneAtATime' }, inPlace(null), 'less-capacity, 300 s typical'],
    ['servers half at a time', { ...server, deploymentConfig: 'CodeDeployDefault.HalfAtATime' }, inPlace(null), 'less-capacity, 300 s typical'],
    ['servers by a configuration of the user\'s own', { ...server, deploymentConfig: 'ours' }, inPlace(null), 'unknown, 300 s typical'],
    ['servers of which nobody read how they are deployed', server, {}, 'unknown, 300 s typical'],
    ['servers in a state of before that was read', server, { state: { running: null } }, 'unknown, 300 s typical'],
    ['new servers beside the old', server, { state: { group: { style: 'BLUE_GREEN', config: null } } }, 'none, 300 s typical'],
    ['a stop, which keeps to the group\'s own configuration', server, { ...inPlace('CodeDeployDefault.HalfAtATime'), isRunning: true }, 'less-capacity, 300 s typical'],
    ['a stop that is seen only in what is live', server, { ...inPlace('CodeDeployDefault.HalfAtATime', { id: 'd-1' }), planned: { to: {}, facts: {} } }, 'less-capacity, 300 s typical'],
    ['a deployment that ran when the ledger saw it, and is over', server, inPlace('CodeDeployDefault.HalfAtATime', { id: 'd-1' }), 'interruption, 300 s typical'],
    ['tasks', { platform: 'ECS' }, {}, 'none, 300 s typical'],
    ['tasks, whose deployment is stopped', { platform: 'ECS' }, { isRunning: true }, 'none, 60 s typical'],
    ['tasks little by little', { platform: 'ECS', deploymentConfig: 'CodeDeployDefault.ECSLinear10PercentEvery3Minutes' }, {}, 'mixed, 300 s typical'],
    ['an alias', { platform: 'Lambda' }, {}, 'none, 60 s typical'],
    ['an alias all at once', { platform: 'Lambda', deploymentConfig: 'CodeDeployDefault.LambdaAllAtOnce' }, {}, 'none, 60 s typical'],
  ])('%s', (_name, target, seen, expected) => {
    expect(told('codedeploy', target, seen)).toBe(expected);
  });
});
