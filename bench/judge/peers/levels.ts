// What every peer looks at: the three signals as levels where worse is up, and how they were before the release.
import type { View } from '../judge.ts';
import type { Service } from '../subject.ts';

export interface Levels {
  readonly kind: 'errors' | 'latency' | 'traffic';
  /** NaN where missing. */
  readonly values: Float64Array;
}

const errorShare = ({ errors, requests }: Service): Float64Array | null =>
  errors === null || requests === null ? null : errors.map((failed, index) => {
    const count = requests[index] ?? Number.NaN;
    return count > 0 ? (Number.isNaN(failed) ? 0 : failed) / count : Number.NaN;
  });

export const levelsOf = (service: Service): Levels[] => {
  const shares = errorShare(service);
  return [
    ...(shares === null ? [] : [{ kind: 'errors' as const, values: shares }]),
    ...(service.latency === null ? [] : [{ kind: 'latency' as const, values: service.latency }]),
    ...(service.requests === null ? [] : [{ kind: 'traffic' as const, values: service.requests.map((count) => -count) }]),
  ];
};

export const present = (values: Float64Array, from: number, until: number): Float64Array =>
  values.subarray(Math.max(0, from), until).filter((value) => value === value);

/** The last finite values. */
export const lastOf = (values: Float64Array, count: number): Float64Array => values.subarray(values.length - count);

/** A day of history, or what there is of it. */
export const historyOf = (values: Float64Array, { release, stepSeconds }: View): Float64Array =>
  present(values, release - Math.max(60, Math.round(86_400 / stepSeconds)), release);
