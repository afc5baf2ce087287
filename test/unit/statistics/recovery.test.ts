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
    ['all of it remains', 1, 8, 'not-yet'],
    ['all of it remains for 20 minutes', 1, 20, 'still-bad'],
    ['four good minutes are too few', 0, 4, 'not-yet'],
  ])('%s', (_, left, points, verdict) => {
    expect(judge(recovering(left, points))).toMatchObject({ verdict, points });
  });

  it('errors must be gone as well', () => {
    const { requests, errors, latency } = columns({ errorsAfter: 0.1, after: 18 });
    const mended = errors.map((count, index) => (index >= rollbackIndex ? 0 : count));
    expect(judge(seriesOf({ requests, errors, latency })).verdict).toBe('not-yet');
    expect(judge(seriesOf({ requests, errors: mended, latency })).verdict).toBe('recovered');
  });

  it('missing data never recovers, and after 20 minutes a person is told', () => {
    const silent = (points: number): Series[] => {
      const made = columns({ slower: () => 2, after: 10 + points });
      return seriesOf({ ...made, latency: made.latency.map((value, index) => (index >= rollbackIndex ? null : value)) });
    };
    expect(judge(silent(10))).toMatchObject({ verdict: 'not-yet', reasons: expect.arrayContaining([expect.objectContaining({ code: 'no-data' })]) });
    expect(judge(silent(20)).verdict).toBe('still-bad');
    expect(judge([]).verdict).toBe('not-yet');
  });

  it('a new harm in another signal is not a recovery', () => {
    const { requests, errors, latency } = columns({ slower: (since) => (since < 10 ? 2 : 1), after: 18 });
    const failing = errors.map((count, index) => (index >= rollbackIndex ? Math.round((requests[index] ?? 0) * 0.2) : count));
    expect(judge(seriesOf({ requests, errors: failing, latency })).verdict).toBe('not-yet');
  });

  it('says what is back and what is expected', () => {
    expect(judge(recovering(0, 8)).explanation).toMatch(/^RECOVERED 8 minutes after the rollback: error rate was not harmed and is as usual: .* latency is back at what it was before the release: 1[12]\d ms now, 1[12]\d ms expected\./);
  });

  it('refuses indices out of order', () => {
    expect(() => judgeRecovery({ series: service(), releaseIndex, rollbackIndex: releaseIndex - 1, periodSeconds: 60 })).toThrow(RangeError);
  });
});
