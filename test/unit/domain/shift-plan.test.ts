// Which metrics show the two versions of a release that shares its traffic with the version before.
import { describe, expect, it } from 'vitest';
import type { ServiceInput } from '../../../lambdas/config/schema.ts';
import { plansOf, type ShiftPast, type Shifting } from '../../../lambdas/domain/shift-plan.ts';
import { minute } from './samples.ts';
import { alias, codedeploy, dimensionsOf, elb, end, type Metrics, ofAlias, planned, web } from './shift-samples.ts';

describe('which metrics show two versions', () => {
  it('are for an alias its whole, and what each version of it executed', () => {
    expect(dimensionsOf(planned({ fn: alias }))).toEqual([
      'Invocations Sum shop shop:live', 'Errors Sum shop shop:live', 'Duration p50 shop shop:live',
      'Invocations Sum shop shop:live 7', 'Errors Sum shop shop:live 7', 'Duration p50 shop shop:live 7',
      'Invocations Sum shop shop:live 6', 'Errors Sum shop shop:live 6', 'Duration p50 shop shop:live 6',
    ]);
    expect(planned({ fn: alias })?.pairs.flatMap(plansOf).flatMap(({ requests }) => requests).at(-1)).toMatchObject({ dimensions: { FunctionName: 'shop', Resource: 'shop:live', ExecutedVersion: '6' } });
  });

  it('are the same for an alias that CodeDeploy shifts, and one that a pipeline releases under the function\'s own versions', () => {
    const wanted = dimensionsOf(planned({ fn: alias }));
    expect(dimensionsOf(planned({ fn: codedeploy }, { id: 'd-1', origin: 'codedeploy' }))).toEqual(wanted);
    expect(dimensionsOf(planned({ fn: alias }, { id: 'build-7', origin: 'event' }))).toEqual(wanted);
    expect(dimensionsOf(planned({ fn: { ...alias, functionName: 'shop' } }, { id: `arn:aws:lambda:eu-west-1:111122223333:function:shop:live:7@${minute(0)}` }))).toEqual(wanted);
  });

  it('are for weighted target groups each side\'s own, with the load balancer of the listener', () => {
    const byLoadBalancer: Metrics = [{ kind: 'alb-target-group', loadBalancer: `${elb}loadbalancer/app/shop/1`, percentile: 'p90' }];
    expect(dimensionsOf(planned({ web }, { id: 'r-2', origin: 'event', version: '2.0.0', previousVersion: null }, byLoadBalancer))).toEqual([
      'RequestCount Sum targetgroup/blue/1 app/shop/1', 'HTTPCode_Target_5XX_Count Sum targetgroup/blue/1 app/shop/1', 'TargetResponseTime p90 targetgroup/blue/1 app/shop/1',
      'RequestCount Sum targetgroup/green/2 app/shop/1', 'HTTPCode_Target_5XX_Count Sum targetgroup/green/2 app/shop/1', 'TargetResponseTime p90 targetgroup/green/2 app/shop/1',
    ]);
  });

  it('have no latency where no entry says which percentile counts', () => {
    const elsewhere: Metrics = [{ kind: 'api-gateway', apiId: 'a1b2', stage: 'prod' }];
    expect(dimensionsOf(planned({ fn: alias }, {}, elsewhere)).filter((one) => one.startsWith('Duration'))).toEqual([]);
    expect(dimensionsOf(planned({ fn: alias }, {}, elsewhere))).toHaveLength(6);
  });

  it.each<[string, ServiceInput['targets'], Partial<Shifting>]>([
    ['once the release is finished', { fn: alias }, { status: 'finished' }],
    ['half a day after it began', { fn: alias }, { startedAt: minute(end - 721) }],
    ['when nobody said which version was before', { fn: alias }, { previousVersion: null }],
    ['when the versions are not the function\'s', { fn: alias }, { id: 'r-2', origin: 'event', version: '2.0.0', previousVersion: '1.9.0' }],
    ['when a pipeline\'s release could be of either alias', { fn: alias, other: { ...alias, alias: 'batch' } }, { id: 'r-2', origin: 'event' }],
    ['when CodeDeploy deploys something else', { fn: alias }, { id: 'd-1', origin: 'codedeploy' }],
    ['behind a network load balancer, which counts no requests', { web: { ...web, listenerArn: `${elb}listener/net/shop/1/2` } }, { id: 'r-2', origin: 'event' }],
  ])('are none %s', (_, targets, over) => expect(planned(targets, over)).toBeUndefined());

  it('are those of an alias that is watched without being a target: its release names it', () => {
    expect(dimensionsOf(planned({ web }))).toHaveLength(9);
  });

  it.each<[string, Partial<Shifting>, number]>([
    ['of the code', { touched: ['code', 'database'] }, 1], ['that says nothing', { touched: [] }, 1], ['of the configuration', { touched: ['configuration'] }, 0],
    ['that CodeDeploy makes', { id: 'd-1', origin: 'codedeploy' }, 0], ['of ECS', { origin: 'ecs' }, 0],
  ])('are those of target groups only for a release that goes by them: one %s', (_, over, pairs) => {
    expect(planned({ web }, { id: 'r-2', origin: 'event', ...over })?.pairs ?? []).toHaveLength(pairs);
  });

  const other = (from: number, until: number | null, version = '5') => ({ releases: [{ id: 'r-1', version, startedAt: minute(from), finishedAt: until === null ? null : minute(until) }], rollbacks: [] });
  it.each<[string, ShiftPast, boolean]>([
    ['another release began 16 minutes before', other(-16, null), false],
    ['another one ended 5 minutes before', other(-90, -5), false],
    ['a newer one began since', other(3, null), false],
    ['a rollback ended 10 minutes before', { releases: [], rollbacks: [{ startedAt: minute(-30), endedAt: minute(-10) }] }, false],
    ['another release was over half an hour before', other(-90, -30), true],
    ['a rollback takes back this one', { releases: [], rollbacks: [{ startedAt: minute(5), endedAt: null }] }, true],
    ['the same version is on record twice', other(-2, null, '7'), true],
  ])('when %s', (_, past, isPlanned) => expect(planned({ fn: alias }, {}, ofAlias, past) !== undefined).toBe(isPlanned));

  it('are of each of three groups or more', () => {
    const three = { web: { ...web, targetGroups: { ...web.targetGroups, red: `${elb}targetgroup/red/3` } } };
    expect(dimensionsOf(planned(three, { id: 'r-2', origin: 'event' }))).toEqual(['blue/1', 'green/2', 'red/3'].flatMap((group) => ['RequestCount', 'HTTPCode_Target_5XX_Count'].map((name) => `${name} Sum targetgroup/${group} app/shop/1`)));
  });

  it('are so few that a reading stays one page: 20 series beside the 50 that can be declared', () => {
    const targets = (names: readonly string[], groups: number) => Object.fromEntries(names.map((name) => [name, { ...web, targetGroups: Object.fromEntries(Array.from({ length: groups }, (_, index) => [`g${index}`, `${elb}targetgroup/${name}${index}/1`])) }]));
    const percentile: Metrics = [{ kind: 'alb-target-group', loadBalancer: `${elb}loadbalancer/app/shop/1`, percentile: 'p90' }];
    const pairs = (names: readonly string[], groups: number) => planned(targets(names, groups), { origin: 'event' }, percentile)?.pairs.length;
    expect([pairs(['a', 'b', 'c', 'd'], 2), pairs(['a', 'b'], 3), pairs(['a', 'b'], 4), pairs(['a'], 5)]).toEqual([3, 2, 1, 1]);
    expect(dimensionsOf(planned({ fn: alias, ...targets(['a', 'b'], 2) }, { origin: 'event' }, [...ofAlias, ...percentile]))).toHaveLength(9 + 6);
  });
});
