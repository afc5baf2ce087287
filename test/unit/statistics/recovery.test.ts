// After a rollback: back is said when it is, and never because data is missing.
import { describe, expect, it } from 'vitest';
import { judgeRecovery } from '../../../lambdas/statistics/recovery.ts';
import type { Series } from '../../../lambdas/statistics/series.ts';
import { columns, releaseIndex, seriesOf, service } from './made-service.ts';

const rollbackIndex = releaseIndex + 10;

/** Slow from the release on; from the rollback on as slow as `left` says. */
const recovering = (left: number, points: number): Series[] => service({ slower: (since) => (since < 10 ? 2 : 1 + left), after: 10 + points });

const judge = (series: readonly Series[]) => judgeRecovery({ series, releaseIndex, rollbackIndex, periodSeconds: 60 });

describe('after a rollback', () => {
  it.each([
    ['all of it is gone', 0, 8, 'recovered'],
    ['half of it remains', 0.5, 8, 'not-yet'],
    ['half of it remains for 19 minutes', 0.55, 19, 'not-yet'],
    ['half of it and a bit remains for 20 minutes', 0.6, 20, 'still-bad'],
    ['all of it remains, and it was seven minutes', 1, 7, 'not-yet'],
    ['all of it remains after eight', 1, 8, 'still-bad'],
    ['four good minutes are too few', 0, 4, 'not-yet'],
  ])('%s', (_, left, points, verdict) => {
    expect(judge(recovering(left, points))).toMatchObject({ verdict, points });
  });

  it('errors must be gone as well', () => {
    const { requests, errors, latency } = columns({ errorsAfter: 0.1, after: 18 });
    const mended = errors.map((count, index) => (index >= rollbackIndex ? 0 : count));
    expect(judge(seriesOf({ requests, errors, latency }))).toMatchObject({ verdict: 'still-bad', reasons: expect.arrayContaining([expect.objectContaining({ code: 'unmoved' })]) });
    expect(judge(seriesOf({ requests, errors: mended, latency })).verdict).toBe('recovered');
  });

  it('missing data never recovers, and is never called bad', () => {
    const silent = (points: number): Series[] => {
      const made = columns({ slower: () => 2, after: 10 + points });
      return seriesOf({ ...made, latency: made.latency.map((value, index) => (index >= rollbackIndex ? null : value)) });
    };
    expect(judge(silent(10))).toMatchObject({ verdict: 'not-yet', reasons: expect.arrayContaining([expect.objectContaining({ code: 'no-data' })]) });
    expect(judge(silent(25)).verdict).toBe('not-yet');
    expect(judge([]).verdict).toBe('not-yet');
  });

  it('a signal that nobody could measure meanwhile has to be as usual, and no more', () => {
    // Nothing but 503 for all of the ten minutes: no answer, no latency.
    const outage = (level: number): Series[] => {
      const { requests, errors, latency } = columns({ after: 20 });
      const isOut = (index: number): boolean => index >= releaseIndex && index < rollbackIndex;
      return seriesOf({ requests, errors: errors.map((count, index) => (isOut(index) ? requests[index] ?? 0 : count)), latency: latency.map((value, index) => (isOut(index) ? null : index >= rollbackIndex ? value * level : value)) });
    };
    expect(judge(outage(1))).toMatchObject({ verdict: 'recovered', reasons: [{ code: 'back' }, { code: 'never-harmed' }, {}] });
    expect(judge(outage(1.5))).toMatchObject({ verdict: 'not-yet', reasons: [{}, { code: 'newly-up' }, {}] });
  });

  it('a release that was taken back within its first minute was never measured', () => {
    const at = (made: Parameters<typeof service>[0]) => judgeRecovery({ series: service({ after: 8, ...made }), releaseIndex, rollbackIndex: releaseIndex, periodSeconds: 60 });
    expect(at({}).verdict).toBe('recovered');
    expect(at({ errorsAfter: 0.2 }).verdict).toBe('not-yet');
  });

  it('is not bad for good while less than half of the harm is there', () => {
    expect(judge(recovering(0.35, 25))).toMatchObject({ verdict: 'not-yet', reasons: expect.arrayContaining([expect.objectContaining({ code: 'unsure' })]) });
    expect(judge(recovering(0.8, 25)).verdict).toBe('still-bad');
  });

  it.each([2, 3, 5])('what goes away slowly, half of it in %i minutes, is given its time', (halfLife) => {
    const fading = (points: number): Series[] => service({ slower: (since) => 1 + (since < 10 ? 1 : 0.5 ** ((since - 10) / halfLife)), after: 10 + points });
    for (let points = 1; points <= 15; points += 1) expect(judge(fading(points)).verdict, `after ${points}`).not.toBe('still-bad');
  });

  it('what went away a moment ago is not called bad for the minutes before', () => {
    const delayed = (points: number): Series[] => service({ slower: (since) => (since < 17 ? 2 : 1), after: 10 + points });
    expect(judge(delayed(8)).verdict).toBe('not-yet');
    expect(judge(delayed(17)).verdict).toBe('recovered');
  });

  /** A tenth of the requests failed until the rollback; since then so many a minute come, and none fails. */
  const trickle = (perMinute: number, points: number): Series[] => {
    const { requests, errors, latency } = columns({ errorsAfter: 0.1, after: 10 + points });
    const from = (values: readonly number[], level: number): number[] => values.map((value, index) => (index >= rollbackIndex ? level : value));
    return seriesOf({ requests: from(requests, perMinute), errors: from(errors, 0), latency }).slice(0, 2);
  };

  it.each([
    ['eight requests prove nothing', 1, 8, 'few-requests'],
    ['thirty do not either: with a tenth failing, one time in 20 none of them would', 5, 8, 'few-requests'],
    ['sixty do', 10, 8, 'back'],
    ['as many in more minutes do as well', 5, 14, 'back'],
  ])('%s', (_, perMinute, points, code) => {
    expect(judge(trickle(perMinute, points))).toMatchObject({ verdict: code === 'back' ? 'recovered' : 'not-yet', reasons: [{ code }, {}] });
  });

  it.each([
    ['none of thirty requests failed, before it and since: a tenth may be failing still', 3, 10, 'few-requests'],
    ['of as many as a tenth would show in it was not harmed', 5, 12, 'never-harmed'],
  ])('%s', (_, perMinute, points, code) => {
    const { requests, errors } = columns({ after: 10 + points });
    const quiet = errors.map(() => 0);
    const few = requests.map(() => perMinute);
    expect(judge(seriesOf({ requests: few, errors: quiet, latency: [] }).slice(0, 1))).toMatchObject({ verdict: code === 'never-harmed' ? 'recovered' : 'not-yet', reasons: [{ code }] });
  });

  it('a share of errors that is usual needs as many requests as would show twice of it, and no more', () => {
    const usual = (perMinute: number): Series[] => {
      const { requests, latency } = columns({ after: 18 });
      return seriesOf({ requests: requests.map(() => perMinute), errors: requests.map(() => perMinute * 0.4), latency }).slice(0, 1);
    };
    expect([judge(usual(3)), judge(usual(10))].map(({ reasons }) => reasons[0]?.code)).toEqual(['few-requests', 'never-harmed']);
  });

  it('twenty requests is what latency needs as well', () => {
    const slow = (perMinute: number): Series[] => {
      const { requests, latency } = columns({ slower: (since) => (since < 10 ? 2 : 1), after: 18 });
      return [{ name: 'latency', kind: 'latency', values: latency, requests: requests.map((count, index) => (index >= rollbackIndex ? perMinute : count)) }];
    };
    expect(judge(slow(3))).toMatchObject({ verdict: 'not-yet', reasons: [{ code: 'few-requests' }] });
    expect(judge(slow(4)).verdict).toBe('recovered');
  });

  it('lost traffic has to be back', () => {
    const lost = (after: number, level: number): Series[] => {
      const { requests } = columns({ after: 10 + after });
      return [{ name: 'traffic', kind: 'traffic', values: requests.map((count, index) => (index < releaseIndex ? count : count * (index < rollbackIndex ? 0.2 : level))) }];
    };
    expect(judge(lost(8, 1)).verdict).toBe('recovered');
    expect(judge(lost(7, 0.2)).verdict).toBe('not-yet');
    expect(judge(lost(8, 0.2))).toMatchObject({ verdict: 'not-yet', reasons: [{ code: 'unmoved' }], left: [{ kind: 'traffic', isHopeless: false }] });
    expect(judge(lost(20, 0.35))).toMatchObject({ verdict: 'not-yet', reasons: [{ code: 'still-up' }] });
  });

  it('tells what is left, signal by signal, and over which points', () => {
    const { left, isUnclear } = judge(recovering(1, 8));
    expect(left).toEqual([{ name: 'latency', kind: 'latency', from: rollbackIndex + 2, until: rollbackIndex + 8, effect: expect.closeTo(Math.log(2), 0) as number, isHopeless: true }]);
    expect([isUnclear, judge(recovering(0, 8)).left, judge(recovering(0, 3)).isUnclear]).toEqual([false, [], true]);
  });

  it('a new harm in another signal is not a recovery', () => {
    const { requests, errors, latency } = columns({ slower: (since) => (since < 10 ? 2 : 1), after: 18 });
    const failing = errors.map((count, index) => (index >= rollbackIndex ? Math.round((requests[index] ?? 0) * 0.2) : count));
    expect(judge(seriesOf({ requests, errors: failing, latency }))).toMatchObject({ verdict: 'not-yet', reasons: expect.arrayContaining([expect.objectContaining({ code: 'newly-up' })]) });
  });

  it('says what is back and what is expected', () => {
    expect(judge(recovering(0, 8)).explanation).toMatch(/^RECOVERED 8 minutes after the rollback: error rate was not harmed and is as usual: .* latency is back at what it was before the release: 1[12]\d ms now, 1[12]\d ms expected\./);
  });

  it('refuses indices out of order', () => {
    expect(() => judgeRecovery({ series: service(), releaseIndex, rollbackIndex: releaseIndex - 1, periodSeconds: 60 })).toThrow(RangeError);
  });
});
