// Builds the EventBridge events of alarms in CloudWatch's exact shape.
import type { MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import type { AlarmRecord, AlarmState, MetricAlarmRecord } from './alarm.ts';
import type { StateValue } from './alarm-evaluation.ts';
import { dimensionMap } from './metric-queries.ts';
import type { ActiveMute } from './mute-rules.ts';

export interface BusEvent {
  readonly source: 'aws.cloudwatch';
  readonly 'detail-type': string;
  readonly resources: string[];
  readonly detail: Record<string, unknown>;
}

/** Alarm times end in `+0000`, not in `Z`. */
export const alarmTime = (at: number): string => new Date(at).toISOString().replace('Z', '+0000');

export function stateChangeEvent(alarm: AlarmRecord, previous: AlarmState, mute: ActiveMute | null): BusEvent {
  return {
    source: 'aws.cloudwatch',
    'detail-type': 'CloudWatch Alarm State Change',
    resources: [alarm.arn],
    detail: {
      alarmName: alarm.name,
      configuration: configuration(alarm),
      previousState: stateDetail(previous),
      state: stateDetail(alarm.state),
      ...(mute === null ? {} : { muteDetail: { mutedByArn: mute.ruleArn, muteWindowStart: alarmTime(mute.start), muteWindowEnd: alarmTime(mute.end) } }),
      ...(propagatesTags(alarm) ? { alarmTags: Object.fromEntries(alarm.tags) } : {}),
    },
  };
}

/** One series of a multi-series alarm changed: no previous state, no reason data. */
export function contributorEvent(alarm: MetricAlarmRecord, contributor: { id: string; attributes: Record<string, string> }, state: { value: StateValue; reason: string; at: number }): BusEvent {
  return {
    source: 'aws.cloudwatch',
    'detail-type': 'CloudWatch Alarm Contributor State Change',
    resources: [alarm.arn],
    detail: {
      alarmName: alarm.name,
      alarmContributor: contributor,
      state: { value: state.value, reason: state.reason, timestamp: alarmTime(state.at) },
      configuration: configuration(alarm),
    },
  };
}

function stateDetail(state: AlarmState): Record<string, unknown> {
  return {
    value: state.value,
    reason: state.reason,
    ...(state.reasonData === null ? {} : { reasonData: state.reasonData }),
    timestamp: alarmTime(state.updatedAt),
    ...(state.suppressedBy === null ? {} : { actionsSuppressedBy: state.suppressedBy, actionsSuppressedReason: `Actions suppressed by ${state.suppressedBy}` }),
  };
}

function configuration(alarm: AlarmRecord): Record<string, unknown> {
  const description = alarm.input.AlarmDescription === undefined ? {} : { description: alarm.input.AlarmDescription };
  if (alarm.kind === 'metric') return { ...description, metrics: alarm.queries.map(metricDetail) };
  const { AlarmRule, ActionsSuppressor, ActionsSuppressorWaitPeriod, ActionsSuppressorExtensionPeriod } = alarm.input;
  const suppressor = ActionsSuppressor === undefined
    ? {}
    : { actionsSuppressor: ActionsSuppressor, actionsSuppressorWaitPeriod: ActionsSuppressorWaitPeriod, actionsSuppressorExtensionPeriod: ActionsSuppressorExtensionPeriod };
  return { ...description, alarmRule: AlarmRule, ...suppressor };
}

function metricDetail(query: MetricDataQuery): Record<string, unknown> {
  const { Id, Expression, Label, MetricStat, Period } = query;
  const label = Label === undefined ? {} : { label: Label };
  const returnData = query.ReturnData ?? true;
  if (MetricStat === undefined) return { id: Id, expression: Expression, ...label, returnData, ...(Period === undefined ? {} : { period: Period }) };
  const { Metric } = MetricStat;
  return {
    id: Id,
    ...label,
    metricStat: {
      metric: { namespace: Metric?.Namespace, name: Metric?.MetricName, dimensions: dimensionMap(Metric?.Dimensions) },
      period: MetricStat.Period,
      stat: MetricStat.Stat,
    },
    returnData,
  };
}

const propagatesTags = (alarm: AlarmRecord): boolean => alarm.input.ActionConfiguration?.AlarmTagsPropagation?.Enabled === true;
