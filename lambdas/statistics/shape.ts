// The course of a harm since the release: when it began, whether it lasts, whether it fades, whether it was there before.
import { windowLevel, type Measure } from './measure.ts';
import { settings } from './settings.ts';

export interface Shape {
  /** Points from the release to the first bad one. */
  readonly onset: number;
  readonly badPoints: number;
  readonly isBadNow: boolean;
  readonly isFading: boolean;
  readonly wasThereBefore: boolean;
}

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
  const rise = (from: number, to: number): number => windowLevel(measure, from, to) - base;
  const begin = release + onset;
  const half = Math.max(1, (until - begin) >> 1);
  const now = rise(until - settings.nowPoints, until);
  return {
    onset, badPoints,
    isBadNow: now >= settings.badShare * effect,
    isFading: until - begin >= 2 && rise(until - half, until) < settings.fading * rise(begin, begin + half),
    wasThereBefore: rise(release - settings.beforePoints, release) >= settings.beforeShare * effect,
  };
};
