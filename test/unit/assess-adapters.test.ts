// The readers of Assess against answers that the sandbox never gives: half answers, refused batches, reason data of every kind.
import { DescribeAlarmsCommand, type CloudWatchClient, type DescribeAlarmsCommandOutput, type GetMetricDataCommandOutput, type MetricAlarm } from '@aws-sdk/client-cloudwatch';
import type { BatchGetDeploymentsCommand, CodeDeployClient, DeploymentInfo, ListDeploymentsCommand } from '@aws-sdk/client-codedeploy';
import { describe, expect, it } from 'vitest';
import { readAlarms } from '../../lambdas/adapters/alarms.ts';
import { deploymentReading, readDeployments, type WatchedGroup } from '../../lambdas/adapters/deployments.ts';
import { readTraffic } from '../../lambdas/adapters/traffic.ts';

const now = new Date('2026-11-20T09:14:30.000Z');

describe('reading alarms', () => {
  const since = new Date('2026-11-20T09:14:07.104Z');
  const client = (...pages: Partial<DescribeAlarmsCommandOutput>[]) => ({ send: async () => pages.shift() }) as unknown as CloudWatchClient;
  const faultIn = async (data: unknown, over: MetricAlarm = {}) => {
    const StateReasonData = typeof data === 'string' ? data : JSON.stringify(data);
    const alarm: MetricAlarm = { AlarmName: '5xx', StateValue: 'ALARM', StateTransitionedTimestamp: since, ComparisonOperator: 'GreaterThanThreshold', StateReasonData, ...over };
    const [reading] = await readAlarms(client({ MetricAlarms: [alarm] }), [{ name: '5xx' }]);
    return reading?.fault?.from ?? null;
  };
  const data = { version: '1.0', queryDate: '2026-11-20T09:14:07.101+0000', startDate: '2026-11-20T09:11:00.000+0000', period: 60, recentDatapoints: [0.4, 7.9, 9.2], threshold: 5 };

  it.each<[string, unknown, MetricAlarm, string | null]>([
    ['the first datapoint over the threshold', data, {}, '2026-11-20T09:12:00.000Z'],
    ['the first datapoint under it, where less is worse', data, { ComparisonOperator: 'LessThanThreshold' }, '2026-11-20T09:11:00.000Z'],
    ['a datapoint on it, where that counts', { ...data, threshold: 7.9 }, { ComparisonOperator: 'GreaterThanOrEqualToThreshold' }, '2026-11-20T09:12:00.000Z'],
    ['the datapoints with their own times', { ...data, evaluatedDatapoints: [{ timestamp: '2026-11-20T09:13:00.000+0000', value: 9 }, { timestamp: '2026-11-20T09:10:00.000+0000', value: 8 }] }, {}, '2026-11-20T09:10:00.000Z'],
    ['nothing, when datapoints are missing between', { ...data, recentDatapoints: [9.2], startDate: '2026-11-20T09:04:00.000+0000' }, {}, null],
    ['nothing, when no datapoint is bad', { ...data, recentDatapoints: [1, 2, 3] }, {}, null],
    ['nothing, for an operator that is not a threshold\'s', data, { ComparisonOperator: 'LessThanLowerOrGreaterThanUpperThreshold' }, null],
    ['nothing, when the alarm is not in ALARM', data, { StateValue: 'OK' }, null],
    ['nothing, for no JSON', 'set by hand', {}, null],
    ['nothing, for JSON that is no object', '17', {}, null],
    ['nothing, for values of other kinds', { ...data, recentDatapoints: 'many', period: '60' }, {}, null],
    ['nothing, for dates that are none', { ...data, startDate: 'yesterday' }, {}, null],
  ])('finds the beginning of a fault in %s', async (_name, reasonData, over, from) => {
    expect(await faultIn(reasonData, over)).toBe(from);
  });

  it('follows pages, asks for both kinds, and names the children of a composite', async () => {
    const asked: DescribeAlarmsCommand[] = [];
    const pages = [
      { MetricAlarms: [{ AlarmName: '5xx', StateValue: 'OK' as const }], NextToken: 'more' },
      { CompositeAlarms: [{ AlarmName: 'broken', StateValue: 'ALARM' as const, ActionsSuppressedBy: 'WaitPeriod' as const, StateReasonData: '{"triggeringAlarms":[{"arn":"arn:aws:cloudwatch:eu-west-1:111122223333:alarm:team:5xx"},null,{}]}' }] },
    ];
    const paging = { send: async (command: DescribeAlarmsCommand) => { asked.push(command); return pages.shift(); } } as unknown as CloudWatchClient;
    expect(await readAlarms(paging, [{ name: 'broken', group: 'errors' }, { name: '5xx' }])).toMatchObject([
      { name: 'broken', group: 'errors', state: 'ALARM', suppressedBy: 'WaitPeriod', children: ['team:5xx'], since: null }, { name: '5xx', group: '5xx', state: 'OK' },
    ]);
    expect(asked.map(({ input }) => [input.AlarmTypes, input.NextToken])).toEqual([[['MetricAlarm', 'CompositeAlarm'], undefined], [['MetricAlarm', 'CompositeAlarm'], 'more']]);
  });

  it('takes a state it does not know for no data', async () => {
    const [reading] = await readAlarms(client({ MetricAlarms: [{ AlarmName: '5xx', StateValue: 'RED' as never, EvaluationState: 'EVALUATION_ERROR' }] }), [{ name: '5xx' }]);
    expect(reading).toMatchObject({ state: 'INSUFFICIENT_DATA', evaluationState: 'EVALUATION_ERROR' });
  });
});

describe('reading traffic', () => {
  const config = { metric: { namespace: 'Shop', name: 'Requests', dimensions: {}, statistic: 'Sum' as const }, minimumRequests: 50, minutes: 5 };
  const answering = (...pages: Partial<GetMetricDataCommandOutput>[]) => ({ send: async () => pages.shift() }) as unknown as CloudWatchClient;
  let minute = 0;
  const page = (StatusCode: 'Complete' | 'PartialData' | 'InternalError' | 'Forbidden', Values: number[], NextToken?: string) => ({ MetricDataResults: [{ Id: 'm0', StatusCode, Values, Timestamps: Values.map(() => new Date(now.getTime() - 60_000 * (minute += 1))) }], ...(NextToken === undefined ? {} : { NextToken }) });

  it.each<[string, Partial<GetMetricDataCommandOutput>[], string, number | null]>([
    ['enough', [page('Complete', [30, 20])], 'enough', 50],
    ['too little', [page('Complete', [30, 19])], 'too-little', 49],
    ['unknown without a value', [page('Complete', [])], 'unknown', null],
    ['unknown without a result', [{}], 'unknown', null],
    ['unknown when CloudWatch has only a part', [page('PartialData', [900])], 'unknown', null],
    ['unknown when CloudWatch failed inside', [page('InternalError', [900])], 'unknown', null],
    ['unknown when the values are forbidden', [page('Forbidden', [])], 'unknown', null],
    ['unknown when it failed at an earlier page', [page('InternalError', [30], 'more'), page('Complete', [20])], 'unknown', null],
    ['unknown when a later page was forbidden', [page('PartialData', [30], 'more'), page('Forbidden', [])], 'unknown', null],
    ['unknown with a message about the whole call', [{ ...page('Complete', [900]), Messages: [{ Code: 'InternalError', Value: 'try again' }] }], 'unknown', null],
    ['the sum of all pages', [page('PartialData', [30], 'more'), page('Complete', [20])], 'enough', 50],
  ])('is %s', async (_name, pages, status, requests) => {
    expect(await readTraffic(answering(...pages), config, now)).toMatchObject({ status, requests });
  });

  it('is not asked for where the service has no measure', async () => {
    expect(await readTraffic(answering(), { none: 'a batch job has no requests' }, now)).toEqual({ status: 'not-measured', requests: null, minimum: null, minutes: null });
  });
});

const groups: WatchedGroup[] = [{ targetId: 'app', application: 'shop', deploymentGroup: 'prod', platform: 'Server' }];
const info = (deploymentId: string, over: DeploymentInfo = {}): DeploymentInfo => ({ deploymentId, applicationName: 'shop', deploymentGroupName: 'prod', status: 'Succeeded', creator: 'user', createTime: now, ...over });

describe('reading deployments', () => {
  const invalid = (): Error => Object.assign(new Error('no such id'), { name: 'InvalidDeploymentIdException' });
  /** CodeDeploy that refuses a whole batch for one bad id. */
  const strict = (listed: string[] = []) => {
    const batches: number[] = [];
    const send = async (command: BatchGetDeploymentsCommand | ListDeploymentsCommand) => {
      if (!('deploymentIds' in command.input)) return { deployments: listed };
      const ids = command.input.deploymentIds ?? [];
      batches.push(ids.length);
      if (ids.includes('forged')) throw invalid();
      return { deploymentsInfo: ids.map((id) => info(id)) };
    };
    return { batches, client: { send } as unknown as CodeDeployClient };
  };

  it('still returns the others when one id is none', async () => {
    const found = await readDeployments(strict().client, { groups, ids: ['d-1', 'forged', 'd-2'], settled: new Set(), list: null });
    expect(found.map(({ id }) => id)).toEqual(['d-1', 'd-2']);
  });

  it('asks for 25 at a time, and for none that is known', async () => {
    const { client, batches } = strict(Array.from({ length: 60 }, (_, n) => `d-${n}`));
    const found = await readDeployments(client, { groups, ids: ['d-0'], settled: new Set(['d-1', 'd-2']), list: { from: now, to: now } });
    expect(found).toHaveLength(58);
    expect(batches).toEqual([1, 25, 25, 7]);
  });

  it('says what is a rollback, and of what; the one that was rolled back is none', () => {
    const [group] = groups as [WatchedGroup];
    expect(deploymentReading(info('d-2', { rollbackInfo: { rollbackDeploymentId: 'd-3' }, status: 'Failed' }), group)).toMatchObject({ nature: 'release', undoes: null, status: 'failed' });
    expect(deploymentReading(info('d-3', { creator: 'codeDeployRollback', rollbackInfo: { rollbackTriggeringDeploymentId: 'd-2' } }), group)).toMatchObject({ nature: 'rollback', undoes: 'd-2' });
  });

  it('takes every state but three for in progress, and a revision that says nothing for a version of its own', () => {
    const [group] = groups as [WatchedGroup];
    for (const status of ['Created', 'Queued', 'InProgress', 'Baking', 'Ready'] as const) expect(deploymentReading(info('d-1', { status }), group).status).toBe('in-progress');
    expect(deploymentReading(info('d-1'), group).version).toBe('deployment d-1');
  });
});
