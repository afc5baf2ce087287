// How often the Watch looks: every minute where nothing else would see harm, and never more often than one execution can hold.
import { describe, expect, it } from 'vitest';
import { graceMinutes, lateLookSeconds, longestReleaseMinutes, lookSeconds, type Rhythm } from '../../../lambdas/domain/bake-rhythm.ts';
import { minute } from './samples.ts';

const release = { startedAt: minute(0), finishedAt: minute(2) };
const wait = (over: Partial<Rhythm> = {}) => lookSeconds({ release, bakeMinutes: 60, now: minute(30), looksLeft: 1500, isJudged: false, isRestless: false, ...over });

interface Played {
  readonly looks: number;
  /** Longest wait while the metrics had a say, and after that, in seconds. */
  readonly judged: number;
  readonly later: number;
}

/** A whole watch of a release, to the end of the time that a restless bake is given. */
function played({ outMinutes, bakeMinutes, judgedMinutes, isRestless = false, limit = 1500 }: { readonly outMinutes: number; readonly bakeMinutes: number; readonly judgedMinutes: number; readonly isRestless?: boolean; readonly limit?: number }): Played {
  const bakedMinute = outMinutes + bakeMinutes;
  let [looks, now, judged, later] = [0, 1, 0, 0];
  while (now < bakedMinute + graceMinutes(bakeMinutes)) {
    looks += 1;
    const isJudged = now < judgedMinutes;
    const about = { bakeMinutes, now: minute(now), looksLeft: limit - looks, isJudged, isRestless, release: { startedAt: minute(0), finishedAt: now < outMinutes ? null : minute(outMinutes) } };
    const seconds = now < bakedMinute ? Math.min(lookSeconds(about), Math.max(5, (bakedMinute - now) * 60)) : lateLookSeconds(about, Date.parse(minute(bakedMinute)));
    if (isJudged) judged = Math.max(judged, seconds);
    else later = Math.max(later, seconds);
    now += seconds / 60;
  }
  return { looks, judged, later };
}

const week = 7 * 24 * 60;

describe('the rhythm of a watch', () => {
  it('is every minute while the metrics have a say', () => {
    for (const now of [1, 3, 30, 61]) expect(wait({ now: minute(now), isJudged: true })).toBe(60);
    for (const bakeMinutes of [5, 60, 600, 1440, week])
      expect(played({ outMinutes: 30, bakeMinutes, judgedMinutes: 720 }).judged, `a bake of ${bakeMinutes} minutes`).toBe(60);
  });

  it('is every minute while the release goes out, and while something is not quiet', () => {
    expect(wait({ release: { ...release, finishedAt: null } })).toBe(60);
    expect(wait({ now: minute(55), isRestless: true })).toBe(60);
  });

  it('grows to five minutes where alarms alone speak, which need no look', () => {
    expect([2, 10, 31, 50].map((now) => wait({ now: minute(now) }))).toEqual([60, 60, 116, 192]);
    expect(wait({ now: minute(200), bakeMinutes: 600 })).toBe(300);
  });

  it.each([
    ['a day on its way out, then a week', { outMinutes: longestReleaseMinutes, bakeMinutes: week, judgedMinutes: 720 }],
    ['a week that is never quiet', { outMinutes: 10, bakeMinutes: week, judgedMinutes: 720, isRestless: true }],
    ['a week of metrics that always have a say', { outMinutes: 600, bakeMinutes: week, judgedMinutes: 30 * week, isRestless: true }],
    ['a day of metrics that always have a say', { outMinutes: 10, bakeMinutes: 1440, judgedMinutes: 30 * week, isRestless: true }],
    ['a day on its way out, and a minute', { outMinutes: longestReleaseMinutes, bakeMinutes: 1, judgedMinutes: 720, isRestless: true }],
  ])('fits one execution\'s history: %s', (_, watched) => {
    const { looks, later, judged } = played(watched);
    expect(looks).toBeLessThan(1500);
    expect(Math.max(later, judged)).toBeLessThan(5400);
  });

  it('follows what is left, not a fixed number', () => {
    expect(played({ outMinutes: 10, bakeMinutes: 1440, judgedMinutes: 720, isRestless: true, limit: 700 }).looks).toBeLessThan(700);
  });
});
