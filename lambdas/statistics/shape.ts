// The course of a harm since the release: when it began, whether it lasts, whether it fades, whether it was there before.
import { countedBase, pointSpread, type Measure } from './measure.ts';
import { median, runningTotals } from './samples.ts';
import { badShare, beforeLead, beforeLengths, beforeMost, fadingLead, halfLives, healedLead, lateFadingLead, leastSpread, nowPoints, spikePoints } from './settings.ts';

export interface Shape {
  /** Points from the release to the beginning of the harm. */
  readonly onset: number;
  readonly badPoints: number;
  readonly isBadNow: boolean;
  /** More than a spike: without its worst few points in a row the window still speaks for the harm. */
  readonly isMoreThanSpike: boolean;
  readonly isFading: boolean;
  readonly wasThereBefore: boolean;
}

export interface SpeakingWindow {
  /** Points; it ends with the last one. */
  readonly length: number;
  /** Rise above the base, on the scale of the measure. */
  readonly effect: number;
}

/**
 * ln of likelihood by which each point from `from` on speaks for the harm rather than for none: Poisson for errors, normal for levels.
 * No point speaks for more than twice the harm, so that a wild one does not outvote the others.
 */
const voicesOf = (measure: Measure, { effect, variance }: { effect: number; variance: number }, from: number): Float64Array => {
  const { series, base, levels, sums, weights } = measure;
  const usual = countedBase(measure);
  return Float64Array.from({ length: levels.length - from }, (_, place) => {
    const index = from + place;
    if (series.kind !== 'errors') {
      const rise = (levels[index] as number) - base;
      return (effect * (2 * Math.max(-effect, Math.min(rise, 2 * effect)) - effect)) / (2 * variance);
    }
    const requests = (weights[index + 1] as number) - (weights[index] as number);
    const failed = (sums[index + 1] as number) - (sums[index] as number);
    const low = requests * usual;
    const more = Math.max(0, requests - low) * effect;
    return requests > 0 ? Math.min(failed, 2 * (low + more) + 1) * Math.log1p(more / low) - more : 0;
  });
};

/** Sum of squares that the best multiple of a decaying course leaves over; a half-life of Infinity is a constant. */
const leftOver = (rises: Float64Array, halfLife: number): number => {
  let along = 0;
  let course = 0;
  let square = 0;
  for (let index = 0; index < rises.length; index += 1) {
    const rise = rises[index] as number;
    if (rise !== rise) continue;
    const expected = 0.5 ** (index / halfLife);
    along += rise * expected;
    course += expected * expected;
    square += rise * rise;
  }
  return square - (along * along) / course;
};

/** A warm-up or a cold cache: since the harm began, a level does not fit clearly better than an exponential decay. */
const isFading = ({ series, levels, base, release }: Measure, onset: number, lead: number): boolean => {
  const rises = levels.slice(release + onset).map((level) => level - base);
  // One wild point at the beginning must not make a level, or a slope upwards, look like a decay.
  const most = 2 * median(rises);
  for (let index = 0; index < rises.length; index += 1) if ((rises[index] as number) > most) rises[index] = most;
  const level = leftOver(rises, Infinity);
  return halfLives[series.kind].some((halfLife) => leftOver(rises, halfLife) - level < lead);
};

/** What the points before the release say of the harm: errors are rare, so that any stretch may tell that has not plainly healed; levels wander, so that two have to. */
const wasThereBefore = (heard: (from: number, until: number) => number, { series, release }: Measure, first: number): boolean => {
  if (series.kind !== 'errors') return beforeLengths.every((length) => heard(release - length, release) > 0);
  if (heard(release - beforeLengths[1], release) < -healedLead) return false;
  for (let from = first; from <= release - beforeLengths[0]; from += 1) if (heard(from, release) > beforeLead) return true;
  return false;
};

/** Square of the spread of one point around a level. */
export const varianceOf = (measure: Measure): number => Math.max(leastSpread * measure.smallest, pointSpread(measure)) ** 2;

export interface Surroundings {
  /** Of one point around a level. */
  readonly variance: number;
  /** Points from the release in which its traffic moved. */
  readonly moving: number;
}

export const shapeOf = (measure: Measure, { length, effect }: SpeakingWindow, { variance, moving }: Surroundings): Shape => {
  const { release, base, levels } = measure;
  const until = levels.length;
  const first = Math.max(0, release - beforeMost);
  const totals = runningTotals(voicesOf(measure, { effect, variance }, first));
  const heard = (from: number, end: number): number => (totals[end - first] as number) - (totals[Math.max(first, from) - first] as number);
  // It began where the points from there on speak loudest (the change point of a CUSUM chart, for one look).
  let onset = until - release - 1;
  for (let from = until - 1; from >= release; from -= 1) if (heard(from, until) > heard(release + onset, until)) onset = from - release;
  let spike = -Infinity;
  for (let end = until; end - spikePoints >= until - length; end -= 1) spike = Math.max(spike, heard(end - spikePoints, end));
  return {
    onset,
    badPoints: levels.subarray(release + onset).filter((level) => level >= base + badShare * effect).length,
    isBadNow: heard(until - nowPoints, until) >= 0,
    isMoreThanSpike: heard(until - length, until) >= spike,
    // Whoever is warm last is the last to be given traffic.
    isFading: isFading(measure, onset, 2 * variance * (onset <= moving ? fadingLead : lateFadingLead)),
    wasThereBefore: wasThereBefore(heard, measure, first),
  };
};
