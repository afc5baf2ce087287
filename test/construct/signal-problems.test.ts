// Mistakes in metrics and objectives are told at synth, with their path.
import { describe, expect, test } from 'vitest';
import { serviceSchema } from '../../lambdas/config/schema.ts';
import { parseConfig } from '../../lib/load-config.ts';
import { signalProblems } from '../../lib/signal-problems.ts';
import { minimalYaml } from './config-samples.ts';

const service = serviceSchema.parse(parseConfig(minimalYaml, 'services.yaml').services['checkout']);
const told = (signals: object): string[] => {
  const given = { ...service, verification: { none: 'nothing can be asked' }, signals: { ...service.signals, ...signals } };
  return signalProblems(serviceSchema.parse(given)).map(({ path, message }) => `${path.map(String).join('.')}: ${message}`);
};
const all = { namespace: 'Shop', name: 'Requests' };
const expressed = (expression: string, metrics: object = { all }) => told({ metrics: [{ kind: 'own', metrics, requests: { expression }, errors: { expression: 'all' } }] });

describe('an expression', () => {
  test.each([
    ['all + nobody', 'names nobody'], ['SEARCH(all)', 'names SEARCH'], ['METRICS()', 'names METRICS'], ['all +', 'ends too early'], ['all all', 'where an operator is needed'], ['(all', 'does not close'],
    ['all)', 'closes )'], ['SUM(all)', 'needs a list in SUM'], ['FILL(all, 0)', 'must not use FILL'], ['1 + 2', 'uses none of its'], ["'all'", 'is not metric math'], ['IF all', 'needs a parenthesis'],
    ['ABS(SUM([all])', 'does not close'], ['(all]', 'closes ]'],
  ])('%s is refused', (expression, why) => {
    expect(expressed(expression)).toEqual([expect.stringContaining(why)]);
    expect(expressed(expression)[0]).toContain('signals.metrics.0.requests.expression: ');
  });

  test.each(['all', '-all + 2 * (all - 1)', 'IF(all > 3 AND all < 9, SUM([all, ABS(all)]), MAX([all, all]))'])('%s is taken', (expression) => {
    expect(expressed(expression)).toEqual([]);
  });

  test('of errors may fill what is missing with zero', () => {
    expect(told({ metrics: [{ kind: 'own', metrics: { all, good: all }, requests: all, errors: { expression: 'all - FILL(good, 0)' } }] })).toEqual([]);
  });

  describe('of errors', () => {
    const [failed, lost] = ['Failed', 'Lost'].map((name) => ({ namespace: 'Shop', name }));
    const errors = (expression: string, requests: object = { expression: 'all' }) => told({ metrics: [{ kind: 'own', metrics: { all, failed, lost }, requests, errors: { expression } }] });
    const needs = (id: string) => [`signals.metrics.0.errors.expression: needs FILL(${id}, 0) in place of ${id}: in a minute without it the whole has no value, and would count as one without errors`];

    test.each([['failed + FILL(lost, 0)', 'failed'], ['failed + lost', 'failed'], ['FILL(failed, 0) + lost', 'lost'], ['FILL(failed + lost, 0)', 'failed'], ['all - failed', 'failed'], ['IF(all > 10, SUM([FILL(failed, 0), lost]))', 'lost'],
    ])('%s would hide errors in a minute without one of them', (expression, id) => {
      expect(errors(expression)).toEqual(needs(id));
    });

    test.each(['failed', '2 * failed', 'FILL(failed * 2, 0)', 'FILL(failed, 0) + FILL(lost, 0)', 'all - FILL(failed, 0)', 'IF(all > 10, FILL(failed, 0))'])('%s would not', (expression) => {
      expect(errors(expression)).toEqual([]);
      expect(errors(expression, { ...all, statistic: 'SampleCount' })).toEqual([]);
    });

    test('a metric of the requests has to be one that they cannot do without', () => {
      expect(errors('all - FILL(failed, 0)', { expression: 'all + failed' })).toEqual([]);
      expect([errors('all - FILL(failed, 0)', { expression: 'SUM([all, failed])' }), errors('all - FILL(failed, 0)', { ...all, dimensions: { Shop: 'one' } })]).toEqual([needs('all'), needs('all')]);
    });
  });

  test('has metrics with names that CloudWatch takes, and five at most', () => {
    expect(expressed('all', { all, Good: all })).toEqual([expect.stringContaining('metrics.Good: needs a name')]);
    expect(expressed('all', Object.fromEntries(['all', 'b', 'c', 'd', 'e', 'f'].map((id) => [id, all])))).toEqual([expect.stringContaining('has 6 metrics, more than 5')]);
  });
});

test('what a service calls stands among its controls, never among its own metrics', () => {
  const entry = { kind: 'own', name: 'payments', requests: all, errors: all, calls: true };
  expect(told({ metrics: [entry] })).toEqual([expect.stringMatching(/^signals\.metrics\.0\.calls: belongs to a control/)]);
  expect(told({ metrics: [{ ...entry, name: 'shop', calls: undefined }], controls: [{ ...entry, errors: { namespace: 'Payments', name: 'Failed' }, requests: { namespace: 'Payments', name: 'Requests' } }] })).toEqual([]);
});

describe('a control that is the service itself under another name', () => {
  const control = (own: object, other: object) => told({ metrics: [own], controls: [{ ...other, name: 'other' }] });
  const same = [expect.stringMatching(/^signals\.controls\.0: reads what "shop" of the service's own `metrics` reads/)];
  const shop = { kind: 'lambda', functionName: 'shop' };
  const own = { kind: 'own', name: 'shop', requests: all, errors: { namespace: 'Shop', name: 'Failed', dimensions: { Shop: 'one', Side: 'a' } } };

  test.each<[string, object, object]>([
    ['of a ready-made kind', shop, shop], ['with another percentile', shop, { ...shop, percentile: 'p50' }], ['as plain metrics', shop, { ...own, errors: { namespace: 'AWS/Lambda', name: 'Errors', dimensions: { FunctionName: 'shop' } } }],
    ['with the order of its dimensions changed', own, { ...own, requests: { namespace: 'Other', name: 'Requests' }, errors: { ...own.errors, dimensions: { Side: 'a', Shop: 'one' } } }],
    ['as an expression', own, { ...own, metrics: { every: all }, requests: { expression: 'every' }, errors: { namespace: 'Other', name: 'Failed' } }],
    ['as an expression with other names', { ...own, metrics: { all, m: own.errors }, requests: { expression: 'all + m' } }, { ...own, metrics: { x: all, y: own.errors }, requests: { expression: 'x+y' }, errors: { namespace: 'Other', name: 'Failed' } }],
  ])('%s is refused', (_how, metric, other) => {
    expect(control(metric, other)).toEqual(same);
  });

  test.each<[string, object, object]>([
    ['another function', shop, { kind: 'lambda', functionName: 'cart' }], ['another alias of it', { ...shop, name: 'shop', alias: 'live' }, { ...shop, alias: 'stable' }], ['its like in another Region', shop, { ...shop, region: 'us-east-1' }],
    ['other dimensions', own, { ...own, requests: { ...all, dimensions: { Shop: 'two' } }, errors: { ...own.errors, dimensions: { Shop: 'two', Side: 'a' } } }],
  ])('%s is taken', (_what, metric, other) => {
    expect(control(metric, other)).toEqual([]);
  });
});

describe('more independent signals than a service can have', () => {
  const counted = (over: object, signals: object = {}): string[] => {
    const given = serviceSchema.parse({ ...service, ...over, signals: { ...service.signals, minimum: 2, ...signals } });
    return signalProblems(given).map(({ path, message }) => `${path.map(String).join('.')}: ${message}`);
  };
  const journeys = { home: { requests: [{ name: 'home', url: 'https://example.com/' }] } };
  const lambda = { kind: 'lambda', functionName: 'shop' };
  const codeDeploy = { app: { strategy: 'codedeploy', platform: 'Lambda', application: 'a', deploymentGroup: 'b', functionName: 'f', alias: 'live', good: 'last-known-good' } };
  const ecs = { app: { strategy: 'ecs-service', cluster: 'prod', service: 'shop', good: 'last-known-good' } };
  const refused = ([minimum, count]: readonly number[]) => [expect.stringContaining(`signals.minimum: asks for ${minimum} independent signals, and the service can have only ${count} (`)];

  test.each<[string, object, object, readonly number[]]>([
    ['one alarm', {}, {}, [2, 1]], ['two alarms of one group', {}, { alarms: [{ name: 'a', group: 'errors' }, { name: 'b', group: 'errors' }] }, [2, 1]],
    ['an alarm named as the alarms of its promise are', {}, { alarms: [{ name: 'a', group: 'errors' }], metrics: [lambda], slo: { availability: 99.9 }, minimum: 3 }, [3, 2]],
    ['everything, and five asked for', { journeys }, { metrics: [lambda], minimum: 5 }, [5, 3]],
  ])('%s is refused', (_what, over, signals, counts) => {
    expect(counted(over, signals)).toEqual(refused(counts));
  });

  test.each<[string, object, object]>([
    ['two alarms', {}, { alarms: [{ name: 'a' }, { name: 'b' }] }], ['an alarm and journeys', { journeys }, {}], ['an alarm and metrics', {}, { metrics: [lambda] }], ['an alarm and another tool', {}, { external: ['pager'] }],
    ['a promise of both kinds', {}, { alarms: [], metrics: [lambda], slo: { availability: 99.9, latency: { p99Ms: 800 } }, minimum: 3 }], ['one where one is enough', {}, { minimum: 1 }],
    ['an alarm and deployments of CodeDeploy', { targets: codeDeploy }, {}], ['an alarm and deployments of ECS', { targets: ecs }, {}],
  ])('%s can be enough', (_what, over, signals) => {
    expect(counted(over, signals)).toEqual([]);
  });
});

describe('the Region of a control', () => {
  const arn = (region: string, end: string) => `arn:aws:elasticloadbalancing:${region}:111122223333:${end}`;
  const metrics = [{ kind: 'alb-target-group', loadBalancer: arn('eu-west-1', 'loadbalancer/app/shop/1') }];
  const compared = (over: object) => told({ metrics, controls: [{ kind: 'alb-target-group', loadBalancer: arn('us-east-1', 'loadbalancer/app/front/2'), ...over }] });

  test('may be another one, of every kind', () => {
    const kinds = [{ kind: 'lambda', functionName: 'shop' }, { kind: 'api-gateway', apiName: 'shop-api', stage: 'prod' }, { kind: 'own', requests: all, errors: all }, { kind: 'ecs-service', cluster: 'prod', service: 'tasks', loadBalancer: 'app/edge/1' }];
    expect(told({ metrics, controls: kinds.map((one) => ({ ...one, region: 'us-east-1' })) })).toEqual([]);
    expect(compared({ region: 'us-east-1' })).toEqual([]);
    expect(told({ metrics: [{ kind: 'lambda', functionName: 'shop' }], controls: [{ kind: 'lambda', functionName: 'shop', region: 'eu-west-1' }] })).toEqual([]);
  });

  test('is not that of the service\'s own metrics', () => {
    expect(told({ metrics: [{ kind: 'lambda', functionName: 'shop', region: 'us-east-1' }] })).toEqual([expect.stringMatching(/^signals\.metrics\.0\.region: belongs to a control: .*run an engine in that one too$/)]);
  });

  test('is one that AWS has', () => {
    expect(told({ metrics, controls: [{ kind: 'lambda', functionName: 'mail', region: 'us-esat-1' }] })).toEqual([expect.stringMatching(/^signals\.controls\.0\.region: names "us-esat-1", which is no AWS Region .* did you mean "us-east-1"\?$/)]);
  });

  test('fits the ARN of its load balancer and of its target group', () => {
    expect(compared({ region: 'us-west-2' })).toEqual([expect.stringMatching(/^signals\.controls\.0\.loadBalancer: is an ARN of us-east-1, and `region` says us-west-2; say `region: us-east-1`/)]);
    expect(compared({ loadBalancer: 'app/front/2', region: 'us-east-1', targetGroup: arn('eu-west-1', 'targetgroup/blue/3') })).toEqual([expect.stringMatching(/^signals\.controls\.0\.targetGroup: is an ARN of eu-west-1/)]);
    expect(compared({})).toEqual([expect.stringMatching(/is an ARN of us-east-1, and the service is in eu-west-1; say `region: us-east-1`, or name the one of eu-west-1$/)]);
    expect(compared({ loadBalancer: arn('eu-west-1', 'loadbalancer/app/edge/2') })).toEqual([]);
    expect(told({ metrics, controls: [{ kind: 'ecs-service', cluster: 'prod', service: 'tasks', loadBalancer: arn('us-east-1', 'loadbalancer/app/edge/1') }] })).toHaveLength(1);
  });
});

describe('an objective', () => {
  const metrics = [{ kind: 'lambda', functionName: 'shop' }];
  test.each<[string, object, string]>([
    ['that promises nothing', { metrics, slo: {} }, 'signals.slo: needs `availability`'],
    ['without metrics', { slo: { availability: 99.9 } }, 'signals.slo: needs `metrics`'],
    ['of availability where nothing counts errors', { metrics: [{ kind: 'own', requests: all, latency: all }], slo: { availability: 99.9 } }, 'none of the `metrics` has `errors`'],
    ['of latency where nothing measures it', { metrics: [{ kind: 'own', requests: all, errors: all }], slo: { latency: { p99Ms: 800 } } }, 'none of the `metrics` has a plain one'],
  ])('%s is refused', (_what, signals, why) => {
    expect(told(signals)).toEqual([expect.stringContaining(why)]);
  });

  test('needs no alarm beside it', () => {
    expect(told({ alarms: [], metrics, slo: { availability: 99.9, latency: { p99Ms: 800 } } })).toEqual([]);
  });

  test('is told with its line', () => {
    const yaml = minimalYaml.replace('      traffic:', '      slo: { availability: 99.9 }\n      traffic:');
    expect(() => parseConfig(yaml, 'services.yaml')).toThrow('services.yaml:14 services.checkout.signals.slo: needs `metrics` beside it');
  });
});
