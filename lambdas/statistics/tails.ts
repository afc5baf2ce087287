// How unlikely a value this far out is: logarithms of upper tails, still right where a probability underflows.

/** log10 P(Z ≥ z) of the standard normal, z ≥ 0 (Börjesson and Sundberg 1979); relative error of P below 0.3 %. */
const log10NormalTail = (z: number): number => -(z * z / 2 + Math.log(Math.sqrt(2 * Math.PI) * (0.661 * z + 0.339 * Math.sqrt(z * z + 5.51)))) / Math.LN10;

/** log10 P(T ≥ t) of Student's t through the normal (Wallace 1959); within 0.03 of the exact value from 4 degrees of freedom on, up to t = 20. */
export const log10StudentTail = (t: number, freedom: number): number =>
  log10NormalTail(t > 0 ? ((8 * freedom + 1) / (8 * freedom + 3)) * Math.sqrt(freedom * Math.log1p((t * t) / freedom)) : 0);

/**
 * log10 P(X ≥ count) of a Poisson distribution: the root of its deviance is nearly normal, a third of a count off for continuity
 * (Peizer and Pratt 1968). Within 0.3 of the exact value, and never further out than it.
 */
export const log10CountTail = (count: number, mean: number): number => {
  const seen = count - 1 / 3;
  return seen > mean ? log10NormalTail(Math.sqrt(2 * (seen * Math.log(seen / mean) - seen + mean))) : 0;
};

/** log10 P(X ≤ count) of a Poisson distribution, in the same way; within 0.1 of the exact value. 0, and so a chance of 1, from the mean on. */
export const log10FewTail = (count: number, mean: number): number => {
  const seen = count + 2 / 3;
  return seen < mean ? log10NormalTail(Math.sqrt(2 * (seen * Math.log(seen / mean) - seen + mean))) : 0;
};
