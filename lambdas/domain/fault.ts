// When something went wrong, as an alarm tells it.
import { at, instantOf } from './instants.ts';
import type { AlarmReading } from './readings.ts';
import type { Instant, Release } from './vocabulary.ts';

/** Clocks of CloudWatch, CodeDeploy and a pipeline differ by so much, in milliseconds. */
export const skew = 10_000;

/** When something went wrong: not before `from`, not after `to`. */
export interface Fault {
  readonly from: Instant;
  readonly to: Instant;
}

/**
 * When the fault of a firing alarm began. The first bad datapoint says it best, but no later than the alarm itself;
 * without datapoints only the change of state is known.
 */
export function faultOf(alarm: Pick<AlarmReading, 'since' | 'fault'>): Fault | null {
  const { since, fault } = alarm;
  if (fault === null) return since === null ? null : { from: since, to: since };
  // CloudWatch renews an alarm's datapoints while it stays in ALARM, so they can be younger than the alarm.
  const limit = since === null ? at(fault.to) : Math.min(at(fault.to), at(since));
  return { from: instantOf(Math.min(at(fault.from), limit)), to: instantOf(limit) };
}

/** True when the fault may have begun after the release did. */
export const mayHaveCaused = (release: Pick<Release, 'startedAt'>, fault: Fault): boolean => at(release.startedAt) <= at(fault.to) + skew;

/** True when the first may have begun before the second, or with it. */
export const notLater = (first: Fault, second: Fault): boolean => at(first.from) <= at(second.to) + skew;
