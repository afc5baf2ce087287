// What synth writes into an entry about the services around it.
import { aws_cloudwatch as cloudwatch, Lazy, Stack } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import type { CatalogueEntry, ServiceConfig } from '../../lambdas/config/schema.ts';
import { groupsOf, neighboursOf } from '../../lib/neighbours.ts';
import { minimalYaml } from './config-samples.ts';
import { quietApp, templateOf } from './stack-samples.ts';
import { parseConfig } from '../../lib/load-config.ts';

/** `checkout` as it is, and beside it the same service under other names, on rules of their own, with these dependencies. */
const yaml = (dependencies: Readonly<Record<string, string>>): string => {
  const [head = '', body = ''] = minimalYaml.split('  checkout:\n');
  const ruled = (name: string): string => body.replace('        targetGroups:', `        ruleArn: arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/shop/1/2/${name}\n        targetGroups:`);
  return `${head}${Object.entries(dependencies).map(([name, list]) => `  ${name}:\n    dependencies: ${list}\n${ruled(name)}${body.endsWith('\n') ? '' : '\n'}`).join('')}`;
};
const chain = { checkout: '[cart]', cart: '[{ service: payments, critical: false }]', payments: '[]', search: '[payments]' };
const servicesOf = (dependencies: Readonly<Record<string, string>>): ReadonlyMap<string, ServiceConfig> => new Map(Object.entries(parseConfig(yaml(dependencies), 'services.yaml').services));
const around = (name: string, dependencies: Readonly<Record<string, string>>) => neighboursOf(name, servicesOf(dependencies)).map(({ service, relation, distance, critical }) => `${relation} ${service} ${distance}${critical ? '' : ' not critical'}`);

describe('the groups of services that dependencies join', () => {
  const groups = (dependencies: Readonly<Record<string, string>>) => Object.fromEntries(groupsOf(servicesOf(dependencies)));

  test('reach over any number of steps, and through what two of them depend on', () => {
    expect(groups({ ...chain, mail: '[]' })).toEqual({ checkout: 'cart', cart: 'cart', payments: 'cart', search: 'cart', mail: 'mail' });
    expect(groups({ b: '[c]', a: '[]', c: '[]' })).toEqual({ a: 'a', b: 'b', c: 'b' });
  });

  test('are not cut: the fifteenth caller is in it, of whom the entry says nothing', () => {
    const callers = Array.from({ length: 15 }, (_, index) => `svc${String(index + 1).padStart(2, '0')}`);
    const dependencies = { db: '[]', ...Object.fromEntries(callers.map((name) => [name, '[db]'])) };
    expect(around('db', dependencies)).not.toContainEqual(expect.stringContaining('svc15'));
    expect(groups(dependencies)).toEqual(Object.fromEntries(['db', ...callers].map((name) => [name, 'db'])));
  });

  test('do not depend on the order in which services are attached', () => {
    const turned = Object.fromEntries(Object.entries(chain).toReversed());
    expect(groups(turned)).toEqual(groups(chain));
  });
});

describe('the services around one', () => {
  test('are found over several steps, and one that can be done without makes all behind it so', () => {
    expect(around('checkout', chain)).toEqual(['dependency cart 1', 'dependency payments 2 not critical']);
    expect(around('payments', chain)).toEqual(['dependent cart 1 not critical', 'dependent search 1', 'dependent checkout 2 not critical']);
  });

  test('are dependencies of each other in a circle, and the search for them ends', () => {
    const circle = { checkout: '[cart]', cart: '[payments]', payments: '[checkout]' };
    expect(around('checkout', circle)).toEqual(['dependency cart 1', 'dependency payments 2']);
  });

  test('come with who else depends on them, and with their alarms', () => {
    const [payments] = neighboursOf('search', servicesOf(chain));
    expect(payments?.sharedWith).toEqual(['cart']);
    expect(payments?.alarms).toEqual(servicesOf(chain).get('payments')?.signals.alarms.map(({ name }) => name).slice(0, 3));
    expect(payments?.alarms.length).toBeGreaterThan(0);
  });

  test('of a dependent leave out an alarm whose name only another stack knows', () => {
    const stack = new Stack(quietApp(), 'Other');
    const alarm = new cloudwatch.Metric({ namespace: 'Shop', metricName: 'Errors' }).createAlarm(stack, 'Errors', { threshold: 1, evaluationPeriods: 1 });
    const services = new Map(servicesOf(chain));
    const cart = services.get('cart') as ServiceConfig;
    services.set('cart', { ...cart, signals: { ...cart.signals, alarms: [{ name: alarm.alarmName }, { name: 'plain' }, { name: Lazy.string({ produce: () => 'late' }) }] } });
    const [dependent] = neighboursOf('payments', services);
    expect(dependent).toMatchObject({ service: 'cart', alarms: ['plain'] });
    expect(neighboursOf('checkout', services)[0]?.alarms).toHaveLength(3);
  });

  test('are read by one alarm of each group before a second of any, and say where others are left out', () => {
    const services = new Map(servicesOf({ ...chain, checkout: '[payments]' }));
    const payments = services.get('payments') as ServiceConfig;
    const made = ['error-share', 'burn-fast', 'burn-slow'].map((name) => ({ name, group: 'errors' }));
    const read = (alarms: ServiceConfig['signals']['alarms'], name: string, of = services) => {
      of.set('payments', { ...payments, signals: { ...payments.signals, alarms } });
      return neighboursOf(name, of).find(({ service }) => service === 'payments');
    };
    const alarms = [{ name: 'queue' }, ...made, { name: 'latency-p99', group: 'latency' }, { name: 'latency-p50', group: 'latency' }];
    const whole = read(alarms, 'checkout');
    expect(whole).toMatchObject({ alarms: ['queue', 'error-share', 'latency-p99', 'burn-fast', 'latency-p50', 'burn-slow'] });
    expect(whole).not.toHaveProperty('hasMoreAlarms');
    expect(read([...alarms, ...Array.from({ length: 5 }, (_, index) => ({ name: `own-${index}` }))], 'checkout')).toMatchObject({ alarms: expect.arrayContaining(['queue', 'error-share', 'latency-p99', 'own-4']) as string[], hasMoreAlarms: true });
    // Ten of them share out 30: three each.
    const ten = Array.from({ length: 9 }, (_, index) => `svc-${index}`);
    const many = new Map(servicesOf({ hub: `[${[...ten, 'payments'].join(', ')}]`, payments: '[]', ...Object.fromEntries(ten.map((name) => [name, '[]'])) }));
    expect(read(alarms, 'hub', many)).toMatchObject({ alarms: ['queue', 'error-share', 'latency-p99'], hasMoreAlarms: true });
  });

  test('are no more than ten each way, the nearest', () => {
    const many = Object.fromEntries([['checkout', '[]'], ...Array.from({ length: 14 }, (_, index) => [`caller-${index}`, '[checkout]'])]) as Record<string, string>;
    expect(around('checkout', many)).toHaveLength(10);
  });

  test('stand in the entry, also of a service that is attached before those that depend on it', () => {
    const parameters = templateOf(yaml({ payments: '[]', checkout: '[payments]' })).findResources('AWS::SSM::Parameter') as Record<string, { Properties: { Name: string; Value: string } }>;
    const entryOf = (name: string): CatalogueEntry => {
      const { Value } = Object.values(parameters).find(({ Properties }) => Properties.Name.endsWith(`/${name}`))?.Properties ?? { Value: '' };
      return JSON.parse(Value) as CatalogueEntry;
    };
    expect([entryOf('checkout').group, entryOf('payments').group]).toEqual([undefined, 'checkout']);
    expect(entryOf('payments').around).toMatchObject([{ service: 'checkout', relation: 'dependent' }]);
    expect(entryOf('checkout').around).toMatchObject([{ service: 'payments', relation: 'dependency', critical: true }]);
  });

  test.each([
    ['itself', { checkout: '[checkout]' }, 'names the service itself'],
    ['nobody', { checkout: '[paymens]', payments: '[]' }, 'names "paymens", which is not one of checkout, payments'],
  ])('cannot be %s', (_name, dependencies, problem) => {
    expect(() => servicesOf(dependencies)).toThrow(new RegExp(`^services.yaml:\\d+ services.checkout.dependencies.0: ${problem}$`));
  });

  test('have to be attached to the same engine', () => {
    const services = new Map(servicesOf(chain));
    services.delete('payments');
    expect(() => neighboursOf('cart', services)).toThrow('service "cart" dependencies: names "payments", which is not attached to the same engine');
  });
});

test('an alarm that watches one side names a side that a target has', () => {
  const sided = minimalYaml.replace(/- (?:\{ )?name: ([a-z0-9-]+)(?: \})?/, '- { name: $1, side: purple }');
  expect(sided).not.toBe(minimalYaml);
  expect(() => parseConfig(sided, 'services.yaml')).toThrow(/signals.alarms.0.side: names side "purple", which no target has; known: blue, green/);
});
