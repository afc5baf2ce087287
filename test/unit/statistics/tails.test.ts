// Upper tails against published values.
import { describe, expect, it } from 'vitest';
import { log10Beta, log10CountTail, log10StudentTail } from '../../../lambdas/statistics/tails.ts';

describe('tails', () => {
  it.each([[4, 2.132, 0.05], [4, 7.173, 0.001], [12, 3.93, 0.001], [30, 1.697, 0.05], [1e6, 1.95996, 0.025]])('t with %d degrees of freedom beyond %d has %d (tables)', (freedom, t, probability) => {
    expect(10 ** log10StudentTail(t, freedom)).toBeCloseTo(probability, 4);
  });

  it('stays finite where a probability underflows', () => {
    expect(log10StudentTail(1e9, 100)).toBeLessThan(-600);
    expect(log10StudentTail(1e9, 100)).toBeGreaterThan(-1000);
  });

  it('is one half or more for no move at all', () => {
    expect(10 ** log10StudentTail(0, 5)).toBeCloseTo(0.5);
    expect(10 ** log10StudentTail(-3, 5)).toBeCloseTo(0.5);
  });

  it('counts: nearly Poisson without dispersion, heavier with it', () => {
    expect(10 ** log10CountTail(10, 3, 1.000001)).toBeCloseTo(0.0011025, 5);
    // Geometric with mean 3: P(X ≥ 3) = (3/4)³.
    expect(10 ** log10CountTail(3, 3, 4)).toBeCloseTo(0.421875, 6);
    expect(log10CountTail(0, 3, 2)).toBe(0);
    expect(log10CountTail(1, 0, 2)).toBe(-Infinity);
  });

  it('the incomplete beta function is the uniform distribution for a = b = 1', () => {
    expect(10 ** log10Beta(0.37, 1, 1)).toBeCloseTo(0.37, 10);
  });
});
