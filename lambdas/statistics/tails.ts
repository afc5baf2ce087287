// How unlikely a value this far out is: logarithms of upper tails, exact far beyond the point where a probability underflows.

/** Lanczos approximation (g = 7, 9 terms), relative error below 1e-13 for x > 0. */
const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const;

const logGamma = (x: number): number => {
  let series: number = lanczos[0];
  for (let term = 1; term < lanczos.length; term += 1) series += (lanczos[term] as number) / (x + term - 1);
  const shifted = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(shifted) - shifted + Math.log(series);
};

/** Continued fraction of the incomplete beta function by Lentz's method (Numerical Recipes, 3rd edition, 6.4). */
const betaFraction = (a: number, b: number, x: number): number => {
  const tiny = 1e-300;
  const apart = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / apart(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= 300; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / apart(1 + even * d);
    c = apart(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / apart(1 + odd * d);
    c = apart(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-10) break;
  }
  return fraction;
};

/** log10 of the regularized incomplete beta function I_x(a, b). */
export const log10Beta = (x: number, a: number, b: number): number => {
  if (x <= 0) return -Infinity;
  if (x >= 1) return 0;
  const front = logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x);
  if (x < (a + 1) / (a + b + 2)) return (front + Math.log(betaFraction(a, b, x) / a)) / Math.LN10;
  return Math.log10(Math.max(0, 1 - (Math.exp(front) * betaFraction(b, a, 1 - x)) / b));
};

/** log10 P(T ≥ t) of Student's t. */
export const log10StudentTail = (t: number, freedom: number): number =>
  t <= 0 ? Math.log10(0.5) : log10Beta(freedom / (freedom + t * t), freedom / 2, 0.5) - Math.log10(2);

/**
 * log10 P(X ≥ count) of a negative binomial with this mean and variance = mean × dispersion (dispersion > 1);
 * from the identity with the incomplete beta function: P(X ≥ k) = I_{1−p}(k, r).
 */
export const log10CountTail = (count: number, mean: number, dispersion: number): number => {
  if (count <= 0) return 0;
  if (mean <= 0) return -Infinity;
  return log10Beta(1 - 1 / dispersion, count, mean / (dispersion - 1));
};
