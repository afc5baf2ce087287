// `node --import tsx bench/judge/late.ts [releases] [development|test]`: harm that begins long after a release, which the protocol's 30 points cannot show.
// Healthy releases and late harms of one-minute series, judged as the Watch looks: for twelve hours, every minute and with all the history that is read each time.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { historyPeriods, judgedHours } from '../../lambdas/domain/metrics.ts';
import { judgeRelease } from '../../lambdas/statistics/judge.ts';
import { releasesOf } from './cases.ts';
import { constant, withErrors, withLatency } from './harm.ts';
import { questionOf } from './judge.ts';
import { loadSubjects } from './load.ts';
import { madeSubjects } from './made.ts';
import { hashOf, pick, seeded, shuffled } from './random.ts';
import { lengthOf, splitOf, type Service, type Subject } from './subject.ts';

const watched = judgedHours * 60;
const onsets = [30, 60, 120, 600] as const;
/** Points after the beginning of a harm in which it has to be found. */
const patience = 30;

/** A release with as many points after it as the Watch looks at, and whom it is compared with. */
export interface Drawn {
  readonly service: Service;
  readonly controls: readonly Service[];
  readonly release: number;
}

const slice = (service: Service, from: number, until: number): Service => ({
  requests: service.requests?.subarray(from, until) ?? null,
  errors: service.errors?.subarray(from, until) ?? null,
  latency: service.latency?.subarray(from, until) ?? null,
});

const isWorse = ({ service, controls, release }: Drawn, seen: number): boolean => {
  const until = release + seen;
  const from = Math.max(0, until - historyPeriods);
  const view = { service: slice(service, from, until), controls: controls.map((one) => slice(one, from, until)), release: release - from, seen, stepSeconds: 60 };
  return judgeRelease(questionOf(view)).verdict === 'worse';
};

/** Minutes after the release at the first look that says `worse`, of one look each minute, both ends included; null when none does. */
export const firstAccused = (drawn: Drawn, from: number, until: number): number | null => {
  for (let seen = from; seen <= until; seen += 1) if (isWorse(drawn, seen)) return seen;
  return null;
};

const harms: readonly (readonly [string, (service: Service, onset: number) => Service | null])[] = [
  ...[0.01, 0.05, 0.3].map((share) => [`errors +${share * 100} points`, (service: Service, onset: number) =>
    (service.errors === null ? null : withErrors(service, onset, constant(share), seeded(onset)))] as const),
  ...[1.3, 2, 4].map((factor) => [`latency ×${factor}`, (service: Service, onset: number) =>
    (service.latency === null ? null : withLatency(service, onset, constant(factor - 1)))] as const),
];

/** Always the same for the same subjects. */
export const draw = (subjects: readonly Subject[], count: number): Drawn[] => {
  const random = seeded(hashOf('late'));
  return Array.from({ length: count }, () => {
    const subject = pick(random, subjects);
    const beside = subjects.filter((other) => other !== subject && other.group === subject.group && lengthOf(other.service) === lengthOf(subject.service));
    const release = pick(random, releasesOf(subject).filter((index) => index + watched <= lengthOf(subject.service)));
    return { service: subject.service, controls: shuffled(random, beside).slice(0, 3).map(({ service }) => service), release };
  });
};

/** How many healthy releases are accused, and how many of the harms found, as lines. A release that was accused before its harm began is not counted. */
export const lateLines = (name: string, drawn: readonly Drawn[]): readonly string[] => {
  const first = drawn.map((one) => firstAccused(one, 4, watched) ?? Infinity);
  const accused = first.filter(Number.isFinite);
  const lines = [`${name}: ${drawn.length} healthy releases, accused in the first 30 minutes ${accused.filter((seen) => seen <= 30).length}, later ${accused.filter((seen) => seen > 30).length}`];
  for (const [harm, harming] of harms) {
    const found = onsets.map((onset) => {
      const harmed = drawn.slice(0, 150).flatMap((one, index) => {
        const service = harming(one.service, one.release + onset);
        return service === null || (first[index] ?? Infinity) <= onset ? [] : [{ ...one, service }];
      });
      return `${onset} min: ${harmed.filter((one) => firstAccused(one, onset + 1, onset + patience) !== null).length} of ${harmed.length}`;
    });
    lines.push(`  ${harm} found, beginning after ${found.join('; ')}`);
  }
  return lines;
};

function main([count = '1000', split = 'development']: readonly string[]): void {
  const data = fileURLToPath(new URL('../../../shared/data', import.meta.url));
  for (const [name, all] of [['made', madeSubjects()], ['public', existsSync(data) ? loadSubjects(data) : []]] as const) {
    const subjects = all.filter((one) => one.stepSeconds === 60 && splitOf(one.name) === split && releasesOf(one).some((index) => index + watched <= lengthOf(one.service)));
    if (subjects.length === 0) continue;
    const drawn = draw(subjects, Number(count));
    const parts = [lateLines(`${name}, with controls`, drawn.filter(({ controls }) => controls.length > 0)), lateLines(`${name}, alone`, drawn.map((one) => ({ ...one, controls: [] })))];
    process.stdout.write(`${parts.flat().join('\n')}\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));
