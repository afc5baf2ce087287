// One thing is put back by one target: whoever names it a second time is told who has it.
import { Stack } from 'aws-cdk-lib';
import { expect, test } from 'vitest';
import type { ServiceConfig } from '../../lambdas/config/schema.ts';
import { RollbackEngine } from '../../lib/index.ts';
import { parseConfig } from '../../lib/load-config.ts';
import { ownerProblems } from '../../lib/one-owner.ts';
import { minimalYaml } from './config-samples.ts';
import { quietApp } from './stack-samples.ts';

const second = minimalYaml.replace('services:\n', '').replace('  checkout:', '  cart:');
const ruleOf = (text: string, rule: string): string => text.replace('        targetGroups:', `        ruleArn: arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/shop/1/2/${rule}\n        targetGroups:`);

test('a second service on the same default action is refused, with its line', () => {
  expect(() => parseConfig(minimalYaml + second, 'services.yaml')).toThrow(
    /^services\.yaml:\d+ services\.cart\.targets\.web: changes the default action of listener arn:\S+, as services\.checkout\.targets\.web does: two rollbacks would undo each other; leave it to one of them$/,
  );
});

test('rules of their own on one listener are two things, one rule is not', () => {
  expect(Object.keys(parseConfig(minimalYaml + ruleOf(second, 'a'), 'services.yaml').services)).toEqual(['checkout', 'cart']);
  expect(() => parseConfig(ruleOf(minimalYaml, 'a') + ruleOf(second, 'a'), 'services.yaml')).toThrow(/services\.cart\.targets\.web: changes the rule arn:/);
});

test('services that are attached one by one are held to the same', () => {
  const engine = new RollbackEngine(new Stack(quietApp(), 'Shop'), 'Engine');
  const { services } = parseConfig(minimalYaml, 'services.yaml');
  engine.attach('checkout', services['checkout'] as ServiceConfig);
  expect(() => engine.attach('cart', services['checkout'] as ServiceConfig)).toThrow(/^services\.cart\.targets\.web changes the default action of listener/);
});

const target = (fields: Record<string, unknown>) => ({ good: 'last-known-good', ...fields }) as unknown as ServiceConfig['targets'][string];

test.each([
  ['an ECS service that CodeDeploy deploys', { strategy: 'codedeploy', platform: 'ECS', application: 'a', deploymentGroup: 'g', cluster: 'c', service: 's' }, { strategy: 'ecs-service', cluster: 'c', service: 's' }, 'the ECS service c/s'],
  ['an alias that CodeDeploy shifts', { strategy: 'codedeploy', platform: 'Lambda', application: 'a', deploymentGroup: 'g', functionName: 'f', alias: 'live' }, { strategy: 'lambda-alias', functionName: 'f', alias: 'live' }, 'the alias f:live'],
  ['a deployment group', { strategy: 'codedeploy', platform: 'Server', application: 'a', deploymentGroup: 'g' }, { strategy: 'codedeploy', platform: 'Server', application: 'a', deploymentGroup: 'g' }, 'the deployment group a/g'],
  ['records, however their name is written', { strategy: 'route53-weights', hostedZoneId: 'Z1', recordName: 'Shop.Example.com.', recordType: 'A' }, { strategy: 'route53-weights', hostedZoneId: 'Z1', recordName: 'shop.example.com', recordType: 'A' }, 'the A records shop.example.com in hosted zone Z1'],
  ['a parameter, by name and by ARN', { strategy: 'ssm-parameter', parameter: '/shop/flag' }, { strategy: 'ssm-parameter', parameter: 'arn:aws:ssm:eu-west-1:111122223333:parameter/shop/flag' }, 'the parameter shop/flag'],
])('%s has one owner, within a service too', (_, one, other, named) => {
  const [problem, ...rest] = ownerProblems([['shop', { targets: { first: target(one), next: target(other) } }]]);
  expect(rest).toEqual([]);
  expect(problem?.path).toEqual(['services', 'shop', 'targets', 'next']);
  expect(problem?.message).toContain(`changes ${named}, as services.shop.targets.first does`);
  expect(ownerProblems([['shop', { targets: { first: target(one) } }], ['cart', { targets: { other: target({ ...other, cluster: 'd', alias: 'next', deploymentGroup: 'h', recordType: 'AAAA', parameter: '/other' }) } }]])).toEqual([]);
});
