// Mann-Whitney rank test with its confidence interval for the shift (Hodges and Lehmann 1963), normal approximation.

export interface RankTest {
  /** Median of all pairwise differences: how much higher the second sample is. */
  readonly shift: number;
  readonly low: number;
  readonly high: number;
}

/** Interval of all pairwise differences that the rank test at this two-sided confidence cannot reject. Quantile of the normal given as `z`. */
export const rankTest = (control: Float64Array, experiment: Float64Array, z: number): RankTest => {
  const differences = new Float64Array(control.length * experiment.length);
  for (let i = 0; i < experiment.length; i += 1)
    for (let j = 0; j < control.length; j += 1) differences[i * control.length + j] = (experiment[i] as number) - (control[j] as number);
  differences.sort();
  const pairs = differences.length;
  const reach = pairs / 2 - z * Math.sqrt((pairs * (control.length + experiment.length + 1)) / 12);
  const below = Math.max(0, Math.floor(reach));
  const at = (index: number): number => differences[Math.min(pairs - 1, Math.max(0, index))] ?? Number.NaN;
  return { shift: (at((pairs - 1) >> 1) + at(pairs >> 1)) / 2, low: at(below), high: at(pairs - 1 - below) };
};
