// The cases of the protocol: what the release broke, and all that only looks like it.
import { constant, decay, ramp, spike, withErrors, withLatency, withTraffic } from './harm.ts';
import { between, integer, pick, type Random } from './random.ts';
import type { Service } from './subject.ts';

/** One drawn case before and after the scenario was played into it. */
export interface Stage {
  readonly service: Service;
  readonly controls: readonly Service[];
  /** Index of the first point after the release. */
  readonly release: number;
  /** Index at which the harm of a bad release begins: 0–3 points after it. */
  readonly onset: number;
}

export type Need = 'errors' | 'latency' | 'traffic' | 'controls';

export interface Scenario {
  readonly name: string;
  readonly isBad: boolean;
  readonly needs: readonly Need[];
  /** Share of requests that additionally fail: cases where that is too few errors to see are left out. */
  readonly extraErrors?: number;
  readonly play: (stage: Stage, random: Random) => Pick<Stage, 'service' | 'controls'>;
}

const own = (change: (stage: Stage, random: Random) => Service): Scenario['play'] =>
  (stage, random) => ({ service: change(stage, random), controls: stage.controls });

/** The same harm everywhere, on each control 0.7–1.3 times as strong. */
const everywhere = (change: (service: Service, stage: Stage, size: number) => Service, size: (random: Random) => number): Scenario['play'] =>
  (stage, random) => {
    const strength = size(random);
    return {
      service: change(stage.service, stage, strength),
      controls: stage.controls.map((control) => change(control, stage, strength * between(random, 0.7, 1.3))),
    };
  };

const errorsBy = (name: string, share: number): Scenario => ({
  name, isBad: true, needs: ['errors'], extraErrors: share,
  play: own(({ service, onset }, random) => withErrors(service, onset, constant(share), random)),
});

const latencyBy = (name: string, factor: number): Scenario => ({
  name, isBad: true, needs: ['latency'],
  play: own(({ service, onset }) => withLatency(service, onset, constant(factor - 1))),
});

const bad: readonly Scenario[] = [
  errorsBy('errors +1 point', 0.01),
  errorsBy('errors +5 points', 0.05),
  errorsBy('errors +30 points', 0.3),
  {
    name: 'error ramp to +10', isBad: true, needs: ['errors'], extraErrors: 0.05,
    play: own(({ service, onset }, random) => withErrors(service, onset, ramp(0.1, 20), random)),
  },
  latencyBy('latency ×1.3', 1.3),
  latencyBy('latency ×1.5', 1.5),
  latencyBy('latency ×2', 2),
  latencyBy('latency ×4', 4),
  {
    name: 'latency ramp to ×2', isBad: true, needs: ['latency'],
    play: own(({ service, onset }) => withLatency(service, onset, ramp(1, 20))),
  },
  {
    name: 'mixed +3 points, ×1.4', isBad: true, needs: ['errors', 'latency'], extraErrors: 0.03,
    play: own(({ service, onset }, random) => withErrors(withLatency(service, onset, constant(0.4)), onset, constant(0.03), random)),
  },
  {
    name: 'traffic −70 %', isBad: true, needs: ['traffic', 'controls'],
    play: own(({ service, onset }, random) => withTraffic(service, onset, constant(-0.7), random)),
  },
];

const earlier = (stage: Stage, random: Random): number => stage.release - integer(random, 5, 30);

const good: readonly Scenario[] = [
  { name: 'untouched', isBad: false, needs: [], play: ({ service, controls }) => ({ service, controls }) },
  {
    name: 'error spike that heals', isBad: false, needs: ['errors'],
    play: own(({ service, release }, random) =>
      withErrors(service, release + integer(random, 0, 20), spike(between(random, 0.05, 0.3), integer(random, 1, 3)), random)),
  },
  {
    name: 'latency spike that heals', isBad: false, needs: ['latency'],
    play: own(({ service, release }, random) =>
      withLatency(service, release + integer(random, 0, 20), spike(between(random, 1, 4), integer(random, 1, 3)))),
  },
  {
    name: 'warm-up that decays', isBad: false, needs: ['latency'],
    play: own(({ service, release }, random) => withLatency(service, release, decay(between(random, 0.5, 2), between(random, 1, 5)))),
  },
  {
    name: 'regional errors', isBad: false, needs: ['errors', 'controls'],
    play: (stage, random) => everywhere((service, { onset }, size) => withErrors(service, onset, constant(size), random), (draw) => pick(draw, [0.03, 0.05, 0.1, 0.3]))(stage, random),
  },
  {
    name: 'regional latency', isBad: false, needs: ['latency', 'controls'],
    play: everywhere((service, { onset }, size) => withLatency(service, onset, constant(size)), (draw) => pick(draw, [0.5, 1, 2, 3])),
  },
  {
    name: 'regional traffic', isBad: false, needs: ['traffic', 'controls'],
    play: (stage, random) => everywhere((service, { onset }, size) => withTraffic(service, onset, constant(-Math.min(0.95, size)), random), () => 0.7)(stage, random),
  },
  {
    name: 'errors from before', isBad: false, needs: ['errors'],
    play: own((stage, random) => withErrors(stage.service, earlier(stage, random), constant(pick(random, [0.02, 0.05, 0.3])), random)),
  },
  {
    name: 'latency from before', isBad: false, needs: ['latency'],
    play: own((stage, random) => withLatency(stage.service, earlier(stage, random), constant(pick(random, [0.5, 1, 3])))),
  },
  {
    name: 'latency +8 %', isBad: false, needs: ['latency'],
    play: own(({ service, onset }) => withLatency(service, onset, constant(0.08))),
  },
  {
    name: 'improvement ×0.75', isBad: false, needs: ['latency'],
    play: own(({ service, onset }, random) => withLatency(withErrors(service, onset, constant(0), random), onset, constant(-0.25))),
  },
  {
    name: 'shared surge', isBad: false, needs: ['traffic', 'controls'],
    play: (stage, random) => everywhere(
      (service, { onset }, size) => withLatency(withTraffic(service, onset, constant(size), random), onset, constant(size / 4)),
      (draw) => between(draw, 0.5, 2))(stage, random),
  },
];

export const scenarios: readonly Scenario[] = [...bad, ...good];
