// The alarms that are made of an objective: their windows, floors and thresholds, as CloudFormation gets them.
import { aws_ec2 as ec2, aws_elasticloadbalancingv2 as elbv2, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { metricEntry, objective } from '../../lambdas/config/metric-entries.ts';
import { ServiceAlarms } from '../../lib/service-alarms.ts';
import { minimalYaml } from './config-samples.ts';
import { quietApp, templateOf } from './stack-samples.ts';

interface Alarm {
  readonly AlarmName: string;
  readonly Threshold: number;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm: number;
  readonly TreatMissingData: string;
  readonly EvaluateLowSampleCountPercentile: string;
  readonly Metrics: readonly { readonly Id: string; readonly Expression?: string; readonly MetricStat?: { readonly Period: number; readonly Stat: string; readonly Metric: { readonly MetricName: string; readonly Dimensions: readonly { readonly Value: unknown }[] } } }[];
}

const lambda = { kind: 'lambda', functionName: 'shop', alias: 'live' };

function made(promised: object, entries: readonly object[] = [lambda], stack = new Stack(quietApp())) {
  const alarms = new ServiceAlarms(stack, 'Alarms', { prefix: 'ripcord-checkout', objective: objective.parse(promised), metrics: entries.map((entry) => metricEntry.parse(entry)) });
  const template = Template.fromStack(stack);
  const properties = (type: string) => Object.values(template.findResources(type) as Record<string, { Properties: unknown }>).map(({ Properties }) => Properties);
  const all = properties('AWS::CloudWatch::Alarm') as Alarm[];
  const named = (id: string): Alarm => all.find(({ AlarmName }) => AlarmName === `ripcord-checkout-${id}`) ?? (() => { throw new Error(`no alarm ${id} among ${all.map(({ AlarmName }) => AlarmName).join(', ')}`); })();
  return { signals: alarms.signals, all, named, composites: properties('AWS::CloudWatch::CompositeAlarm') as { AlarmName: string; AlarmRule: string }[] };
}

const period = ({ Metrics }: Alarm): readonly number[] => [...new Set(Metrics.flatMap(({ MetricStat }) => MetricStat?.Period ?? []))];
const watched = ({ Metrics }: Alarm): string => Metrics[0]?.Expression ?? '';

describe('availability', () => {
  const { named, composites, signals, all } = made({ availability: 99.9 });

  test('is watched at 14.4 times the budget over an hour and five minutes, and at six times over six hours and thirty', () => {
    expect(['burn-1h', 'burn-5m', 'burn-6h', 'burn-30m', 'burn-now'].map((id) => [named(id).Threshold, ...period(named(id))])).toEqual([[1.44, 3600], [1.44, 300], [0.6, 21_600], [0.6, 1800], [0.6, 300]]);
    expect(all.map((alarm) => alarm.EvaluationPeriods * (period(alarm)[0] ?? 0)).every((seconds) => seconds <= 86_400)).toBe(true);
  });

  test('fires when the long window and the short ones agree', () => {
    expect(Object.fromEntries(composites.map(({ AlarmName, AlarmRule }) => [AlarmName, AlarmRule]))).toEqual({
      'ripcord-checkout-burn-fast': 'ALARM("ripcord-checkout-burn-1h") AND ALARM("ripcord-checkout-burn-5m")',
      'ripcord-checkout-burn-slow': 'ALARM("ripcord-checkout-burn-6h") AND ALARM("ripcord-checkout-burn-30m") AND ALARM("ripcord-checkout-burn-now")',
    });
  });

  test('is proven by ten errors in the long window; below the floor of requests there is no datapoint', () => {
    expect(watched(named('burn-1h'))).toBe('IF(requests >= 100, IF(FILL(errors, 0) >= 10, 100 * FILL(errors, 0) / requests, 0))');
    expect(watched(named('burn-5m'))).toBe('IF(requests >= 100, 100 * FILL(errors, 0) / requests)');
    expect(watched(made({ availability: 99.9, minimumRequests: 1000 }).named('error-share'))).toContain('IF(requests >= 200, IF(FILL(errors, 0) >= 4,');
  });

  test('has an alarm on the share of errors: three of five minutes, and never below what the fast burn allows', () => {
    expect(named('error-share')).toMatchObject({ Threshold: 5, EvaluationPeriods: 5, DatapointsToAlarm: 3, TreatMissingData: 'missing', EvaluateLowSampleCountPercentile: 'ignore' });
    expect(made({ availability: 99 }).named('error-share').Threshold).toBe(14.4);
  });

  test('counts once: what measures errors is one group, and the windows of a burn are no signals', () => {
    expect(signals).toEqual(['error-share', 'burn-fast', 'burn-slow'].map((id) => ({ name: `ripcord-checkout-${id}`, group: 'errors' })));
  });
});

describe('latency', () => {
  test('is watched at the percentile that was promised, with the requests that it needs', () => {
    const { named, signals } = made({ latency: { p99Ms: 800, p90Ms: 300 } });
    expect(watched(named('latency-p99'))).toBe('IF(requests >= 1000, slow)');
    expect(watched(named('latency-p90'))).toBe('IF(requests >= 100, slow)');
    expect(named('latency-p90')).toMatchObject({ Threshold: 300, EvaluationPeriods: 5, DatapointsToAlarm: 3 });
    expect(named('latency-p90').Metrics.map(({ MetricStat }) => MetricStat?.Stat)).toEqual([undefined, 'Sum', 'p90']);
    expect(signals.map(({ group }) => group)).toEqual(['latency', 'latency']);
  });

  test('is in the unit of the metric', () => {
    expect(made({ latency: { p99Ms: 800 } }, [{ kind: 'alb-target-group', loadBalancer: 'app/shop/1' }]).named('latency-p99').Threshold).toBe(0.8);
  });
});

describe('what it is made of', () => {
  test('adds up where a kind has several metrics, and missing errors are none', () => {
    const { named } = made({ availability: 99.9 }, [{ kind: 'alb-target-group', loadBalancer: 'app/shop/1' }]);
    expect(watched(named('burn-5m'))).toBe('IF((FILL(requests0, 0) + FILL(requests1, 0)) >= 100, 100 * (FILL(errors0, 0) + FILL(errors1, 0)) / (FILL(requests0, 0) + FILL(requests1, 0)))');
    expect(named('burn-5m').Metrics.flatMap(({ MetricStat }) => MetricStat?.Metric.MetricName ?? [])).toEqual(['RequestCount', 'HTTPCode_ELB_503_Count', 'HTTPCode_Target_5XX_Count', 'HTTPCode_ELB_5XX_Count']);
  });

  test('may be computed; the names of its parts stay apart', () => {
    const count = (name: string) => ({ namespace: 'Shop', name });
    const { named } = made({ availability: 99.9 }, [{ kind: 'own', metrics: { all: count('All'), good: count('Good') }, requests: { expression: 'all' }, errors: { expression: 'all - good' } }]);
    expect(named('burn-5m').Metrics.map(({ Id, Expression, MetricStat }) => `${Id} ${Expression ?? MetricStat?.Metric.MetricName ?? ''}`).slice(1)).toEqual([
      'requests requests_all', 'requests_all All', 'errors errors_all - errors_good', 'errors_all All', 'errors_good Good',
    ]);
  });

  test('of each of several entries', () => {
    const { signals } = made({ availability: 99.9 }, [lambda, { ...lambda, functionName: 'other' }]);
    expect(signals.map(({ name }) => name)).toContain('ripcord-checkout-burn-fast-2');
  });

  test('takes a token for what it refers to', () => {
    const stack = new Stack(quietApp(), 'Shop');
    const vpc = ec2.Vpc.fromVpcAttributes(stack, 'Vpc', { vpcId: 'vpc-0123456789abcdef0', availabilityZones: ['a', 'b'], publicSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'] });
    const balancer = new elbv2.ApplicationLoadBalancer(stack, 'Balancer', { vpc });
    const group = new elbv2.ApplicationTargetGroup(stack, 'Group', { vpc, port: 80, targetType: elbv2.TargetType.IP });
    const { named } = made({ availability: 99.9 }, [{ kind: 'alb-target-group', loadBalancer: balancer.loadBalancerFullName, targetGroup: group.targetGroupArn }], stack);
    const dimensions = named('burn-1h').Metrics[1]?.MetricStat?.Metric.Dimensions.map(({ Value }) => Value);
    expect(dimensions).toEqual([
      { 'Fn::Join': ['', ['targetgroup/', { 'Fn::Select': [1, { 'Fn::Split': [':targetgroup/', { Ref: expect.stringContaining('Group') as string }] }] }]] },
      { 'Fn::GetAtt': [expect.stringContaining('Balancer') as string, 'LoadBalancerFullName'] },
    ]);
  });
});

test('a service with two lines has them as signals, in its rule and in its catalogue entry, which names no objective', () => {
  const yaml = minimalYaml.replace('      alarms:\n        - name: checkout-5xx\n', '      metrics: [{ kind: lambda, functionName: shop }]\n      slo: { availability: 99.9, latency: { p90Ms: 500 } }\n');
  const template = templateOf(yaml);
  const [entry] = Object.values(template.findResources('AWS::SSM::Parameter', { Properties: { Name: '/ripcord/services/checkout' } }));
  const { service } = JSON.parse(String((entry as { Properties: { Value: unknown } }).Properties.Value)) as { service: { signals: { alarms: { name: string; group?: string }[]; slo?: unknown } } };
  expect(service.signals.alarms.map(({ group }) => group)).toEqual(['errors', 'errors', 'errors', 'latency']);
  expect(service.signals).not.toHaveProperty('slo');
  const names = service.signals.alarms.map(({ name }) => name);
  template.hasResourceProperties('AWS::Events::Rule', { EventPattern: { source: ['aws.cloudwatch'], detail: { alarmName: names } } });
  template.hasResourceProperties('AWS::CloudWatch::CompositeAlarm', { AlarmName: names[1] });
  expect(() => templateOf(yaml.replace('      slo:', '      alarms: [{ name: ripcord-checkout-burn-fast }]\n      slo:'))).toThrow('is made by `signals.slo`; leave it out');
});
