// Why bad releases were missed: what stood against the signal that moved most, at the last look.
import { judgeRelease } from '../../lambdas/statistics/judge.ts';
import type { Judgement } from '../../lambdas/statistics/judgement.ts';
import { horizon, type Case } from './cases.ts';
import { questionOf } from './judge.ts';
import { viewAt } from './run.ts';

export interface Missed {
  readonly stepSeconds: number;
  /** In words. */
  readonly refusal: string;
}

const refusals: Readonly<Record<string, string>> = {
  bad: 'too little evidence', flat: 'no rise that counts', passing: 'not for long enough, or over', fading: 'may be healing', before: 'there before',
  shared: 'shared by the comparisons', undecided: 'the comparisons cannot tell', 'few-requests': 'too few requests',
};

/** The signal that spoke, or else the one that moved most, in steps of what counts. */
export const loudestOf = ({ signals }: Judgement): Judgement['signals'][number] | undefined => {
  const loudness = ({ window, measure }: Judgement['signals'][number]): number => (window === null ? -1 : 1000 * window.evidence + window.effect / measure.smallest);
  return signals.toSorted((a, b) => loudness(b) - loudness(a))[0];
};

export const missedOf = (one: Case): Missed => {
  const status = loudestOf(judgeRelease(questionOf(viewAt(one, horizon))))?.status ?? 'no-data';
  return { stepSeconds: one.subject.stepSeconds, refusal: refusals[status] ?? status };
};
