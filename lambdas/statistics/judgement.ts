// What the judge answers about a release.
import type { SignalJudgement } from './signal.ts';

/** Why, for machines and for people. */
export interface JudgeReason {
  readonly code: string;
  readonly text: string;
}

export interface Judgement {
  /** `worse`: roll back. `unrelated`: sick, but not by this release. `not-yet`: nothing is proven; look again at the next period. */
  readonly verdict: 'worse' | 'not-yet' | 'unrelated';
  /** −log10 of the chance without a release, all signals together; comparable with `needed`. */
  readonly evidence: number;
  readonly needed: number;
  /** Periods after the release so far. */
  readonly points: number;
  /** One a signal. */
  readonly reasons: readonly JudgeReason[];
  /** For a person at three in the morning. */
  readonly explanation: string;
  readonly signals: readonly SignalJudgement[];
}
