// What is done to a service from one point on: more errors, slower answers, less traffic. Each returns a new service; NaN stays NaN.
import { binomial, type Random } from './random.ts';
import type { Service } from './subject.ts';

/** Strength at a point, counted from the beginning of the harm (0, 1, 2 …); 0 is no harm. */
export type Shape = (sinceOnset: number) => number;

export const constant = (size: number): Shape => () => size;

/** Linear from nearly nothing to `size` in `points` points, then level. */
export const ramp = (size: number, points: number): Shape => (since) => size * Math.min(1, (since + 1) / points);

/** Over after `points` points. */
export const spike = (size: number, points: number): Shape => (since) => (since < points ? size : 0);

/** Halves every `halfLife` points. */
export const decay = (size: number, halfLife: number): Shape => (since) => size * 0.5 ** (since / halfLife);

const changedFrom = (values: Float64Array, onset: number, change: (value: number, index: number) => number): Float64Array => {
  const copy = values.slice();
  for (let index = Math.max(0, onset); index < copy.length; index += 1) copy[index] = change(copy[index] ?? Number.NaN, index);
  return copy;
};

/** Adds failing requests: `shape` is the share of good requests that now fail (0.05 = +5 points). */
export const withErrors = (service: Service, onset: number, shape: Shape, random: Random): Service => {
  const { requests, errors } = service;
  if (requests === null || errors === null) return service;
  const worse = changedFrom(errors, onset, (value, index) => {
    const count = requests[index] ?? Number.NaN;
    return value + binomial(random, Math.max(0, count - value), Math.min(1, shape(index - onset)));
  });
  return { ...service, errors: worse };
};

/** Multiplies latency by 1 + shape. */
export const withLatency = (service: Service, onset: number, shape: Shape): Service =>
  service.latency === null ? service
    : { ...service, latency: changedFrom(service.latency, onset, (value, index) => value * (1 + shape(index - onset))) };

/** Multiplies requests by 1 + shape; errors keep their share. */
export const withTraffic = (service: Service, onset: number, shape: Shape, random: Random): Service => {
  const { requests, errors } = service;
  if (requests === null) return service;
  const factor = (index: number): number => Math.max(0, 1 + shape(index - onset));
  return {
    ...service,
    requests: changedFrom(requests, onset, (value, index) => Math.round(value * factor(index))),
    errors: errors && changedFrom(errors, onset, (value, index) => {
      const whole = Math.floor(factor(index));
      return value * whole + binomial(random, value, factor(index) - whole);
    }),
  };
};
