// Turns samples into the number that a statistic's name asks for.
import { AwsError } from '../../aws/world.ts';
import type { Samples } from './metric-store.ts';

export type Statistic = (samples: Samples) => number | null;

const simple: Readonly<Record<string, Statistic>> = {
  SampleCount: ({ count }) => count,
  Sum: ({ sum }) => sum,
  Average: ({ sum, count }) => (count === 0 ? null : sum / count),
  Minimum: ({ minimum }) => minimum,
  Maximum: ({ maximum }) => maximum,
};

/** @throws AwsError for a statistic that CloudWatch or this sandbox does not know (trimmed means and the like). */
export function statistic(name: string): Statistic {
  const found = simple[name];
  if (found !== undefined) return found;
  const fraction = percentileOf(name);
  if (fraction === null) throw new AwsError('InvalidParameterValue', `The value ${name} for parameter Stat is not supported by the sandbox; it knows SampleCount, Sum, Average, Minimum, Maximum and p0.0 to p100.`);
  return (samples) => percentile(samples, fraction);
}

/** `p99.9` is 0.999; null when it is no percentile. */
export function percentileOf(name: string): number | null {
  const match = /^p(\d{1,3}(?:\.\d{1,10})?)$/.exec(name);
  const percent = Number(match?.[1] ?? Number.NaN);
  return percent >= 0 && percent <= 100 ? percent / 100 : null;
}

// Nearest rank. A statistic set allows percentiles only when it holds one value.
function percentile({ values, count, minimum, maximum }: Samples, fraction: number): number | null {
  if (values === null) return minimum === maximum ? minimum : null;
  const rank = Math.max(1, Math.ceil(fraction * count));
  let seen = 0;
  for (const [value, times] of [...values].toSorted(([a], [b]) => a - b)) {
    seen += times;
    if (seen >= rank) return value;
  }
  return null;
}

/** Below how many samples a percentile is "low sample count" (CloudWatch user guide, percentiles and low data samples). */
export const samplesNeeded = (fraction: number): number => (fraction >= 0.5 ? 10 / (1 - fraction) : 10 / fraction);
