// Answers a set of metric data queries over one window: plain metrics and metric math; GetMetricData and alarms both ask it.
import type { Dimension, MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import { AwsError } from '../../aws/world.ts';
import { parseMath } from './math-parser.ts';
import { computeMath, type MathScope, type MathValue, type Points } from './metric-math.ts';
import type { MetricName, MetricStore, Samples } from './metric-store.ts';
import { statistic } from './statistics.ts';

export interface QueryWindow {
  /** Epoch milliseconds; the start is included (and rounded down to its period), the end is not. */
  readonly start: number;
  readonly end: number;
  /** Periods begin here and so many periods before and after, epoch milliseconds; absent: at the clock's full minutes, hours and days. */
  readonly anchor?: number;
}

export interface QueryAnswer {
  readonly id: string;
  readonly label: string;
  readonly periodSeconds: number;
  /** In time order. */
  readonly points: Points;
  /** Of a plain metric only. */
  readonly samples: ReadonlyMap<number, Samples> | null;
}

export const dimensionMap = (dimensions: readonly Dimension[] | undefined): Record<string, string> =>
  Object.fromEntries((dimensions ?? []).map(({ Name, Value }) => [Name ?? '', Value ?? '']));

/** The metric that a plain query reads. */
export function metricOf({ MetricStat }: MetricDataQuery): MetricName {
  const { Namespace = '', MetricName = '', Dimensions } = MetricStat?.Metric ?? {};
  return { namespace: Namespace, name: MetricName, dimensions: dimensionMap(Dimensions) };
}

export class QueryRun {
  readonly #queries: ReadonlyMap<string, MetricDataQuery>;
  readonly #store: MetricStore;
  readonly #window: QueryWindow;
  readonly #answers = new Map<string, QueryAnswer>();
  readonly #running = new Set<string>();

  constructor(queries: readonly MetricDataQuery[], store: MetricStore, window: QueryWindow) {
    this.#queries = byId(queries);
    this.#store = store;
    this.#window = window;
  }

  /** @throws AwsError `ValidationError` for a missing or circular reference, or unsupported math. */
  answer(id: string): QueryAnswer {
    const known = this.#answers.get(id);
    if (known !== undefined) return known;
    const query = this.#queries.get(id);
    if (query === undefined) throw invalid(`the id ${id} is not defined`);
    if (this.#running.has(id)) throw invalid(`the expressions refer to each other in a circle at ${id}`);
    this.#running.add(id);
    const answer = query.MetricStat === undefined ? this.#expression(id, query) : this.#metric(id, query);
    this.#running.delete(id);
    this.#answers.set(id, answer);
    return answer;
  }

  #metric(id: string, query: MetricDataQuery): QueryAnswer {
    const { Period, Stat } = query.MetricStat ?? {};
    const periodSeconds = validPeriod(Period ?? query.Period);
    const metric = metricOf(query);
    const { start, end, anchor = 0 } = this.#window;
    const samples = this.#store.read(metric, { start: floorTo(start, periodSeconds, anchor), end, periodSeconds, anchor });
    const compute = statistic(Stat ?? '');
    const points = new Map<number, number>();
    for (const at of [...samples.keys()].toSorted((a, b) => a - b)) {
      const sample = samples.get(at);
      const value = sample === undefined ? null : compute(sample);
      if (value !== null) points.set(at, value);
    }
    return { id, label: query.Label ?? metric.name, periodSeconds, points, samples };
  }

  #expression(id: string, query: MetricDataQuery): QueryAnswer {
    const periodSeconds = validPeriod(query.Period ?? this.#smallestPeriod());
    const node = parseMath(query.Expression ?? '');
    const scope: MathScope = {
      resolve: (other) => ({ kind: 'series', points: this.answer(other).points }),
      metrics: () => [...this.#queries.values()].filter(({ MetricStat }) => MetricStat !== undefined).map(({ Id }) => this.answer(Id ?? '').points),
      grid: grid(this.#window, periodSeconds),
      periodSeconds,
    };
    return { id, label: query.Label ?? id, periodSeconds, points: seriesOf(computeMath(node, scope), scope.grid), samples: null };
  }

  #smallestPeriod(): number {
    const periods = [...this.#queries.values()].flatMap(({ MetricStat }) => MetricStat?.Period ?? []);
    return periods.length === 0 ? 60 : Math.min(...periods);
  }
}

// A lone number stands for itself in every period.
function seriesOf(value: MathValue, times: readonly number[]): Points {
  if (value.kind === 'series') return value.points;
  if (value.kind === 'scalar') return new Map(times.map((at) => [at, value.value]));
  throw invalid('an expression that returns several series is not supported by the sandbox');
}

/** @param anchor where a period begins; default the epoch. */
export const floorTo = (at: number, periodSeconds: number, anchor = 0): number => Math.floor((at - anchor) / (periodSeconds * 1000)) * periodSeconds * 1000 + anchor;

function grid({ start, end, anchor }: QueryWindow, periodSeconds: number): number[] {
  const times: number[] = [];
  for (let at = floorTo(start, periodSeconds, anchor); at < end; at += periodSeconds * 1000) times.push(at);
  return times;
}

const invalid = (why: string): AwsError => new AwsError('ValidationError', `The parameter MetricDataQueries is not valid: ${why}`);

/** @throws AwsError unless the period is 1, 5, 10, 20, 30 or a multiple of 60 seconds. */
export function validPeriod(period: number | undefined): number {
  if (period !== undefined && ([1, 5, 10, 20, 30].includes(period) || (period > 0 && period % 60 === 0))) return period;
  throw new AwsError('ValidationError', `The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60, it is ${String(period)}`);
}

function byId(queries: readonly MetricDataQuery[]): Map<string, MetricDataQuery> {
  const map = new Map<string, MetricDataQuery>();
  for (const query of queries) {
    const id = query.Id ?? '';
    if (!/^[a-z]\w*$/.test(id)) throw invalid(`the id '${id}' must start with a lower-case letter and hold letters, digits and underscores`);
    if (map.has(id)) throw invalid(`the id ${id} is used twice`);
    if ((query.MetricStat === undefined) === (query.Expression === undefined)) throw invalid(`${id} needs either MetricStat or Expression`);
    map.set(id, query);
  }
  return map;
}
