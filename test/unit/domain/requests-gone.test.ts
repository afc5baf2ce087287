// Requests that stay away: no errors among those that are left prove nothing, and an evening is no loss.
import { describe, expect, it } from 'vitest';
import { findInMetrics, findRecovery } from '../../../lambdas/domain/metric-findings.ts';
import type { MetricsRead } from '../../../lambdas/domain/metrics.ts';
import { judgeRound, type ProofQuestion } from '../../../lambdas/domain/proof.ts';
import { measured, reading } from './metric-samples.ts';
import { minute, release } from './samples.ts';

const periods = 27 * 60;
type Requests = (m: number) => number | null;

/** A release at `startedAt`, looked at in minute `until`. */
const look = (requests: Requests, { startedAt = 0, until = 25, history = periods } = {}) =>
  findInMetrics(reading({ requests, until, periods: history }), release({ startedAt: minute(startedAt) }), minute(until));

/** From 19,000 a minute down to 1,000 and back in a day; the quietest is minute `night`. */
const daily = (night: number) => (m: number): number => 10_000 - 9000 * Math.cos((2 * Math.PI * (m - night)) / 1440);

describe('a release whose requests stay away', () => {
  it('is not quiet, whatever those that are left say, and not accused', () => {
    const found = look((m) => (m < 0 ? 10_000 : 200));
    expect(found?.verdict).toBe('unknown');
    expect(found?.text).toMatch(/^requests are gone: (19\d|20\d) a minute in the last 10, where the quietest 10 before the release had 9,\d{3}\. No errors among those that are left prove nothing\. /);
  });

  it('is quiet while half of them come, and again when they are back', () => {
    expect([look((m) => (m < 0 ? 1000 : 600)), look((m) => (m < 0 || m >= 14 ? 1000 : 200))].map((found) => found?.verdict)).toEqual(['quiet', 'quiet']);
  });

  it('is quiet in an evening like the one before, hours after it, and where the history does not reach back to that', () => {
    const evening = daily(500);
    expect(evening(450) / evening(0)).toBeLessThan(0.2);
    for (const until of [60, 150, 300, 450, 600]) expect([look(evening, { until })?.verdict, look(evening, { until, history: 1440 })?.verdict], `${until}`).toEqual(['quiet', 'quiet']);
    const closing = (m: number): number => ((m + 1440) % 1440 < 120 ? 10_000 : 300);
    expect(look(closing, { startedAt: 10, until: 140 })?.verdict).toBe('quiet');
  });

  it('is not in such an evening either where nearly all are gone', () => {
    const evening = daily(500);
    expect(look((m) => evening(m) * (m < 200 ? 1 : 0.1), { until: 300 })?.verdict).toBe('unknown');
  });

  it('says nothing of few requests: chance alone leaves some out', () => {
    const sparse = (share: number): Requests => (m) => (m < 0 || m % share === 0 ? 1 : 0);
    expect(look(sparse(2), { until: 62 })?.verdict).toBe('quiet');
  });
});

describe('a service of several entries', () => {
  const sides = (blue: Requests, green: Requests): MetricsRead =>
    ({ ...reading({ until: 25 }), metrics: [measured('blue', { requests: blue, until: 25, periods }), measured('green', { requests: green, until: 25, periods })] });
  const verdict = (one: MetricsRead) => findInMetrics(one, release({ startedAt: minute(0) }), minute(25));

  it('loses nothing where one takes over from the other', () => {
    expect(verdict(sides((m) => (m < 0 ? 10_000 : 500), (m) => (m < 0 ? 500 : 9800)))?.verdict).toBe('quiet');
  });

  it('is not quiet where one of them alone loses its requests, and the text names it', () => {
    const found = verdict(sides((m) => (m < 0 ? 10_000 : 200), () => 50_000));
    expect(found?.verdict).toBe('unknown');
    expect(found?.text).toMatch(/^blue: requests are gone/);
  });
});

describe('a rollback that brings no requests back', () => {
  /** Released at −20, taken back at 0; a third of the requests failed in between. */
  const after = (requests: Requests, withTraffic = false) =>
    findRecovery(reading({ requests, errors: (m) => (m >= -20 && m < 0 ? 0.3 : 0), until: 15, periods }), { releaseStartedAt: minute(-20), changedAt: minute(0), withTraffic });

  it('is not proven, and no reason to do more', () => {
    const gone = after((m) => (m < 0 ? 10_000 : 200));
    expect(gone).toMatchObject({ isProven: false, isHopeless: false, isUnclear: false, left: [{ kind: 'traffic', isHopeless: false }], reason: { code: 'metrics-not-yet' } });
    expect(gone?.reason.text).toMatch(/^Not proven: requests are gone: (19|20)\d a minute .*\. 15 minutes after the rollback: error rate is back/);
    expect(after(() => 1000)?.isProven).toBe(true);
  });

  it('is proven in a normal evening', () => {
    expect(after(daily(60))?.isProven).toBe(true);
  });

  it('wakes somebody at the deadline, and tries no other way back', () => {
    const journeys: ProofQuestion['journeys'] = { at: minute(15), results: [{ journey: 'buy', ok: true, durationMs: 3, failedAt: null, reason: null }] };
    const question = {
      purpose: 'proof', journeys, verification: { intervalSeconds: 15, passesInARow: 3, deadlineSeconds: 900 }, since: minute(0), releaseStartedAt: minute(-20), passes: 40, alarmsAtStart: [],
      isLeaseHeld: true, live: [{ stepId: 'alb-weights/web', answer: 'yes', detail: '' }], alarms: [],
    } as const;
    const said = (now: number) => judgeRound({ ...question, metrics: reading({ requests: (m) => (m < 0 ? 10_000 : now), errors: (m) => (m >= -20 && m < 0 ? 0.3 : 0), until: 15, periods }) });
    expect(said(200)).toMatchObject({ answer: 'still-bad', triesNoMore: true });
    expect(said(200).reasons.map(({ code }) => code)).toEqual(['deadline', 'metrics-not-yet', 'controls-not-read']);
    expect(said(10_000).answer).toBe('recovered');
  });
});
