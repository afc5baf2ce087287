// Known series, known verdicts: what the judge must say of a release.
import { describe, expect, it } from 'vitest';
import { normal, seeded } from '../../../bench/judge/random.ts';
import { judgeRelease } from '../../../lambdas/statistics/judge.ts';
import type { Comparison, Series } from '../../../lambdas/statistics/series.ts';
import { columns, control, quiet, releaseIndex, seriesOf, service, type Made } from './made-service.ts';

const judge = (series: readonly Series[], controls: readonly Comparison[] = quiet(series[0]?.values.length === undefined ? 10 : series[0].values.length - releaseIndex), dependencies: readonly Comparison[] = []) =>
  judgeRelease({ series, controls, dependencies, releaseIndex, periodSeconds: 60 });

const statusOf = (answer: ReturnType<typeof judge>, kind: Series['kind']): string | undefined =>
  answer.signals.find((one) => one.series.kind === kind)?.status;

describe('a release that broke something', () => {
  it.each<[string, Made, Series['kind']]>([
    ['errors +5 points', { errorsAfter: 0.05 }, 'errors'],
    ['errors +30 points, 2 minutes late', { errorsAfter: 0.3, onset: 2 }, 'errors'],
    ['latency ×1.5', { slower: () => 1.5 }, 'latency'],
    ['latency ×4', { slower: () => 4 }, 'latency'],
    ['traffic −70 %, with quiet controls', { traffic: 0.3 }, 'traffic'],
  ])('%s is worse', (_, made, kind) => {
    const answer = judge(service(made));
    expect(answer.verdict).toBe('worse');
    expect(statusOf(answer, kind)).toBe('bad');
    expect(answer.evidence).toBeGreaterThanOrEqual(answer.needed);
  });

  it('is found without any control, from the history alone', () => {
    expect(judge(service({ errorsAfter: 0.05 }), []).verdict).toBe('worse');
  });

  it('is found after a night without a request, by what was usual in the evening', () => {
    const { requests, errors, latency } = columns({ slower: () => 3 });
    const night = (values: readonly number[]): (number | null)[] => values.map((value, index) => (index >= releaseIndex - 200 && index < releaseIndex ? null : value));
    const answer = judge(seriesOf({ requests: night(requests), errors: night(errors), latency: night(latency) }), []);
    expect([answer.verdict, statusOf(answer, 'latency')]).toEqual(['worse', 'bad']);
    // How many requests come in the morning, the evening does not say.
    expect(statusOf(answer, 'traffic')).toBe('short-history');
  });

  it('is found with a history of two hours', () => {
    const { requests, errors, latency } = columns({ errorsAfter: 0.1 });
    const from = releaseIndex - 120;
    const short = seriesOf({ requests: requests.slice(from), errors: errors.slice(from), latency: latency.slice(from) });
    expect(judgeRelease({ series: short, controls: [], releaseIndex: 120, periodSeconds: 60 }).verdict).toBe('worse');
  });

  it('adds up two weak signals', () => {
    const both = judge(service({ errorsAfter: 0.05, slower: () => 1.5 }));
    const errorsAlone = judge(service({ errorsAfter: 0.05, slower: () => 1.5 }).slice(0, 1));
    expect(both.evidence).toBeGreaterThan(errorsAlone.evidence);
    expect(both.evidence - errorsAlone.evidence).toBeLessThanOrEqual(1.5);
  });

  it('is not taken for a warm-up after twenty noisy minutes at four times the latency', () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const { latency } = columns({ seed, slower: () => 4, after: 20 });
      // A 99 % quantile of a few requests: every third point a third more or less.
      const random = seeded(seed);
      const noisy = latency.map((value) => value * Math.exp(0.3 * normal(random)));
      const answer = judge([{ name: 'p99', kind: 'latency', values: noisy }], []);
      expect(answer.reasons[0]?.code).toBe('bad');
      expect(answer.verdict).toBe('worse');
    }
  });

  it('is dated at its change point, though few requests mean whole minutes without an error', () => {
    const few = { requests: 12, errorsBefore: 0.001, errorsAfter: 0.15, onset: 1, after: 16 };
    for (let seed = 1; seed <= 10; seed += 1) {
      const [errors] = service({ ...few, seed });
      const { signals } = judge([errors as Series], []);
      expect(signals[0]?.shape?.onset).toBeLessThanOrEqual(5);
    }
  });

  it('needs more evidence the later it began', () => {
    const evidence = (onset: number): number => judge([service({ slower: () => 1.5, onset, after: onset + 8 })[1] as Series], []).evidence;
    expect(evidence(0)).toBeGreaterThan(2.8);
    expect(evidence(20)).toBeLessThan(evidence(0) - 5);
  });

  it('is not late while the traffic of the release still moves, and pays a little for the choice of minutes', () => {
    const asked = (moving: number) => judgeRelease({ series: [service({ slower: () => 1.37, onset: 20, after: 34 })[1] as Series], controls: [], releaseIndex, periodSeconds: 60, moving });
    expect([asked(0).verdict, asked(20).verdict]).toEqual(['not-yet', 'worse']);
    expect(asked(20).explanation).toContain('It began 20 minutes after the release, which takes 1.3 off the evidence.');
  });

  const late = (onset: number, made: Made) => judge(service({ ...made, onset, after: onset + 10 }), quiet(onset + 10));

  describe.each([30, 60, 120])('that shows %d minutes later', (onset) => {
    it.each<[string, Made]>([['errors of 95 %', { errorsAfter: 0.95 }], ['errors of 10 %', { errorsAfter: 0.1 }], ['latency ×4', { slower: () => 4 }]])('is found by %s that no control shares', (_, made) => {
      expect(late(onset, made).verdict).toBe('worse');
    });

    it.each<[string, Made]>([['errors of 1.5 %', { errorsAfter: 0.015 }], ['latency ×1.3', { slower: () => 1.3 }], ['a fall of traffic by 80 %', { traffic: 0.2 }]])('is not found by %s', (_, made) => {
      const answer = late(onset, made);
      expect(answer.verdict).toBe('not-yet');
      expect(answer.signals.map(({ status }) => status)).toContain('bad');
    });

    it('is not found in a history that is too short to say how the service is so long after any moment', () => {
      const { requests, errors, latency } = columns({ errorsAfter: 0.95, onset, after: onset + 10 });
      const before = 120 + onset;
      const series = seriesOf({ requests: requests.slice(releaseIndex - before), errors: errors.slice(releaseIndex - before), latency: latency.slice(releaseIndex - before) });
      const answer = judgeRelease({ series, controls: [], releaseIndex: before, periodSeconds: 60 });
      expect([answer.verdict, statusOf(answer, 'errors')]).toEqual([onset === 30 ? 'worse' : 'not-yet', 'bad']);
    });
  });

  it('a supporting signal alone accuses nobody', () => {
    const [errors, latency] = service({ slower: () => 2 });
    expect(judge([errors as Series, latency as Series]).verdict).toBe('worse');
    expect(judge([errors as Series, { ...(latency as Series), isSupporting: true }]).verdict).toBe('not-yet');
  });
});

describe('what only looks like a bad release', () => {
  it('says nothing of a healthy one, whatever its noise', () => {
    for (let seed = 1; seed <= 40; seed += 1)
      for (const after of [5, 15, 30]) expect(judge(service({ seed, after }), quiet(after)).verdict).toBe('not-yet');
  });

  it('waits while a warm-up fades', () => {
    const answer = judge(service({ slower: (since) => 1 + 2 * 0.5 ** (since / 3), after: 6 }), quiet(6));
    expect(answer.verdict).toBe('not-yet');
    expect(statusOf(answer, 'latency')).toBe('fading');
  });

  it.each([6, 12])('waits as long for one that begins with the last of its traffic, in noise number %d', (seed) => {
    // After four points such a slow decay is nearly a level: only a warm-up that is expected is waited for.
    const [, latency] = service({ seed, slower: (since) => 1 + 0.5 ** (since / 8), onset: 6, after: 10 }) as [Series, Series];
    const asked = (moving: number) => judgeRelease({ series: [latency], controls: [], releaseIndex, periodSeconds: 60, moving }).reasons[0]?.code;
    expect([asked(6), asked(0)]).toEqual(['fading', 'bad']);
  });

  it('lets a spike of three minutes pass', () => {
    const answer = judge(service({ slower: (since) => (since < 3 ? 5 : 1), after: 8 }), quiet(8));
    expect(answer.verdict).toBe('not-yet');
  });

  it('calls a harm unrelated that began ten minutes before the release', () => {
    const answer = judge(service({ errorsAfter: 0.1, onset: -10 }));
    expect(answer.verdict).toBe('unrelated');
    expect(statusOf(answer, 'errors')).toBe('before');
  });

  it('calls a harm unrelated that the controls share', () => {
    const sick = ['cart', 'payments', 'search'].map((name) => control(name, { errorsAfter: 0.08 }));
    const answer = judge(service({ errorsAfter: 0.1 }), sick);
    expect(answer.verdict).toBe('unrelated');
    expect(statusOf(answer, 'errors')).toBe('shared');
  });

  it('does not let one sick control of three excuse the release', () => {
    expect(judge(service({ errorsAfter: 0.1 }), [control('cart', { errorsAfter: 0.1 }), control('payments'), control('search')]).verdict).toBe('worse');
  });

  it('blames a dependency that is as slow', () => {
    const answer = judge(service({ slower: () => 2 }), quiet(), [control('database', { slower: () => 1.8 })]);
    expect(answer.verdict).toBe('unrelated');
    expect(statusOf(answer, 'latency')).toBe('dependency');
  });

  it('blames one that shows 30 % of it, and none for its own noise', () => {
    // p99 of a few requests: a point strays by 15 %, and neighbours are alike. Its mean is up by a third of the harm often enough.
    const noisy = (seed: number, part: number): Comparison => {
      const random = seeded(seed);
      let level = 0;
      const values = Array.from({ length: releaseIndex + 10 }, (_, index) => {
        level = 0.6 * level + 0.12 * normal(random);
        return 40 * Math.exp(level + (index >= releaseIndex ? part * Math.log(1.5) : 0));
      });
      return { name: 'database', series: [{ name: 'latency', kind: 'latency', values }] };
    };
    const slow = service({ slower: () => 1.5 });
    const blamed = (part: number) => Array.from({ length: 40 }, (_, seed) => statusOf(judge(slow, [], [noisy(seed + 1, part)]), 'latency')).filter((status) => status === 'dependency').length;
    expect(blamed(0)).toBeLessThanOrEqual(1);
    expect(blamed(1)).toBeGreaterThanOrEqual(38);
    const shows = (part: number) => judge(slow, [], [control('database', { slower: () => 1.5 ** part })]);
    expect([shows(0.3).verdict, shows(0).verdict]).toEqual(['unrelated', 'worse']);
  });

  it('takes a dependency that is called less by a service with fewer requests for no reason', () => {
    expect(judge(service({ traffic: 0.3 }), quiet(), [control('payments', { traffic: 0.3 })]).verdict).toBe('worse');
  });

  it.each([5, 15])('does not take errors that healed %d minutes before the release for those that came with it', (healed) => {
    const { requests, errors, latency } = columns({ errorsAfter: 0.1 });
    const burst = errors.map((count, index) => (index >= releaseIndex - healed - 3 && index < releaseIndex - healed ? Math.round((requests[index] ?? 0) * 0.3) : count));
    expect(judge(seriesOf({ requests, errors: burst, latency })).verdict).toBe('worse');
    const lasting = errors.map((count, index) => (index >= releaseIndex - healed - 3 && index < releaseIndex ? Math.round((requests[index] ?? 0) * 0.1) : count));
    expect(judge(seriesOf({ requests, errors: lasting, latency })).verdict).toBe('unrelated');
  });

  it('sees what a release adds shortly after a long incident that has healed', () => {
    const { requests, errors, latency } = columns({ errorsAfter: 0.05 });
    const incident = errors.map((count, index) => (index >= releaseIndex - 25 && index < releaseIndex - 15 ? Math.round((requests[index] ?? 0) * 0.3) : count));
    const answer = judge(seriesOf({ requests, errors: incident, latency }));
    expect([answer.verdict, statusOf(answer, 'errors')]).toEqual(['worse', 'bad']);
    expect(answer.explanation).toMatch(/expected at most 0\.\d+ %/);
  });

  it('does not accuse by fewer than ten failed requests, as one client that tries again has them', () => {
    const { requests, errors } = columns({ requests: 2, errorsBefore: 0.001, after: 14 });
    const retried = (minutes: number): Series => ({
      name: 'error rate', kind: 'errors', requests: requests.map((count, index) => Math.max(count, Number(index >= releaseIndex + 14 - minutes))),
      values: errors.map((count, index) => (index >= releaseIndex + 14 - minutes ? 1 : count)),
    });
    const few = judge([retried(9)], []);
    expect([few.verdict, statusOf(few, 'errors')]).toEqual(['not-yet', 'few-requests']);
    expect(few.explanation).toContain('It rests on too few requests since the release to prove anything.');
    expect(judge([retried(11)], []).verdict).toBe('worse');
  });

  it('never accuses by a fall of traffic without controls', () => {
    const answer = judge(service({ traffic: 0.3 }), []);
    expect(answer.verdict).toBe('not-yet');
    expect(statusOf(answer, 'traffic')).toBe('no-controls');
  });

  it('ignores a doubling below the floor of notice', () => {
    const tiny = columns({ slower: () => 2 }).latency.map((value) => value / 60);
    expect(judge([{ name: 'latency', kind: 'latency', values: tiny }]).verdict).toBe('not-yet');
  });
});

describe('degenerate input has a name and is never healthy or worse', () => {
  const { requests, errors, latency } = columns({ errorsAfter: 0.3 });
  const gone = (values: readonly number[]): (number | null)[] => values.map((value, index) => (index >= releaseIndex ? null : value));

  it.each<[string, Series, string]>([
    ['no value since the release', { name: 'latency', kind: 'latency', values: gone(latency) }, 'no-data'],
    ['no requests known since the release', { name: 'error rate', kind: 'errors', values: errors, requests: gone(requests) }, 'no-data'],
    ['all zero requests', { name: 'error rate', kind: 'errors', values: errors, requests: requests.map((count, index) => (index >= releaseIndex ? 0 : count)) }, 'no-traffic'],
    ['three errors of five requests', { name: 'error rate', kind: 'errors', values: errors.map((count, index) => (index >= releaseIndex ? Number(index < releaseIndex + 3) : count)), requests: requests.map((count, index) => (index >= releaseIndex ? Number(index < releaseIndex + 5) : count)) }, 'few-requests'],
    ['only NaN', { name: 'latency', kind: 'latency', values: latency.map(() => Number.NaN) }, 'no-data'],
    ['all zero errors', { name: 'error rate', kind: 'errors', values: errors.map(() => 0), requests }, 'flat'],
    ['a constant', { name: 'latency', kind: 'latency', values: latency.map(() => 200) }, 'flat'],
  ])('%s', (_, series, status) => {
    const answer = judge([series]);
    expect(answer.verdict).toBe('not-yet');
    expect(answer.reasons).toMatchObject([{ code: status }]);
  });

  it('a history of ten minutes is too short', () => {
    const answer = judgeRelease({ series: [{ name: 'latency', kind: 'latency', values: latency.slice(releaseIndex - 10) }], controls: [], releaseIndex: 10, periodSeconds: 60 });
    expect(answer).toMatchObject({ verdict: 'not-yet', reasons: [{ code: 'short-history' }] });
  });

  it('three minutes are too early', () => {
    const early = service({ errorsAfter: 0.5, after: 3 });
    expect(judge(early, quiet(3))).toMatchObject({ verdict: 'not-yet', reasons: [{ code: 'too-early' }, { code: 'too-early' }, { code: 'too-early' }] });
  });

  it('no signals at all are not healthy', () => {
    expect(judge([], [])).toMatchObject({ verdict: 'not-yet', explanation: 'NOT YET: no signals were given.' });
  });

  it('missing errors while there is traffic are zero errors, missing traffic is no traffic', () => {
    const sparse = errors.map((count, index) => (count === 0 ? null : index < 0 ? 0 : count));
    expect(judge([{ name: 'error rate', kind: 'errors', values: sparse, requests }]).verdict).toBe('worse');
    const holes = requests.map((count, index) => (index >= releaseIndex && index % 2 === 0 ? null : count));
    const traffic = judge([{ name: 'traffic', kind: 'traffic', values: holes }]);
    expect(traffic.reasons).toMatchObject([{ code: 'flat' }]);
  });

  it('refuses an index outside the series, and series of different lengths', () => {
    expect(() => judgeRelease({ series: service(), controls: [], releaseIndex: 5000, periodSeconds: 60 })).toThrow(RangeError);
    expect(() => judge([...service().slice(0, 1), ...service({ after: 11 }).slice(1)])).toThrow('series differ in length');
  });
});
