// After a rollback: is a full recovery seen, and is a service that is still harmed never called recovered?
import { judgeRecovery } from '../../lambdas/statistics/recovery.ts';
import { drawCases, horizon, type Case, type Drawing } from './cases.ts';
import { withErrors, withLatency, withTraffic, type Shape } from './harm.ts';
import { ripcord, seriesOf } from './judge.ts';
import { hashOf, integer, seeded, type Random } from './random.ts';
import { viewAt } from './run.ts';
import type { Service, Subject } from './subject.ts';

/** Points from the release to the rollback: a usual delay of detection and a rollback. */
const rollbackAfter = 10;

interface Harm {
  readonly name: string;
  readonly needs: readonly ('errors' | 'latency' | 'traffic')[];
  readonly errors: number;
  readonly latency: number;
  readonly traffic?: number;
}

const harms: readonly Harm[] = [
  { name: 'errors +5 points', needs: ['errors'], errors: 0.05, latency: 0 },
  { name: 'errors +30 points', needs: ['errors'], errors: 0.3, latency: 0 },
  { name: 'latency ×1.5', needs: ['latency'], errors: 0, latency: 0.5 },
  { name: 'latency ×2', needs: ['latency'], errors: 0, latency: 1 },
  { name: 'latency ×4', needs: ['latency'], errors: 0, latency: 3 },
  { name: 'mixed +3 points, ×1.4', needs: ['errors', 'latency'], errors: 0.03, latency: 0.4 },
  { name: 'traffic −70 %', needs: ['traffic'], errors: 0, latency: 0, traffic: -0.7 },
];

export interface RecoveryOutcome {
  readonly harm: string;
  readonly remaining: number;
  /** Points after the rollback at the first `recovered`; null when it was never said. */
  readonly saidAt: number | null;
  /** Points after the rollback at which `still-bad` was said, before anything else that ends the question; null when it was not. */
  readonly badAt: number | null;
}

/** All of it until the rollback and while connections drain (0–2 points), then what remains. */
const course = (size: number, remaining: number, random: Random): Shape => {
  const lasts = rollbackAfter + integer(random, 0, 2);
  return (since) => (since < lasts ? size : size * remaining);
};

const harmed = (one: Case, harm: Harm, remaining: number): Service => {
  const random = seeded(hashOf(`${one.subject.name}:${one.release}:${harm.name}`));
  const fewer = harm.traffic === undefined ? one.service : withTraffic(one.service, one.release, course(harm.traffic, remaining, random), random);
  const slower = withLatency(fewer, one.release, course(harm.latency, remaining, random));
  return withErrors(slower, one.release, course(harm.errors, remaining, random), random);
};

const suits = ({ service, controls, release }: Case, harm: Harm): boolean => {
  if (harm.needs.includes('traffic') && (service.requests === null || controls.length === 0)) return false;
  if (harm.needs.includes('latency') && service.latency === null) return false;
  if (!harm.needs.includes('errors')) return true;
  const requests = service.requests?.subarray(release, release + rollbackAfter).reduce((total, count) => total + (count > 0 ? count : 0), 0) ?? 0;
  return service.errors !== null && requests * harm.errors >= 10;
};

const play = (one: Case, harm: Harm, remaining: number): RecoveryOutcome => {
  const service = harmed(one, harm, remaining);
  for (let points = 1; points <= horizon - rollbackAfter; points += 1) {
    const view = viewAt({ ...one, service }, rollbackAfter + points);
    const { verdict } = judgeRecovery({
      series: seriesOf(view.service), releaseIndex: one.release, rollbackIndex: one.release + rollbackAfter, periodSeconds: view.stepSeconds,
    });
    if (verdict !== 'not-yet') return { harm: harm.name, remaining, saidAt: verdict === 'recovered' ? points : null, badAt: verdict === 'still-bad' ? points : null };
  }
  return { harm: harm.name, remaining, saidAt: null, badAt: null };
};

/** Only a harm that the judge saw leads to a rollback, and to the question whether it is over. */
const isSeen = (one: Case, harm: Harm): boolean => {
  const service = harmed(one, harm, 1);
  const isWorse = ripcord.begin(viewAt(one, 0));
  for (let seen = 1; seen <= rollbackAfter; seen += 1) if (isWorse(viewAt({ ...one, service }, seen))) return true;
  return false;
};

/** Each drawn release with each harm that suits it: nothing remains, half of it, all of it. */
export const recoveryOutcomes = (subjects: readonly Subject[], drawing: Drawing): RecoveryOutcome[] => {
  const outcomes: RecoveryOutcome[] = [];
  for (const one of drawCases(subjects, { ...drawing, perScenario: 0 }))
    for (const harm of harms)
      if (suits(one, harm) && isSeen(one, harm)) for (const remaining of [0, 0.5, 1]) outcomes.push(play(one, harm, remaining));
  return outcomes;
};
