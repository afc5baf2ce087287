// Reads the service's alarms again at their source: an event is only a hint that one of them changed.
import { type CloudWatchClient, type CompositeAlarm, DescribeAlarmsCommand, type MetricAlarm } from '@aws-sdk/client-cloudwatch';
import { instantOf, parseInstant } from '../domain/instants.ts';
import type { AlarmReading } from '../domain/readings.ts';
import type { Instant } from '../domain/vocabulary.ts';
import { calling } from './aws-errors.ts';

export interface WantedAlarm {
  readonly name: string;
  /** Default: the alarm's own name. */
  readonly group?: string | undefined;
  readonly side?: string | undefined;
}

/** DescribeAlarms takes so many names a call. */
const namesPerCall = 100;

/** One reading for every alarm asked for, in that order; one that does not exist is `missing`. */
export async function readAlarms(client: CloudWatchClient, wanted: readonly WantedAlarm[]): Promise<AlarmReading[]> {
  const found = new Map<string, MetricAlarm | CompositeAlarm>();
  for (let index = 0; index < wanted.length; index += namesPerCall)
    for (const alarm of await describe(client, wanted.slice(index, index + namesPerCall).map(({ name }) => name)))
      if (alarm.AlarmName !== undefined) found.set(alarm.AlarmName, alarm);
  return wanted.map(({ name, group = name, side }) => ({ ...reading(name, group, found.get(name)), ...(side === undefined ? {} : { side }) }));
}

async function describe(client: CloudWatchClient, names: readonly string[]): Promise<(MetricAlarm | CompositeAlarm)[]> {
  const alarms: (MetricAlarm | CompositeAlarm)[] = [];
  let NextToken: string | undefined;
  do {
    // Without AlarmTypes CloudWatch leaves composite alarms out.
    const page = await calling('cloudwatch:DescribeAlarms', client.send(new DescribeAlarmsCommand({
      AlarmNames: [...names], AlarmTypes: ['MetricAlarm', 'CompositeAlarm'], ...(NextToken === undefined ? {} : { NextToken }),
    })));
    alarms.push(...page.MetricAlarms ?? [], ...page.CompositeAlarms ?? []);
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return alarms;
}

function reading(name: string, group: string, alarm: MetricAlarm | CompositeAlarm | undefined): AlarmReading {
  if (alarm === undefined) return { name, group, state: 'missing', since: null, fault: null, suppressedBy: null, evaluationState: null, children: [], reason: 'no such alarm' };
  const data = parseReasonData(alarm.StateReasonData);
  const since = alarm.StateTransitionedTimestamp ?? alarm.StateUpdatedTimestamp;
  const isKnown = alarm.StateValue === 'ALARM' || alarm.StateValue === 'OK';
  return {
    name,
    group,
    state: isKnown ? alarm.StateValue as 'ALARM' | 'OK' : 'INSUFFICIENT_DATA',
    since: since === undefined ? null : since.toISOString(),
    fault: alarm.StateValue === 'ALARM' && 'ComparisonOperator' in alarm ? firstBadPeriod(data, alarm.ComparisonOperator) : null,
    suppressedBy: 'ActionsSuppressedBy' in alarm ? alarm.ActionsSuppressedBy ?? null : null,
    evaluationState: 'EvaluationState' in alarm ? alarm.EvaluationState ?? null : null,
    children: childrenOf(data),
    reason: (alarm.StateReason ?? 'no reason given').slice(0, 300),
  };
}

/** The reason data is JSON in a string, absent for alarms set by hand, and anything at all for alarms of new kinds. */
function parseReasonData(text: string | undefined): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text ?? '');
    return parsed !== null && typeof parsed === 'object' ? parsed as Record<string, unknown> : {};
  } catch {
    return {};
  }
}

const comparisons: Readonly<Record<string, (value: number, threshold: number) => boolean>> = {
  GreaterThanThreshold: (value, threshold) => value > threshold,
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
  LessThanThreshold: (value, threshold) => value < threshold,
  LessThanOrEqualToThreshold: (value, threshold) => value <= threshold,
};

/** The period of the oldest datapoint over the threshold; null where CloudWatch does not say enough to find it. */
function firstBadPeriod(data: Record<string, unknown>, operator: string | undefined): { readonly from: Instant; readonly to: Instant } | null {
  const { threshold, period } = data;
  const isBad = comparisons[operator ?? ''];
  if (isBad === undefined || typeof threshold !== 'number' || typeof period !== 'number') return null;
  const bad = datapoints(data, period).filter(({ value }) => isBad(value, threshold)).map(({ at }) => at);
  if (bad.length === 0) return null;
  const from = Math.min(...bad);
  return { from: instantOf(from), to: instantOf(from + period * 1000) };
}

interface Datapoint {
  readonly at: number;
  readonly value: number;
}

function datapoints(data: Record<string, unknown>, period: number): Datapoint[] {
  const { evaluatedDatapoints, recentDatapoints, startDate, queryDate } = data;
  if (Array.isArray(evaluatedDatapoints)) return evaluatedDatapoints.flatMap((one: unknown) => datapoint(one));
  const [start, query] = [instantIn(startDate), instantIn(queryDate)];
  if (!Array.isArray(recentDatapoints) || start === null || query === null) return [];
  // With a gap among them nobody knows which datapoint belongs to which period.
  const isWhole = Math.abs(start + recentDatapoints.length * period * 1000 - query) <= 2 * period * 1000;
  return isWhole ? recentDatapoints.flatMap((value: unknown, index) => (typeof value === 'number' ? [{ at: start + index * period * 1000, value }] : [])) : [];
}

function datapoint(one: unknown): Datapoint[] {
  const { timestamp, value } = (one ?? {}) as { timestamp?: unknown; value?: unknown };
  const at = instantIn(timestamp);
  return at !== null && typeof value === 'number' ? [{ at, value }] : [];
}

function instantIn(value: unknown): number | null {
  const parsed = typeof value === 'string' ? parseInstant(value) : null;
  return parsed === null ? null : Date.parse(parsed);
}

/** `arn:…:alarm:<name>`; a name may hold colons of its own. */
function childrenOf({ triggeringAlarms }: Record<string, unknown>): string[] {
  if (!Array.isArray(triggeringAlarms)) return [];
  return triggeringAlarms.flatMap((one: unknown) => {
    const arn = (one as { arn?: unknown } | null)?.arn;
    return typeof arn === 'string' ? [arn.split(':').slice(6).join(':')] : [];
  });
}
