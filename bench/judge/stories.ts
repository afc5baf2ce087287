// `node --import tsx bench/judge/stories.ts`: what the protocol's cases leave out, on made one-minute series of the development half alone, without controls, judged each minute.
import { fileURLToPath } from 'node:url';
import { judgeRelease } from '../../lambdas/statistics/judge.ts';
import { judgeRecovery } from '../../lambdas/statistics/recovery.ts';
import { releasesOf } from './cases.ts';
import { constant, decay, withErrors, withLatency } from './harm.ts';
import { questionOf, seriesOf } from './judge.ts';
import { madeSubjects } from './made.ts';
import { between, binomial, hashOf, pick, seeded, type Random } from './random.ts';
import { upTo } from './run.ts';
import { lengthOf, splitOf, type Service } from './subject.ts';
import { table } from './tables.ts';

const day = 1440;
/** Minutes after the release that every series has. */
const after = 60;
const fewestPoints = 4;

/** A service with a day of minutes before its release, and an hour after it. */
type Made = (random: Random) => Service;

const steady = (random: Random, requests: number, errors: number): Service => {
  const counts = new Float64Array(day + after).map(() => binomial(random, 20 * requests, 0.05));
  return { requests: counts, errors: counts.map((count) => binomial(random, count, errors)), latency: null };
};

const subjects = madeSubjects().filter((one) => one.stepSeconds === 60 && splitOf(one.name) === 'development');
const restless: Made = (random) => {
  const subject = pick(random, subjects);
  const release = pick(random, releasesOf(subject).filter((at) => at + after <= lengthOf(subject.service)));
  const cut = (values: Float64Array | null): Float64Array | null => values?.slice(release - day, release + after) ?? null;
  return { requests: cut(subject.service.requests), errors: cut(subject.service.errors), latency: cut(subject.service.latency) };
};

export interface Story {
  readonly name: string;
  readonly make: Made;
  /** How many are played, and for how many minutes after the release each is looked at. */
  readonly releases: number;
  readonly watched: number;
  /** Minutes from the start of the deployment until its traffic had moved. */
  readonly moving?: number;
}

const healed = (points: number): Story => ({
  name: `errors of 30 % for ten minutes that healed 15 minutes before the release, which adds ${points} points`, releases: 100, watched: 30,
  make: (random) => {
    const usual = steady(random, 1000, 0.002);
    return withErrors(withErrors(usual, day - 25, (since) => (since < 10 ? 0.3 : 0), random), day, constant(points / 100), random);
  },
});

const retrying = (requests: number): Story => ({
  name: `one client whose request fails once a minute for the first four minutes, at ${requests} requests a minute`, releases: 100, watched: 30,
  make: (random) => {
    const usual = steady(random, requests, 0);
    const added = (values: Float64Array | null): Float64Array | null => values?.map((value, index) => value + Number(index >= day && index < day + 4)) ?? null;
    return { ...usual, requests: added(usual.requests), errors: added(usual.errors) };
  },
});

const onceMoved = (factor: number): Story => ({
  name: `latency ×${factor} that begins when the traffic moves, 20 minutes after the start of the deployment`, releases: 100, watched: 50, moving: 20,
  make: (random) => withLatency(restless(random), day + 20, constant(factor - 1)),
});

const warming = (moving: number): Story => ({
  name: `a warm-up that begins when the traffic moves, ${moving} minutes after the start of the deployment`, releases: 100, watched: 60, moving,
  make: (random) => withLatency(restless(random), day + moving, decay(between(random, 0.5, 2), between(random, 1, 5))),
});

export const stories: readonly Story[] = [
  healed(10), healed(5), retrying(2), retrying(5), onceMoved(1.5), onceMoved(2),
  { name: 'healthy releases, whose traffic moves within 20 minutes', releases: 500, watched: 60, moving: 20, make: restless },
  { name: 'healthy releases, whose traffic moves at once', releases: 500, watched: 60, make: restless },
  warming(5), warming(20),
];

const isAccused = (service: Service, { watched, moving = 0 }: Pick<Story, 'watched' | 'moving'>): boolean => {
  for (let seen = fewestPoints; seen <= watched; seen += 1) {
    const question = questionOf({ service: upTo(service, day + seen), controls: [], release: day, seen, stepSeconds: 60 });
    if (judgeRelease({ ...question, moving }).verdict === 'worse') return true;
  }
  return false;
};

/** How many of so many releases of one story are accused; always the same. */
export const accusedOf = (story: Story): number =>
  Array.from({ length: story.releases }, (_, index) => isAccused(story.make(seeded(hashOf(`${story.name}:${index}`))), story)).filter(Boolean).length;

/** Whether `recovered` is said at one of the points 5 to 20 after a rollback that came ten minutes after a release that failed a tenth of the requests, with errors as the only signal. */
export const isSaidRecovered = (random: Random, requests: number, remains: boolean): boolean => {
  const service = withErrors(steady(random, requests, 0), day, (since) => (since < 10 || remains ? 0.1 : 0), random);
  for (let points = 5; points <= 20; points += 1) {
    const series = seriesOf(upTo(service, day + 10 + points)).filter(({ kind }) => kind === 'errors');
    const { verdict } = judgeRecovery({ series, releaseIndex: day, rollbackIndex: day + 10, periodSeconds: 60 });
    if (verdict !== 'not-yet') return verdict === 'recovered';
  }
  return false;
};

const recoveries = 300;
const saidRecovered = (requests: number, remains: boolean): string => {
  const said = Array.from({ length: recoveries }, (_, index) => isSaidRecovered(seeded(hashOf(`few:${requests}:${remains}:${index}`)), requests, remains)).filter(Boolean).length;
  return `${((100 * said) / recoveries).toFixed(1)} %`;
};

function main(): void {
  const told = stories.map((story) => [story.name, String(story.releases), `${story.watched}`, String(accusedOf(story))]);
  process.stdout.write(`${table(['made releases', 'releases', 'minutes watched', 'accused'], told)}\n\n`);
  const few = [1, 2, 3, 5, 10, 30, 100].map((requests) => [String(requests), saidRecovered(requests, false), saidRecovered(requests, true)]);
  process.stdout.write(`${table(['requests a minute', 'said recovered: nothing remains', 'all remains'], few)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
