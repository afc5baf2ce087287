// How a Watch begins: is this a version that was rolled back before, and was the one before it quiet for so long that it is known good? Pure.
import { notQuiet, shippedAgain } from './bake.ts';
import { answered, withdrawn, type WithdrawalQuestion } from './bake-end.ts';
import type { Counted, Readings } from './captured-states.ts';
import { at, instantOf } from './instants.ts';
import type { RollbackRecord } from './ledger.ts';
import type { TrafficReading } from './readings.ts';
import { readSignals, type SignalSources } from './signals.ts';
import type { KnownGood, Reason, Release } from './vocabulary.ts';
import type { WatchLooked } from './workflow.ts';

/** All that says whether the version before a release was live and quiet for a bake time. */
export interface ObservedQuestion extends Pick<SignalSources, 'alarms' | 'delivered' | 'evidence' | 'externalTools' | 'now'> {
  readonly release: Release;
  /** Versions that are known good already. */
  readonly known: readonly string[];
  readonly quarantined: readonly string[];
  readonly bakeMinutes: number;
  readonly hasJourneys: boolean;
  /** In the bake time before the release. */
  readonly traffic: TrafficReading | null;
  readonly releases: readonly Pick<Release, 'id' | 'version' | 'startedAt' | 'finishedAt'>[];
  readonly rollbacks: readonly Pick<RollbackRecord, 'rollbackId' | 'startedAt' | 'endedAt'>[];
  /** The captured states that count, and why others do not. */
  readonly counted: Counted;
}

export interface StartQuestion {
  readonly service: string;
  readonly release: Release;
  readonly quarantined: readonly string[];
  readonly bakeMinutes: number;
  readonly notCaptured: readonly Reason[];
  /** Null where the captured states show what the release left, not what was before it. */
  readonly observed: ObservedQuestion | null;
  readonly withdrawal: WithdrawalQuestion | null;
}

/** `good`: what is kept as known good; null where nothing is. `withdrawn`: what stays of versions that are not called good any more, or not whole. */
export interface Started {
  readonly looked: WatchLooked;
  readonly good: KnownGood | null;
  readonly withdrawn: readonly KnownGood[];
}

/** @param readings of the withdrawal. */
export function started({ service, release, quarantined, bakeMinutes, notCaptured, observed, withdrawal }: StartQuestion, readings: Readings): Started {
  const { good, reasons } = observed === null ? { good: null, reasons: [] } : observedBefore(observed);
  const taken = withdrawn(withdrawal, readings);
  const noted = [...notCaptured, ...reasons, ...taken.reasons];
  const again = shippedAgain({ service, release, quarantined });
  const looked = again === null ? answered('continue', noted, Math.min(60, bakeMinutes * 60)) : { ...again, reasons: [...again.reasons, ...noted] };
  return { looked, good, withdrawn: taken.kept };
}

/** Whether its alarms and its traffic have to be read at all. */
export const isWorthReading = ({ release: { previousVersion }, known }: Pick<ObservedQuestion, 'release' | 'known'>): boolean => previousVersion !== null && !known.includes(previousVersion);

/** `good`: what is to be kept as known good; null where nothing is. */
export function observedBefore(question: ObservedQuestion): { readonly good: KnownGood | null; readonly reasons: readonly Reason[] } {
  const { release: { id, previousVersion: version, startedAt, version: next }, known, quarantined, bakeMinutes, counted } = question;
  if (version === null) return { good: null, reasons: [{ code: 'nothing-before', text: `Nobody said which version was live before ${next}.` }] };
  if (known.includes(version)) return { good: null, reasons: [{ code: 'known-already', text: `${version} is known good already.` }] };
  const signals = readSignals({ ...question, deployments: [], releases: [], startedAt, trigger: { kind: 'watch', releaseId: id, alarms: [], journeys: [] }, quarantined: [] }, null);
  const doubts = [
    ...notQuiet(question, signals), ...changesBefore(question),
    ...(quarantined.includes(version) ? [{ code: 'quarantined', text: `${version} was rolled back before.` }] : []),
    ...(Object.keys(counted.states).length === 0 ? [{ code: 'not-captured', text: 'No target was captured in a way that shows it.' }] : []),
  ];
  if (doubts.length > 0) return { good: null, reasons: [{ code: 'not-observed-good', text: `${version} is not called good.` }, ...doubts, ...counted.reasons] };
  const { states, unproven } = counted;
  const good: KnownGood = { version, since: instantOf(at(startedAt) - bakeMinutes * 60_000), basis: 'observed', states, ...(unproven.length === 0 ? {} : { unproven: { releaseId: id, targets: unproven } }) };
  return { good, reasons: [{ code: 'observed-good', text: `${version} was live and quiet for ${bakeMinutes} minutes; it is known good.` }, ...counted.reasons] };
}

/** A change within the bake time before the release: what was live then is younger than a bake. */
function changesBefore({ releases, rollbacks, release, bakeMinutes }: ObservedQuestion): Reason[] {
  const from = at(release.startedAt) - bakeMinutes * 60_000;
  const isWithin = (instant: string | null) => instant !== null && at(instant) > from && at(instant) <= at(release.startedAt);
  return [
    ...releases.filter(({ id, startedAt, finishedAt }) => id !== release.id && (isWithin(startedAt) || isWithin(finishedAt)))
      .map(({ version }) => ({ code: 'too-young', text: `Release ${version} lies less than ${bakeMinutes} minutes back.` })),
    ...rollbacks.filter(({ startedAt, endedAt }) => isWithin(startedAt) || isWithin(endedAt))
      .map(({ rollbackId }) => ({ code: 'too-young', text: `Rollback ${rollbackId} lies less than ${bakeMinutes} minutes back.` })),
  ];
}
