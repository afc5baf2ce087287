// Plays each case point by point to each judge; the first `worse` counts.
import { horizon, type Case } from './cases.ts';
import type { Judge, View } from './judge.ts';
import { lengthOf, type Service } from './subject.ts';

export interface Outcome {
  readonly scenario: string;
  readonly isBad: boolean;
  readonly name: string;
  readonly source: string;
  readonly stepSeconds: number;
  /** Points after the release at the first `worse`; null when it was never said. */
  readonly saidAt: number | null;
  /** Points from the beginning of the harm to the first `worse`, both counted; null without one. */
  readonly delay: number | null;
  readonly looks: number;
  readonly microseconds: number;
}

/** What was known when so many points were there. */
export const upTo = (service: Service, until: number): Service => ({
  requests: service.requests?.subarray(0, until) ?? null,
  errors: service.errors?.subarray(0, until) ?? null,
  latency: service.latency?.subarray(0, until) ?? null,
});

export const viewAt = (one: Case, seen: number): View => ({
  service: upTo(one.service, one.release + seen),
  controls: one.controls.map((control) => upTo(control, one.release + seen)),
  release: one.release,
  seen,
  stepSeconds: one.subject.stepSeconds,
});

/** `worse` before the harm began is a false alarm that happens to fall on a bad release: it is not counted as found. */
export const play = (one: Case, judge: Judge): Outcome => {
  let saidAt: number | null = null;
  let looks = 0;
  const begun = performance.now();
  const isWorse = judge.begin(viewAt(one, 0));
  const last = Math.min(horizon, lengthOf(one.service) - one.release);
  for (let seen = 1; seen <= last && saidAt === null; seen += 1) {
    looks += 1;
    if (isWorse(viewAt(one, seen))) saidAt = seen;
  }
  const microseconds = (performance.now() - begun) * 1000;
  const delay = saidAt === null || !one.isBad ? null : saidAt - (one.onset - one.release);
  const { scenario, isBad, subject } = one;
  return { scenario, isBad, name: subject.name, source: subject.source, stepSeconds: subject.stepSeconds, saidAt, delay, looks, microseconds };
};
