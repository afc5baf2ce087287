// What a release that began after a watched one means for its watch: it replaced it, it may still, or it came to nothing. Pure.
import { waitLeftMinutes } from './bake-rhythm.ts';
import { at } from './instants.ts';
import type { RollbackRecord } from './ledger.ts';
import type { ReleaseFacts } from './question.ts';
import type { Instant, Reason, Release } from './vocabulary.ts';

/** A release on record; without its status in what was kept before that was asked. */
export type OnRecord = Pick<Release, 'id' | 'version' | 'startedAt'> & Partial<Pick<Release, 'status' | 'undoneAt'>>;

/** It failed, was stopped, or was undone by itself: it replaced nothing, or does so no more. */
const cameToNothing = ({ status, undoneAt }: OnRecord): boolean => status === 'failed' || status === 'stopped' || undoneAt !== undefined;

/** Those that began after a release and did not come to nothing. */
export const laterThan = <Known extends OnRecord>(release: Pick<Release, 'id' | 'startedAt'>, releases: readonly Known[]): Known[] =>
  releases.filter((one) => one.id !== release.id && at(one.startedAt) > at(release.startedAt) && !cameToNothing(one));

/** The one that is out, and so has a watch that says more; or the first one, where the watch has waited for as long as it may. */
export function replacedBy(release: ReleaseFacts, releases: readonly ReleaseFacts[], now: Instant): ReleaseFacts | undefined {
  const later = laterThan(release, releases);
  return later.find(({ status }) => status === 'finished') ?? (waitLeftMinutes(release, now) > 0 ? undefined : later[0]);
}

/** A rollback of a later release that went back further than to this one: it took this one back as well. */
export function passedBy(release: Pick<Release, 'id' | 'version' | 'startedAt'>, releases: readonly OnRecord[], rollbacks: readonly RollbackRecord[]): Reason | null {
  const isLater = (id: string): boolean => releases.some((one) => one.id === id && at(one.startedAt) > at(release.startedAt));
  const passing = rollbacks.find((record) => record.isShadow !== true && record.keepsRelease !== true && record.release !== null && isLater(record.release.id) && record.goodVersion !== release.version);
  return passing === undefined ? null : { code: 'rolled-back', text: `Rollback ${passing.rollbackId} of a later release went back further than ${release.version}.` };
}

/** Why the watch says nothing now: what fires while another release goes out is that one's to answer for. Null where none goes out. */
export function waitsFor(release: ReleaseFacts, releases: readonly ReleaseFacts[]): Reason | null {
  const [next] = laterThan(release, releases);
  return next === undefined ? null : { code: 'next-in-progress', text: `Release ${next.version} began at ${next.startedAt} and is going out; if it comes to nothing, ${release.version} is looked at again.` };
}
