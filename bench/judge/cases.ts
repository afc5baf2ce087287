// Draws the cases of one split: which series, where the release falls, which services stand beside it.
import { hashOf, integer, pick, seeded, shuffled, type Random } from './random.ts';
import { scenarios, type Scenario } from './scenarios.ts';
import { lengthOf, splitOf, type Service, type Split, type Subject } from './subject.ts';

/** Points after the release in which a judge may speak. */
export const horizon = 30;
/** A judge is given at most this many points. */
const longestHistory = 2900;
const secondsOfDay = 86_400;
const maximumControls = 3;

export interface Case {
  readonly scenario: string;
  readonly isBad: boolean;
  readonly subject: Subject;
  readonly service: Service;
  readonly controls: readonly Service[];
  /** Index of the first point after the release, in the arrays of this case. */
  readonly release: number;
  readonly onset: number;
}

export interface Drawing {
  readonly split: Split;
  readonly seed: number;
  readonly perScenario: number;
  readonly untouched: number;
}

/** First index with a day and 80 points before it, where the series is long enough; half of it otherwise. */
export const earliest = (subject: Subject): number => {
  const length = lengthOf(subject.service);
  const wanted = Math.ceil(secondsOfDay / subject.stepSeconds) + 80;
  return length - horizon > wanted ? wanted : Math.floor(length / 2);
};

/** No release within 60 points after a labelled anomaly or 30 before one. */
export const isMasked = (subject: Subject, release: number): boolean =>
  subject.anomalies.some(([from, until]) => release >= from - horizon && release <= until + 60);

const openReleases = new Map<Subject, number[]>();
export const releasesOf = (subject: Subject): number[] => {
  const known = openReleases.get(subject);
  if (known !== undefined) return known;
  const open: number[] = [];
  for (let index = earliest(subject); index + horizon <= lengthOf(subject.service); index += 1)
    if (!isMasked(subject, index)) open.push(index);
  openReleases.set(subject, open);
  return open;
};

const cut = (service: Service, from: number, until: number): Service => ({
  requests: service.requests?.slice(from, until) ?? null,
  errors: service.errors?.slice(from, until) ?? null,
  latency: service.latency?.slice(from, until) ?? null,
});

const sum = (values: Float64Array | undefined): number => values?.reduce((total, value) => total + (Number.isFinite(value) ? value : 0), 0) ?? 0;

/** Too few extra errors to be seen by anybody, or a service that fails all the time anyway. */
const isHopeless = (service: Service, release: number, extraErrors: number): boolean => {
  const after = sum(service.requests?.subarray(release, release + horizon));
  const before = Math.max(0, release - 300);
  const share = sum(service.errors?.subarray(before, release)) / Math.max(1, sum(service.requests?.subarray(before, release)));
  return after * extraErrors < 10 || share > 0.2;
};

const has = (subject: Subject, scenario: Scenario, controls: readonly Subject[]): boolean => {
  const { requests, errors, latency } = subject.service;
  const present = { errors: requests !== null && errors !== null, latency: latency !== null, traffic: requests !== null, controls: controls.length > 0 };
  return scenario.needs.every((need) => present[need]);
};

interface Pool {
  readonly subjects: readonly Subject[];
  readonly neighbours: ReadonlyMap<Subject, readonly Subject[]>;
}

const poolOf = (subjects: readonly Subject[], split: Split): Pool => {
  const mine = subjects.filter((subject) => splitOf(subject.name) === split && releasesOf(subject).length > 0);
  return { subjects: mine, neighbours: new Map(mine.map((one) => [one, mine.filter((other) => other.group === one.group && other !== one)])) };
};

/** Recorded side by side, the controls keep their own clock; unrelated series of one kind are laid beside it at any offset. */
const controlAt = (subject: Subject, control: Subject, release: number, random: Random): Service | null => {
  const isAligned = lengthOf(control.service) === lengthOf(subject.service);
  const open = releasesOf(control);
  const at = isAligned ? release : pick(random, open);
  const from = Math.max(0, release - longestHistory);
  const before = release - from;
  if (at < before) {
    const short = cut(control.service, 0, at + horizon);
    const pad = (values: Float64Array | null): Float64Array | null => {
      if (values === null) return null;
      const padded = new Float64Array(before + horizon).fill(Number.NaN);
      padded.set(values, before - at);
      return padded;
    };
    return { requests: pad(short.requests), errors: pad(short.errors), latency: pad(short.latency) };
  }
  return cut(control.service, at - before, at + horizon);
};

const draw = (pool: Pool, scenario: Scenario, random: Random): Case | null => {
  const subject = pick(random, pool.subjects);
  const neighbours = pool.neighbours.get(subject) ?? [];
  if (!has(subject, scenario, neighbours)) return null;
  const release = pick(random, releasesOf(subject));
  const from = Math.max(0, release - longestHistory);
  const service = cut(subject.service, from, release + horizon);
  const controls = shuffled(random, neighbours).slice(0, maximumControls).flatMap((one) => controlAt(subject, one, release, random) ?? []);
  const onset = integer(random, 0, 3);
  if (scenario.extraErrors !== undefined && isHopeless(service, release - from, scenario.extraErrors)) return null;
  const stage = { service, controls, release: release - from, onset: release - from + onset };
  return { scenario: scenario.name, isBad: scenario.isBad, subject, ...stage, ...scenario.play(stage, random) };
};

/** Tries before a scenario is given up: some splits have hardly a series that it fits. */
const triesPerCase = 60;

/** The cases of one split and seed, always the same ones for the same data. */
export const drawCases = function* (subjects: readonly Subject[], drawing: Drawing): Generator<Case> {
  const pool = poolOf(subjects, drawing.split);
  if (pool.subjects.length === 0) return;
  for (const scenario of scenarios) {
    const random = seeded(hashOf(`${scenario.name}:${drawing.split}:${drawing.seed}`));
    const wanted = scenario.name === 'untouched' ? drawing.untouched : drawing.perScenario;
    for (let found = 0, tries = 0; found < wanted && tries < wanted * triesPerCase; tries += 1) {
      const one = draw(pool, scenario, random);
      if (one === null) continue;
      found += 1;
      yield one;
    }
  }
};

