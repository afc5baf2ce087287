// What the judge could not tell is never taken for quiet: a release must not become known good by it.
import { describe, expect, it } from 'vitest';
import { findInMetrics, findRecovery } from '../../../lambdas/domain/metric-findings.ts';
import { historyPeriods, judgedHours, type Measured, type MetricsRead, releaseQuestionOf } from '../../../lambdas/domain/metrics.ts';
import { minute, release } from './samples.ts';
import { measured, reading, since } from './metric-samples.ts';

const finding = (own: Parameters<typeof reading>[0]) => findInMetrics(reading({ until: 62, ...own }), release(), minute(62));

/** Its latency in place of that of the reading, by the minute. */
const withLatency = (one: MetricsRead, change: (value: number | null, m: number) => number | null): MetricsRead => {
  const [own] = one.metrics as [Measured];
  return { ...one, metrics: [{ ...own, latency: (own.latency ?? []).map((value, index) => change(value, 62 - 1440 + index)) }] };
};

describe('a release at the end of its bake', () => {
  it('is not quiet while it is bad, though for too short a time to accuse it', () => {
    expect(finding({ errors: since(59, 0.3) })?.verdict).toBe('unknown');
    expect(finding({ errors: (m) => (m >= 20 && m < 23 ? 0.3 : 0) })?.verdict).toBe('quiet');
    expect(finding({ errors: (m) => (m >= 55 && m < 58 ? 0.3 : 0) })?.verdict).toBe('quiet');
  });

  it('is compared with the last latency there was, where no request came in the hour before it', () => {
    const night = (level: number) => findInMetrics(withLatency(reading({ until: 62, requests: (m) => (m >= -100 && m < 0 ? 0 : 1000) }), (value, m) => (m >= -100 && m < 0 ? null : (value ?? 0) * (m >= 0 ? level : 1))), release(), minute(62));
    expect([night(1)?.verdict, night(10)?.verdict]).toEqual(['quiet', 'worse']);
  });

  it('is not called quiet by one signal where the other was never judged', () => {
    const young = withLatency(reading({ until: 62 }), (value, m) => (m < 0 ? null : value));
    const found = findInMetrics(young, release(), minute(62));
    expect(found?.verdict).toBe('unknown');
    expect(found?.text).toContain('latency: the history before the release is too short.');
  });

  it('is quiet all the same where only its traffic has no history: no fall of it accuses by itself', () => {
    const idle = (m: number): number | null => (m >= -100 && m < 0 ? null : 1000);
    const found = findInMetrics(reading({ until: 62, requests: idle }, [measured('payments', { until: 62, requests: idle })]), release(), minute(62));
    expect(found?.verdict).toBe('quiet');
  });
});

describe('an outage late in the hours in which a release is judged', () => {
  it('is found in the last of them: the history that is read has windows enough that lie as long after another moment', () => {
    const verdict = (hours: number, periods: number) => findInMetrics(reading({ until: 0, periods, errors: since(-30, 0.95) }), release({ startedAt: minute(-60 * hours) }), minute(0))?.verdict;
    expect([1, 6, 10.75, judgedHours].map((hours) => verdict(hours, historyPeriods))).toEqual(['worse', 'worse', 'worse', 'worse']);
    expect(verdict(judgedHours, 1440)).toBe('unknown');
  });
});

describe('a release whose traffic moves late', () => {
  const slow = reading({ until: 34, latency: since(20, 1.25, 1) });
  const found = (finishedAt: string | null) => findInMetrics(slow, { startedAt: minute(0), finishedAt }, minute(34))?.verdict;

  it('is judged from the end of its deployment on, where that is known', () => {
    expect([found(minute(20)), found(null)]).toEqual(['worse', 'unknown']);
  });

  it('has moved it after half an hour, however long the deployment goes on', () => {
    const moving = (finishedAt: string | null) => releaseQuestionOf(reading({ until: 62 }), minute(0), finishedAt)?.moving;
    expect([moving(null), moving(minute(12)), moving(minute(50)), moving(minute(-3))]).toEqual([0, 12, 30, 0]);
  });
});

describe('a recovery after a night without requests', () => {
  const taken = { releaseStartedAt: minute(0), changedAt: minute(40), withTraffic: false };
  const later = (level: number) => findRecovery(withLatency(reading({ until: 62, requests: (m) => (m >= -100 && m < 0 ? 0 : 1000) }), (value, m) => (m >= -100 && m < 0 ? null : (value ?? 0) * (m >= 40 ? level : m >= 0 ? 3 : 1))), taken);

  it('asks for the latency of the evening before', () => {
    expect([later(1)?.isProven, later(3)?.isProven]).toEqual([true, false]);
  });
});
