// When the Watch looks next: often enough where nothing else would see harm, seldom enough for one execution's history.
import { at } from './instants.ts';
import type { Instant, Release } from './vocabulary.ts';

export interface Rhythm {
  readonly release: Pick<Release, 'startedAt' | 'finishedAt'>;
  readonly bakeMinutes: number;
  readonly now: Instant;
  /** Looks that the history of the execution can still hold. */
  readonly looksLeft: number;
  /** The metrics have a say now: nothing but a look sees what they show. */
  readonly isJudged: boolean;
  /** Something does not read quiet. */
  readonly isRestless: boolean;
}

/** A release that never says it finished is watched for so long, in minutes. */
export const longestReleaseMinutes = 24 * 60;
/** CloudWatch may have the requests of a minute so much later; a shorter bake is not given up before. */
export const metricsLateMinutes = 4;

/** Seconds between two looks at least: metrics and most alarms have one value a minute. */
const shortest = 60;
/** Where alarms alone speak, and they start a rollback without any look: seconds between two looks at most, as long as the history allows. */
const longest = 300;
/** In its first two hours a release is looked at every minute at the cost of later looks. */
const earlyMinutes = 120;
/** So many looks are kept for what comes after the minutes that are looked at whatever it costs. */
const restLooks = 400;
/** So many looks are kept for the time after a bake that did not end quiet. */
const lateLooks = 150;
/** The last look comes after the end of what is given, never before. */
const spareLooks = 10;

/**
 * Seconds until the next look. Every minute while the metrics have a say or something is not quiet; otherwise after a fifteenth of the time since the
 * release finished, five minutes at most. Looks that the rest of the longest watch would have too few of are spread over it.
 */
export function lookSeconds(rhythm: Rhythm): number {
  const { release, now, looksLeft, isJudged, isRestless } = rhythm;
  const age = (at(now) - at(release.finishedAt ?? release.startedAt)) / 1000;
  const wanted = release.finishedAt === null || isJudged || isRestless ? shortest : Math.min(longest, Math.floor(age / 15));
  const isUrgent = looksLeft > restLooks && (isJudged || age < earlyMinutes * 60);
  return Math.max(shortest, wanted, isUrgent ? 0 : spread(secondsLeft(rhythm), looksLeft - lateLooks));
}

/** Seconds until the next look after a bake that did not end quiet, which is given as long again. */
export const lateLookSeconds = ({ bakeMinutes, now, looksLeft }: Pick<Rhythm, 'bakeMinutes' | 'now' | 'looksLeft'>, bakedAt: number): number =>
  Math.max(shortest, spread((bakedAt + graceMinutes(bakeMinutes) * 60_000 - at(now)) / 1000, looksLeft - spareLooks));

/** Minutes for which a watch may wait for a later release: the execution lasts so long before its bake, and no longer. */
export const waitLeftMinutes = ({ startedAt }: Pick<Release, 'startedAt'>, now: Instant): number => longestReleaseMinutes - (at(now) - at(startedAt)) / 60_000;

/** Seconds until the next look while a later release goes out. */
export const nextLookSeconds = ({ release, now, looksLeft }: Pick<Rhythm, 'release' | 'now' | 'looksLeft'>): number =>
  Math.max(shortest, spread(waitLeftMinutes(release, now) * 60, looksLeft - lateLooks));

/** As long again as the bake: an alarm that blinked has to be quiet for a whole bake time. */
export const graceMinutes = (bakeMinutes: number): number => Math.max(bakeMinutes, metricsLateMinutes);

/** Until the end of the bake; of a release that still goes out, until the latest one. */
function secondsLeft({ release, bakeMinutes, now }: Rhythm): number {
  const finish = release.finishedAt === null ? at(release.startedAt) + longestReleaseMinutes * 60_000 : at(release.finishedAt);
  return (finish + bakeMinutes * 60_000 - at(now)) / 1000;
}

const spread = (seconds: number, looks: number): number => Math.ceil(Math.max(0, seconds) / Math.max(1, looks));
