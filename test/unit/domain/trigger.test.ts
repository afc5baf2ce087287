// What may start a rollback, in each of its shapes, and how everything else is refused.
import { describe, expect, it } from 'vitest';
import { isRefusal } from '../../../lambdas/domain/errors.ts';
import { parseTrigger } from '../../../lambdas/domain/trigger.ts';

const alarmDetail = (over: object = {}, state: object = {}) => ({
  alarmName: 'checkout-5xx-rate',
  state: { value: 'ALARM', reason: 'Threshold Crossed', reasonData: '{"version":"1.0"}', timestamp: '2026-11-20T09:14:07.104+0000', ...state },
  previousState: { value: 'OK', timestamp: '2026-11-20T08:02:07.050+0000' },
  configuration: { description: 'rollback=checkout', metrics: [] },
  ...over,
});
const envelope = (source: string, type: string, detail: unknown) => ({
  version: '0', id: '6f1b0c9e', 'detail-type': type, source, account: '111122223333', time: '2026-11-20T09:14:07Z', region: 'eu-west-1', resources: [], detail,
});
const alarmEvent = (over: object = {}, state: object = {}) => envelope('aws.cloudwatch', 'CloudWatch Alarm State Change', alarmDetail(over, state));
const deploymentEvent = (state: string) => envelope('aws.codedeploy', 'CodeDeploy Deployment State-change Notification', {
  region: 'eu-west-1', deploymentId: 'd-8KQ2XWJ5G', instanceGroupId: '5c1f', application: 'checkout', deploymentGroup: 'prod', state,
});
const signal = { service: 'checkout', tool: 'datadog', id: 'monitor-17', status: 'firing', summary: 'p99 is up', since: '2026-11-20T09:12:00Z' };
const signalEvent = (over: object = {}) => envelope('ripcord.signal', 'Signal', { ...signal, ...over });
const automatic = (event: unknown) => ({ service: 'checkout', event });
const manual = { service: 'checkout', reason: 'customers report errors', requestedBy: 'ada' };

const firing = { kind: 'alarm', alarm: 'checkout-5xx-rate', at: '2026-11-20T09:14:07.104Z', mutedUntil: null, suppressedBy: null, evaluationState: null };

describe('what starts a rollback', () => {
  it.each<[string, unknown, object]>([
    ['a metric alarm', alarmEvent(), firing],
    ['a composite alarm that is suppressed', alarmEvent({}, { actionsSuppressedBy: 'WaitPeriod', reasonData: '{"triggeringAlarms":[]}' }), { ...firing, suppressedBy: 'WaitPeriod' }],
    ['a muted alarm', alarmEvent({ muteDetail: { mutedByArn: 'arn:aws:cloudwatch:eu-west-1:111122223333:alarm-mute-rule:night', muteWindowEnd: '2026-11-20T10:00:00.000+0000' } }), { ...firing, mutedUntil: '2026-11-20T10:00:00.000Z' }],
    ['a muted alarm without an end of its window', alarmEvent({ muteDetail: { mutedByArn: 'arn:night' } }), { ...firing, mutedUntil: '2026-11-20T10:14:07.104Z' }],
    ['an alarm that could not be evaluated', alarmEvent({}, { evaluationState: 'PARTIAL_DATA' }), { ...firing, evaluationState: 'PARTIAL_DATA' }],
    ['one series of a multi-series alarm', envelope('aws.cloudwatch', 'CloudWatch Alarm Contributor State Change', {
      alarmName: 'checkout-5xx-rate', alarmContributor: { id: '3f9a', attributes: { ServiceName: 'checkout' } }, state: { value: 'ALARM', reason: '…', timestamp: '2026-11-20T09:14:07.104+0000' },
    }), firing],
    ['an alarm that invokes directly', { source: 'aws.cloudwatch', alarmArn: 'arn:…', accountId: '111122223333', time: '2026-11-20T09:14:07Z', region: 'eu-west-1', alarmData: alarmDetail() }, firing],
    ['a failed deployment', deploymentEvent('FAILURE'), { kind: 'deployment', deploymentId: 'd-8KQ2XWJ5G', application: 'checkout', deploymentGroup: 'prod', at: '2026-11-20T09:14:07.000Z' }],
    ['a stopped deployment', deploymentEvent('STOP'), { kind: 'deployment', deploymentId: 'd-8KQ2XWJ5G' }],
    ['another tool', signalEvent(), { kind: 'external', tool: 'datadog', id: 'monitor-17', status: 'firing', summary: 'p99 is up', since: '2026-11-20T09:12:00.000Z', at: '2026-11-20T09:14:07.000Z' }],
    ['another tool with a link', signalEvent({ url: 'https://example.com/17' }), { summary: 'p99 is up (https://example.com/17)' }],
    ['the Watch', { source: 'ripcord.watch', 'detail-type': 'Watch Signal', detail: { releaseId: 'r-2', alarms: ['5xx'], journeys: ['buy'] } }, { kind: 'watch', releaseId: 'r-2', alarms: ['5xx'], journeys: ['buy'] }],
  ])('is %s', (_name, event, trigger) => {
    expect(parseTrigger(automatic(event))).toMatchObject({ service: 'checkout', trigger });
  });

  it('is a person, who rolls back unless a dry run is asked for', () => {
    expect(parseTrigger(manual)).toEqual({ service: 'checkout', trigger: { kind: 'person', reason: manual.reason, requestedBy: 'ada', mode: 'roll-back' } });
    expect(parseTrigger({ ...manual, mode: 'dry-run' }).trigger).toMatchObject({ mode: 'dry-run' });
  });

  it('takes a comparison in a reason for what it is: no HTML', () => {
    expect(parseTrigger({ ...manual, reason: 'p99 > 2 s, errors < 1 % before' }).trigger).toMatchObject({ reason: 'p99 > 2 s, errors < 1 % before' });
  });
});

const long = 'x'.repeat(300_000);

const refused: [string, unknown, RegExp][] = [
  ['null', null, /must be a JSON object/],
  ['a text', 'roll back!', /must be a JSON object, not text: roll back!/],
  ['a number', 7, /must be a JSON object/],
  ['a list', [manual], /must be a JSON object/],
  ['an empty object', {}, /needs either an `event`, or a `reason` and `requestedBy`/],
  ['no service', { reason: 'r', requestedBy: 'ada' }, /"service"/],
  ['a service of another shape', { ...manual, service: '../etc' }, /"service" needs the name of a service/],
  ['target ids', { ...manual, targets: ['arn:aws:elasticloadbalancing:…'] }, /keys that do not belong here: targets/],
  ['unknown keys beside an event', { ...automatic(alarmEvent()), listenerArn: 'arn:…' }, /keys that do not belong here: listenerArn/],
  ['a mode that is none', { ...manual, mode: 'force' }, /"mode"/],
  ['a reason that is no text', { ...manual, reason: 17 }, /"reason"/],
  ['a requestedBy that is no text', { ...manual, requestedBy: { name: 'ada' } }, /"requestedBy"/],
  ['no requestedBy', { service: 'checkout', reason: 'why' }, /"requestedBy"/],
  ['an empty reason', { ...manual, reason: '   ' }, /"reason" must not be empty/],
  ['an over-long reason', { ...manual, reason: 'x'.repeat(501) }, /"reason" is too long: at most 500/],
  ['HTML in a reason', { ...manual, reason: 'see <script>alert(1)</script>' }, /"reason" must not contain HTML/],
  ['an HTML comment in a reason', { ...manual, reason: 'see <!-- here' }, /"reason" must not contain HTML/],
  ['a control character', { ...manual, reason: 'see \u0007 here' }, /"reason" must not contain control/],
  ['a line break, which could forge a line of a log', { ...manual, requestedBy: 'ada\nverdict: leave' }, /"requestedBy" must not contain control/],
  ['a direction override', { ...manual, requestedBy: 'ada\u202Egnp' }, /"requestedBy" must not contain control/],
  ['300 kB of text', { ...manual, reason: long }, /the input is too large: 3\d{5} characters/],
  ['300 kB in a key', { ...manual, [long]: 1 }, /the input is too large/],
  ['an event that is no object', automatic('ALARM'), /"event"/],
  ['an event without a source', automatic({ detail: {} }), /"source"/],
  ['an event of another kind', automatic(envelope('aws.ec2', 'EC2 Instance State-change Notification', {})), /starts no rollback: source "aws.ec2"/],
  ['one instance of a deployment', automatic(envelope('aws.codedeploy', 'CodeDeploy Instance State-change Notification', { state: 'FAILURE' })), /starts no rollback/],
  ['a deployment that only began', automatic(deploymentEvent('START')), /only FAILURE and STOP do/],
  ['the API\'s word in place of the event\'s', automatic(deploymentEvent('STOPPED')), /only FAILURE and STOP do/],
  ['an alarm without a name', automatic(alarmEvent({ alarmName: undefined })), /"alarmName"/],
  ['an alarm in no state', automatic(alarmEvent({}, { value: 'RED' })), /"state.value"/],
  ['an alarm at no time', automatic(alarmEvent({}, { timestamp: 'yesterday' })), /"state.timestamp" needs an instant/],
  ['a signal about another service', automatic(signalEvent({ service: 'payments' })), /about service "payments", the execution about "checkout"/],
  ['a signal with unknown keys', automatic(signalEvent({ targets: ['x'] })), /keys that do not belong here: targets/],
  ['a signal with a script for a link', automatic(signalEvent({ url: 'javascript:alert(1)' })), /"url" needs an https/],
  ['a signal that neither fires nor is quiet', automatic(signalEvent({ status: 'maybe' })), /"status"/],
  ['a watch signal with unknown keys', automatic({ source: 'ripcord.watch', 'detail-type': 'Watch Signal', detail: { releaseId: 'r', alarms: [], journeys: [], mode: 'x' } }), /keys that do not belong here: mode/],
];

function refusalOf(input: unknown): Error {
  try {
    parseTrigger(input);
  } catch (error) {
    if (isRefusal(error)) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('what is refused', () => {
  it.each(refused)('%s, with one clear reason', (_name, input, message) => {
    const refusal = refusalOf(input);
    expect(refusal.message).toMatch(message);
    expect(refusal).toMatchObject({ name: 'Refused', code: 'bad-input', kind: 'stop' });
  });

  it('is shown with at most 200 characters, and none that could deceive', () => {
    for (const [, input] of refused) {
      const { message } = refusalOf(input);
      expect(Array.from(message).length).toBeLessThanOrEqual(200);
      expect(message).not.toMatch(/[<>\p{Cc}\u202A-\u202E]/u);
    }
    const hidden = refusalOf({ ...manual, [`<b>\u0000\u202E${'k'.repeat(5000)}`]: 1 }).message;
    expect(Array.from(hidden).length).toBe(200);
    expect(hidden).toContain('‹b›··kkk');
  });
});
