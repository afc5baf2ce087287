// `npm run bench:canary -- [releases] [development|test] [minutes] [p50|p99] [made|public] [harm]`, each of the last three '' for all: releases of one-minute series that share their traffic with the version before for so many minutes.
// The new version gets a part of the requests, its errors by chance, its latency as a percentile of fewer requests strays; judged at each minute as the Watch does.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findInMetrics, type MetricsFinding } from '../../lambdas/domain/metric-findings.ts';
import type { Measured, MetricsRead } from '../../lambdas/domain/metrics.ts';
import { fewestFor } from '../../lambdas/domain/shift-plan.ts';
import { releasesOf } from './cases.ts';
import { loadSubjects } from './load.ts';
import { madeSubjects } from './made.ts';
import { binomial, hashOf, normal, pick, seeded, type Random } from './random.ts';
import { lengthOf, splitOf, type Service, type Subject } from './subject.ts';

const [releases = '100', split = 'development', minutesShared = '60', onlyPercentile = '', onlySeries = '', onlyHarm = ''] = process.argv.slice(2);
const canaryMinutes = Number(minutesShared);
const day = 1440;
const parts = [0.05, 0.1, 0.5] as const;
const begin = Date.UTC(2026, 10, 20);
const startedAt = new Date(begin).toISOString();

/** Standard deviation of the logarithm of a percentile of so many requests whose latencies are log-normal with a spread of a half, times √n. */
const strays = { p50: 0.63, p99: 1.86 } as const;
type Percentile = keyof typeof strays;

/** What a harm makes of a version: further failures among what succeeds, and a factor on its latency. */
interface Harm {
  readonly name: string;
  readonly errors: number;
  readonly latency: number;
  /** Both versions have it. */
  readonly isShared?: true;
  /** A client whose one request a minute fails, for the hour before the release already, is served by the new version from its first minute on. */
  readonly sticks?: true;
}

const harms: readonly Harm[] = [
  { name: 'healthy', errors: 0, latency: 1 },
  { name: 'healthy, with a failing client that sticks to it', errors: 0, latency: 1, sticks: true },
  { name: 'both versions: errors +5 points', errors: 0.05, latency: 1, isShared: true },
  { name: 'both versions: latency ×2', errors: 0, latency: 2, isShared: true },
  { name: 'new version: errors +5 points', errors: 0.05, latency: 1 },
  { name: 'new version: errors +50 points', errors: 0.5, latency: 1 },
  { name: 'new version: latency ×2', errors: 0, latency: 2 },
];

interface Minute {
  readonly requests: number;
  readonly errors: number;
  readonly latency: number | null;
}

/** Splits one minute of a service; both halves add up to its requests, and without a harm to its errors. */
function splitMinute(random: Random, whole: { readonly requests: number; readonly errors: number; readonly latency: number | null }, drawn: { readonly part: number; readonly harm: Harm; readonly percentile: Percentile }): readonly [Minute, Minute] {
  const { part, harm, percentile } = drawn;
  const requests = binomial(random, whole.requests, part);
  const errors = Math.min(requests, binomial(random, whole.errors, part));
  const made = (count: number, failed: number, isHarmed: boolean): Minute => ({
    requests: count, errors: failed + (isHarmed ? binomial(random, count - failed, harm.errors) : 0),
    latency: whole.latency === null || count < fewestFor(percentile) ? null : whole.latency * (isHarmed ? harm.latency : 1) * Math.exp((strays[percentile] / Math.sqrt(count)) * normal(random)),
  });
  const stuck = Number(harm.sticks === true);
  return [made(requests + stuck, errors + stuck, true), made(whole.requests - requests, whole.errors - errors, harm.isShared === true)];
}

interface Drawn {
  readonly service: Service;
  readonly release: number;
  readonly seed: number;
}

const column = (values: Float64Array | null, from: number, until: number): (number | null)[] => Array.from(values?.subarray(from, until) ?? [], (value) => (Number.isFinite(value) ? value : null));

function usualOf({ service, release }: Drawn, { sticks }: Harm): Measured {
  const cut = (values: Float64Array | null): (number | null)[] => column(values, Math.max(0, release - day), release);
  const stuck = (counts: (number | null)[]): (number | null)[] => (sticks === true ? counts.map((value, index) => (value !== null && index >= counts.length - 60 ? value + 1 : value)) : counts);
  return { name: 'shop', requests: stuck(cut(service.requests)), errors: service.errors === null ? null : stuck(cut(service.errors)), latency: service.latency === null ? null : cut(service.latency) };
}

const measured = (name: string, minutes: readonly Minute[], usual: Measured): Measured => ({
  name, requests: minutes.map(({ requests }) => requests), errors: usual.errors === null ? null : minutes.map(({ errors }) => errors), latency: usual.latency === null ? null : minutes.map(({ latency }) => latency),
});

const joined = (usual: Measured, since: Measured): Measured => ({
  name: usual.name, requests: [...usual.requests, ...since.requests], errors: usual.errors && [...usual.errors, ...since.errors ?? []], latency: usual.latency && [...usual.latency, ...since.latency ?? []],
});

/** What is found at each minute, from the fourth on; with the versions apart, and as a whole. */
function* looks(drawn: Drawn, about: Parameters<typeof splitMinute>[2]): Generator<{ readonly apart: MetricsFinding | null; readonly whole: MetricsFinding | null }> {
  const { service, release, seed } = drawn;
  const random = seeded(seed);
  const usual = usualOf(drawn, about.harm);
  const minutes = Array.from({ length: canaryMinutes }, (_, index) => splitMinute(random, {
    requests: Math.round(service.requests?.[release + index] ?? 0), errors: Math.round(service.errors?.[release + index] ?? 0), latency: service.latency?.[release + index] ?? null,
  }, about));
  for (let seen = 4; seen <= canaryMinutes; seen += 1) {
    const now = minutes.slice(0, seen);
    const [released, before] = ([0, 1] as const).map((which) => measured(`version ${7 - which}`, now.map((pair) => pair[which]), usual)) as [Measured, Measured];
    const all = measured('shop', now.map(([one, other]) => ({ requests: one.requests + other.requests, errors: one.errors + other.errors, latency: about.part < 0.5 ? other.latency : one.latency })), usual);
    const end = new Date(begin + seen * 60_000).toISOString();
    const reading: MetricsRead = { status: 'read', end, metrics: [joined(usual, all)], controls: [] };
    const shift = { releaseId: 'r', pairs: [{ usual, released, before }] };
    yield { apart: findInMetrics({ ...reading, shift }, { id: 'r', startedAt }, end), whole: findInMetrics(reading, { startedAt }, end) };
  }
}

const draw = (subjects: readonly Subject[], count: number): Drawn[] => {
  const random = seeded(hashOf('canary'));
  return Array.from({ length: count }, (_, index) => {
    const subject = pick(random, subjects);
    return { service: subject.service, release: pick(random, releasesOf(subject).filter((at) => at + canaryMinutes <= lengthOf(subject.service))), seed: hashOf(`canary ${index}`) };
  });
};

/** How many lines it printed. */
function report(name: string, drawn: readonly Drawn[], percentile: Percentile): number {
  const wanted = harms.filter(({ name: which }) => which.startsWith(onlyHarm));
  for (const harm of wanted) {
    const cells = parts.map((part) => {
      const tally = { apart: 0, whole: 0, unrelated: 0 };
      for (const one of drawn) {
        const found = [...looks(one, { part, harm, percentile })];
        tally.apart += Number(found.some(({ apart }) => apart?.verdict === 'worse'));
        tally.whole += Number(found.some(({ whole }) => whole?.verdict === 'worse'));
        tally.unrelated += Number(found.at(-1)?.apart?.verdict === 'unrelated');
      }
      return `${part * 100} %: ${tally.apart} (as a whole ${tally.whole}; unrelated at the end ${tally.unrelated})`;
    });
    process.stdout.write(`${name}, ${percentile}, ${harm.name}: of ${drawn.length} accused at ${cells.join(', ')}\n`);
  }
  return wanted.length;
}

let played = 0;
const data = fileURLToPath(new URL('../../../shared/data', import.meta.url));
for (const [name, all] of [['made', madeSubjects()], ['public', existsSync(data) ? loadSubjects(data) : []]] as const) {
  const subjects = all.filter((one) => one.stepSeconds === 60 && one.service.requests !== null && splitOf(one.name) === split && releasesOf(one).some((at) => at + canaryMinutes <= lengthOf(one.service)));
  if (subjects.length > 0 && name.startsWith(onlySeries))
    for (const percentile of (['p50', 'p99'] as const).filter((one) => one.startsWith(onlyPercentile))) played += report(name, draw(subjects, Number(releases)), percentile);
}
if (played === 0) throw new Error(`nothing to play: ${process.argv.slice(2).join(' ')}`);
