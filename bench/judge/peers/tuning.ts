// Gives the peers the best settings that a grid finds on the development split, so that nobody has to trust ours.
import type { Case } from '../cases.ts';
import type { Judge } from '../judge.ts';
import { play } from '../run.ts';
import { scoreOf, type Score } from '../score.ts';
import { kayenta } from './kayenta.ts';
import { staticThreshold } from './static.ts';

export interface Candidate {
  readonly settings: string;
  readonly score: Score;
  /** Harmonic mean of recall and precision: what the grid is searched for. */
  readonly f1: number;
}

export interface Tuned {
  readonly judge: Judge;
  /** Best first. */
  readonly grid: readonly Candidate[];
}

const f1Of = ({ recall, precision }: Score): number => (recall + precision > 0 ? (2 * recall * precision) / (recall + precision) : 0);

const every = <A, B, C>(first: readonly A[], second: readonly B[], third: readonly C[]): [A, B, C][] =>
  first.flatMap((a) => second.flatMap((b) => third.map((c): [A, B, C] => [a, b, c])));

const search = (name: string, judges: ReadonlyMap<string, Judge>, cases: readonly Case[]): Tuned => {
  const grid = [...judges].map(([settings, judge]): Candidate & { judge: Judge } => {
    const score = scoreOf(cases.map((one) => play(one, judge)));
    return { settings, score, f1: f1Of(score), judge };
  }).toSorted((a, b) => b.f1 - a.f1);
  const [best] = grid;
  if (best === undefined) throw new Error(`${name}: an empty grid`);
  return { judge: { ...best.judge, name: `${name}: ${best.settings}` }, grid };
};

/** Points in a row, distance beyond yesterday's 99 % quantile, least share of errors. */
export const tunedStatic = (cases: readonly Case[]): Tuned => search('static, tuned', new Map(
  every([3, 5, 8], [1, 1.25, 1.5, 2], [0.01, 0.03]).map(([inARow, factor, errors]) =>
    [`${inARow} in a row, ×${factor}, errors from ${100 * errors} %`, staticThreshold('', { inARow, factor, errors })])), cases);

/** First point at which it speaks, confidence (98 %, 99.9 %, 99.999 %), smallest ratio of means. */
export const tunedKayenta = (cases: readonly Case[]): Tuned => search('Kayenta, tuned', new Map(
  every([10, 15, 20], [2.326, 3.29, 4.42], [1.1, 1.2, 1.5]).map(([from, z, effect]) =>
    [`from ${from}, z ${z}, ratio ${effect}`, kayenta('', { from, z, effect })])), cases);
