// What the bench judges: one service with its real series, and which other services it may be compared with.
import { hashOf } from './random.ts';

/** Parallel arrays, one value a period; NaN where there is no data. `errors` needs `requests`; latency is in milliseconds. */
export interface Service {
  readonly requests: Float64Array | null;
  readonly errors: Float64Array | null;
  readonly latency: Float64Array | null;
}

export interface Subject {
  /** Name of the series: fixes the split. Two recordings of the same thing share it. */
  readonly name: string;
  readonly source: string;
  readonly stepSeconds: number;
  readonly service: Service;
  /** Inclusive index ranges labelled as anomalous. */
  readonly anomalies: readonly (readonly [number, number])[];
  /** Recorded trouble of this service, each a few points that are not part of the series. */
  readonly incidents?: readonly Service[];
  /** Subjects of one group were recorded side by side or measure the same thing: they serve as each other's controls. */
  readonly group: string;
}

export type Split = 'development' | 'test';

/** Half of the series by hash of the name: never by window, so that nothing of a test series is seen in development. */
export const splitOf = (name: string): Split => (hashOf(`split:${name}`) % 2 === 0 ? 'development' : 'test');

export const lengthOf = (service: Service): number =>
  Math.max(service.requests?.length ?? 0, service.errors?.length ?? 0, service.latency?.length ?? 0);

export const medianOf = (values: ArrayLike<number>): number => quantileOf(values, 0.5);

/** Quantile of the finite values; NaN when there are none. */
export const quantileOf = (values: ArrayLike<number>, share: number): number => {
  const sorted = Float64Array.from(values).filter((value) => Number.isFinite(value)).toSorted();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
};
