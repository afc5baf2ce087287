// The figures as tables for a terminal and for the documentation.
import type { Outcome } from './run.ts';
import type { DependencyOutcome } from './dependencies.ts';
import type { Missed } from './missed.ts';
import type { RecoveryOutcome } from './recovery.ts';
import type { Candidate } from './peers/tuning.ts';
import { groupedBy, scoreOf, type Score } from './score.ts';

const figure = (value: number, digits: number): string => (Number.isFinite(value) ? value.toFixed(digits) : '–');
const cells = (row: readonly string[]): string => `| ${row.join(' | ')} |`;
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [cells(head), cells(head.map(() => '---')), ...rows.map(cells)].join('\n');

const delays = (score: Score): string[] => [figure(score.medianDelay, 0), figure(score.slowDelay, 0)];

/** One row a judge. */
export const judgesTable = (byJudge: ReadonlyMap<string, readonly Outcome[]>): string => table(
  ['judge', 'recall', 'precision', 'false / 1000 healthy', '/ 1000 not the release', 'median delay', '90 % delay', 'µs a decision'],
  [...byJudge].map(([name, outcomes]) => {
    const score = scoreOf(outcomes);
    return [name, figure(score.recall, 3), figure(score.precision, 3), figure(score.perThousandHealthy, 1), figure(score.perThousandGood, 1), ...delays(score), figure(score.microseconds, 0)];
  }));

export const scenarioTable = (outcomes: readonly Outcome[]): string => table(
  ['scenario', 'cases', 'recall', 'false / 1000', 'median delay', '90 % delay'],
  [...groupedBy(outcomes, (one) => one.scenario)].map(([name, group]) => {
    const score = scoreOf(group);
    return [name, String(score.cases), figure(score.recall, 3), figure((1000 * score.falseAlarms) / score.cases, 1), ...delays(score)];
  }));

/** A period as people say it: `5 min`, `1 h`. */
export const stepName = (seconds: number): string => (seconds >= 3600 ? `${seconds / 3600} h` : `${seconds / 60} min`);

export const sourceTable = (outcomes: readonly Outcome[]): string => table(
  ['source', 'period', 'cases', 'recall', 'precision', 'false / 1000 not the release', 'median delay', '90 % delay'],
  [...groupedBy(outcomes, (one) => `${one.source}:${one.stepSeconds}`)].map(([, group]) => {
    const score = scoreOf(group);
    const [first] = group;
    return [first?.source ?? '', stepName(first?.stepSeconds ?? 0), String(score.cases), figure(score.recall, 3), figure(score.precision, 3), figure(score.perThousandGood, 1), ...delays(score)];
  }));

/** Bad releases that were never accused, by what stood against it at the last look; the most frequent first. */
export const missedTable = (missed: readonly Missed[]): string => table(
  ['what refused, at the last look', 'missed', 'of them hourly'],
  [...groupedBy(missed, (one) => one.refusal)].toSorted(([, a], [, b]) => b.length - a.length)
    .map(([refusal, group]) => [refusal, String(group.length), String(group.filter((one) => one.stepSeconds === 3600).length)]));

const remains: Readonly<Record<string, string>> = { 0: 'nothing', 0.5: 'half', 1: 'all' };

/** All harms by what remains of them, then those of errors or latency, and those of traffic alone. */
export const recoveryTable = (outcomes: readonly RecoveryOutcome[]): string => {
  const row = (name: string, group: readonly RecoveryOutcome[]): string[] => {
    const share = (isSuch: (one: RecoveryOutcome) => boolean): string => `${((100 * group.filter(isSuch).length) / group.length).toFixed(1)} %`;
    const within = (points: number): string => share(({ saidAt }) => saidAt !== null && saidAt <= points);
    const bad = (points: number): string => share(({ badAt }) => badAt !== null && badAt <= points);
    return [name, String(group.length), within(10), within(20), bad(10), bad(13), bad(20)];
  };
  const rows = (all: readonly RecoveryOutcome[], of: string): string[][] =>
    [...groupedBy(all, (one) => String(one.remaining))].map(([remaining, group]) => row(`${remains[remaining] ?? remaining}${of}`, group));
  const isTraffic = ({ harm }: RecoveryOutcome): boolean => harm.startsWith('traffic');
  return table(
    ['what remains of the harm', 'cases', 'said recovered within 10 points', 'within 20', 'called still bad within 10', 'within 13', 'within 20'],
    [...rows(outcomes, ''), ...rows(outcomes.filter((one) => !isTraffic(one)), ', of errors or latency'), ...rows(outcomes.filter(isTraffic), ', of traffic alone')]);
};

/** How many bad releases are accused within the horizon, by what their dependency shows; with the median of the points until then. */
export const dependencyTable = (outcomes: readonly DependencyOutcome[]): string => table(
  ['harm', 'releases', 'accused without a dependency', 'with a healthy one', 'with one that shows 30 %', 'with one that shows all of it'],
  [...groupedBy(outcomes, (one) => one.harm)].map(([harm, group]) => {
    const said = (which: number): string => {
      const points = group.flatMap(({ saidAt }) => saidAt[which] ?? []);
      return points.length === 0 ? '0' : `${points.length}, after ${points.toSorted((a, b) => a - b)[points.length >> 1] ?? 0}`;
    };
    return [harm, String(group.length), ...[0, 1, 2, 3].map(said)];
  }));

const ratio = (count: number, all: number): string => (all === 0 ? '–' : `${count} of ${all}`);

/** Real incidents and quiet releases of the same series; one row a judge. */
export const incidentTable = (byJudge: ReadonlyMap<string, readonly Outcome[]>): string => table(
  ['judge', 'labelled incidents seen', 'recorded incidents seen', 'quiet releases rolled back', 'precision', 'recall'],
  [...byJudge].map(([name, outcomes]) => {
    const score = scoreOf(outcomes);
    const seen = (scenario: string): string => {
      const group = outcomes.filter((one) => one.scenario === scenario);
      return ratio(group.filter((one) => one.saidAt !== null).length, group.length);
    };
    return [name, seen('labelled incident'), seen('recorded incident'), seen('no incident'), figure(score.precision, 3), figure(score.recall, 3)];
  }));

/** What the peers were tried with, best first. */
export const gridTable = (grid: readonly Candidate[]): string => table(
  ['settings', 'F1', 'recall', 'precision'],
  grid.map(({ settings, f1, score }) => [settings, figure(f1, 3), figure(score.recall, 3), figure(score.precision, 3)]));
