// A stack that AWS would refuse is refused at synth, with the mend.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App, aws_events as events, CfnResource, Stack } from 'aws-cdk-lib';
import { expect, test } from 'vitest';
import { buildApp, RipcordStack } from '../../lib/app.ts';
import { loadConfig } from '../../lib/load-config.ts';
import { limitProblems } from '../../lib/stack-limits.ts';

function stackWith({ resources = 0, rules = 0 }: { readonly resources?: number; readonly rules?: number }, context: Record<string, unknown> = {}): Stack {
  const stack = new Stack(new App({ context, analyticsReporting: false }), 'Full');
  for (let index = 0; index < resources; index += 1) new CfnResource(stack, `R${index}`, { type: 'AWS::SSM::Parameter' });
  for (let index = 0; index < rules; index += 1) new events.CfnRule(stack, `E${index}`, { scheduleExpression: 'rate(1 day)' });
  return stack;
}

test('500 resources and 300 rules pass', () => {
  expect(limitProblems(stackWith({ resources: 200, rules: 300 }))).toEqual([]);
});

test('one resource more is refused, with the way to split', () => {
  expect(limitProblems(stackWith({ resources: 501 }))).toEqual([expect.stringMatching(/^501 resources are more than the 500 that CloudFormation takes in one stack\. Split services\.yaml .*engine\.name.*-c config=<file>`\.$/) as string]);
});

test('one rule more is refused, until the account was granted more', () => {
  expect(limitProblems(stackWith({ rules: 301 }))).toEqual([expect.stringMatching(/^301 rules are more than the 300 .*`-c rulesPerBus=<granted>`\.$/) as string]);
  expect(limitProblems(stackWith({ rules: 301 }, { rulesPerBus: '400' }))).toEqual([]);
  expect(() => limitProblems(stackWith({}, { rulesPerBus: 'many' }))).toThrow(/rulesPerBus must be a whole number/);
});

test('a bus of somebody\'s own does not count', () => {
  const stack = stackWith({ rules: 300 });
  new events.CfnRule(stack, 'Elsewhere', { scheduleExpression: 'rate(1 day)', eventBusName: 'own' });
  expect(limitProblems(stack)).toEqual([]);
});

test('synth itself refuses, in these words', () => {
  const app = buildApp('services.yaml', { outdir: mkdtempSync(path.join(tmpdir(), 'ripcord-limits-')), builtinCloudFormationValidation: false, context: { '@aws-cdk/core:stackResourceLimit': 100 } });
  expect(() => app.synth()).toThrow(/resources are more than the 100 that CloudFormation takes in one stack\. Split services\.yaml/);
});

test('engines of two names are two stacks', () => {
  const config = loadConfig('services.yaml');
  const nameOf = (name: string): string => new RipcordStack(new App({ analyticsReporting: false }), 'Ripcord', { ...config, engine: { ...config.engine, name } }).stackName;
  expect([nameOf('ripcord'), nameOf('payments')]).toEqual(['Ripcord', 'Ripcord-payments']);
});
