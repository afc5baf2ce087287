// Counts of one judge's outcomes: what it found, what it rolled back for nothing, and how long it took.
import type { Outcome } from './run.ts';
import { quantileOf } from './subject.ts';

export interface Score {
  readonly cases: number;
  readonly bad: number;
  readonly found: number;
  readonly falseAlarms: number;
  readonly recall: number;
  readonly precision: number;
  readonly perThousandHealthy: number;
  /** Of all cases in which the release is not to blame, the untouched ones included. */
  readonly perThousandGood: number;
  readonly medianDelay: number;
  readonly slowDelay: number;
  readonly microseconds: number;
}

const isFound = (one: Outcome): boolean => one.isBad && one.delay !== null && one.delay > 0;
const isFalse = (one: Outcome): boolean => one.saidAt !== null && !isFound(one);

export const scoreOf = (outcomes: readonly Outcome[]): Score => {
  const bad = outcomes.filter((one) => one.isBad);
  const good = outcomes.filter((one) => !one.isBad);
  const healthy = good.filter((one) => one.scenario === 'untouched');
  const found = outcomes.filter(isFound);
  const falseAlarms = outcomes.filter(isFalse).length;
  const delays = found.map((one) => one.delay ?? Number.NaN);
  const perThousand = (all: readonly Outcome[]): number => (1000 * all.filter(isFalse).length) / all.length;
  const looks = outcomes.reduce((total, one) => total + one.looks, 0);
  return {
    cases: outcomes.length, bad: bad.length, found: found.length, falseAlarms,
    recall: found.length / bad.length,
    precision: found.length / (found.length + falseAlarms),
    perThousandHealthy: perThousand(healthy),
    perThousandGood: perThousand(good),
    medianDelay: quantileOf(delays, 0.5),
    slowDelay: quantileOf(delays, 0.9),
    microseconds: outcomes.reduce((total, one) => total + one.microseconds, 0) / looks,
  };
};

export const groupedBy = <T>(all: readonly T[], key: (one: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const group = groups.get(key(one));
    if (group === undefined) groups.set(key(one), [one]);
    else group.push(one);
  }
  return groups;
};
