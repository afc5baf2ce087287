// Something that the service calls: does its own noise excuse a bad release, and does its harm excuse what the release did not do?
import { judgeRelease } from '../../lambdas/statistics/judge.ts';
import { drawCases, horizon, type Case, type Drawing } from './cases.ts';
import { constant, withErrors, withLatency } from './harm.ts';
import { questionOf, seriesOf } from './judge.ts';
import { hashOf, seeded } from './random.ts';
import { viewAt } from './run.ts';
import type { Service, Subject } from './subject.ts';

interface Harm {
  readonly name: string;
  readonly kind: 'errors' | 'latency';
  /** On the scale of the judge: share of requests that further fail, or ln of the ratio of latencies. */
  readonly size: number;
}

const harms: readonly Harm[] = [
  { name: 'errors +1 point', kind: 'errors', size: 0.01 },
  { name: 'errors +5 points', kind: 'errors', size: 0.05 },
  { name: 'latency ×1.5', kind: 'latency', size: Math.log(1.5) },
  { name: 'latency ×2', kind: 'latency', size: Math.log(2) },
];

/** Parts of the harm that the dependency shows; null: it is not asked. */
const parts = [null, 0, 0.3, 1] as const;

export interface DependencyOutcome {
  readonly harm: string;
  /** Points after the release at the first `worse`, for each of: no dependency, a healthy one, one that shows 30 % of the harm, and all of it. Null when it was never said. */
  readonly saidAt: readonly (number | null)[];
}

const harmed = (service: Service, onset: number, harm: Harm, part: number): Service =>
  (harm.kind === 'errors' ? withErrors(service, onset, constant(harm.size * part), seeded(hashOf(`${harm.name}:${onset}:${part}`))) : withLatency(service, onset, constant(Math.expm1(harm.size * part))));

const suits = ({ service, controls: [called], release }: Case, { kind, size }: Harm): boolean => {
  if (called?.[kind] == null || service[kind] === null) return false;
  const requests = (one: Service): number => one.requests?.subarray(release, release + horizon).reduce((total, count) => total + (count > 0 ? count : 0), 0) ?? 0;
  return kind !== 'errors' || Math.min(requests(service), requests(called)) * size >= 10;
};

/** The first service that was recorded beside it stands for what it calls; nothing else is compared. */
const saidAt = (one: Case, harm: Harm, part: number | null): number | null => {
  const [called] = one.controls;
  if (called === undefined) return null;
  const service = harmed(one.service, one.onset, harm, 1);
  const controls = part === null ? [] : [harmed(called, one.onset, harm, part)];
  for (let seen = 1; seen <= horizon; seen += 1) {
    const view = viewAt({ ...one, service, controls }, seen);
    const dependencies = view.controls.map((each) => ({ name: 'called', series: seriesOf(each) }));
    if (judgeRelease({ ...questionOf({ ...view, controls: [] }), dependencies }).verdict === 'worse') return seen;
  }
  return null;
};

/** Each drawn release with each harm that suits it and what it calls. */
export const dependencyOutcomes = (subjects: readonly Subject[], drawing: Drawing): DependencyOutcome[] =>
  [...drawCases(subjects, { ...drawing, perScenario: 0 })].flatMap((one) =>
    harms.filter((harm) => suits(one, harm)).map((harm) => ({ harm: harm.name, saidAt: parts.map((part) => saidAt(one, harm, part)) })));
