// Remembers what happened to alarms, also after they are gone.
import type { AlarmHistoryItem, DescribeAlarmHistoryInput, HistoryItemType } from '@aws-sdk/client-cloudwatch';

interface Entry {
  readonly name: string;
  readonly kind: 'metric' | 'composite';
  readonly type: HistoryItemType;
  readonly at: number;
  readonly summary: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const entriesKept = 10_000;

export class AlarmHistory {
  readonly #entries: Entry[] = [];

  add(entry: Entry): void {
    this.#entries.push(entry);
    if (this.#entries.length > entriesKept) this.#entries.shift();
  }

  /** Newest first unless asked otherwise; only metric alarms unless `AlarmTypes` says more. */
  find(input: DescribeAlarmHistoryInput): AlarmHistoryItem[] {
    const kinds = input.AlarmTypes ?? ['MetricAlarm'];
    const from = input.StartDate?.getTime() ?? -Infinity;
    const to = input.EndDate?.getTime() ?? Infinity;
    const found = this.#entries.filter(({ name, kind, type, at }) =>
      (input.AlarmName === undefined || name === input.AlarmName) && (input.HistoryItemType === undefined || type === input.HistoryItemType)
      && kinds.includes(kind === 'metric' ? 'MetricAlarm' : 'CompositeAlarm') && at >= from && at <= to);
    return (input.ScanBy === 'TimestampAscending' ? found : found.toReversed()).map(({ name, kind, type, at, summary, data }) => ({
      AlarmName: name, AlarmType: kind === 'metric' ? 'MetricAlarm' : 'CompositeAlarm', Timestamp: new Date(at), HistoryItemType: type,
      HistorySummary: summary, HistoryData: JSON.stringify({ version: '1.0', ...data }),
    }));
  }
}
