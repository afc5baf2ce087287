// The poll on the real stack: it runs by itself, one broken entry keeps no other service from being looked at, and somebody hears when it is not whole.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Rig } from './rig.ts';
import { aliasTarget } from './small-services.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start({ services: { one: {}, two: { target: aliasTarget, changes: { policy: { approval: { none: 'nobody has to be asked in this test' }, bakeMinutes: 1, coolDownMinutes: 0 } } } } });
});
afterAll(async () => { await rig.stop(); });

const polls = () => rig.sandbox.calls.list({ service: 'ssm', operation: 'GetParametersByPath' }).filter(({ caller }) => caller.kind === 'role' && /poll/i.test(caller.roleName));
const watches = () => rig.sandbox.services.states.executions(rig.ripcord.names.watchMachineArn);

test('it runs every five minutes, asks for all alarms at once, and its alarm is quiet', async () => {
  await rig.until('it ran four times', () => polls().length >= 4);
  await rig.until('its alarm is quiet', () => rig.sandbox.services.cloudwatch.alarmState('ripcord-poll-missing') === 'OK');
  const [first, second] = polls();
  expect(((second?.startedAt ?? 0) - (first?.startedAt ?? 0)) / 60_000).toBeCloseTo(5, 0);
  const asked = () => rig.sandbox.calls.list({ service: 'cloudwatch', operation: 'DescribeAlarms', where: ({ caller }) => caller.kind === 'role' && /poll/i.test(caller.roleName) });
  // The one that runs now may not have got that far.
  await rig.until('each poll has asked once', () => asked().length === polls().length);
  expect((asked().at(0)?.input as { AlarmNames: string[] } | undefined)?.AlarmNames.toSorted()).toEqual(['one-errors', 'one-latency', 'two-errors', 'two-latency']);
  expect(watches()).toEqual([]);
  expect(rig.ripcord.messages()).toEqual([]);
});

test('an alias that somebody moved without a word is found and watched once, though another entry is broken', async () => {
  const { parameters, aliases } = rig.sandbox.services;
  parameters.put({ name: '/ripcord/services/one', value: '{"name":"one"}', type: 'String', overwrite: true, by: 'somebody' });
  aliases.publishVersion('two', 'release 2');
  aliases.updateAlias('two', 'live', { FunctionVersion: '2' });
  await rig.until('it is found', () => watches().length > 0);
  const before = polls().length;
  await rig.until('it polled twice more', () => polls().length >= before + 2);
  expect(watches().map(({ name, input }) => [name.slice(0, 9), JSON.parse(input)])).toEqual([
    ['poll-two-', { service: 'two', event: { source: 'ripcord.poll', 'detail-type': 'Release Found', detail: expect.objectContaining({ origin: 'lambda-alias', phase: 'finished', version: '2', previousVersion: '1' }) } }],
  ]);
  const releases = (await rig.ledger()).filter(({ pk, sk }) => pk === 'SERVICE#two' && sk?.startsWith('RELEASE#') === true);
  expect(releases).toHaveLength(1);
  expect(releases[0]?.data).toContain('"origin":"lambda-alias"');
});

test('a poll that is not whole pages after a quarter of an hour', async () => {
  await rig.until('its alarm fires', () => rig.sandbox.services.cloudwatch.alarmState('ripcord-poll-missing') === 'ALARM');
  expect(rig.ripcord.messages().map(({ subject }) => subject)).toContain('ALARM: "ripcord-poll-missing"');
});
