// Cleans what a metric service returns: a gap, a NaN or an impossible value is missing, and missing is never zero.

/** One value a period, oldest first; `null` or NaN where there is no data. */
export type Points = ArrayLike<number | null>;

/** No value: what is not there is not zero. */
export const missing = Number.NaN;

/** Copy of `points` from `from` up to `until`; NaN for whatever is not a finite number of zero or more, and beyond the end. */
export const clean = (points: Points, from: number, until: number): Float64Array => {
  const cleaned = new Float64Array(Math.max(0, until - from));
  for (let index = 0; index < cleaned.length; index += 1) {
    const value = points[from + index];
    cleaned[index] = typeof value === 'number' && value >= 0 && value < Infinity ? value : missing;
  }
  return cleaned;
};

/** Running totals: `totals[j] − totals[i]` is the sum of the points from i up to j. NaN counts as nothing. */
export const runningTotals = (values: Float64Array): Float64Array => {
  const totals = new Float64Array(values.length + 1);
  let total = 0;
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] as number;
    if (value === value) total += value;
    totals[index + 1] = total;
  }
  return totals;
};

/** Quantile of values in rising order, between neighbours on a straight line (type 7 of Hyndman and Fan). NaN for none. */
export const quantile = (sorted: Float64Array, share: number): number => {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below] ?? missing;
  const high = sorted[below + 1] ?? low;
  return low + (high - low) * (position - below);
};

/** Those that are there, in rising order. */
export const ranked = (values: Float64Array): Float64Array => values.filter((value) => value === value).toSorted();

/** Median of the values that are there; NaN for none. */
export const median = (values: Float64Array): number => quantile(ranked(values), 0.5);
