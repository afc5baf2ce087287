// What people are told of how a service was and is, where the judge cannot say yet.
import { describe, expect, it } from 'vitest';
import { beforeAndAfter } from '../../../lambdas/domain/before-after.ts';

const periods = (before: number | null, after: number | null, since: number): (number | null)[] => [...Array.from({ length: 100 }, () => before), ...Array.from({ length: since }, () => after)];
const errors = (before: number | null, after: number | null, since = 3) => ({ name: 'error rate', kind: 'errors' as const, values: periods(before, after, since), requests: periods(1000, 1000, since) });
const asked = (series: Parameters<typeof beforeAndAfter>[0]['series']) => beforeAndAfter({ series, controls: [], releaseIndex: 100, periodSeconds: 60 });

describe('before and after', () => {
  it('is one figure for each', () => {
    expect(asked([errors(1, 352), { name: 'latency', kind: 'latency', values: periods(40, 252, 3), requests: periods(1000, 1000, 3) }]))
      .toBe('error rate 35.2 % in the last 3 minutes, 0.1 % in the hour before the release; latency 252 ms in the last 3 minutes, 40 ms in the hour before the release');
  });

  it('is how it is now, not on the whole since the release', () => {
    const late = errors(0, 0, 30);
    expect(asked([{ ...late, values: late.values.map((value, index) => (index >= 125 ? 500 : value)) }])).toMatch(/^error rate 50 % in the last 5 minutes/);
  });

  it('says nothing where one side has no data or no requests', () => {
    expect(asked([errors(null, 10)])).toBe('');
    expect(asked([errors(1, null)])).toBe('');
    expect(asked([errors(1, 1, 0)])).toBe('');
    expect(asked([{ ...errors(1, 1), requests: periods(0, 0, 3) }])).toBe('');
  });

  it('counts traffic in requests a minute', () => {
    expect(asked([{ name: 'traffic', kind: 'traffic', values: periods(1000, 100, 1) }])).toBe('traffic 100 requests a minute in the last minute, 1000 requests a minute in the hour before the release');
  });
});
