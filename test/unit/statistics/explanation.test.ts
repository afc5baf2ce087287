// What a person reads at three in the morning is true, in minutes, and says "flat" only when it is.
import { describe, expect, it } from 'vitest';
import { judgeRelease } from '../../../lambdas/statistics/judge.ts';
import { duration, number, percent, signedPercent } from '../../../lambdas/statistics/wording.ts';
import { control, quiet, releaseIndex, service } from './made-service.ts';

const explain = (made: Parameters<typeof service>[0], controls = quiet(), periodSeconds = 60): string =>
  judgeRelease({ series: service(made), controls, releaseIndex, periodSeconds }).explanation;

describe('the explanation', () => {
  it('tells rate, requests, expectation, placebo quantile, beginning, company and evidence of a rise of errors', () => {
    expect(explain({ errorsAfter: 0.3, onset: 2 })).toMatch(
      /^ROLL BACK: error rate \d+(\.\d)? % over the last \d+ minutes \([\d,]+ of [\d,]+ requests\); expected at most 0\.\d+ %\. In 250 windows of this length without a release, 99 % rose by less than 0\.\d+ points\. It began 2 minutes after the release\. 3 comparison services stayed flat \(largest move [+−][\d.]+ points\)\..* Evidence \d+\.\d, needed \d\.\d\.$/,
    );
  });

  it('says what a late beginning takes off the evidence, where that is more than nothing', () => {
    const began = (onset: number): string => /It began [^.]*(\.\d [^.]*)?\./.exec(explain({ errorsAfter: 0.3, onset, after: onset + 8 }, quiet(onset + 8)))?.[0] ?? '';
    expect(began(3)).toBe('It began 3 minutes after the release.');
    expect(began(14)).toBe('It began 14 minutes after the release, which takes 4.0 off the evidence.');
    expect(began(60)).toBe('It began 1 hour after the release, which takes 14.0 off the evidence.');
  });

  it('counts minutes, not points', () => {
    expect(explain({ errorsAfter: 0.3, onset: 2 }, quiet(), 300)).toContain('It began 10 minutes after the release');
  });

  it('does not call a comparison flat that moved', () => {
    const text = explain({ errorsAfter: 0.3 }, [control('cart', { errorsAfter: 0.03 }), control('payments'), control('search')]);
    expect(text).toContain('did not share it');
    expect(text).toContain(', cart)');
    expect(text).not.toContain('flat');
  });

  it('says that there was nothing to compare with', () => {
    expect(explain({ errorsAfter: 0.3 }, [])).toContain('There was nothing to compare it with.');
  });

  it('names the reason when it is not the release', () => {
    expect(explain({ errorsAfter: 0.1, onset: -10 })).toMatch(/^NOT THE RELEASE: .*It was already worse before the release\./);
    expect(explain({})).toBe('NOT YET: error rate: no rise that counts. latency: no rise that counts. traffic: no rise that counts.');
  });
});

describe('the wording', () => {
  it.each([[4, 60, '4 minutes'], [1, 60, '1 minute'], [12, 300, '1 hour'], [30, 300, '2.5 hours'], [3, 10, '30 seconds'], [1, 3600, '1 hour']])('%d periods of %d s are %s', (points, seconds, text) => {
    expect(duration(points, seconds)).toBe(text);
  });

  it('writes numbers with three digits and thousands apart', () => {
    expect([number(1962), number(0.23456), number(1234567), number(0), percent(0.289), signedPercent(0.02), signedPercent(-0.301)])
      .toEqual(['1,962', '0.235', '1,234,567', '0', '28.9 %', '+2 %', '−30.1 %']);
  });
});
