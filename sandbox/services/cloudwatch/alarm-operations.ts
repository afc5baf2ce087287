// CloudWatch operations on alarms: put, describe, set, delete, switch actions, history.
import type {
  DeleteAlarmsInput, DescribeAlarmHistoryInput, DescribeAlarmHistoryOutput, DescribeAlarmsInput, DescribeAlarmsOutput,
  DisableAlarmActionsInput, PutCompositeAlarmInput, PutMetricAlarmInput, SetAlarmStateInput,
} from '@aws-sdk/client-cloudwatch';
import { AwsError, type Authorization, type Operation } from '../../aws/world.ts';
import { describeCompositeAlarm, describeMetricAlarm, type AlarmRecord } from './alarm.ts';
import { alarmsOf } from './alarm-rule.ts';
import type { CloudWatch } from './cloudwatch.ts';

const on = (cloudwatch: CloudWatch, action: string, names: readonly (string | undefined)[]): Authorization[] => [
  { action: `cloudwatch:${action}`, resources: names.length === 0 ? [cloudwatch.alarms.arn('*')] : names.map((name) => cloudwatch.alarms.arn(name ?? '')) },
];

export const putMetricAlarm = (cloudwatch: CloudWatch): Operation<PutMetricAlarmInput, object> => ({
  mutating: true,
  authorize: ({ AlarmName }) => on(cloudwatch, 'PutMetricAlarm', [AlarmName]),
  run: (input) => {
    cloudwatch.putMetricAlarm(input);
    return {};
  },
});

export const putCompositeAlarm = (cloudwatch: CloudWatch): Operation<PutCompositeAlarmInput, object> => ({
  mutating: true,
  authorize: ({ AlarmName }) => on(cloudwatch, 'PutCompositeAlarm', [AlarmName]),
  run: (input) => {
    cloudwatch.putCompositeAlarm(input);
    return {};
  },
});

export const describeAlarms = (cloudwatch: CloudWatch): Operation<DescribeAlarmsInput, DescribeAlarmsOutput> => ({
  mutating: false,
  // Composite alarms are only shown to who may describe every alarm.
  authorize: ({ AlarmNames = [], AlarmTypes = [] }) => (AlarmTypes.includes('CompositeAlarm') ? [{ action: 'cloudwatch:DescribeAlarms', resources: ['*'] }] : on(cloudwatch, 'DescribeAlarms', AlarmNames)),
  run: (input) => {
    const { MaxRecords = 50, NextToken } = input;
    const found = matching(cloudwatch, input);
    const from = Number(NextToken ?? 0);
    if (!Number.isInteger(from)) throw new AwsError('InvalidNextToken', 'The next token specified is invalid.');
    // Up to 100 names are answered in one page.
    const size = input.AlarmNames === undefined ? Math.min(MaxRecords, 100) : 100;
    const shown = found.slice(from, from + size);
    return {
      MetricAlarms: shown.flatMap((alarm) => (alarm.kind === 'metric' ? [describeMetricAlarm(alarm)] : [])),
      CompositeAlarms: shown.flatMap((alarm) => (alarm.kind === 'composite' ? [describeCompositeAlarm(alarm)] : [])),
      ...(from + size < found.length ? { NextToken: String(from + size) } : {}),
    };
  },
});

function matching(cloudwatch: CloudWatch, input: DescribeAlarmsInput): AlarmRecord[] {
  const { AlarmNames, AlarmNamePrefix, AlarmTypes = ['MetricAlarm'], StateValue, ActionPrefix, ChildrenOfAlarmName, ParentsOfAlarmName } = input;
  if (AlarmNames !== undefined && AlarmNames.length > 100) throw new AwsError('ValidationError', '1 validation error detected: Value at \'alarmNames\' failed to satisfy constraint: Member must have length less than or equal to 100');
  if (AlarmNames !== undefined && AlarmNamePrefix !== undefined) throw new AwsError('InvalidParameterCombination', 'AlarmNamePrefix and AlarmNames must not be specified at the same time.');
  const all = cloudwatch.alarms.all().toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (ChildrenOfAlarmName !== undefined) {
    const parent = cloudwatch.alarms.get(ChildrenOfAlarmName);
    const children = parent.kind === 'composite' ? alarmsOf(parent.rule) : [];
    return all.filter(({ name }) => children.includes(name));
  }
  if (ParentsOfAlarmName !== undefined) return all.filter((alarm) => alarm.kind === 'composite' && alarmsOf(alarm.rule).includes(ParentsOfAlarmName));
  return all.filter((alarm) => AlarmTypes.includes(alarm.kind === 'metric' ? 'MetricAlarm' : 'CompositeAlarm')
    && (AlarmNames === undefined || AlarmNames.includes(alarm.name)) && alarm.name.startsWith(AlarmNamePrefix ?? '') && (StateValue === undefined || alarm.state.value === StateValue)
    && (ActionPrefix === undefined || (alarm.input.AlarmActions ?? []).some((arn) => arn.startsWith(ActionPrefix))));
}

export const describeAlarmHistory = (cloudwatch: CloudWatch): Operation<DescribeAlarmHistoryInput, DescribeAlarmHistoryOutput> => ({
  mutating: false,
  authorize: ({ AlarmName }) => on(cloudwatch, 'DescribeAlarmHistory', AlarmName === undefined ? [] : [AlarmName]),
  run: (input) => {
    const found = cloudwatch.alarms.history.find(input);
    const from = Number(input.NextToken ?? 0);
    const size = input.MaxRecords ?? 100;
    return { AlarmHistoryItems: found.slice(from, from + size), ...(from + size < found.length ? { NextToken: String(from + size) } : {}) };
  },
});

export const setAlarmState = (cloudwatch: CloudWatch): Operation<SetAlarmStateInput, object> => ({
  mutating: true,
  authorize: ({ AlarmName }) => on(cloudwatch, 'SetAlarmState', [AlarmName]),
  run: ({ AlarmName = '', StateValue, StateReason = '', StateReasonData }) => {
    if (StateValue === undefined || !['OK', 'ALARM', 'INSUFFICIENT_DATA'].includes(StateValue)) throw new AwsError('ValidationError', `The value ${String(StateValue)} is not a state`);
    if (StateReasonData !== undefined && !isJson(StateReasonData)) throw new AwsError('InvalidFormat', 'StateReasonData must be valid JSON');
    cloudwatch.setAlarmState(AlarmName, StateValue, StateReason, StateReasonData ?? null);
    return {};
  },
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

export const deleteAlarms = (cloudwatch: CloudWatch): Operation<DeleteAlarmsInput, object> => ({
  mutating: true,
  authorize: ({ AlarmNames = [] }) => on(cloudwatch, 'DeleteAlarms', AlarmNames),
  run: ({ AlarmNames = [] }) => {
    cloudwatch.alarms.remove(AlarmNames);
    return {};
  },
});

/** EnableAlarmActions and DisableAlarmActions: the events go on either way. */
export const switchAlarmActions = (cloudwatch: CloudWatch, enabled: boolean): Operation<DisableAlarmActionsInput, object> => ({
  mutating: true,
  authorize: ({ AlarmNames = [] }) => on(cloudwatch, enabled ? 'EnableAlarmActions' : 'DisableAlarmActions', AlarmNames),
  run: ({ AlarmNames = [] }) => {
    for (const name of AlarmNames) {
      const alarm = cloudwatch.alarms.find(name);
      if (alarm !== undefined) alarm.actionsEnabled = enabled;
    }
    return {};
  },
});
