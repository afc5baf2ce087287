// Which releases a way back passes, and whether the record reaches back far enough to say so.
import { at } from './instants.ts';
import type { KnownGoodFacts, Question, ReleaseFacts } from './question.ts';
import { releaseFrom } from './readings.ts';
import type { KnownGood } from './vocabulary.ts';
import type { EarlierRelease, Passed } from './way-choice.ts';

/** A version that a way back leads to, and since when it is known to have been live. */
type Goal = Pick<KnownGoodFacts, 'version' | 'since'>;
type Started = Pick<EarlierRelease, 'version' | 'startedAt'>;

/** When a version began to go out, epoch milliseconds: its newest release not after it was live; null where that is not on record. */
export function beganAt(releases: readonly Started[], { version, since }: Goal): number | null {
  const own = releases.filter((one) => one.version === version && at(one.startedAt) <= at(since)).map(({ startedAt }) => at(startedAt));
  return own.length === 0 ? null : Math.max(...own);
}

function onRecord({ service, releases, deployments, earlier }: Question): EarlierRelease[] {
  const known = [...releases, ...(earlier?.releases ?? [])];
  const ids = new Set(known.map(({ id }) => id));
  return [...known, ...deployments.filter(({ id, nature }) => nature === 'release' && !ids.has(id)).map((one) => releaseFrom(service, one))];
}

const asPassed = (releases: readonly EarlierRelease[]): Passed[] => releases.toSorted((a, b) => at(b.startedAt) - at(a.startedAt))
  .map(({ id, version, startedAt, status, touched, manifest }) => ({ id, version, startedAt, status, touched, ...(manifest === undefined ? {} : { manifest }) }));

/** Releases that began since the known good one did, newest first: what going back passes. Those that were taken back already count, as their migrations were not. */
export function passedReleases(question: Question, suspect: ReleaseFacts | null, good: Goal | null): Passed[] {
  const all = onRecord(question);
  const from = good === null ? at(suspect?.startedAt ?? question.now) : beganAt(all, good) ?? at(good.since);
  return asPassed(all.filter(({ version, startedAt }) => version !== good?.version && at(startedAt) >= from));
}

/** Every release on record, newest first: all that lies behind a version of which nobody knows when it was live. */
export const allReleases = (question: Question): Passed[] => asPassed(onRecord(question));

/** The instant before which nothing was read, where that is after a version began to go out, or nobody knows that it is not; else null. */
export function unreadSince(question: Question, good: Goal): string | null {
  const before = question.earlier?.unreadBefore ?? null;
  const began = beganAt(onRecord(question), good);
  return before === null || (began !== null && began >= at(before)) ? null : before;
}

interface Goods {
  readonly knownGoods: readonly Pick<KnownGood, 'version' | 'since'>[];
  readonly quarantined: readonly string[];
  readonly releases: readonly Started[];
}

/**
 * The known good version that a release which began after `from`, epoch milliseconds, may go back to at the furthest: the newest one before that
 * which no release since brought again. Null where none is usable.
 */
export function furthestGood({ knownGoods, quarantined, releases }: Goods, from: number): Goal | null {
  const usable = knownGoods.filter(({ version }) => !quarantined.includes(version)).toSorted((a, b) => at(b.since) - at(a.since));
  const brought = releases.filter(({ startedAt }) => at(startedAt) >= from).map(({ version }) => version);
  return usable.find(({ version, since }) => at(since) < from && !brought.includes(version)) ?? usable.at(-1) ?? null;
}
