// Whatever an execution is given: refused or left with one clear reason, on record, nothing changed, the lock free.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RollbackRun } from '../../sandbox/scenarios/scenario.ts';
import { Rig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start({ services: { shop: {} } });
  rig.sandbox.services.cloudwatch.putMetricAlarm({ AlarmName: 'maintenance', Namespace: 'Test', MetricName: 'm', Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'ignore' });
  await rig.release();
});
afterAll(() => rig.stop());

const person = (changes: object): object => ({ service: 'shop', reason: 'it is broken', requestedBy: 'dana', ...changes });
const now = (): string => new Date(rig.sandbox.clock.now()).toISOString().replace('Z', '+0000');
const alarmEvent = (detail: object, changes: object = {}): object => ({
  service: 'shop',
  event: { version: '0', id: 'e-1', 'detail-type': 'CloudWatch Alarm State Change', source: 'aws.cloudwatch', time: '2026-11-21T10:00:00Z', resources: [], detail, ...changes },
});
const firing = (changes: object = {}): object => ({ alarmName: 'shop-errors', state: { value: 'ALARM', reason: 'r', timestamp: now(), ...changes } });

interface Refused {
  readonly input: () => unknown;
  readonly why: RegExp;
}

const refused: Readonly<Record<string, Refused>> = {
  'an event without a detail': { input: () => ({ service: 'shop', event: { source: 'aws.cloudwatch', 'detail-type': 'CloudWatch Alarm State Change' } }), why: /"detail"/ },
  'an event of an unknown kind': { input: () => alarmEvent(firing(), { source: 'aws.ec2' }), why: /of a kind that starts no rollback/ },
  'an alarm state that does not exist': { input: () => alarmEvent(firing({ value: 'PANIC' })), why: /"state\.value"/ },
  'a time that is none': { input: () => alarmEvent(firing({ timestamp: 'yesterday' })), why: /"state\.timestamp"/ },
  'a service that nobody attached': { input: () => person({ service: 'unheard-of' }), why: /unheard-of/ },
  'target ids in the input': { input: () => person({ listenerArn: 'arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/other/1/2' }), why: /keys that do not belong here: listenerArn/ },
  'targets beside an event': { input: () => ({ ...alarmEvent(firing()), targets: { web: {} } }), why: /keys that do not belong here: targets/ },
  'a path in the place of a service': { input: () => person({ service: '../../secrets' }), why: /"service"/ },
  'wrong types': { input: () => person({ reason: 42 }), why: /"reason"/ },
  'a mode that does not exist': { input: () => person({ mode: 'force' }), why: /"mode"/ },
  'HTML in the reason': { input: () => person({ reason: '<img src=x onerror=alert(1)>' }), why: /must not contain HTML/ },
  'a direction override in a name': { input: () => person({ requestedBy: 'dana\u202Egnp' }), why: /control or direction/ },
  'an empty reason': { input: () => person({ reason: ' ' }), why: /"reason" must not be empty/ },
  'a reason without an end': { input: () => person({ reason: 'a'.repeat(600) }), why: /"reason" is too long/ },
  'nothing at all': { input: () => ({}), why: /needs either an `event`/ },
  'an array': { input: () => [person({})], why: /must be a JSON object/ },
  'a string': { input: () => JSON.stringify(person({})), why: /must be a JSON object, not text/ },
  null: { input: () => null, why: /must be a JSON object/ },
  'a number': { input: () => 7, why: /must be a JSON object/ },
  '200 kB of text': { input: () => person({ reason: 'x'.repeat(200_000) }), why: /characters, more than the 60000 allowed/ },
  '200 kB inside an event': { input: () => alarmEvent({ ...firing(), extra: 'y'.repeat(200_000) }), why: /characters, more than the 60000 allowed/ },
};

async function untouched(run: RollbackRun): Promise<void> {
  expect(rig.changes('shop')).toEqual([]);
  expect(rig.targets['shop']?.live()).toBe('green');
  expect(await rig.lockOwner('shop')).toBeNull();
  expect((await rig.kinds(run.rollbackId)).at(-1)).toBe('sealed');
}

const isEvent = (input: unknown): boolean => typeof input === 'object' && input !== null && 'event' in input;

test.each(Object.entries(refused))('%s is refused with one reason', async (_, { input, why }) => {
  const given = input();
  const run = await rig.endOf(rig.ask(given));
  // What a person typed is told to that person, as the output; an event that nobody can read is a failure.
  expect(run).toMatchObject({ status: isEvent(given) ? 'FAILED' : 'SUCCEEDED', outcome: 'refused' });
  expect(run.headline).toMatch(/the request was refused, nothing was changed/);
  const rows = await rig.audit(run.rollbackId);
  expect(rows.map(({ kind }) => kind)).toEqual(['assessed', 'reported', 'sealed']);
  const text = String((rows[0]?.data['refused'] as { text?: string } | undefined)?.text);
  expect(text).toMatch(why);
  expect(text.length).toBeLessThan(300);
  expect(text).not.toMatch(/[<\u202E]|\n/);
  await untouched(run);
});

test('300 kB never get as far as an execution', () => {
  const before = rig.ripcord.rollbacks().length;
  expect(() => rig.ask(person({ reason: 'x'.repeat(300_000) }))).toThrow(/larger than 262144 bytes/);
  expect(rig.ripcord.rollbacks()).toHaveLength(before);
});

interface Left {
  readonly input: () => unknown;
  readonly reason: string;
}

const left: Readonly<Record<string, Left>> = {
  'a forged event of an alarm that is OK': { input: () => alarmEvent(firing()), reason: 'no-longer-firing' },
  'a stale event': { input: () => alarmEvent(firing({ timestamp: '2026-11-20T09:14:07.104+0000' })), reason: 'no-longer-firing' },
  'an alarm of somebody else': { input: () => alarmEvent({ ...firing(), alarmName: 'maintenance' }), reason: 'not-our-alarm' },
  'a suppressed composite': { input: () => alarmEvent(firing({ actionsSuppressedBy: 'WaitPeriod', actionsSuppressedReason: 'r' })), reason: 'suppressed' },
  'a muted alarm': { input: () => alarmEvent({ ...firing(), muteDetail: { mutedByArn: 'arn:aws:cloudwatch:eu-west-1:111122223333:alarm-mute-rule:night', muteWindowEnd: '2099-01-01T00:00:00.000+0000' } }), reason: 'muted' },
  'an alarm that CloudWatch could not evaluate': { input: () => alarmEvent(firing({ evaluationState: 'EVALUATION_ERROR' })), reason: 'not-evaluated' },
  'a contributor of a quiet alarm': { input: () => alarmEvent({ alarmName: 'shop-errors', alarmContributor: { id: 'c', attributes: { Service: 'shop' } }, state: { value: 'ALARM', reason: 'r', timestamp: now() } }, { 'detail-type': 'CloudWatch Alarm Contributor State Change' }), reason: 'no-longer-firing' },
  'a tool that is not allowed': { input: () => ({ service: 'shop', event: { source: 'ripcord.signal', 'detail-type': 'Signal', detail: { service: 'shop', tool: 'stranger', id: '1', status: 'firing', summary: 's' } } }), reason: 'tool-not-allowed' },
  'a deployment of somebody else': { input: () => ({ service: 'shop', event: { source: 'aws.codedeploy', 'detail-type': 'CodeDeploy Deployment State-change Notification', detail: { deploymentId: 'd-FOREIGN00', application: 'x', deploymentGroup: 'y', state: 'FAILURE' } } }), reason: 'not-our-deployment' },
};

test.each(Object.entries(left))('%s is left alone with one reason', async (_, { input, reason }) => {
  const run = await rig.endOf(rig.ask(input()));
  expect(run).toMatchObject({ status: 'SUCCEEDED', outcome: 'left' });
  const decision = (await rig.audit(run.rollbackId)).findLast(({ kind }) => kind === 'assessed')?.data['decision'] as { reasons: { code: string }[] };
  expect(decision.reasons.map(({ code }) => code)).toEqual([reason]);
  await untouched(run);
});

test('the event that CloudWatch sends of a muted alarm starts a run that leaves it alone', async () => {
  const { cloudwatch } = rig.sandbox.services;
  const minute = new Date(rig.sandbox.clock.now()).toISOString().slice(0, 16);
  cloudwatch.alarms.mutes.put({ Name: 'night', Rule: { Schedule: { Expression: `at(${minute})`, Duration: 'PT24H' } }, MuteTargets: { AlarmNames: ['shop-errors'] } }, rig.sandbox.clock.now());
  const before = rig.ripcord.rollbacks().length;
  cloudwatch.setAlarmState('shop-errors', 'ALARM', 'real, and muted');
  await rig.until('its run has ended', () => rig.ripcord.rollbacks().length === before + 1 && rig.ripcord.rollbacks().every(({ status }) => status !== 'RUNNING'));
  const run = rig.ripcord.rollbacks().at(-1) as RollbackRun;
  expect(run).toMatchObject({ outcome: 'left' });
  expect(JSON.stringify((await rig.audit(run.rollbackId))[0]?.data)).toContain('"code":"muted"');
  await untouched(run);
  cloudwatch.setAlarmState('shop-errors', 'OK', 'over');
});

test('nobody was woken for any of it but for the alarm that could not be evaluated', () => {
  const subjects = rig.ripcord.messages().map(({ subject }) => subject).filter((subject) => subject.startsWith('PAGE '));
  expect(subjects).toHaveLength(1);
  expect(rig.denials()).toEqual([]);
});

test('a typing error leaves the alarm of failed rollbacks alone, an event that cannot be read sounds it', async () => {
  const { cloudwatch, states } = rig.sandbox.services;
  const failures = (): number => states.executions(rig.ripcord.names.rollbackMachineArn).filter(({ status }) => status === 'FAILED').length;
  const state = (): string | null => cloudwatch.alarmState('ripcord-rollback-failed');
  // Whatever failed before has left the alarm's period.
  await rig.until('the alarm is quiet', async () => { await rig.sandbox.clock.sleep(60_000); return state() === 'OK'; });
  const before = failures();
  await rig.endOf(rig.ask({ ...person({}), service: 'shpo' }));
  await rig.sandbox.clock.sleep(6 * 60_000);
  expect([state(), failures()]).toEqual(['OK', before]);
  await rig.endOf(rig.ask(alarmEvent(firing({ value: 'PANIC' }))));
  await rig.until('the alarm sounds', async () => { await rig.sandbox.clock.sleep(30_000); return state() === 'ALARM'; });
});
