// What was measured of a service, minute by minute, small enough for the audit, and as the judge wants it.
import type { ReleaseQuestion } from '../statistics/judge.ts';
import type { RecoveryQuestion } from '../statistics/recovery.ts';
import type { Comparison, Series } from '../statistics/series.ts';
import { at, instantOf } from './instants.ts';
import type { MetricPlan } from './metric-plan.ts';
import type { Instant } from './vocabulary.ts';

export const periodSeconds = 60;
/** A release is judged for so many hours: by then half of the day that is read lies after it, and other things change too. */
export const judgedHours = 12;
const periodMs = periodSeconds * 1000;
/** Metrics say nothing of it any more, so that nobody has to read them. */
export const isTooOldToJudge = ({ startedAt }: { readonly startedAt: Instant }, now: Instant): boolean => at(now) - at(startedAt) > judgedHours * 3_600_000;
/**
 * History that is asked for, in periods: 27 hours. A harm late in the `judgedHours` is only plain beside a hundred windows that lie as long after another moment (`latePlacebos`), of which a day holds
 * 76, and what is usual at this time of day is yesterday's. The most that a catalogue entry can declare (50 series) stays within the 100,800 data points of one page of GetMetricData;
 * with the versions of a release (20) beside it there may be a second one.
 */
export const historyPeriods = 27 * 60;
/** The reading is kept with each decision, in a row of at most 300 kB of data, of which it leaves 100 kB to all the rest; in characters of JSON. */
const mostCharacters = 200_000;
/** Of controls the judge reads an hour before the release and what came since: the rest of their history goes before any of the service's own. */
const controlPeriods = (judgedHours + 2) * 60;

/** One value a period, ending with the last closed one; what is missing at the front is left out. Null where there is no data. */
export type Column = readonly (number | null)[];

/** Columns of one entry of the catalogue; null for what it does not declare. Latency in milliseconds. */
export interface Measured {
  readonly name: string;
  /** Present for a control that the service calls. */
  readonly calls?: true;
  readonly requests: Column;
  readonly errors: Column | null;
  readonly latency: Column | null;
}

export type MetricsReading =
  | {
      readonly status: 'read';
      /** End of the last closed period. */
      readonly end: Instant;
      readonly metrics: readonly Measured[];
      readonly controls: readonly Measured[];
      /** Other Regions whose controls are missing above; absent where all of them answered. */
      readonly unread?: readonly UnreadRegion[];
      /** Present while a release shares the traffic with the version before it. */
      readonly shift?: ShiftReading;
    }
  /** It could not be read, or not whole: nothing is known. */
  | { readonly status: 'unknown'; readonly why: string };

/** A Region that did not answer for its controls, or does not vouch for all of them: whether they are well is not known. */
export interface UnreadRegion {
  readonly region: string;
  readonly names: readonly string[];
  readonly why: string;
}

/** Two versions side by side, each measured by itself. */
export interface ShiftReading {
  readonly releaseId: string;
  readonly pairs: readonly VersionPair[];
}

/** All three have each minute once: those of `released` and `before` are the same, and follow those of `usual`. */
export interface VersionPair {
  /** Everything that was served until the new version had its first request; empty while it had none. */
  readonly usual: Measured;
  /** The new version. Latency only of minutes with requests enough for its percentile. */
  readonly released: Measured;
  /** The version before. */
  readonly before: Measured;
}

export type MetricsRead = Extract<MetricsReading, { status: 'read' }>;

/** Values of one query by the beginning of their period, in epoch milliseconds. */
export type Datapoints = ReadonlyMap<number, number>;

/** The controls of another Region: a column a query, in the order of `queriesOf`, or why there are none. */
export interface RegionAnswer {
  readonly region: string;
  readonly controls: readonly MetricPlan[];
  readonly columns: readonly Datapoints[] | { readonly unread: string };
}

export interface Plans {
  readonly metrics: readonly MetricPlan[];
  readonly controls: readonly MetricPlan[];
  readonly elsewhere?: readonly RegionAnswer[];
}

/** @param columns one a query of the engine's own Region, in the order of `queriesOf`. */
export function readingOf({ metrics, controls, elsewhere = [] }: Plans, columns: readonly Datapoints[], end: number): MetricsRead {
  const own = measuredOf([...metrics, ...controls], columns, end);
  const others = elsewhere.flatMap((one) => ('unread' in one.columns ? [] : measuredOf(one.controls, one.columns, end)));
  const unread = elsewhere.flatMap(({ region, controls: plans, columns: answer }) => ('unread' in answer ? [{ region, names: plans.map(({ name }) => name), why: answer.unread }] : []));
  return fitted({
    status: 'read', end: instantOf(end), metrics: own.slice(0, metrics.length), controls: [...own.slice(metrics.length), ...others],
    ...(unread.length === 0 ? {} : { unread }),
  });
}

/** @param columns one a query, in the order of `queriesOf`. */
export function measuredOf(plans: readonly MetricPlan[], columns: readonly Datapoints[], end: number): Measured[] {
  const rest = columns.values();
  const next = (count: number): Datapoints[] => Array.from({ length: count }, () => rest.next().value ?? new Map<number, number>());
  return plans.map(({ name, requests, errors, latency, calls }) => {
    const counted = added(next(requests.length), end);
    const failed = errors.length === 0 ? null : added(next(errors.length), end);
    const slow = latency === null ? null : added(next(1), end).map((value) => (value === null ? null : Number((value * latency.factor).toPrecision(3))));
    return {
      name,
      ...(calls === undefined ? {} : { calls }),
      requests: trimmed(counted.map(rounded)),
      // CloudWatch sends no zeros for errors: while there are requests, nothing means none. Without requests nothing is known.
      errors: failed === null ? null : trimmed(failed.map((value, index) => ((counted[index] ?? null) === null ? null : rounded(value ?? 0)))),
      latency: slow === null ? null : trimmed(slow),
    };
  });
}

/** Sum of the queries in each period; missing only where all of them are. */
function added(columns: readonly Datapoints[], end: number): (number | null)[] {
  return Array.from({ length: historyPeriods }, (_, index) => {
    const begin = end - (historyPeriods - index) * periodMs;
    const values = columns.flatMap((column) => column.get(begin) ?? []);
    return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
  });
}

/** Counts are whole; what is declared as a rate has few a period, and would be rounded away. */
const rounded = (value: number | null): number | null => (value === null ? null : value < 100 ? Number(value.toPrecision(3)) : Math.round(value));
const trimmed = (column: readonly (number | null)[]): Column => {
  const first = column.findIndex((value) => value !== null);
  return first === -1 ? [] : column.slice(first);
};

/** The oldest hours go first where the whole would be too large to keep, those of the controls before the service's own; the judge is given what is kept. */
export function fitted(reading: MetricsRead): MetricsRead {
  let fitting = reading;
  for (let periods = historyPeriods + 60; JSON.stringify(fitting).length > mostCharacters; ) {
    periods -= 60;
    fitting = cut(reading, periods);
  }
  return fitting;
}

const cut = (reading: MetricsRead, periods: number): MetricsRead => ({
  ...reading, metrics: reading.metrics.map((one) => lastOf(one, periods)), controls: reading.controls.map((one) => lastOf(one, Math.min(controlPeriods, periods))),
  ...(reading.shift === undefined ? {} : { shift: { ...reading.shift, pairs: reading.shift.pairs.map((pair) => ({ ...pair, usual: lastOf(pair.usual, Math.max(1, periods - pair.before.requests.length)) })) } }),
});

const lastOf = ({ requests, errors, latency, ...named }: Measured, periods: number): Measured => ({
  ...named, requests: requests.slice(-periods), errors: errors?.slice(-periods) ?? null, latency: latency?.slice(-periods) ?? null,
});

/** Periods of the longest column; 0 where CloudWatch has no value of the service at all. */
export const lengthOf = ({ metrics }: MetricsRead): number => Math.max(0, ...metrics.flatMap(({ requests, errors, latency }) => [requests.length, errors?.length ?? 0, latency?.length ?? 0]));

/** The last so many periods; null where the column does not reach back so far. */
export const stretched = (column: Column, length: number): (number | null)[] =>
  (column.length >= length ? column.slice(column.length - length) : [...Array.from({ length: length - column.length }, () => null), ...column]);

/** First period that began at or after this instant; at most the one after the last. Negative when the instant lies before the first. */
export const indexOf = ({ end }: Pick<MetricsRead, 'end'>, length: number, instant: Instant): number =>
  Math.min(length, Math.ceil((at(instant) - (at(end) - length * periodMs)) / periodMs));

export interface Wanted {
  readonly length: number;
  /** A period that says nothing, because the release began in the middle of it; null when there is none. */
  readonly without?: number | null;
  readonly withTraffic: boolean;
  /** Said before each signal where there are several entries. */
  readonly prefix: string;
}

export function seriesOf(measured: Measured, { length, withTraffic, prefix, without = null }: Wanted): Series[] {
  const column = (values: Column): (number | null)[] => stretched(values, length).map((value, index) => (index === without ? null : value));
  const requests = column(measured.requests);
  const { errors, latency } = measured;
  return [
    ...(errors === null ? [] : [{ name: `${prefix}error rate`, kind: 'errors' as const, values: column(errors), requests }]),
    ...(latency === null ? [] : [{ name: `${prefix}latency`, kind: 'latency' as const, values: column(latency), requests }]),
    ...(withTraffic ? [{ name: `${prefix}traffic`, kind: 'traffic' as const, values: requests }] : []),
  ];
}

const ownSeries = (reading: MetricsRead, wanted: Omit<Wanted, 'prefix'>): Series[] =>
  reading.metrics.flatMap((one) => seriesOf(one, { ...wanted, prefix: reading.metrics.length === 1 ? '' : `${one.name} ` }));

/** Fewer requests are usually somebody else's doing: only with these to compare them to do they say anything. What the service calls is none of them. */
export const compared = <Control extends { readonly calls?: true | undefined }>(controls: readonly Control[]): Control[] => controls.filter(({ calls }) => calls === undefined);

/** A deployment that goes on for longer has moved its traffic before: it waits with the old tasks, or for somebody. */
const mostMoving = 30;

/**
 * The judge's question about a release; null when the history does not reach back to it.
 * @param movedAt when its traffic had moved: the end of the deployment, where that is known.
 */
export function releaseQuestionOf(reading: MetricsRead, startedAt: Instant, movedAt: Instant | null = null): ReleaseQuestion | null {
  const length = lengthOf(reading);
  const releaseIndex = indexOf(reading, length, startedAt);
  if (releaseIndex < 0) return null;
  const moving = movedAt === null ? 0 : Math.min(mostMoving, Math.max(0, indexOf(reading, length, movedAt) - releaseIndex));
  const beside = compared(reading.controls);
  const withTraffic = beside.length > 0;
  // Half of its requests met the release: as a minute before it, it would say that the harm was there already.
  const wanted = { length, withTraffic, without: at(startedAt) % periodMs === 0 ? null : releaseIndex - 1 };
  const comparisons = (list: readonly Measured[]): Comparison[] => list.map((one) => ({ name: one.name, series: seriesOf(one, { ...wanted, prefix: '' }) }));
  return { series: ownSeries(reading, wanted), controls: comparisons(beside), dependencies: comparisons(reading.controls.filter(({ calls }) => calls)), releaseIndex, periodSeconds, moving };
}

/** What is taken back, and when. */
export interface TakenBack {
  readonly releaseStartedAt: Instant;
  readonly changedAt: Instant;
  /** A fall of traffic could accuse the release, so that it has to be back. */
  readonly withTraffic: boolean;
}

/** The judge's question about a recovery; null when the history does not reach back to the release. */
export function recoveryQuestionOf(reading: MetricsRead, { releaseStartedAt, changedAt, withTraffic }: TakenBack): RecoveryQuestion | null {
  const length = lengthOf(reading);
  const releaseIndex = indexOf(reading, length, releaseStartedAt);
  const rollbackIndex = indexOf(reading, length, changedAt);
  if (releaseIndex < 0 || rollbackIndex < releaseIndex) return null;
  return { series: ownSeries(reading, { length, withTraffic }), releaseIndex, rollbackIndex, periodSeconds };
}
