// What one decision costs with a day of one-minute history, three signals and three controls: the quickest of many batches, as others share the machine.
import { judgeRelease } from '../../lambdas/statistics/judge.ts';
import type { View } from './judge.ts';
import { questionOf } from './judge.ts';
import { constant, withErrors, withLatency } from './harm.ts';
import { binomial, normal, seeded } from './random.ts';
import type { Service } from './subject.ts';

const release = 1440;
const batch = 20;
const batches = 40;

const day = (seed: number, seen: number): Service => {
  const random = seeded(seed);
  const requests = new Float64Array(release + seen).map(() => Math.round(300 * Math.exp(0.05 * normal(random))));
  return { requests, errors: requests.map((count) => binomial(random, count, 0.002)), latency: requests.map(() => 120 * Math.exp(0.1 * normal(random))) };
};

const microseconds = (view: View): number => {
  let least = Infinity;
  for (let round = 0; round < batches; round += 1) {
    const begun = performance.now();
    for (let run = 0; run < batch; run += 1) judgeRelease(questionOf(view));
    least = Math.min(least, ((performance.now() - begun) * 1000) / batch);
  }
  return least;
};

export interface Cost {
  /** µs a decision when nothing moved: most looks. */
  readonly quiet: number;
  /** When errors and latency are both worse and every window has to be compared. */
  readonly alarmed: number;
}

export const costOf = (): Cost => {
  const seen = 30;
  const view = { service: day(1, seen), controls: [2, 3, 4].map((seed) => day(seed, seen)), release, seen, stepSeconds: 60 };
  const sick = withErrors(withLatency(view.service, release, constant(0.5)), release, constant(0.05), seeded(5));
  return { quiet: microseconds(view), alarmed: microseconds({ ...view, service: sick }) };
};
