// What a capture proves of a version where records or rollbacks speak: a target of CodeDeploy's own deployment, and one that was rolled back since.
import { describe, expect, it } from 'vitest';
import { bakedStates, capturedAfter, observedStates, type Readings } from '../../../lambdas/domain/captured-states.ts';
import type { ServiceLedger } from '../../../lambdas/domain/ledger.ts';
import type { Release, TargetState } from '../../../lambdas/domain/vocabulary.ts';
import type { StepCaptured } from '../../../lambdas/domain/workflow.ts';
import { minute, release, rollback } from './samples.ts';

const readings = (isOnRecord: boolean): Readings => () => ({ same: (one, other) => one['live'] === other['live'], isSplit: () => false, isOnRecord });
const captured = (live: string, at: string): StepCaptured[] => [{ targetId: 'app', status: 'captured', state: { live }, reason: null, at }];
const codes = ({ reasons }: { readonly reasons: readonly { readonly code: string }[] }) => reasons.map(({ code }) => code);

const made = (over: Partial<Release>): Release => ({ ...release(), left: null, ...over });
const left = (live: string): Record<string, TargetState> => ({ app: { live } });
const now = made({ id: 'r-2', startedAt: minute(0), finishedAt: null });
const before = made({ id: 'r-1', startedAt: minute(-60), finishedAt: minute(-59), left: left('1') });
const ledger = (over: Partial<ServiceLedger>): ServiceLedger => ({
  lock: { owner: null, fence: 0, leaseUntil: null, coolDownUntil: null, lastRollbackId: null },
  releases: [now, before], knownGoods: [], rollbacks: [], shadowed: [], signals: [], quarantined: [], ...over,
});

describe('a target of CodeDeploy\'s own deployment', () => {
  it('is known by the deployment\'s record, however late it is captured and whatever was before', () => {
    expect(observedStates(captured('2', minute(9)), now, { ledger: ledger({}), readings: readings(true) })).toEqual({ states: left('2'), unproven: [], reasons: [] });
    expect(bakedStates(captured('2', minute(9)), now, readings(true))).toEqual({ states: left('2'), reasons: [] });
  });

  it('has not baked when it is not what the deployment left', () => {
    expect(codes(bakedStates(captured('3', minute(9)), { ...now, left: left('2') }, readings(true)))).toEqual(['changed-since']);
  });
});

describe('a target that was rolled back since the release before', () => {
  it('need not be as that release left it, but has to be captured at once', () => {
    const known = { ledger: ledger({ rollbacks: [rollback({ release: { id: 'r-1', version: 'v1' } })] }), readings: readings(false) };
    expect(observedStates(captured('0', minute(0.1)), now, known)).toEqual({ states: left('0'), unproven: ['app'], reasons: [] });
    expect(codes(observedStates(captured('0', minute(1)), now, known))).toEqual(['captured-late']);
    expect(codes(observedStates(captured('0', minute(0.1)), now, { ...known, ledger: ledger({}) }))).toEqual(['not-as-left']);
  });
});

describe('a target that AWS moved before it told of the release', () => {
  const moved: Readings = () => ({ ...readings(false)('app'), before: (state, { version, previousVersion }) => (state['live'] === version ? { live: previousVersion } : null) });
  const told = (over: Partial<Release> = {}): Release => made({ id: 'r-2', origin: 'ecs', version: '2', previousVersion: '1', startedAt: minute(0), finishedAt: null, ...over });
  const known = { ledger: ledger({ releases: [] }), readings: moved };

  it('looked before as the release\'s version before, however late it is captured', () => {
    expect(observedStates(captured('2', minute(0.1)), told(), known)).toEqual({ states: left('1'), unproven: [], reasons: [] });
    expect(observedStates(captured('2', minute(9)), told({ finishedAt: minute(0) }), known)).toEqual({ states: left('1'), unproven: [], reasons: [] });
  });

  it('shows nothing of it when nobody says what was before', () => {
    expect(observedStates(captured('2', minute(0.1)), told({ previousVersion: null }), known)).toMatchObject({ states: {}, reasons: [{ code: 'moved-already' }] });
  });

  it('is taken as it is when it does not show the release', () => {
    expect(observedStates(captured('7', minute(0.1)), told(), known)).toEqual({ states: left('7'), unproven: ['app'], reasons: [] });
    expect(codes(observedStates(captured('7', minute(0.1)), told({ finishedAt: minute(0) }), known))).toEqual(['captured-late']);
  });

  it('is no matter of a release that a pipeline announces', () => {
    expect(observedStates(captured('2', minute(0.1)), told({ origin: 'event' }), known).states).toEqual(left('2'));
  });
});

describe('a capture', () => {
  it('shows what the release left when it came after the end, or when nobody told of the beginning', () => {
    const finished = { ...now, finishedAt: minute(1) };
    expect(capturedAfter(captured('2', minute(1)), finished)).toHaveLength(1);
    expect(capturedAfter(captured('1', minute(0.9)), finished)).toEqual([]);
    expect(capturedAfter(captured('2', minute(-1)), { ...now, finishedAt: now.startedAt })).toHaveLength(1);
    expect(capturedAfter(captured('1', minute(5)), now)).toEqual([]);
  });

  it('from before the event\'s own time is not fresh either: one of the clocks is wrong', () => {
    expect(codes(observedStates(captured('1', minute(-1)), now, { ledger: ledger({ releases: [now] }), readings: readings(false) }))).toEqual(['captured-late']);
  });
});
