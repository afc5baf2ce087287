// Made series for where the public ones are not at hand: seeded, with daily rhythm, wandering levels, spikes and bursts.
import { between, binomial, hashOf, normal, seeded, type Random } from './random.ts';
import type { Service, Subject } from './subject.ts';

interface Kind {
  readonly stepSeconds: number;
  readonly points: number;
}

const kinds: readonly Kind[] = [{ stepSeconds: 60, points: 5000 }, { stepSeconds: 300, points: 3000 }, { stepSeconds: 3600, points: 1200 }];
const perKind = 24;

/** Wanders around 0: what a level did a moment ago it mostly still does. */
const wandering = (random: Random, points: number, inertia: number, step: number): Float64Array => {
  let level = 0;
  return new Float64Array(points).map(() => {
    level = inertia * level + step * normal(random);
    return level;
  });
};

const madeService = (random: Random, { stepSeconds, points }: Kind): Service => {
  const day = 86_400 / stepSeconds;
  const typical = Math.exp(between(random, 3, 8));
  const rhythm = between(random, 0, 0.6);
  const noise = between(random, 0.02, 0.2);
  const slow = wandering(random, points, 0.98, between(random, 0.002, 0.03));
  const bursts = wandering(random, points, 0.9, 0.3);
  const base = Math.exp(between(random, -8, -4.5));
  const requests = slow.map((level, index) => Math.round(typical * Math.exp(rhythm * Math.sin((2 * Math.PI * index) / day) + level + 0.05 * normal(random))));
  const errors = requests.map((count, index) => binomial(random, count, Math.min(0.2, base * Math.exp(bursts[index] ?? 0))));
  const middle = between(random, 30, 600);
  const latency = slow.map((level) => {
    const isSpike = random() < 0.002;
    return middle * Math.exp(0.5 * level + noise * normal(random) + (isSpike ? between(random, 0.5, 2) : 0));
  });
  return { requests, errors, latency };
};

export const madeSubjects = (): Subject[] => kinds.flatMap((kind) =>
  Array.from({ length: perKind }, (_, index): Subject => {
    const name = `made ${kind.stepSeconds} s, number ${index + 1}`;
    return { name, source: 'made', stepSeconds: kind.stepSeconds, service: madeService(seeded(hashOf(name)), kind), anomalies: [], group: `made:${kind.stepSeconds}` };
  }));
