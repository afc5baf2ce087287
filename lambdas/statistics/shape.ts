// The course of a harm since the release: when it began, whether it lasts, whether it fades, whether it was there before.
import { windowLevel, type Measure } from './measure.ts';
import { likelihoodOf, pointSpread } from './comparison.ts';
import { median } from './samples.ts';
import { badShare, beforeLengths, beforeShare, fadingLead, goodRunPoints, halfLives, nowPoints, nowShare, spikePoints } from './settings.ts';

export interface Shape {
  /** Points from the release to the first bad one. */
  readonly onset: number;
  readonly badPoints: number;
  readonly isBadNow: boolean;
  /** More than a spike: without its worst few points the window still shows half of the effect. */
  readonly isMoreThanSpike: boolean;
  readonly isFading: boolean;
  readonly wasThereBefore: boolean;
}

/** Rise above the base as a share of it for levels, in points for errors: what decays exponentially does so on this scale. */
const riseOf = (measure: Measure, index: number): number => {
  const rise = (measure.levels[index] as number) - measure.base;
  return measure.series.kind === 'errors' ? rise : Math.expm1(rise);
};

/** Sum of squares that the best multiple of a decaying course leaves over; a half-life of Infinity is a constant. */
const leftOver = (rises: readonly number[], halfLife: number): number => {
  let along = 0;
  let course = 0;
  let square = 0;
  for (const [index, rise] of rises.entries()) {
    if (rise !== rise) continue;
    const expected = 0.5 ** (index / halfLife);
    along += rise * expected;
    course += expected * expected;
    square += rise * rise;
  }
  return square - (along * along) / course;
};

const meanOf = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0) / values.length;

/** A warm-up or a cold cache: since it began, a level does not fit clearly better than an exponential decay. */
const isFading = (measure: Measure, from: number, until: number): boolean => {
  const raw: number[] = [];
  for (let index = from; index < until; index += 1) {
    const rise = riseOf(measure, index);
    if (rise === rise) raw.push(rise);
  }
  // One wild point at the beginning must not make a level, or a slope upwards, look like a decay.
  const most = 2 * median(raw);
  const rises = raw.map((rise) => Math.min(rise, most));
  const level = leftOver(rises, Infinity);
  const noise = (pointSpread(measure) * (measure.series.kind === 'errors' ? 1 : 1 + meanOf(rises))) ** 2;
  return halfLives.some((halfLife) => leftOver(rises, halfLife) - level < 2 * noise * fadingLead);
};

/** No point counts for more than the effect itself, so that one spike does not date the harm. */
const levelBefore = (measure: Measure, effect: number, length: number): number => {
  let total = 0;
  let present = 0;
  for (let index = Math.max(0, measure.release - length); index < measure.release; index += 1) {
    const level = measure.levels[index] as number;
    if (level !== level) continue;
    total += Math.min(level - measure.base, effect);
    present += 1;
  }
  return present === 0 ? 0 : total / present;
};

const wasThereBefore = (measure: Measure, effect: number): boolean =>
  beforeLengths.every((length) => (measure.series.kind === 'errors'
    ? likelihoodOf(measure, { from: Math.max(0, measure.release - length), until: measure.release, effect }).now > 0
    : levelBefore(measure, effect, length) >= beforeShare * effect));

/** Few errors come in few points by nature, so that only levels are asked. */
const isMoreThanSpike = (measure: Measure, window: SpeakingWindow, until: number): boolean => {
  if (measure.series.kind === 'errors') return true;
  const sorted = measure.levels.slice(until - window.length, until).filter((level) => level === level).toSorted();
  const without = sorted.subarray(0, Math.max(1, sorted.length - spikePoints));
  return meanOf(Array.from(without)) - measure.base >= nowShare * window.effect;
};

export interface SpeakingWindow {
  readonly length: number;
  readonly effect: number;
}

/** `window`: the one that speaks. `until`: index after the last point. */
export const shapeOf = (measure: Measure, window: SpeakingWindow, until: number): Shape => {
  const { effect } = window;
  const { release, base, levels } = measure;
  const badAbove = base + badShare * effect;
  let badPoints = 0;
  let onset = until - release;
  for (let index = until - 1, goodRun = 0; index >= release && goodRun <= goodRunPoints; index -= 1) {
    if ((levels[index] as number) >= badAbove) {
      badPoints += 1;
      onset = index - release;
      goodRun = 0;
    } else goodRun += 1;
  }
  return {
    onset, badPoints,
    isBadNow: windowLevel(measure, until - nowPoints, until) - base >= nowShare * effect,
    isMoreThanSpike: isMoreThanSpike(measure, window, until),
    isFading: isFading(measure, release + onset, until),
    wasThereBefore: wasThereBefore(measure, effect),
  };
};
