// The bench for harm that begins late: a look a minute, and what was accused before a harm is not counted as found.
import { describe, expect, it } from 'vitest';
import { releasesOf } from '../../../bench/judge/cases.ts';
import { constant, withErrors } from '../../../bench/judge/harm.ts';
import { draw, firstAccused, lateLines, type Drawn } from '../../../bench/judge/late.ts';
import { madeSubjects } from '../../../bench/judge/made.ts';
import { seeded } from '../../../bench/judge/random.ts';
import { lengthOf, type Service } from '../../../bench/judge/subject.ts';
import { columns, releaseIndex } from './made-service.ts';

const after = 720;
const made = ({ requests, errors, latency }: ReturnType<typeof columns>): Service =>
  ({ requests: Float64Array.from(requests), errors: Float64Array.from(errors), latency: Float64Array.from(latency) });
const quiet: Drawn = { service: made(columns({ after })), controls: [], release: releaseIndex };
const harmedFrom = (onset: number): Drawn => ({ ...quiet, service: withErrors(quiet.service, releaseIndex + onset, constant(0.3), seeded(7)) });

describe('a harm that begins late', () => {
  it('is found within minutes of its beginning, at a look of any minute, and not before', () => {
    expect(firstAccused(quiet, 4, 100)).toBeNull();
    const seen = firstAccused(harmedFrom(60), 4, 100) ?? 0;
    expect(seen).toBeGreaterThan(60);
    expect(seen).toBeLessThanOrEqual(70);
    expect(firstAccused(harmedFrom(60), 4, seen - 1)).toBeNull();
    expect(firstAccused(harmedFrom(61), 4, 100)).toBe(seen + 1);
  });
});

describe('the lines', () => {
  it('count healthy releases, and of each harm those found of those that nothing had accused before', () => {
    const lines = lateLines('made', [quiet, harmedFrom(20)]);
    expect(lines[0]).toBe('made: 2 healthy releases, accused in the first 30 minutes 1, later 0');
    expect(lines).toHaveLength(7);
    expect(lines[3]).toMatch(/^ {2}errors \+30 points found, beginning after 30 min: 1 of 1; 60 min: 1 of 1; 120 min: 1 of 1; 600 min: 1 of 1$/);
    expect(lines[4]).toMatch(/^ {2}latency ×1\.3 found, beginning after 30 min: 0 of 1; /);
  }, 60_000);
});

describe('the releases', () => {
  it('are drawn alike each time, with twelve hours after each, and controls that are others', () => {
    const subjects = madeSubjects().filter((one) => one.stepSeconds === 60);
    const drawn = draw(subjects, 20);
    expect(draw(subjects, 20)).toEqual(drawn);
    for (const { service, controls, release } of drawn) {
      const subject = subjects.find((one) => one.service === service);
      if (subject === undefined) throw new Error('drawn from nowhere');
      expect(release + after).toBeLessThanOrEqual(lengthOf(service));
      expect(releasesOf(subject)).toContain(release);
      expect(controls).not.toContain(service);
      expect(controls).toHaveLength(3);
    }
  });
});
