// The alarms that are made of an objective, evaluated over traffic: a burn that fired by its long window is over soon after the errors are.
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { metricEntry, objective } from '../../../lambdas/config/metric-entries.ts';
import { ServiceAlarms } from '../../../lib/service-alarms.ts';
import { quietApp } from '../../construct/stack-samples.ts';
import { minute, noon, rigOn, StandingClock } from './rig.ts';

const entry = { kind: 'own', name: 'orders', requests: { namespace: 'Shop', name: 'Requests' }, errors: { namespace: 'Shop', name: 'Errors' } };
/** Seconds from the end of a minute to its evaluation, and two for it. */
const evaluated = 3000;

function watched() {
  const stack = new Stack(quietApp());
  const { signals } = new ServiceAlarms(stack, 'Alarms', { prefix: 'ripcord-orders', objective: objective.parse({ availability: 99.5 }), metrics: [metricEntry.parse(entry)] });
  const template = Template.fromStack(stack);
  const clock = new StandingClock();
  const { cloudwatch } = rigOn(clock);
  const inputs = (type: string): object[] => Object.values(template.findResources(type) as Record<string, { Properties: object }>).map(({ Properties }) => Properties);
  for (const input of inputs('AWS::CloudWatch::Alarm')) cloudwatch.putMetricAlarm(input as Parameters<typeof cloudwatch.putMetricAlarm>[0]);
  for (const input of inputs('AWS::CloudWatch::CompositeAlarm')) cloudwatch.putCompositeAlarm(input as Parameters<typeof cloudwatch.putCompositeAlarm>[0]);
  const record = (name: string, at: number, value: number): void => cloudwatch.record({ namespace: 'Shop', name, dimensions: {}, value, at });
  for (let at = noon - 6 * 60 * minute; at < noon; at += minute) record('Requests', at, 60);
  cloudwatch.start();
  /** A minute of traffic, and a look at the alarms when it was evaluated. */
  const pass = async (requests: number, errors: number): Promise<Record<string, string | null>> => {
    const at = Math.ceil((clock.now() - evaluated) / minute) * minute;
    record('Requests', at, requests);
    if (errors > 0) record('Errors', at, errors);
    await clock.advance(at + minute + evaluated - clock.now());
    return Object.fromEntries(signals.map(({ name }) => [name.slice('ripcord-orders-'.length), cloudwatch.alarmState(name)]));
  };
  return { pass };
}

const sick = { 'error-share': 'ALARM', 'burn-fast': 'ALARM', 'burn-slow': 'ALARM' };

async function afterSickness({ pass }: ReturnType<typeof watched>, { minutes, requests }: { minutes: number; requests: number }): Promise<Record<string, string | null>> {
  let states = {};
  for (let count = 0; count < 40; count += 1) states = await pass(60, 24);
  expect(states).toEqual(sick);
  for (let count = 0; count < minutes; count += 1) states = await pass(requests, 0);
  return states;
}

test.each([20, 60, 5000])('of %i requests a minute every alarm is OK six minutes after the last error, however long the windows that fired', async (requests) => {
  expect(await afterSickness(watched(), { minutes: 6, requests })).toEqual({ 'error-share': 'OK', 'burn-fast': 'OK', 'burn-slow': 'OK' });
});

test('below the floor of requests older values count for a quarter of an hour, and nothing says that it is well', async () => {
  expect(await afterSickness(watched(), { minutes: 12, requests: 15 })).toEqual({ ...sick, 'error-share': 'INSUFFICIENT_DATA' });
  expect(await afterSickness(watched(), { minutes: 15, requests: 15 })).toEqual({ 'error-share': 'INSUFFICIENT_DATA', 'burn-fast': 'OK', 'burn-slow': 'OK' });
});
