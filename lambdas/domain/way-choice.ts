// What is decided about each way back of a service, and what going back passes on the way.
import type { Reason, Release, WayBack } from './vocabulary.ts';
import type { WayEffect } from './way-effect.ts';

export type { WayEffect };

/** What the way itself can do to users, beside what an older version can meet. `high`: a person has to say yes, users are interrupted, or it may be undone at once. */
export interface WayRisk {
  readonly level: 'low' | 'medium' | 'high';
  /** In words; what a person has to say yes to stands among the reasons of the choice. */
  readonly reasons: readonly Pick<Reason, 'text'>[];
}

/** What the decision says of one way back, and why. */
export interface WayChoice {
  readonly rung: string;
  readonly ways: readonly WayBack[];
  /** `chosen`: tried, in this order. `ask`: only with a person's yes. `left-out`: another way is better. `refused`: it would do harm, whoever asks. */
  readonly answer: 'chosen' | 'ask' | 'left-out' | 'refused';
  /** Empty for one that is chosen. */
  readonly reasons: readonly Reason[];
  /** Versions that users get; null for a target whose good version nobody knows. */
  readonly to: readonly (string | null)[];
  /** Typical seconds until users are safe, all waves together, without the proof. */
  readonly expectedSeconds: number;
  /** What users notice meanwhile. Absent, like the risk, in what was decided before it was asked. */
  readonly effect?: WayEffect;
  readonly risk?: WayRisk;
}

/** A release that going back passes: its code goes, what else it touched stays. */
export type Passed = Pick<Release, 'id' | 'version' | 'startedAt' | 'status' | 'touched' | 'manifest'>;

/** A release of long ago, as far as the database and the order of versions need it. */
export type EarlierRelease = Passed & Pick<Release, 'previousVersion'>;
