// Which captured states say what a version looked like, and which may be another release's or a person's doing. Pure.
import { at } from './instants.ts';
import type { ServiceLedger } from './ledger.ts';
import type { KnownGood, Reason, Release, TargetState } from './vocabulary.ts';
import type { StepCaptured } from './workflow.ts';

/** How states of one target are read; each strategy has its own notion. */
export interface TargetReading {
  readonly same: (one: TargetState, other: TargetState) => boolean;
  readonly isSplit: (state: TargetState) => boolean;
  /** How it looked before a change that AWS told of after making it; null when this change did not touch it. Absent where AWS does not say. */
  readonly before?: (state: TargetState, change: { readonly version: string; readonly previousVersion: string }) => TargetState | null;
  /** True when the release is the target's own deployment: its records say what it brought and what was before it. */
  readonly isOnRecord: boolean;
}

export type Readings = (targetId: string) => TargetReading;

export interface Counted {
  readonly states: KnownGood['states'];
  /** Targets among them that nothing but the moment of the capture speaks for. */
  readonly unproven: readonly string[];
  /** Why other targets do not count. */
  readonly reasons: readonly Reason[];
}

/** A capture later than so many seconds after the event may show what the release has already done. */
const freshSeconds = 30;

export const statesOf = (captured: readonly StepCaptured[]): KnownGood['states'] =>
  Object.fromEntries(captured.flatMap(({ targetId, status, state }) => (status === 'captured' && state !== null ? [[targetId, state]] : [])));

/** What was captured when the release had finished already: what it left. One that began and finished at once is one whose start was never told. */
export const capturedAfter = (captured: readonly StepCaptured[], { startedAt, finishedAt }: Release): StepCaptured[] =>
  captured.filter((one) => finishedAt !== null && (finishedAt === startedAt || (one.at !== undefined && at(one.at) >= at(finishedAt))));

type Doubt = Reason | null;

function count(captured: readonly StepCaptured[], doubtOf: (targetId: string, state: TargetState, capturedAt: string | undefined) => Doubt): Omit<Counted, 'unproven'> {
  const seen = captured.flatMap(({ targetId, status, state, at: capturedAt }) =>
    (status === 'captured' && state !== null ? [{ targetId, state, doubt: doubtOf(targetId, state, capturedAt) }] : []));
  return {
    states: Object.fromEntries(seen.filter(({ doubt }) => doubt === null).map(({ targetId, state }) => [targetId, state])),
    reasons: seen.flatMap(({ doubt }) => doubt ?? []),
  };
}

/** At the end of the bake: only what still looks as the release left it has baked. */
export function bakedStates(captured: readonly StepCaptured[], release: Release, readings: Readings): Omit<Counted, 'unproven'> {
  return count(captured, (targetId, state) => {
    const left = release.left?.[targetId];
    const { same, isOnRecord } = readings(targetId);
    if (left === undefined) return isOnRecord ? null : { code: 'left-unknown', text: `Nobody captured how release ${release.version} left target ${targetId}, so nothing says that it still is so.` };
    return same(state, left) ? null : { code: 'changed-since', text: `Target ${targetId} was changed after release ${release.version} finished.` };
  });
}

/** At the beginning of a release: only what cannot be its own doing shows the version before. */
export function observedStates(captured: readonly StepCaptured[], release: Release, known: { readonly ledger: ServiceLedger; readonly readings: Readings }): Counted {
  const before = releaseBefore(release, known.ledger);
  const after = new Set(capturedAfter(captured, release).map(({ targetId }) => targetId));
  const told = toldBefore(captured, release, known.readings);
  const counted = count(captured.map((one) => ({ ...one, state: told.get(one.targetId) ?? one.state })), (targetId, state, capturedAt) => {
    const { same, isSplit, isOnRecord } = known.readings(targetId);
    if (told.get(targetId) === null) return { code: 'moved-already', text: `Target ${targetId} shows release ${release.version} already, and nobody says what was live before.` };
    if (isOnRecord || told.has(targetId)) return null;
    if (after.has(targetId)) return { code: 'captured-late', text: `Target ${targetId} was captured when release ${release.version} had finished already.` };
    const left = before?.left?.[targetId];
    if (left !== undefined) return same(state, left) ? null : { code: 'not-as-left', text: `Target ${targetId} is not as release ${before?.version} left it: release ${release.version} or somebody else moved it.` };
    if (capturedAt === undefined || Math.abs(at(capturedAt) - at(release.startedAt)) > freshSeconds * 1000) return { code: 'captured-late', text: `Target ${targetId} was not captured within ${freshSeconds} seconds of the beginning of release ${release.version}, which may have moved it by then.` };
    return isSplit(state) ? { code: 'half-way', text: `Traffic of target ${targetId} was shared out when release ${release.version} began: it may have been half way already.` } : null;
  });
  const unproven = Object.keys(counted.states).filter((id) => before?.left?.[id] === undefined && !known.readings(id).isOnRecord && !told.has(id));
  return { ...counted, unproven };
}

/** ECS and Lambda tell of a release when it has moved its target: how that looked before, they say too. Null for one where they do not. */
function toldBefore(captured: readonly StepCaptured[], { origin, version, previousVersion }: Release, readings: Readings): ReadonlyMap<string, TargetState | null> {
  if (origin !== 'ecs' && origin !== 'lambda-alias') return new Map();
  return new Map(captured.flatMap(({ targetId, state }): [string, TargetState | null][] => {
    const was = state === null ? null : readings(targetId).before?.(state, { version, previousVersion: previousVersion ?? '' }) ?? null;
    return was === null ? [] : [[targetId, previousVersion === null ? null : was]];
  }));
}

/** The release before this one; null when a rollback has moved the targets since. */
function releaseBefore({ id, startedAt }: Release, { releases, rollbacks }: ServiceLedger): Release | null {
  const before = releases.filter((one) => one.id !== id && at(one.startedAt) < at(startedAt)).toSorted((a, b) => at(b.startedAt) - at(a.startedAt))[0];
  return before === undefined || rollbacks.some(({ release }) => release?.id === before.id) ? null : before;
}

/**
 * What is left of an observed version once it is known what the release left. When no target is seen to have moved, all may have moved
 * before the capture; when one has, the others were none of the release's business.
 * @returns null when nothing has to be taken back.
 */
export function withoutUnmoved(good: KnownGood, release: Pick<Release, 'id' | 'left'>, readings: Readings): KnownGood | null {
  const { left } = release;
  if (good.basis !== 'observed' || good.unproven === undefined || good.unproven.releaseId !== release.id || left === null) return null;
  const { unproven: { targets }, ...rest } = good;
  // A target of which nothing was captured at the end proves nothing.
  const hasMoved = ([id, state]: [string, TargetState]): boolean => left[id] !== undefined && !readings(id).same(state, left[id]);
  if (Object.entries(good.states).some(hasMoved)) return null;
  return { ...rest, states: Object.fromEntries(Object.entries(good.states).filter(([id]) => !targets.includes(id))) };
}
