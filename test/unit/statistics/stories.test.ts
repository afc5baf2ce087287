// The bench of made stories: it plays what it says, the same each time.
import { describe, expect, it } from 'vitest';
import { constant, withErrors } from '../../../bench/judge/harm.ts';
import { seeded } from '../../../bench/judge/random.ts';
import { accusedOf, isSaidRecovered, stories, type Story } from '../../../bench/judge/stories.ts';
import type { Service } from '../../../bench/judge/subject.ts';

const release = 1440;
const story = (start: string): Story => {
  const found = stories.find(({ name }) => name.startsWith(start));
  if (found === undefined) throw new Error(`no story of ${start}`);
  return { ...found, releases: 4 };
};
const shareOf = ({ errors, requests }: Service, from: number, until: number): number => {
  const sum = (values: Float64Array | null): number => values?.subarray(from, until).reduce((total, value) => total + value, 0) ?? Number.NaN;
  return sum(errors) / sum(requests);
};

describe('a story', () => {
  it('counts the releases that are accused while it is watched', () => {
    const calm = story('healthy releases, whose traffic moves at once');
    const broken: Story = { ...calm, make: (random) => withErrors(calm.make(random), release + 10, constant(0.3), random) };
    expect([calm, broken, { ...broken, watched: 12 }].map(accusedOf)).toEqual([0, 4, 0]);
  });

  it('has errors that healed before the release, and others after it', () => {
    const service = story('errors of 30 %').make(seeded(3));
    const shares = [[0, release - 25], [release - 25, release - 15], [release - 15, release], [release, release + 60]].map(([from = 0, until = 0]) => shareOf(service, from, until));
    expect(shares.map((share) => share.toFixed(2))).toEqual(['0.00', '0.30', '0.00', '0.10']);
  });

  it('has one client that fails in four minutes and nobody else', () => {
    const { requests, errors } = story('one client').make(seeded(3));
    expect(errors?.subarray(0, release).every((failed) => failed === 0)).toBe(true);
    expect([...errors?.subarray(release, release + 6) ?? []]).toEqual([1, 1, 1, 1, 0, 0]);
    expect(requests?.every((count, index) => count >= (errors?.[index] ?? 0))).toBe(true);
  });
});

describe('a recovery on few requests', () => {
  it('is said once nothing remains, and not while all does', () => {
    expect([true, false].map((remains) => isSaidRecovered(seeded(5), 100, remains))).toEqual([false, true]);
  });
});
