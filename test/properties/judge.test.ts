// What must hold of the metric judge for any service: the same answer again, no mischief from scale, company or gaps.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeRelease, type ReleaseQuestion } from '../../lambdas/statistics/judge.ts';
import { judgeRecovery } from '../../lambdas/statistics/recovery.ts';
import type { Series } from '../../lambdas/statistics/series.ts';
import { columns, control, quiet, releaseIndex, seriesOf, service, type Made } from '../unit/statistics/made-service.ts';
import { manyCases } from './many-cases.ts';

const harms = fc.record({
  seed: fc.integer({ min: 1, max: 1e6 }),
  after: fc.integer({ min: 1, max: 30 }),
  onset: fc.integer({ min: -20, max: 3 }),
  errorsAfter: fc.constantFrom(0.002, 0.01, 0.05, 0.3),
  factor: fc.constantFrom(1, 1.1, 1.5, 3),
  traffic: fc.constantFrom(0.3, 1, 2),
});

const madeOf = ({ factor, ...rest }: { factor: number } & Made): Made => ({ ...rest, slower: () => factor });

const questionOf = (made: Made, controls = quiet(made.after)): ReleaseQuestion => ({ series: service(made), controls, releaseIndex, periodSeconds: 60 });

const runs = manyCases(60);

describe('the judge of a release', () => {
  it('answers the same question the same way', () => {
    fc.assert(fc.property(harms, (harm) => {
      const question = questionOf(madeOf(harm));
      expect(judgeRelease(question)).toEqual(judgeRelease(structuredClone(question)));
    }), runs);
  });

  it('does not change its input', () => {
    fc.assert(fc.property(harms, (harm) => {
      const question = questionOf(madeOf(harm));
      const before = structuredClone(question);
      judgeRelease(question);
      expect(question).toEqual(before);
    }), manyCases(15));
  });

  it('sees no difference in the unit of traffic', () => {
    fc.assert(fc.property(harms, fc.constantFrom(2, 16, 1024), (harm, scale) => {
      const traffic = (factor: number): Series[] => [{ name: 'traffic', kind: 'traffic', values: columns(madeOf(harm)).requests.map((count) => count * factor) }];
      const ask = (factor: number) => judgeRelease({ series: traffic(factor), controls: quiet(harm.after), releaseIndex, periodSeconds: 60 });
      expect(ask(scale).verdict).toBe(ask(1).verdict);
      expect(ask(scale).evidence).toBeCloseTo(ask(1).evidence, 6);
    }), runs);
  });

  it('sees no difference in latency twice as high throughout, above the floor of notice', () => {
    fc.assert(fc.property(harms, (harm) => {
      const latency = (factor: number): Series[] => [{ name: 'latency', kind: 'latency', values: columns(madeOf(harm)).latency.map((value) => value * factor) }];
      const ask = (factor: number) => judgeRelease({ series: latency(factor), controls: [], releaseIndex, periodSeconds: 60 });
      expect(ask(2).evidence).toBeCloseTo(ask(1).evidence, 6);
    }), runs);
  });

  it('never turns to worse because comparisons that share the harm are added', () => {
    fc.assert(fc.property(harms, fc.integer({ min: 1, max: 4 }), (harm, count) => {
      const made = madeOf(harm);
      const sharing = Array.from({ length: count }, (_, index) => control(`neighbour ${index}`, made));
      const without = judgeRelease(questionOf(made));
      const withThem = judgeRelease(questionOf(made, [...quiet(made.after), ...sharing]));
      expect(withThem.verdict === 'worse' && without.verdict !== 'worse').toBe(false);
    }), runs);
  });

  it('needs all that it says: worse means evidence enough, an accusing signal, and four periods', () => {
    fc.assert(fc.property(harms, (harm) => {
      const answer = judgeRelease(questionOf(madeOf(harm)));
      if (answer.verdict !== 'worse') return;
      expect(answer.evidence).toBeGreaterThanOrEqual(answer.needed);
      expect(answer.points).toBeGreaterThanOrEqual(4);
      expect(answer.reasons.map((reason) => reason.code)).toContain('bad');
      expect(answer.explanation).toMatch(/^ROLL BACK: /);
    }), runs);
  });

  it('says nothing worse of missing data', () => {
    fc.assert(fc.property(harms, (harm) => {
      const made = columns(madeOf(harm));
      const gone = (values: readonly number[]): (number | null)[] => values.map((value, index) => (index >= releaseIndex ? null : value));
      const series = seriesOf({ requests: gone(made.requests), errors: gone(made.errors), latency: gone(made.latency) });
      expect(judgeRelease({ series, controls: quiet(harm.after), releaseIndex, periodSeconds: 60 }).verdict).toBe('not-yet');
    }), runs);
  });

  it('survives any garbage', () => {
    const value = fc.oneof(fc.constant(null), fc.double(), fc.integer({ min: -5, max: 1e6 }), fc.constantFrom(Number.NaN, Infinity, 0));
    fc.assert(fc.property(fc.array(value, { minLength: 1, maxLength: 300 }), fc.nat(), (values, at) => {
      const release = at % (values.length + 1);
      const series: Series[] = (['errors', 'latency', 'traffic'] as const).map((kind) => ({ name: kind, kind, values, requests: values }));
      const answer = judgeRelease({ series, controls: [{ name: 'other', series }], releaseIndex: release, periodSeconds: 60 });
      expect(Number.isFinite(answer.evidence) || answer.evidence === Infinity).toBe(true);
      expect(answer.explanation).not.toMatch(/NaN|undefined|Infinity/);
    }), manyCases(300));
  });
});

describe('the judge of a recovery', () => {
  it('never says recovered of missing data', () => {
    fc.assert(fc.property(harms, fc.integer({ min: 1, max: 30 }), (harm, points) => {
      const made = columns({ ...madeOf(harm), after: 10 + points, onset: 0 });
      const rollbackIndex = releaseIndex + 10;
      const gone = (values: readonly number[]): (number | null)[] => values.map((value, index) => (index >= rollbackIndex ? null : value));
      const series = seriesOf({ requests: gone(made.requests), errors: gone(made.errors), latency: gone(made.latency) });
      expect(judgeRecovery({ series, releaseIndex, rollbackIndex, periodSeconds: 60 }).verdict).not.toBe('recovered');
    }), runs);
  });
});

describe('what it costs', () => {
  it('grows no faster than the history: ten times the points for at most ten times the time of one', () => {
    const ask = (days: number): number => {
      const made = columns({ errorsAfter: 0.05, slower: () => 1.5 });
      const longer = (values: readonly number[]): number[] => [...Array.from({ length: days - 1 }, () => values.slice(0, releaseIndex)).flat(), ...values];
      const question = {
        series: seriesOf({ requests: longer(made.requests), errors: longer(made.errors), latency: longer(made.latency) }), controls: quiet(), releaseIndex: releaseIndex * days, periodSeconds: 60,
      };
      for (let warm = 0; warm < 30; warm += 1) judgeRelease(question);
      const begun = performance.now();
      for (let run = 0; run < 60; run += 1) judgeRelease(question);
      return performance.now() - begun;
    };
    expect(ask(10) / ask(1)).toBeLessThan(10);
  });
});
