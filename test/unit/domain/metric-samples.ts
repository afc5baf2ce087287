// A day of made minutes of a service, healthy or with harm from a given minute on.
import type { Measured, MetricsRead } from '../../../lambdas/domain/metrics.ts';
import { minute } from './samples.ts';

export interface Made {
  /** Share of requests that fail in minute `m` of the hour of the samples. */
  readonly errors?: (m: number) => number;
  /** Factor on a latency of about 100 ms. */
  readonly latency?: (m: number) => number;
  readonly requests?: (m: number) => number | null;
  /** Minutes of history; default a day. */
  readonly periods?: number;
  /** Minute at which it ends; default 10. */
  readonly until?: number;
}

/** Noise without chance, −1 to 1. */
const noise = (m: number, salt: number): number => Math.sin(m * 12.9898 + salt * 78.233) * Math.cos(m * 4.1414 + salt);

export function measured(name: string, { errors = () => 0, latency = () => 1, requests = () => 1000, periods = 1440, until = 10 }: Made = {}): Measured {
  const minutes = Array.from({ length: periods }, (_, index) => until - periods + index);
  const counts = minutes.map((m) => {
    const count = requests(m);
    return count === null ? null : Math.round(count * (1 + 0.1 * noise(m, 1)));
  });
  return {
    name, requests: counts,
    errors: minutes.map((m, index) => (counts[index] === null ? null : Math.round((counts[index] ?? 0) * errors(m) + Math.max(0, 2 * noise(m, 2))))),
    latency: minutes.map((m, index) => (counts[index] === null ? null : Math.round(100 * latency(m) * (1 + 0.05 * noise(m, 3))))),
  };
}

export const reading = (own: Made = {}, controls: readonly Measured[] = []): MetricsRead =>
  ({ status: 'read', end: minute(own.until ?? 10), metrics: [measured('shop', own)], controls });

/** From minute `m` on. */
export const since = (from: number, level: number, usual = 0) => (m: number): number => (m >= from ? level : usual);
