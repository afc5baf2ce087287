// Reads all metrics, controls and versions of a service as one reading, with one question a Region: each whole, or not at all.
import { type CloudWatchClient, GetMetricDataCommand, type GetMetricDataCommandInput, type MetricDataQuery, type MetricDataResult, type MetricStat } from '@aws-sdk/client-cloudwatch';
import type { MetricEntry } from '../config/schema.ts';
import { type Datapoints, historyPeriods, type MetricsReading, periodSeconds, type RegionAnswer, readingOf } from '../domain/metrics.ts';
import { type MathQuery, metricPlan, type MetricQuery, type PlainQuery, queriesOf } from '../domain/metric-plan.ts';
import { withShift } from '../domain/shift-pairs.ts';
import { plansOf, type ShiftPlan } from '../domain/shift-plan.ts';
import { AwsCallError, calling } from './aws-errors.ts';

export interface MetricsConfig {
  readonly metrics?: readonly MetricEntry[] | undefined;
  readonly controls?: readonly MetricEntry[] | undefined;
  /** While a release shares the traffic with the version before it. */
  readonly shift?: ShiftPlan | undefined;
}

export interface MetricsSources {
  /** Of the engine's own Region. */
  readonly cloudWatch: CloudWatchClient;
  readonly cloudWatchIn: (region: string) => CloudWatchClient;
}

/**
 * @returns undefined when the service declares no metrics; a refused or broken call is a reading that is `unknown`, not an error. In another
 * Region it leaves only that Region's controls unread: the service's own metrics are worth something without them.
 */
export async function readMetrics({ cloudWatch, cloudWatchIn }: MetricsSources, { metrics = [], controls = [], shift }: MetricsConfig, now: Date): Promise<MetricsReading | undefined> {
  if (metrics.length === 0) return undefined;
  const { here, elsewhere } = await byRegion(cloudWatch, controls);
  const plans = { metrics: metrics.map((entry) => metricPlan(entry)), controls: here.map((entry) => metricPlan(entry)) };
  // The running minute is never whole.
  const end = Math.floor(now.getTime() / (periodSeconds * 1000)) * periodSeconds * 1000;
  const queries = queriesOf([...plans.metrics, ...plans.controls]);
  const [columns, ...others] = await Promise.all([
    outcomeOf(read(cloudWatch, [...queries, ...queriesOf((shift?.pairs ?? []).flatMap(plansOf))], end)),
    ...[...elsewhere].map(([region, entries]) => readRegion(region, { client: cloudWatchIn(region), entries, end })),
  ]);
  if ('unread' in columns) return { status: 'unknown', why: columns.unread };
  const reading = readingOf({ ...plans, elsewhere: others }, columns, end);
  return shift === undefined ? reading : withShift(reading, shift, columns.slice(queries.length));
}

/** An entry that names the engine's own Region is one that names none. */
async function byRegion(cloudWatch: CloudWatchClient, controls: readonly MetricEntry[]): Promise<{ readonly here: readonly MetricEntry[]; readonly elsewhere: ReadonlyMap<string, readonly MetricEntry[]> }> {
  if (controls.every(({ region }) => region === undefined)) return { here: controls, elsewhere: new Map() };
  const own = await cloudWatch.config.region();
  const of = (wanted: string): readonly MetricEntry[] => controls.filter(({ region = own }) => region === wanted);
  const others = new Set(controls.map(({ region = own }) => region).filter((region) => region !== own));
  return { here: of(own), elsewhere: new Map([...others].map((region) => [region, of(region)])) };
}

async function readRegion(region: string, { client, entries, end }: { readonly client: CloudWatchClient; readonly entries: readonly MetricEntry[]; readonly end: number }): Promise<RegionAnswer> {
  const controls = entries.map((entry) => metricPlan(entry));
  return { region, controls, columns: await outcomeOf(read(client, queriesOf(controls), end)) };
}

async function outcomeOf(reading: Promise<Datapoints[]>): Promise<Datapoints[] | { readonly unread: string }> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof AwsCallError || error instanceof Unvouched) return { unread: error.message.slice(0, 300) };
    throw error;
  }
}

/** CloudWatch answered with status 200, but does not vouch for all of the values. */
export class Unvouched extends Error {}

/** What is wanted twice is asked, and paid, once. */
async function read(client: CloudWatchClient, wanted: readonly MetricQuery[], end: number): Promise<Datapoints[]> {
  const keys = wanted.map((query) => JSON.stringify(query));
  const queries = wanted.filter((_, index) => keys.indexOf(keys[index] ?? '') === index);
  const columns = await readEach(client, queries, { start: end - historyPeriods * periodSeconds * 1000, end });
  const byKey = new Map(queries.map((query, index) => [JSON.stringify(query), columns[index] ?? new Map<number, number>()]));
  return keys.map((key) => byKey.get(key) ?? new Map<number, number>());
}

/** From `start` up to, and without, `end`, both in epoch milliseconds. */
interface Window {
  readonly start: number;
  readonly end: number;
}

/**
 * @returns one a query, whole.
 * @throws Unvouched when any page says that CloudWatch does not vouch for every value; AwsCallError when the call fails.
 */
export async function readEach(client: CloudWatchClient, queries: readonly MetricQuery[], window: Window): Promise<Datapoints[]> {
  const columns = queries.map(() => new Map<number, number>());
  const statuses = new Map<string, string | undefined>();
  let NextToken: string | undefined;
  do {
    const page = await calling('cloudwatch:GetMetricData', client.send(new GetMetricDataCommand({ ...question(queries, window), ...(NextToken === undefined ? {} : { NextToken }) })));
    for (const result of page.MetricDataResults ?? []) take(result, { columns, statuses });
    const [message] = page.Messages ?? [];
    if (message !== undefined) throw new Unvouched(`CloudWatch says ${message.Code ?? ''}: ${message.Value ?? ''}`);
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  for (const [index, { name }] of queries.entries()) {
    const status = statuses.get(idOf(index));
    if (status !== 'Complete') throw new Unvouched(`CloudWatch answers ${status ?? 'nothing'} for ${name}`);
  }
  return columns;
}

const idOf = (index: number): string => `m${index}`;

const question = (queries: readonly MetricQuery[], { start, end }: Window): GetMetricDataCommandInput => ({
  StartTime: new Date(start),
  // Exclusive.
  EndTime: new Date(end),
  ScanBy: 'TimestampAscending',
  MetricDataQueries: queries.flatMap((query, index) => ('expression' in query ? mathQueries(query, idOf(index)) : [{ Id: idOf(index), MetricStat: metricStat(query) }])),
});

const metricStat = ({ namespace, name, dimensions, statistic }: PlainQuery): MetricStat => ({
  Metric: { Namespace: namespace, MetricName: name, Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })) },
  Period: periodSeconds,
  Stat: statistic,
});

/** Ids are one name space for the whole call: the expression's own names get its id before them. */
const mathQueries = ({ expression, metrics }: MathQuery, id: string): MetricDataQuery[] => [
  { Id: id, Expression: expression.replaceAll(/\b[a-z]\w*/g, (name) => `${id}_${name}`), Period: periodSeconds },
  ...Object.entries(metrics).map(([name, metric]) => ({ Id: `${id}_${name}`, MetricStat: metricStat(metric), ReturnData: false })),
];

/** `PartialData` means that a further page follows; an error or a refusal of one page is not mended by the next. */
function take({ Id = '', Timestamps = [], Values = [], StatusCode, Messages = [] }: MetricDataResult, { columns, statuses }: { readonly columns: readonly Map<number, number>[]; readonly statuses: Map<string, string | undefined> }): void {
  if (StatusCode === 'InternalError' || StatusCode === 'Forbidden') throw new Unvouched(`CloudWatch answers ${StatusCode} for ${Id}${Messages[0]?.Value === undefined ? '' : `: ${Messages[0].Value}`}`);
  const column = columns[Number(Id.slice(1))];
  for (const [index, time] of Timestamps.entries()) {
    const value = Values[index];
    if (value !== undefined) column?.set(time.getTime(), value);
  }
  statuses.set(Id, StatusCode);
}
