// The ways back in order, and the steps that are asked of the strategies.
import { describe, expect, it } from 'vitest';
import type { TargetConfig } from '../../../lambdas/config/schema.ts';
import { buildRungs, captureSteps, rungsOf, targetFacts } from '../../../lambdas/domain/rungs.ts';
import { minute, release } from './samples.ts';

const arn = 'arn:aws:elasticloadbalancing:eu-west-1:111122223333:';
const alb = (good: unknown): TargetConfig => ({
  strategy: 'alb-weights', listenerArn: `${arn}listener/app/shop/1/2`, targetGroups: { blue: `${arn}targetgroup/blue/1`, green: `${arn}targetgroup/green/1` },
  minimumHealthyTargets: 1, good,
}) as TargetConfig;
const targets = {
  web: alb('last-known-good'), edge: alb({ side: 'blue' }),
  app: { strategy: 'codedeploy', platform: 'Server', application: 'shop', deploymentGroup: 'prod', good: 'last-known-good' } as TargetConfig,
};
const facts = Object.fromEntries(Object.entries(targets).map(([id, target]) => [id, targetFacts(target)]));
const order = (strategy: string) => ({ 'alb-weights': 10, codedeploy: 40 })[strategy] ?? 99;

describe('the rungs', () => {
  it('are one for each strategy, fastest first, when the service names none', () => {
    expect(rungsOf(facts, undefined, order)).toEqual([{ name: 'alb-weights', waves: [['edge', 'web']] }, { name: 'codedeploy', waves: [['app']] }]);
    expect(rungsOf(facts, undefined, (strategy) => -order(strategy)).map(({ name }) => name)).toEqual(['codedeploy', 'alb-weights']);
  });

  it('are the service\'s own when it names some', () => {
    expect(rungsOf(facts, [[['app'], ['web']], [['edge']]], order)).toEqual([{ name: 'rung-1', waves: [['app'], ['web']] }, { name: 'rung-2', waves: [['edge']] }]);
  });
});

describe('the steps', () => {
  const suspect = { ...release(), left: { web: { green: 100 } } };
  const good = { version: 'v1', basis: 'baked' as const, targets: ['web'] };
  const [rung] = buildRungs([{ name: 'all', waves: [['web', 'edge'], ['app']] }], { service: 'checkout', targets, release: suspect, good, states: { web: { blue: 100 } } });
  const [web, edge, app] = rung?.waves.flat() ?? [];

  it('carry the good state of each target, and what the release left on it', () => {
    expect(web).toEqual({
      id: 'all/web', service: 'checkout', strategy: 'alb-weights', targetId: 'web', target: targets.web,
      good: { version: 'v1', basis: 'baked', state: { blue: 100 } },
      release: { id: 'r-2', version: 'v2', startedAt: minute(0), isFinished: true, left: { green: 100 } },
    });
  });

  it('need nothing of the ledger for a side that is declared good, and say so when nothing is known', () => {
    expect(edge?.good).toEqual({ version: 'side blue', basis: 'observed', state: null });
    expect(app?.good).toBeNull();
    expect(app?.release?.left).toBeNull();
  });

  it('are refused for a target that the catalogue does not have', () => {
    expect(() => buildRungs([{ name: 'all', waves: [['ghost']] }], { service: 'checkout', targets, release: null, good: null, states: {} })).toThrow('"ghost"');
  });

  it('capture each target once', () => {
    expect(captureSteps('checkout', targets).map(({ id, good: at, release: of }) => [id, at?.version, of])).toEqual([['capture/web', undefined, null], ['capture/edge', 'side blue', null], ['capture/app', undefined, null]]);
  });
});
