// Whose is what a rollback left of the harm? What the controls share going back cannot mend: whoever is woken looks elsewhere first.
import type { HarmLeft } from '../statistics/recovery.ts';
import { sharersOf } from '../statistics/recovery-company.ts';
import type { RecoveryFinding } from './metric-findings.ts';
import { listed, unreadText } from './metric-company.ts';
import { type MetricsReading, releaseQuestionOf } from './metrics.ts';
import type { Instant, Reason } from './vocabulary.ts';

export interface LeftHarm {
  /** Who shares what, and what nobody could be asked about. */
  readonly reasons: readonly Reason[];
  /** Waiting mends it no more, and it accuses the release. */
  readonly isHopeless: boolean;
  /** Something is left, and all of it is shared, or is a fall of traffic that no control was asked about: no reason to change more. */
  readonly accusesNobody: boolean;
  /** What is shared, or could not be asked about. */
  readonly elsewhere: ReadonlySet<HarmLeft['kind']>;
}

/** @param reading with the controls, where they were read. */
export function leftHarm(finding: RecoveryFinding, reading: MetricsReading | undefined, releaseStartedAt: Instant | null): LeftHarm {
  const { left, isUnclear } = finding;
  const asked = left.map((one) => ({ one, sharers: sharersIn(one, reading, releaseStartedAt) }));
  const shared = asked.filter(({ sharers }) => (sharers ?? []).length > 0);
  // A fall of traffic is mostly somebody else's doing: it accuses only beside controls that kept theirs.
  const unasked = asked.filter(({ one, sharers }) => one.kind === 'traffic' && sharers === null);
  const own = asked.filter((each) => !shared.includes(each) && !unasked.includes(each));
  return {
    reasons: [...sharedReason(shared, own), ...unaskedReason(unasked, reading)],
    isHopeless: own.some(({ one }) => one.isHopeless),
    accusesNobody: left.length > 0 && own.length === 0 && !isUnclear,
    elsewhere: new Set([...shared, ...unasked].map(({ one }) => one.kind)),
  };
}

interface Asked {
  readonly one: HarmLeft;
  /** Null: none could be asked. */
  readonly sharers: readonly string[] | null;
}

function sharersIn(one: HarmLeft, reading: MetricsReading | undefined, releaseStartedAt: Instant | null): readonly string[] | null {
  if (reading?.status !== 'read' || releaseStartedAt === null || reading.controls.length === 0) return null;
  const question = releaseQuestionOf(reading, releaseStartedAt);
  return question === null ? null : sharersOf(one, { controls: question.controls, dependencies: question.dependencies ?? [], releaseIndex: question.releaseIndex });
}

/** Another code where some of the harm is the release's alone: that one comes first for whoever is woken. */
function sharedReason(shared: readonly Asked[], own: readonly Asked[]): Reason[] {
  if (shared.length === 0) return [];
  const each = shared.map(({ one, sharers }) => `What is left of the harm in ${one.name} is not this release's alone: ${listed(sharers ?? [])} got worse there as well.`);
  const rest = own.length === 0 ? [] : [`That in ${own.map(({ one }) => one.name).join(', ')} is not shared.`];
  return [{ code: own.length === 0 ? 'metrics-shared' : 'metrics-shared-in-part', text: [...each, ...rest, 'Look at what they share.'].join(' ') }];
}

function unaskedReason(unasked: readonly Asked[], reading: MetricsReading | undefined): Reason[] {
  if (unasked.length === 0 || reading?.status !== 'read') return [];
  const text = `Whether others lost requests too is not known, so that the fall in ${unasked.map(({ one }) => one.name).join(', ')} accuses nobody. ${unreadText(reading)}`;
  return [{ code: 'controls-not-read', text: text.trim() }];
}
