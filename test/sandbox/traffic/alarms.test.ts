// Alarms over time: transitions, events, composites, suppression, muting, the state set by hand.
import { beforeEach, describe, expect, it } from 'vitest';
import type { PutMetricAlarmInput } from '@aws-sdk/client-cloudwatch';
import { minute, noon, refusal, rigOn, StandingClock, type Rig } from './rig.ts';

const dimensions = { LoadBalancer: 'app/shop/1' };
const errorsAlarm: PutMetricAlarmInput = {
  AlarmName: 'shop-5xx', AlarmDescription: 'rollback=shop', Namespace: 'AWS/ApplicationELB', MetricName: 'HTTPCode_Target_5XX_Count', Statistic: 'Sum', Period: 60, EvaluationPeriods: 2, DatapointsToAlarm: 1,
  Threshold: 5, ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'notBreaching', Dimensions: [{ Name: 'LoadBalancer', Value: 'app/shop/1' }],
};
const rateAlarm: PutMetricAlarmInput = {
  AlarmName: 'shop-rate', EvaluationPeriods: 1, Threshold: 5, ComparisonOperator: 'GreaterThanThreshold',
  Metrics: [
    { Id: 'rate', Expression: '100*FILL(bad,0)/all', Label: '5xx %', ReturnData: true },
    { Id: 'bad', ReturnData: false, MetricStat: { Period: 60, Stat: 'Sum', Metric: { Namespace: 'AWS/ApplicationELB', MetricName: 'HTTPCode_Target_5XX_Count', Dimensions: errorsAlarm.Dimensions } } },
    { Id: 'all', ReturnData: false, MetricStat: { Period: 60, Stat: 'Sum', Metric: { Namespace: 'AWS/ApplicationELB', MetricName: 'RequestCount', Dimensions: errorsAlarm.Dimensions } } },
  ],
};

let rig: Rig<StandingClock>;
const record = (name: string, value: number, times = 1): void => {
  for (let index = 0; index < times; index += 1) rig.cloudwatch.record({ namespace: 'AWS/ApplicationELB', name, dimensions, value });
};
const details = () => rig.bus.events.map(({ detail }) => detail as { alarmName: string; state: Record<string, string>; previousState: Record<string, string>; configuration: Record<string, unknown>; muteDetail?: Record<string, string> });
const states = (name: string): string[] => details().filter(({ alarmName }) => alarmName === name).map(({ state }) => state['value'] ?? '');

beforeEach(() => {
  rig = rigOn(new StandingClock());
  rig.cloudwatch.start();
});

describe('a metric alarm', () => {
  it('looks at closed periods only and sends one event per transition', async () => {
    rig.cloudwatch.putMetricAlarm(errorsAlarm);
    await rig.clock.advance(2 * minute);
    record('HTTPCode_Target_5XX_Count', 1, 9);
    await rig.clock.advance(50_000);
    expect(rig.cloudwatch.alarmState('shop-5xx')).toBe('OK');
    await rig.clock.advance(15_000);
    expect(rig.cloudwatch.alarmState('shop-5xx')).toBe('ALARM');
    await rig.clock.advance(10 * minute);
    expect(states('shop-5xx')).toEqual(['OK', 'ALARM', 'OK']);
  });

  it('sees a datapoint that comes late, and one after which an older one came', async () => {
    const tell = (at: number): void => rig.cloudwatch.record({ namespace: 'AWS/ApplicationELB', name: 'HTTPCode_Target_5XX_Count', dimensions, value: 9, at });
    rig.cloudwatch.putMetricAlarm(errorsAlarm);
    tell(noon);
    await rig.clock.advance(30 * minute + 2000);
    expect(states('shop-5xx')).toEqual(['OK', 'ALARM', 'OK']);
    tell(rig.clock.now() - 2 * minute);
    await rig.clock.advance(minute);
    expect(states('shop-5xx')).toEqual(['OK', 'ALARM', 'OK', 'ALARM']);
    await rig.clock.advance(30 * minute);
    tell(rig.clock.now());
    tell(noon + minute);
    await rig.clock.advance(minute);
    expect(states('shop-5xx')).toEqual(['OK', 'ALARM', 'OK', 'ALARM', 'OK', 'ALARM']);
  });

  it('computes a value where nothing was measured, and looks at another metric once it is put again with that', async () => {
    const filled = (Expression: string): PutMetricAlarmInput => ({ ...rateAlarm, AlarmName: 'filled', Metrics: [{ Id: 'filled', Expression, ReturnData: true }, ...(rateAlarm.Metrics?.slice(1, 2) ?? [])] });
    rig.cloudwatch.putMetricAlarm(filled('FILL(bad,9)'));
    await rig.clock.advance(2 * minute);
    expect(rig.cloudwatch.alarmState('filled')).toBe('ALARM');
    rig.cloudwatch.putMetricAlarm({ ...errorsAlarm, MetricName: 'Other' });
    await rig.clock.advance(2 * minute);
    record('HTTPCode_Target_5XX_Count', 9);
    await rig.clock.advance(2 * minute);
    expect(states('shop-5xx')).toEqual(['OK']);
    rig.cloudwatch.putMetricAlarm(errorsAlarm);
    await rig.clock.advance(minute);
    expect(states('shop-5xx')).toEqual(['OK', 'ALARM']);
  });

  it('sends the event in the shape of CloudWatch', async () => {
    rig.cloudwatch.putMetricAlarm(rateAlarm);
    record('RequestCount', 1, 100);
    record('HTTPCode_Target_5XX_Count', 1, 8);
    await rig.clock.advance(minute + 2000);
    const [event] = rig.bus.events;
    expect(event).toMatchObject({ source: 'aws.cloudwatch', 'detail-type': 'CloudWatch Alarm State Change', resources: ['arn:aws:cloudwatch:eu-west-1:111122223333:alarm:shop-rate'] });
    const [detail] = details();
    expect(detail?.state['value']).toBe('ALARM');
    expect(detail?.state['timestamp']).toMatch(/^2026-11-20T12:01:\d\d\.\d{3}\+0000$/);
    expect(JSON.parse(detail?.state['reasonData'] ?? '')).toMatchObject({ version: '1.0', period: 60, recentDatapoints: [8], threshold: 5, startDate: '2026-11-20T12:00:00.000+0000' });
    expect(detail?.previousState).toEqual({ value: 'INSUFFICIENT_DATA', reason: 'Unchecked: Initial alarm creation', timestamp: '2026-11-20T12:00:00.000+0000' });
    expect(detail?.configuration).toEqual({
      metrics: [
        { id: 'rate', expression: '100*FILL(bad,0)/all', label: '5xx %', returnData: true },
        { id: 'bad', returnData: false, metricStat: { period: 60, stat: 'Sum', metric: { namespace: 'AWS/ApplicationELB', name: 'HTTPCode_Target_5XX_Count', dimensions } } },
        { id: 'all', returnData: false, metricStat: { period: 60, stat: 'Sum', metric: { namespace: 'AWS/ApplicationELB', name: 'RequestCount', dimensions } } },
      ],
    });
  });

  it('says nothing about a rate without requests: that is no zero', async () => {
    rig.cloudwatch.putMetricAlarm(rateAlarm);
    await rig.clock.advance(5 * minute);
    expect(rig.cloudwatch.alarmState('shop-rate')).toBe('INSUFFICIENT_DATA');
    expect(rig.bus.events).toEqual([]);
  });

  it('has a window that slides: an hour is looked at each minute, and ends with the last closed one', async () => {
    const hour = structuredClone(rateAlarm);
    for (const { MetricStat } of hour.Metrics ?? []) if (MetricStat !== undefined) MetricStat.Period = 3600;
    rig.cloudwatch.putMetricAlarm(hour);
    // 40 minutes past the hour: on the clock's hours these errors would be out of sight for another twenty minutes, and then gone with their hour.
    await rig.clock.advance(40 * minute);
    record('RequestCount', 1, 100);
    record('HTTPCode_Target_5XX_Count', 1, 8);
    await rig.clock.advance(minute + 2000);
    expect(states('shop-rate')).toEqual(['ALARM']);
    for (let at = 0; at < 59; at += 1) {
      record('RequestCount', 1, 1);
      await rig.clock.advance(minute);
    }
    expect(states('shop-rate')).toEqual(['ALARM']);
    record('RequestCount', 1, 1);
    await rig.clock.advance(minute);
    expect(states('shop-rate')).toEqual(['ALARM', 'OK']);
  });

  it('rests on ten metrics at most, and has no window on the clock', () => {
    const many = Array.from({ length: 11 }, (_, index) => ({ ...rateAlarm.Metrics?.[1], Id: `m${index}` }));
    expect(refusal(() => rig.cloudwatch.putMetricAlarm({ ...rateAlarm, Metrics: [{ Id: 'rate', Expression: 'SUM(METRICS())' }, ...many] })).message).toContain('more than 10 metrics');
    expect(refusal(() => rig.cloudwatch.putMetricAlarm({ ...errorsAlarm, EvaluationWindow: { WallClockWindow: {} } })).message).toContain('not supported');
  });

  it('comes back to its true state at the next evaluation after SetAlarmState', async () => {
    rig.cloudwatch.putMetricAlarm(errorsAlarm);
    await rig.clock.advance(2 * minute);
    rig.cloudwatch.setAlarmState('shop-5xx', 'ALARM', 'game day');
    expect(rig.cloudwatch.alarmState('shop-5xx')).toBe('ALARM');
    expect(details().at(-1)?.state).not.toHaveProperty('reasonData');
    await rig.clock.advance(minute);
    expect(states('shop-5xx')).toEqual(['OK', 'ALARM', 'OK']);
  });

  it('keeps its state when it is put again, and evaluates a ten-second alarm every ten seconds', async () => {
    rig.cloudwatch.putMetricAlarm({ ...errorsAlarm, AlarmName: 'fast', Period: 10, Namespace: 'Shop', MetricName: 'Errors', Dimensions: [], EvaluationPeriods: 1, DatapointsToAlarm: 1 });
    await rig.clock.advance(2000);
    for (let times = 0; times < 6; times += 1) rig.cloudwatch.record({ namespace: 'Shop', name: 'Errors', dimensions: {}, value: 1, resolution: 1 });
    await rig.clock.advance(10_000);
    expect(rig.cloudwatch.alarmState('fast')).toBe('ALARM');
    rig.cloudwatch.putMetricAlarm({ ...errorsAlarm, AlarmName: 'fast', Period: 10, Namespace: 'Shop', MetricName: 'Errors', Dimensions: [], EvaluationPeriods: 1, DatapointsToAlarm: 1, Threshold: 50 });
    expect(rig.cloudwatch.alarmState('fast')).toBe('ALARM');
  });

  it('ignores a percentile of few samples when told to', async () => {
    const slow: PutMetricAlarmInput = { AlarmName: 'slow', Namespace: 'AWS/ApplicationELB', MetricName: 'TargetResponseTime', ExtendedStatistic: 'p90', Period: 60, EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: 'GreaterThanThreshold', Dimensions: errorsAlarm.Dimensions };
    rig.cloudwatch.putMetricAlarm(slow);
    rig.cloudwatch.putMetricAlarm({ ...slow, AlarmName: 'slow-careful', EvaluateLowSampleCountPercentile: 'ignore' });
    record('TargetResponseTime', 3, 20);
    await rig.clock.advance(minute + 2000);
    expect(rig.cloudwatch.alarmState('slow')).toBe('ALARM');
    expect(rig.cloudwatch.alarmState('slow-careful')).toBe('INSUFFICIENT_DATA');
  });

  it.each([
    ['an unknown comparison', { ComparisonOperator: 'GreaterThanUpperThreshold' as const }],
    ['more datapoints than periods', { DatapointsToAlarm: 3 }],
    ['an unknown statistic', { Statistic: undefined, ExtendedStatistic: 'tm90' }],
    ['an unknown treatment of missing data', { TreatMissingData: 'fine' }],
    ['more than a day', { EvaluationPeriods: 1441 }],
  ])('refuses %s', (_, change) => {
    expect(refusal(() => rig.cloudwatch.putMetricAlarm({ ...errorsAlarm, ...change })).code).toMatch(/^(ValidationError|InvalidParameterValue)$/);
  });

  it('reports one series of a multi-series alarm without previous state and reason data', () => {
    rig.cloudwatch.putMetricAlarm(errorsAlarm);
    rig.cloudwatch.setContributorState('shop-5xx', { id: '3f9a', attributes: { ServiceName: 'checkout' } }, { value: 'ALARM', reason: 'too many errors' });
    expect(rig.bus.events[0]?.['detail-type']).toBe('CloudWatch Alarm Contributor State Change');
    expect(Object.keys(rig.bus.events[0]?.detail ?? {}).toSorted()).toEqual(['alarmContributor', 'alarmName', 'configuration', 'state']);
    expect(rig.bus.events[0]?.detail['state']).toEqual({ value: 'ALARM', reason: 'too many errors', timestamp: '2026-11-20T12:00:00.000+0000' });
  });
});

describe('a composite alarm', () => {
  const composite = { AlarmName: 'shop-broken', AlarmRule: 'ALARM(shop-5xx) AND NOT ALARM(freeze)' };

  beforeEach(async () => {
    rig.cloudwatch.putMetricAlarm(errorsAlarm);
    rig.cloudwatch.putMetricAlarm({ ...errorsAlarm, AlarmName: 'freeze', MetricName: 'Freeze' });
    await rig.clock.advance(2 * minute + 2000);
  });

  it('follows its children and names those that trigger it', () => {
    rig.cloudwatch.putCompositeAlarm(composite);
    expect(rig.cloudwatch.alarmState('shop-broken')).toBe('OK');
    rig.cloudwatch.setAlarmState('shop-5xx', 'ALARM', 'drill');
    expect(rig.cloudwatch.alarmState('shop-broken')).toBe('ALARM');
    const last = details().at(-1);
    expect(JSON.parse(last?.state['reasonData'] ?? '')).toMatchObject({ triggeringAlarms: [{ arn: 'arn:aws:cloudwatch:eu-west-1:111122223333:alarm:shop-5xx', state: { value: 'ALARM' } }] });
    expect(last?.configuration).toEqual({ alarmRule: composite.AlarmRule });
  });

  it('stays where it was set by hand until a child changes', async () => {
    rig.cloudwatch.putCompositeAlarm(composite);
    rig.cloudwatch.setAlarmState('shop-broken', 'ALARM', 'drill');
    await rig.clock.advance(3 * minute);
    expect(rig.cloudwatch.alarmState('shop-broken')).toBe('ALARM');
    rig.cloudwatch.setAlarmState('freeze', 'ALARM', 'drill');
    expect(rig.cloudwatch.alarmState('shop-broken')).toBe('OK');
  });

  it('says in the event that a wait, and then its suppressor, holds its actions back', async () => {
    rig.cloudwatch.putCompositeAlarm({ AlarmName: 'quiet', AlarmRule: 'ALARM(shop-5xx)', ActionsSuppressor: 'freeze', ActionsSuppressorWaitPeriod: 120, ActionsSuppressorExtensionPeriod: 60 });
    rig.cloudwatch.setAlarmState('shop-5xx', 'ALARM', 'drill');
    expect(details().at(-1)?.state).toMatchObject({ value: 'ALARM', actionsSuppressedBy: 'WaitPeriod' });
    for (let kept = 0; kept < 3; kept += 1) {
      record('HTTPCode_Target_5XX_Count', 1, 9);
      await rig.clock.advance(minute);
    }
    const last = details().filter(({ alarmName }) => alarmName === 'quiet').at(-1);
    expect(last?.state).not.toHaveProperty('actionsSuppressedBy');
    expect(last?.previousState).toMatchObject({ value: 'ALARM', actionsSuppressedBy: 'WaitPeriod' });
  });
});

describe('muting', () => {
  it('still sends the event, with the window in it, and holds the actions back', async () => {
    const actions: string[] = [];
    const loud = rigOn(new StandingClock());
    Object.assign(loud.cloudwatch.parts, { actions: ({ actionArn }: { actionArn: string }) => actions.push(actionArn) });
    loud.cloudwatch.putMetricAlarm({ ...errorsAlarm, AlarmActions: ['arn:aws:sns:eu-west-1:111122223333:pager'] });
    loud.cloudwatch.alarms.mutes.put({ Name: 'night', Rule: { Schedule: { Expression: 'cron(0 12 * * FRI)', Duration: 'PT1H' } }, MuteTargets: { AlarmNames: ['shop-5xx'] } }, noon);
    loud.cloudwatch.setAlarmState('shop-5xx', 'ALARM', 'drill');
    expect(loud.bus.events[0]?.detail['muteDetail']).toEqual({ mutedByArn: 'arn:aws:cloudwatch:eu-west-1:111122223333:alarm-mute-rule:night', muteWindowStart: '2026-11-20T12:00:00.000+0000', muteWindowEnd: '2026-11-20T13:00:00.000+0000' });
    expect(actions).toEqual([]);
    loud.cloudwatch.setAlarmState('shop-5xx', 'OK', 'drill');
    await loud.clock.advance(61 * minute);
    loud.cloudwatch.setAlarmState('shop-5xx', 'ALARM', 'drill');
    expect(loud.bus.events.at(-1)?.detail).not.toHaveProperty('muteDetail');
    expect(actions).toEqual(['arn:aws:sns:eu-west-1:111122223333:pager']);
  });

  it.each(['rate(5 minutes)', 'cron(0 2 * *)', 'at(tomorrow)'])('refuses the schedule %s', (Expression) => {
    expect(refusal(() => rig.cloudwatch.alarms.mutes.put({ Name: 'x', Rule: { Schedule: { Expression, Duration: 'PT1H' } } }, noon)).code).toBe('ValidationError');
  });
});
