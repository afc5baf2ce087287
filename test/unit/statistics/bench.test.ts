// The bench is fair: the same cases each time, halves that share no series, harms that begin where they say, counts that add up.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { drawCases, type Case } from '../../../bench/judge/cases.ts';
import { dependencyOutcomes } from '../../../bench/judge/dependencies.ts';
import { madeSubjects } from '../../../bench/judge/made.ts';
import { missedOf } from '../../../bench/judge/missed.ts';
import { plainStatic } from '../../../bench/judge/peers/static.ts';
import { play, viewAt, type Outcome } from '../../../bench/judge/run.ts';
import { scoreOf } from '../../../bench/judge/score.ts';
import { splitOf } from '../../../bench/judge/subject.ts';
import { dependencyTable, missedTable, recoveryTable } from '../../../bench/judge/tables.ts';

const drawing = { split: 'development' as const, seed: 1, perScenario: 3, untouched: 3 };
const subjects = madeSubjects();
const cases = [...drawCases(subjects, drawing)];

const outcome = (fields: Partial<Outcome>): Outcome =>
  ({ scenario: 'untouched', isBad: false, name: 'x', source: 'made', stepSeconds: 60, saidAt: null, delay: null, looks: 30, microseconds: 30, ...fields });

/** All that a case is, its series as a hash: value by value takes many seconds. */
const fingerprintOf = ({ scenario, subject, service, controls, release, onset }: Case): unknown => {
  const hash = createHash('sha256');
  for (const values of [service, ...controls].flatMap(({ requests, errors, latency }) => [requests, errors, latency])) hash.update(values ?? 'none');
  return { scenario, name: subject.name, release, onset, hash: hash.digest('hex') };
};

describe('the cases', () => {
  it('are the same on each run, and every scenario has some', () => {
    expect([...drawCases(madeSubjects(), drawing)].map(fingerprintOf)).toEqual(cases.map(fingerprintOf));
    expect([...drawCases(subjects, { ...drawing, seed: 2 })].map(fingerprintOf)).not.toEqual(cases.map(fingerprintOf));
    expect(new Set(cases.map((one) => one.scenario)).size).toBe(23);
  });

  it('take series of one half only, as subject and as control', () => {
    expect(cases.every((one) => splitOf(one.subject.name) === 'development')).toBe(true);
    const inTest = [...drawCases(subjects, { ...drawing, split: 'test' })].map((one) => one.subject.name);
    expect(inTest.length).toBeGreaterThan(0);
    expect(inTest.filter((name) => cases.some((one) => one.subject.name === name))).toEqual([]);
  });

  it('leave the service untouched before the harm, and the judge sees nothing of the future', () => {
    const bad = cases.find((one) => one.scenario === 'latency ×4') as Case;
    const latency = bad.service.latency as Float64Array;
    const usual = Math.max(...latency.subarray(bad.onset - 10, bad.onset));
    expect(latency[bad.onset] as number).toBeGreaterThan(usual * 1.5);
    expect(viewAt(bad, 5).service.latency?.length).toBe(bad.release + 5);
  });
});

describe('something that the service calls', () => {
  it('excuses by the harm that it shows, and by nothing else', () => {
    const outcomes = dependencyOutcomes(subjects, { ...drawing, untouched: 5 });
    const accused = [0, 1, 2, 3].map((which) => outcomes.filter(({ saidAt }) => saidAt[which] !== null).length) as [number, number, number, number];
    const [alone, healthy, part, whole] = accused;
    expect(alone).toBeGreaterThan(outcomes.length / 2);
    expect(healthy).toBeGreaterThanOrEqual(alone * 0.95);
    expect(part).toBeLessThan(alone * 0.6);
    expect(whole).toBeLessThan(alone * 0.25);
    expect(dependencyTable(outcomes)).toContain('| errors +5 points |');
  });
});

describe('what was missed', () => {
  it('is told by what stood against the signal that moved', () => {
    const regional = cases.find(({ scenario }) => scenario === 'regional latency') as Case;
    const better = cases.find(({ scenario }) => scenario === 'improvement ×0.75') as Case;
    expect([regional, better].map((one) => missedOf(one).refusal)).toEqual(['shared by the comparisons', 'no rise that counts']);
  });

  it('is counted with the most frequent first', () => {
    const rows = missedTable([['there before', 60], ['may be healing', 3600], ['may be healing', 300]].map(([refusal, stepSeconds]) => ({ refusal: String(refusal), stepSeconds: Number(stepSeconds) })));
    expect(rows.split('\n').slice(2)).toEqual(['| may be healing | 2 | 1 |', '| there before | 1 | 0 |']);
  });
});

describe('the table of recoveries', () => {
  it('counts all harms, then those of errors or latency, then those of traffic alone', () => {
    const of = (harm: string, fields: { saidAt?: number; badAt?: number }) => ({ harm, remaining: 1, saidAt: null, badAt: null, ...fields });
    const rows = recoveryTable([of('latency ×2', { badAt: 8 }), of('traffic −70 %', {}), of('errors +5 points', { badAt: 13 }), of('traffic −70 %', { saidAt: 11 })]).split('\n').slice(2);
    expect(rows).toEqual([
      '| all | 4 | 0.0 % | 25.0 % | 25.0 % | 50.0 % | 50.0 % |',
      '| all, of errors or latency | 2 | 0.0 % | 0.0 % | 50.0 % | 100.0 % | 100.0 % |',
      '| all, of traffic alone | 2 | 0.0 % | 50.0 % | 0.0 % | 0.0 % | 0.0 % |',
    ]);
  });
});

describe('the score', () => {
  it('counts what was found, what was rolled back for nothing, and worse before the harm as a false alarm', () => {
    const bad = { scenario: 'latency ×2', isBad: true };
    expect(scoreOf([
      outcome({}), outcome({ saidAt: 4 }), outcome({ scenario: 'regional errors', saidAt: 9 }), outcome({ scenario: 'regional errors' }),
      outcome({ ...bad, saidAt: 6, delay: 4 }), outcome({ ...bad, saidAt: 10, delay: 8 }), outcome({ ...bad }), outcome({ ...bad, saidAt: 2, delay: -1 }),
    ])).toMatchObject({ cases: 8, bad: 4, found: 2, falseAlarms: 3, recall: 0.5, precision: 0.4, perThousandHealthy: 500, perThousandGood: 500, slowDelay: 8 });
  });
});

describe('the peers', () => {
  it('a static threshold speaks after as many points in a row as it is told', () => {
    const harsh = cases.find((one) => one.scenario === 'errors +30 points') as Case;
    const [three, five] = [3, 5].map((count) => play(harsh, plainStatic(count)).delay ?? 0);
    expect(three).toBeGreaterThanOrEqual(3);
    expect((five as number) - (three as number)).toBe(2);
  });
});
