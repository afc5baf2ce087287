// Which version a declared side runs, as far as captured states prove it. Pure.
import { at } from './instants.ts';
import type { ServiceLedger } from './ledger.ts';
import type { KnownGood, TargetState } from './vocabulary.ts';

/** How much of a target's traffic its declared side had; null where the state does not say. */
export type ShareOf = (state: TargetState) => 'all' | 'some' | 'none' | null;

/**
 * The version that all users had from this side when a release was finished, or known good, and that no release since can have replaced: each of
 * them left the side without users, or there is one only, of which nothing is captured yet, and a declared side is not where a new version begins.
 * @param readBack where releases that began before this were not read; null where all were.
 * @returns null where nothing proves it.
 */
export function versionOnSide(id: string, { releases, knownGoods }: Pick<ServiceLedger, 'releases' | 'knownGoods'>, shareOf: ShareOf, readBack: string | null): Pick<KnownGood, 'version' | 'since'> | null {
  const leftBy = ({ left }: ServiceLedger['releases'][number]): ReturnType<ShareOf> => (left?.[id] === undefined ? null : shareOf(left[id]));
  const shown = [
    ...releases.flatMap((one) => (one.status === 'finished' && one.finishedAt !== null && leftBy(one) === 'all' ? [{ version: one.version, since: one.finishedAt, began: at(one.startedAt) }] : [])),
    ...knownGoods.flatMap(({ version, since, states, unproven }) =>
      (states[id] !== undefined && unproven?.targets.includes(id) !== true && shareOf(states[id]) === 'all' ? [{ version, since, began: at(since) }] : [])),
  ];
  // Of a release that finished and was known good then, its own record says more.
  const [last] = shown.toSorted((a, b) => at(b.since) - at(a.since) || a.began - b.began);
  if (last === undefined || (readBack !== null && last.began < at(readBack))) return null;
  const newer = releases.filter(({ startedAt, version }) => at(startedAt) > last.began && version !== last.version);
  const isUntouched = newer.every((one) => leftBy(one) === 'none') || (newer.length === 1 && newer[0]?.left?.[id] === undefined);
  return isUntouched ? { version: last.version, since: last.since } : null;
}
