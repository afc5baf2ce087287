// A past that never was: healthy minutes that were really measured, repeated backwards, for whoever compares with yesterday.
import type { MetricStore, Samples } from '../services/cloudwatch/metric-store.ts';

export interface MadePast {
  readonly namespace: string;
  /** Sandbox time, epoch milliseconds. */
  readonly now: number;
  /** So many closed minutes before now are taken as healthy. */
  readonly healthyMinutes: number;
  /** So many minutes are made before them; those that were measured stay as they are. */
  readonly minutes: number;
}

const minute = 60_000;

/** Every made minute is one measured minute, whole: its requests, errors and latencies belong together. */
export function makePast(store: MetricStore, { namespace, now, healthyMinutes, minutes }: MadePast): void {
  const end = Math.floor(now / minute) * minute;
  const start = end - healthyMinutes * minute;
  for (const { lastAt: _lastAt, ...metric } of store.list().filter((one) => one.namespace === namespace)) {
    const seen = store.read(metric, { start: end - minutes * minute, end, periodSeconds: 60 });
    for (let back = 1; back <= minutes; back += 1) {
      const at = end - back * minute;
      const samples: Samples | undefined = seen.get(start + source(back, healthyMinutes) * minute);
      if (at < start && !seen.has(at) && samples !== undefined) store.add({ ...metric, samples, at, resolution: 60 });
    }
  }
}

/** Which healthy minute stands for the one so many minutes back: the same for every metric, without a pattern a day could have. */
const source = (back: number, count: number): number => (Math.imul(back, 2_654_435_761) >>> 8) % count;
