// What the sandbox keeps of an alarm, metric or composite, and how it is shown by DescribeAlarms.
import type { CompositeAlarm, MetricAlarm, MetricDataQuery, PutCompositeAlarmInput, PutMetricAlarmInput } from '@aws-sdk/client-cloudwatch';
import type { AlarmConditions, StateValue } from './alarm-evaluation.ts';
import type { RuleNode } from './alarm-rule.ts';

export interface AlarmState {
  readonly value: StateValue;
  readonly reason: string;
  /** A JSON text, as the API gives it; null when there is none. */
  readonly reasonData: string | null;
  /** Epoch milliseconds of the last update of any kind, and of the last change of `value`. */
  readonly updatedAt: number;
  readonly transitionedAt: number;
  readonly suppressedBy: 'WaitPeriod' | 'ExtensionPeriod' | 'Alarm' | null;
}

interface AlarmBase {
  readonly name: string;
  readonly arn: string;
  state: AlarmState;
  actionsEnabled: boolean;
  readonly configuredAt: number;
  readonly tags: ReadonlyMap<string, string>;
}

export interface MetricAlarmRecord extends AlarmBase {
  readonly kind: 'metric';
  readonly input: PutMetricAlarmInput;
  readonly conditions: AlarmConditions;
  readonly periodSeconds: number;
  /** The queries, and which of them is compared with the threshold. */
  readonly queries: readonly MetricDataQuery[];
  readonly watched: string;
}

export interface CompositeAlarmRecord extends AlarmBase {
  readonly kind: 'composite';
  readonly input: PutCompositeAlarmInput;
  readonly rule: RuleNode;
  /** Epoch milliseconds until which the actions wait or stay suppressed; 0 when they do not. */
  suppressionUntil: number;
}

export type AlarmRecord = MetricAlarmRecord | CompositeAlarmRecord;

const shared = ({ name, arn, state, actionsEnabled, configuredAt, input }: AlarmRecord): Partial<MetricAlarm & CompositeAlarm> => ({
  AlarmName: name,
  AlarmArn: arn,
  AlarmDescription: input.AlarmDescription,
  AlarmConfigurationUpdatedTimestamp: new Date(configuredAt),
  ActionsEnabled: actionsEnabled,
  OKActions: input.OKActions ?? [],
  AlarmActions: input.AlarmActions ?? [],
  InsufficientDataActions: input.InsufficientDataActions ?? [],
  StateValue: state.value,
  StateReason: state.reason,
  StateReasonData: state.reasonData ?? undefined,
  StateUpdatedTimestamp: new Date(state.updatedAt),
  StateTransitionedTimestamp: new Date(state.transitionedAt),
});

export function describeMetricAlarm(alarm: MetricAlarmRecord): MetricAlarm {
  const { input } = alarm;
  return {
    ...shared(alarm),
    MetricName: input.MetricName,
    Namespace: input.Namespace,
    Statistic: input.Statistic,
    ExtendedStatistic: input.ExtendedStatistic,
    Dimensions: input.Dimensions ?? [],
    Period: input.Period,
    Unit: input.Unit,
    EvaluationPeriods: input.EvaluationPeriods,
    DatapointsToAlarm: input.DatapointsToAlarm,
    Threshold: input.Threshold,
    ComparisonOperator: input.ComparisonOperator,
    TreatMissingData: input.TreatMissingData,
    EvaluateLowSampleCountPercentile: input.EvaluateLowSampleCountPercentile,
    Metrics: input.Metrics ?? [],
    ActionConfiguration: input.ActionConfiguration,
  };
}

export function describeCompositeAlarm(alarm: CompositeAlarmRecord): CompositeAlarm {
  const { input, state } = alarm;
  return {
    ...shared(alarm),
    AlarmRule: input.AlarmRule,
    ActionsSuppressor: input.ActionsSuppressor,
    ActionsSuppressorWaitPeriod: input.ActionsSuppressorWaitPeriod,
    ActionsSuppressorExtensionPeriod: input.ActionsSuppressorExtensionPeriod,
    ...(state.suppressedBy === null ? {} : { ActionsSuppressedBy: state.suppressedBy, ActionsSuppressedReason: `Actions suppressed by ${state.suppressedBy}` }),
    ActionConfiguration: input.ActionConfiguration,
  };
}
