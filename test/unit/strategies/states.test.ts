// How each strategy compares two captured states, and tells one that is half way, without its AWS half.
import { describe, expect, it } from 'vitest';
import type { TargetState } from '../../../lambdas/domain/vocabulary.ts';
import { manifestOf } from '../../../lambdas/strategies/registry.ts';

describe.each(['alb-weights', 'route53-weights'])('states of %s', (name) => {
  const { same, isSplit } = manifestOf(name).states;
  const weights = (blue: number, green: number, strangers: TargetState = {}): TargetState => ({ weights: { blue, green }, strangers });

  it('are the same when the shares are, whatever else the document holds', () => {
    expect(same(weights(1, 1), { ...weights(50, 50), actions: [], records: [] })).toBe(true);
    expect(same(weights(100, 0), weights(90, 10))).toBe(false);
    expect(same(weights(100, 0), weights(0, 100))).toBe(false);
    expect(same(weights(1, 0), weights(1, 0, { other: 1 }))).toBe(false);
  });

  it('are not the same when one cannot be read', () => {
    expect(same({ live: '7' }, { live: '7' })).toBe(false);
    expect(same(weights(1, 0), {})).toBe(false);
  });

  it('are split when more than one place has traffic', () => {
    expect(isSplit(weights(90, 10))).toBe(true);
    expect(isSplit(weights(1, 0, { other: 1 }))).toBe(true);
    expect(isSplit(weights(100, 0))).toBe(false);
  });
});

describe('states of codedeploy', () => {
  const { same, isSplit } = manifestOf('codedeploy').states;
  const ecs = (live: string | null, over: TargetState = {}): TargetState => ({ platform: 'ECS', live, shifting: {}, revision: null, running: null, ...over });

  it('are the same when the same version serves, also while the tasks before are still kept', () => {
    expect(same(ecs('shop:7'), ecs('arn:aws:ecs:eu-west-1:111122223333:task-definition/shop:7', { running: { id: 'd-1' } }))).toBe(true);
    expect(same(ecs('shop:7'), ecs('shop:8'))).toBe(false);
    expect(same(ecs('shop:7'), ecs('shop:7', { shifting: { 'shop:8': 0.1 } }))).toBe(false);
  });

  it('are not the same when nobody knows what serves', () => {
    expect(same(ecs(null), ecs(null))).toBe(false);
    expect(same({}, {})).toBe(false);
  });

  it('are split while an alias sends traffic to two versions', () => {
    expect(isSplit(ecs('7', { shifting: { 8: 0.1 } }))).toBe(true);
    expect(isSplit(ecs('7'))).toBe(false);
  });
});

describe('states of ssm-parameter', () => {
  const { same, isSplit } = manifestOf('ssm-parameter').states;

  it('are the same when the value is, whichever version it has', () => {
    expect(same({ name: '/f', value: 'on', version: 3 }, { name: '/f', value: 'on', version: 5 })).toBe(true);
    expect(same({ value: 'on' }, { value: 'off' })).toBe(false);
    expect(same({}, {})).toBe(false);
  });

  it('are never split: every application reads one value', () => {
    expect(isSplit({ value: 'on' })).toBe(false);
  });
});

describe('states of lambda-alias', () => {
  const { same, isSplit } = manifestOf('lambda-alias').states;

  it('are the same when version and shares are', () => {
    expect(same({ version: '1', weights: {} }, { version: '1', weights: { 2: 0 } })).toBe(true);
    expect(same({ version: '1', weights: { 2: 0.1 } }, { version: '1', weights: { 2: 0.2 } })).toBe(false);
    expect(same({ version: '1', weights: {} }, { version: '2', weights: {} })).toBe(false);
    expect(same({}, {})).toBe(false);
  });

  it('are split while two versions are called', () => {
    expect([isSplit({ version: '1', weights: { 2: 0.1 } }), isSplit({ version: '1', weights: {} })]).toEqual([true, false]);
  });
});

describe('states of ecs-service', () => {
  const { same, isSplit } = manifestOf('ecs-service').states;
  const arn = (name: string): string => `arn:aws:ecs:eu-west-1:111122223333:task-definition/${name}`;

  it('are the same when the same task definitions run, however many tasks', () => {
    expect(same({ taskDefinition: arn('shop:1'), others: {} }, { taskDefinition: 'shop:1', others: {} })).toBe(true);
    expect(same({ taskDefinition: arn('shop:1'), others: { [arn('shop:2')]: 1 } }, { taskDefinition: arn('shop:1'), others: { [arn('shop:2')]: 3 } })).toBe(true);
    expect(same({ taskDefinition: arn('shop:1'), others: {} }, { taskDefinition: arn('shop:1'), others: { [arn('shop:2')]: 3 } })).toBe(false);
    expect(same({ taskDefinition: arn('shop:1'), others: {} }, { taskDefinition: arn('shop:2'), others: {} })).toBe(false);
    expect(same({}, {})).toBe(false);
  });

  it('are split while tasks of another one still run', () => {
    expect([isSplit({ taskDefinition: arn('shop:1'), others: { [arn('shop:2')]: 1 } }), isSplit({ taskDefinition: arn('shop:1'), others: {} })]).toEqual([true, false]);
  });
});
