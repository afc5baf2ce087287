// How much each observation speaks for or against a release, in log-odds that add up: the whole model of who did it, in one place.
import { at } from './instants.ts';
import type { Release } from './vocabulary.ts';

/** One observation; positive speaks for the release. */
export interface Weight {
  readonly text: string;
  readonly weight: number;
}

const odds = (ratio: number): number => Math.log(ratio);

/**
 * Everything is compared with "nothing that is on record did it", which has 0. Weights are logarithms of how many times likelier an
 * observation is when the release did it. The first is counted by others; the rest are chosen so that one strong observation outweighs
 * any one weak one, and no weak one decides alone. Near in time and near in place is how rollouts are told apart at scale
 * (Gandalf, NSDI 2020: temporal correlation that decays, spatial correlation, evidence that votes and evidence that vetoes).
 */
export const weights = {
  /** About 70 % of outages follow a change of the live system (Site Reliability Engineering, Google 2016, chapter 1): 7 to 3. */
  change: odds(7 / 3),
  /** Its own signals fire: first group, then each further one up to two. A second independent look leaves less room for chance. */
  ownSignals: odds(3),
  furtherSignals: odds(1.5),
  /** A release that another one replaced before the fault is live no more. */
  superseded: odds(1 / 12),
  /** Metrics got worse after it began, and what it did not touch stayed flat: a comparison over a day, like a controlled trial. */
  metricsWorse: odds(7),
  /** Metrics saw the same harm elsewhere or before. */
  metricsUnrelated: odds(1 / 4.5),
  /** Somebody saw the journey pass as the release began, and it fails now. */
  journeyBroke: odds(3),
  /** CodeDeploy itself says that the deployment failed. */
  deploymentFailed: odds(20),
  /** The same version was bad once; nothing says that it is another now. */
  rolledBackBefore: odds(20),
  /** Of the sides that alarms watch, exactly one is sick. */
  oneSide: odds(4.5),
  /** Both sides are sick: versions differ, the fault does not. */
  bothSides: odds(1 / 4.5),
  /** The side that is sick alone is the one that always was good. */
  goodSideAlone: odds(1 / 12),
  /** A fault stays at home more often than it travels: half for each step between two services. */
  perStep: odds(1 / 2),
  /** The service says that it gets on without it. */
  notCritical: odds(1 / 4.5),
  /** The dependency is sick, and not later than this service. */
  sickBefore: odds(12),
  /** It is sick, but began later: as likely it suffers from this one. */
  sickLater: odds(2),
  /** Its own alarms are all read and all OK: what hurts its callers usually hurts itself. */
  well: odds(1 / 7),
  /** Its alarms do not say that it is well, and it had a signal lately. */
  hadSignal: odds(3),
  /** Configuration, infrastructure and databases are shared; code less so. */
  sharedParts: odds(1.7),
  /** Its release failed or was stopped. */
  failedThere: odds(2),
  /** Ripcord itself is taking that release back: it found enough to act. */
  beingUndone: odds(4.5),
  /** A dependency that is sick without a release of its own, since before this service's release or fault: like an outage of something shared. */
  outage: odds(90),
  /** Several services with a signal lately share that dependency: the first other one, and from two on. */
  oneSharer: odds(3),
  severalSharers: odds(90),
  /** Sharers against a dependency whose own alarms are all OK. */
  wellThough: odds(1 / 3),
} as const;

/** A release still changes something for so long at most; one that never said it was finished is not in progress for ever. Milliseconds. */
const longestChange = 60 * 60_000;
/** Half of the faults that a release causes show at once: mean delay in minutes, of which alarms take the larger part. */
const fastMinutes = 10;

/**
 * How much likelier a fault is at this delay after a guilty release than at any one minute of the window: half of them soon (mean ten
 * minutes), half later in the window, fewer and fewer. 2.5 at once, about 0 after 25 minutes, −1.7 at the window's end.
 * @param onset when the fault began, epoch milliseconds. @param windowMinutes how far back releases are suspected.
 */
export function timeWeight(release: Pick<Release, 'startedAt' | 'finishedAt'>, onset: number, windowMinutes: number): Weight {
  const began = at(release.startedAt);
  const ended = Math.min(release.finishedAt === null ? Infinity : at(release.finishedAt), began + longestChange);
  const minutes = Math.min(windowMinutes, Math.max(0, onset - ended) / 60_000);
  const fast = 0.5 * (windowMinutes / fastMinutes) * Math.exp(-minutes / fastMinutes);
  const slow = 0.5 * Math.exp(-minutes / windowMinutes);
  const before = minutesOf(onset - began);
  const text = onset <= ended && before !== '0 min' ? `began ${before} before the fault and was not finished yet` : `began ${before} before the fault`;
  return { text, weight: Math.log(fast + slow) };
}

export function minutesOf(milliseconds: number): string {
  const minutes = Math.max(0, Math.round(milliseconds / 60_000));
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
