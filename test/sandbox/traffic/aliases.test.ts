// Lambda aliases: weights, revision ids, and how invocations are shared.
import { beforeEach, describe, expect, it } from 'vitest';
import { bareName, LambdaAliases, qualifierOf } from '../../../sandbox/services/lambda/aliases.ts';
import { place, refusal, StandingClock } from './rig.ts';

let aliases: LambdaAliases;
beforeEach(() => {
  aliases = new LambdaAliases({ place, clock: new StandingClock() });
  aliases.createFunction('shop');
  for (const name of ['shop-1', 'shop-2']) aliases.publishVersion('shop', name);
  aliases.createAlias('shop', 'live', '1');
});

describe('an alias', () => {
  it('keeps its weights when RoutingConfig is left out; only an empty map clears them', () => {
    aliases.updateAlias('shop', 'live', { RoutingConfig: { AdditionalVersionWeights: { 2: 0.25 } } });
    expect(aliases.updateAlias('shop', 'live', { FunctionVersion: '1' }).weights).toEqual({ 2: 0.25 });
    expect(aliases.updateAlias('shop', 'live', { RoutingConfig: { AdditionalVersionWeights: {} } }).weights).toEqual({});
  });

  it('shares invocations by weight', () => {
    aliases.updateAlias('shop', 'live', { RoutingConfig: { AdditionalVersionWeights: { 2: 0.25 } } });
    const second = Array.from({ length: 4000 }, () => aliases.choose('shop', 'live')).filter((version) => version === '2').length;
    expect(second).toBeGreaterThan(850);
    expect(second).toBeLessThan(1150);
  });

  it('refuses a change based on an old revision id', () => {
    const { revisionId } = aliases.alias('shop', 'live');
    aliases.updateAlias('shop', 'live', { FunctionVersion: '2', RevisionId: revisionId });
    const error = refusal(() => aliases.updateAlias('shop', 'live', { FunctionVersion: '1', RevisionId: revisionId }));
    expect([error.code, error.status]).toEqual(['PreconditionFailedException', 412]);
    expect(aliases.alias('shop', 'live').functionVersion).toBe('2');
  });

  it.each([
    ['a version that does not exist', { FunctionVersion: '9' }, 'ResourceNotFoundException'],
    ['a weight over one', { RoutingConfig: { AdditionalVersionWeights: { 2: 1.5 } } }, 'InvalidParameterValueException'],
    ['its own version beside itself', { RoutingConfig: { AdditionalVersionWeights: { 1: 0.5 } } }, 'InvalidParameterValueException'],
  ])('refuses %s', (_, change, code) => {
    expect(refusal(() => aliases.updateAlias('shop', 'live', change)).code).toBe(code);
  });

  it('protects the versions it points to', () => {
    expect(refusal(() => aliases.deleteVersion('shop', '1')).code).toBe('ResourceConflictException');
    aliases.deleteVersion('shop', '2');
    expect(refusal(() => aliases.version('shop', '2')).code).toBe('ResourceNotFoundException');
  });

  it('is found by name and by ARN', () => {
    expect([bareName('shop'), bareName('shop:live'), bareName('arn:aws:lambda:eu-west-1:111122223333:function:shop:live')]).toEqual(['shop', 'shop', 'shop']);
    expect([qualifierOf('shop'), qualifierOf('shop:live'), qualifierOf('arn:aws:lambda:eu-west-1:111122223333:function:shop:2'), qualifierOf('arn:aws:lambda:eu-west-1:111122223333:function:shop')]).toEqual([null, 'live', '2', null]);
  });
});
