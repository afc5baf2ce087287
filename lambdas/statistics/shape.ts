// The course of a harm since the release: when it began, whether it lasts, whether it fades, whether it was there before.
import { windowLevel, type Measure } from './measure.ts';
import { likelihoodOf } from './comparison.ts';
import { settings } from './settings.ts';

export interface Shape {
  /** Points from the release to the first bad one. */
  readonly onset: number;
  readonly badPoints: number;
  readonly isBadNow: boolean;
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

/** A warm-up or a cold cache: since it began, an exponential decay fits better than a level does. */
const isFading = (measure: Measure, from: number, until: number): boolean => {
  const rises: number[] = [];
  for (let index = from; index < until; index += 1) rises.push(riseOf(measure, index));
  const level = leftOver(rises, Infinity);
  return settings.halfLives.some((halfLife) => leftOver(rises, halfLife) < level * settings.fading);
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
  settings.beforeLengths.some((length) => (measure.series.kind === 'errors'
    ? likelihoodOf(measure, { from: Math.max(0, measure.release - length), until: measure.release, effect }) > 0
    : levelBefore(measure, effect, length) >= settings.beforeShare * effect));

/** `effect`: the rise of the window that speaks. `until`: index after the last point. */
export const shapeOf = (measure: Measure, effect: number, until: number): Shape => {
  const { release, base, levels } = measure;
  const badAbove = base + settings.badShare * Math.min(effect, settings.clip * measure.smallest);
  let badPoints = 0;
  let onset = until - release;
  for (let index = until - 1; index >= release; index -= 1) {
    if (!((levels[index] as number) >= badAbove)) continue;
    badPoints += 1;
    onset = index - release;
  }
  return {
    onset, badPoints,
    isBadNow: windowLevel(measure, until - settings.nowPoints, until) - base >= settings.badShare * effect,
    isFading: isFading(measure, release + onset, until),
    wasThereBefore: wasThereBefore(measure, effect),
  };
};
