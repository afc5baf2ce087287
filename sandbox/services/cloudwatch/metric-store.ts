// Keeps what was measured: one series per metric, one bucket per minute (or second), enough in each bucket for every statistic.
export interface MetricName {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** What one bucket, or several merged, hold. `values` is null once a statistic set came in: percentiles are then unknown. */
export interface Samples {
  readonly count: number;
  readonly sum: number;
  readonly minimum: number;
  readonly maximum: number;
  /** Value to how often it was seen. */
  readonly values: ReadonlyMap<number, number> | null;
}

export interface Datum extends MetricName {
  readonly samples: Samples;
  readonly unit?: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Seconds; 1 is high resolution, 60 is everything else. */
  readonly resolution: 1 | 60;
}

interface Series extends MetricName {
  unit: string | null;
  lastAt: number;
  readonly buckets: Map<number, Samples>;
}

// Fifteen days of minutes, as CloudWatch keeps them; the oldest go first.
const bucketsKept = 21_600;

/** Samples of one value seen `times` times. */
export const observed = (value: number, times = 1): Samples => ({
  count: times, sum: value * times, minimum: value, maximum: value, values: new Map([[value, times]]),
});

export function merge(left: Samples, right: Samples): Samples {
  return {
    count: left.count + right.count,
    sum: left.sum + right.sum,
    minimum: Math.min(left.minimum, right.minimum),
    maximum: Math.max(left.maximum, right.maximum),
    values: left.values === null || right.values === null ? null : mergedValues(left.values, right.values),
  };
}

function mergedValues(left: ReadonlyMap<number, number>, right: ReadonlyMap<number, number>): Map<number, number> {
  const merged = new Map(left);
  for (const [value, times] of right) merged.set(value, (merged.get(value) ?? 0) + times);
  return merged;
}

export const metricKey = ({ namespace, name, dimensions }: MetricName): string =>
  JSON.stringify([namespace, name, Object.entries(dimensions).toSorted(([a], [b]) => (a < b ? -1 : 1))]);

export class MetricStore {
  readonly #series = new Map<string, Series>();

  add(datum: Datum): void {
    const key = metricKey(datum);
    const { namespace, name, dimensions } = datum;
    const series = this.#series.get(key) ?? { namespace, name, dimensions, unit: datum.unit ?? null, lastAt: 0, buckets: new Map<number, Samples>() };
    this.#series.set(key, series);
    const width = datum.resolution * 1000;
    const start = Math.floor(datum.at / width) * width;
    const before = series.buckets.get(start);
    if (before === undefined) series.buckets.set(start, { ...datum.samples, values: datum.samples.values === null ? null : new Map(datum.samples.values) });
    else series.buckets.set(start, addedTo(before, datum.samples));
    series.lastAt = Math.max(series.lastAt, datum.at);
    const oldest = series.buckets.keys().next();
    if (series.buckets.size > bucketsKept && oldest.done !== true) series.buckets.delete(oldest.value);
  }

  /** Whether nothing was measured at that moment or after it. @param key of the metric, as `metricKey` says it. @param at epoch milliseconds. */
  isQuietSince(key: string, at: number): boolean {
    return (this.#series.get(key)?.lastAt ?? 0) < at;
  }

  /** Samples per period for `start <= t < end`; periods without a sample are absent. `start` and the keys lie whole periods from `anchor`, by default the epoch. */
  read(metric: MetricName, window: { start: number; end: number; periodSeconds: number; anchor?: number }): Map<number, Samples> {
    const series = this.#series.get(metricKey(metric));
    const result = new Map<number, Samples>();
    if (series === undefined || series.lastAt < window.start) return result;
    const width = window.periodSeconds * 1000;
    const { anchor = 0 } = window;
    for (const [at, samples] of series.buckets) {
      const period = Math.floor((at - anchor) / width) * width + anchor;
      if (period < window.start || period >= window.end) continue;
      const before = result.get(period);
      result.set(period, before === undefined ? samples : merge(before, samples));
    }
    return result;
  }

  /** Every metric that ever had a sample, with the time of its last one. */
  list(): (MetricName & { readonly lastAt: number })[] {
    return [...this.#series.values()].map(({ namespace, name, dimensions, lastAt }) => ({ namespace, name, dimensions, lastAt }));
  }
}

// Adding to a bucket's own map saves a copy per request.
function addedTo(bucket: Samples, more: Samples): Samples {
  if (bucket.values === null || more.values === null) return merge(bucket, more);
  const values = bucket.values instanceof Map ? bucket.values : new Map(bucket.values);
  for (const [value, times] of more.values) values.set(value, (values.get(value) ?? 0) + times);
  return { ...merge({ ...bucket, values: null }, more), values };
}
