// What a Watch concludes beside its looks: a failure that AWS tells of, what a release left, and whether what baked can be called known good. Pure.
import { watchSignal } from './bake.ts';
import { laterThan, passedBy, type OnRecord } from './bake-next.ts';
import { bakedStates, type Readings, withoutUnmoved } from './captured-states.ts';
import type { RollbackRecord } from './ledger.ts';
import type { DeploymentReading } from './readings.ts';
import { isUndoneByEcs } from './release-known.ts';
import type { KnownGood, Reason, Release } from './vocabulary.ts';
import type { StepCaptured, WatchLooked } from './workflow.ts';

/** An answer that needs no other look. */
export const answered = (answer: WatchLooked['answer'], reasons: readonly Reason[], waitSeconds = 0): WatchLooked => ({ answer, waitSeconds, reasons, rollback: null });

export const notCaptured = (captured: readonly StepCaptured[]): Reason[] => captured.filter(({ status }) => status === 'failed')
  .map(({ targetId, reason }) => ({ code: 'not-captured', text: `Target ${targetId} could not be captured: ${reason?.text ?? 'no reason given'}` }));

/** ECS itself calls a deployment failed. */
export interface FailedQuestion {
  readonly service: string;
  /** What its event says. */
  readonly event: { readonly deploymentId: string; readonly cluster: string; readonly ecsService: string };
  /** Of the deployment that failed. */
  readonly version: string;
  /** What ECS shows now as the newest deployment of that service; null where it shows none. */
  readonly newest: Pick<DeploymentReading, 'id' | 'version'> | null;
}

/** Where ECS did not put another task definition in place of the failed one by itself, a rollback has to. */
export function failedLooked({ service, event: { deploymentId }, version, newest }: FailedQuestion): WatchLooked {
  if (isUndoneByEcs({ id: deploymentId, version }, newest))
    return answered('ended', [{ code: 'already-undone', text: `ECS gave deployment ${deploymentId} up and put the version before back by itself.` }]);
  return {
    ...answered('signal', [{ code: 'failed', text: `ECS says that deployment ${deploymentId} of ${version} failed.` }]),
    rollback: watchSignal(service, { releaseId: deploymentId, alarms: [], journeys: [] }),
  };
}

/** All that says whether a version that was observed as a release began has to be taken back, as the release turns out to have moved nothing. */
export interface WithdrawalQuestion {
  readonly release: Pick<Release, 'id' | 'version' | 'origin' | 'left'>;
  /** Versions of which something counts only while the release has moved something; mostly none. */
  readonly goods: readonly KnownGood[];
  /** Target to the strategy that captured it. */
  readonly strategies: Readonly<Record<string, string>>;
  /** Those that the ledger changed; one that baked meanwhile stands. */
  readonly changed: readonly KnownGood['version'][];
}

/** What stays of each version that has to be taken back. */
export const withdrawalsOf = ({ release, goods }: Pick<WithdrawalQuestion, 'release' | 'goods'>, readings: Readings): KnownGood[] =>
  goods.flatMap((good) => withoutUnmoved(good, release, readings) ?? []);

export const withdrawalReason = ({ version }: KnownGood, release: Pick<Release, 'version'>): Reason =>
  ({ code: 'withdrawn', text: `Nothing has moved since release ${release.version} began, so the release may have moved it before it was captured: that ${version} looked so is not known.` });

/** @param question null where nobody knows the release any more; of before, also where no version depended on what it moved. */
export function withdrawn(question: WithdrawalQuestion | null, readings: Readings): { readonly kept: readonly KnownGood[]; readonly reasons: readonly Reason[] } {
  if (question === null) return { kept: [], reasons: [] };
  const kept = withdrawalsOf(question, readings).filter(({ version }) => question.changed.includes(version));
  return { kept, reasons: kept.map((good) => withdrawalReason(good, question.release)) };
}

export interface LeftQuestion {
  readonly release: Pick<Release, 'id' | 'version'>;
  readonly captured: readonly StepCaptured[];
  readonly withdrawal: WithdrawalQuestion | null;
}

/** `withdrawn`: what stays of the versions that are not called good any more, or not whole. */
export interface Left {
  readonly looked: WatchLooked;
  readonly withdrawn: readonly KnownGood[];
}

export function left({ release, captured, withdrawal }: LeftQuestion, readings: Readings): Left {
  const { kept, reasons } = withdrawn(withdrawal, readings);
  return { looked: answered('ended', [{ code: 'left-kept', text: `What release ${release.version} left is kept.` }, ...notCaptured(captured), ...reasons]), withdrawn: kept };
}

export interface SettleQuestion {
  readonly release: Release;
  readonly releases: readonly OnRecord[];
  readonly rollbacks: readonly RollbackRecord[];
  readonly captured: readonly StepCaptured[];
  /** Target to the strategy that captured it. */
  readonly strategies: Readonly<Record<string, string>>;
  /** Of the look that found it good. */
  readonly found: readonly Reason[];
}

/** `good`: what is to be kept as known good; null where nothing is. */
export interface Settled {
  readonly looked: WatchLooked;
  readonly good: KnownGood | null;
}

/** Known good, unless something came between the last look and the capture. */
export function settled({ release, releases, rollbacks, captured, found }: SettleQuestion, readings: Readings): Settled {
  const [next] = laterThan(release, releases);
  if (next !== undefined) return bad({ code: 'superseded', text: `Release ${next.version} began before ${release.version} could be captured; it is not called good.` });
  const passed = passedBy(release, releases, rollbacks);
  if (passed !== null) return bad(passed);
  if (rollbacks.some((record) => record.release?.id === release.id)) return bad({ code: 'rolled-back', text: `Release ${release.version} was rolled back, or would have been.` });
  const { states, reasons } = bakedStates(captured, release, readings);
  const doubts = [...reasons, ...notCaptured(captured)];
  if (Object.keys(states).length === 0) return bad({ code: 'not-known-good', text: `${release.version} is not called good: no target shows how it looked.` }, ...doubts);
  const unjudged = found.filter(({ code }) => code === 'metrics-not-judged');
  return {
    looked: answered('ended', [{ code: 'known-good', text: `${release.version} is known good.` }, ...unjudged, ...doubts]),
    good: { version: release.version, since: release.finishedAt ?? release.startedAt, basis: 'baked', states, ...(unjudged[0] === undefined ? {} : { unjudged: unjudged[0].text }) },
  };
}

const bad = (...reasons: readonly Reason[]): Settled => ({ looked: answered('ended', reasons), good: null });
