// Upper tails against published values: near enough for evidence of two digits, and never less likely than they are.
import { describe, expect, it } from 'vitest';
import { log10CountTail, log10FewTail, log10StudentTail } from '../../../lambdas/statistics/tails.ts';

describe('tails', () => {
  it.each([[4, 2.132, 0.05], [4, 7.173, 0.001], [12, 3.93, 0.001], [30, 1.697, 0.05], [1e6, 1.95996, 0.025]])('t with %d degrees of freedom beyond %d has %d (tables)', (freedom, t, probability) => {
    expect(Math.abs(log10StudentTail(t, freedom) - Math.log10(probability))).toBeLessThan(0.06);
  });

  it('stays finite where a probability underflows', () => {
    expect(log10StudentTail(1e9, 100)).toBeLessThan(-600);
    expect(log10StudentTail(1e9, 100)).toBeGreaterThan(-1000);
  });

  it('is one half for no move at all', () => {
    expect(10 ** log10StudentTail(0, 5)).toBeCloseTo(0.5, 2);
    expect(10 ** log10StudentTail(-3, 5)).toBeCloseTo(0.5, 2);
  });

  // Tables of the Poisson distribution: P(X ≥ count).
  it.each([[1, 0.1, 0.09516], [2, 0.1, 0.004679], [5, 1, 0.00366], [10, 3, 0.0011025], [20, 10, 0.003454]])('%d counts where %d are expected have %d', (count, mean, probability) => {
    const exact = Math.log10(probability);
    expect(log10CountTail(count, mean)).toBeGreaterThan(exact - 0.02);
    expect(log10CountTail(count, mean)).toBeLessThan(exact + 0.3);
  });

  it('no more than expected is no evidence', () => {
    expect(log10CountTail(0, 3)).toBe(0);
    expect(log10CountTail(3, 3)).toBe(0);
  });

  // Exact sums: P(X ≤ count).
  it.each([[0, 0.8], [0, 4.61], [0, 20], [1, 6], [2, 7], [5, 15], [40, 70]])('%d counts or fewer where %d are expected are as rare as they are', (count, mean) => {
    let term = Math.exp(-mean);
    let exact = term;
    for (let index = 1; index <= count; index += 1) exact += term *= mean / index;
    expect(Math.abs(log10FewTail(count, mean) - Math.log10(exact))).toBeLessThan(0.1);
  });

  it('as many as expected are not few', () => {
    expect(log10FewTail(3, 3)).toBe(0);
    expect(log10FewTail(30, 3)).toBe(0);
    expect(log10FewTail(0, 0)).toBe(0);
  });
});
