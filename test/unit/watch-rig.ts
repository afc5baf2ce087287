// The Watch of one service against real clients: each test has a service of its own, with quiet alarms.
import { beforeEach } from 'vitest';
import { readService } from '../../lambdas/adapters/ledger.ts';
import { serviceSchema } from '../../lambdas/config/schema.ts';
import type { Release, TargetState } from '../../lambdas/domain/vocabulary.ts';
import type { JourneyRound, StepCaptured, Watching, WatchLooked } from '../../lambdas/domain/workflow.ts';
import type { WatchMemory } from '../../lambdas/domain/bake-memory.ts';
import { watch } from '../../lambdas/runtime/watch.ts';
import { nextService, rig, service, serviceInput, useRig } from './assess-rig.ts';

export { rig, service } from './assess-rig.ts';

useRig('watched');
beforeEach(() => {
  attach();
  rig.calm('5xx', 'latency');
});

/** From now on it is about another service, of which nothing is known. */
export function another(): void {
  nextService();
  attach();
}

export const attach = (bakeMinutes = 10): void => rig.catalogue(service, { name: service, service: serviceSchema.parse({ ...serviceInput, policy: { ...serviceInput.policy, bakeMinutes } }) });
export const ledger = () => readService(rig.table, service, new Date(rig.clock.now()));
export const release = async (): Promise<Release | undefined> => (await ledger()).releases[0];

export const pipeline = (type: 'Started' | 'Finished', minutes: number, over: object = {}) => ({
  service, event: { source: 'ripcord.release', 'detail-type': `Release ${type}`, time: rig.at(minutes), detail: { service, releaseId: 'build-2', version: 'v2', previousVersion: 'v1', actor: 'pipeline', ...over } },
});
export const codeDeploy = (deploymentId: string, state: 'START' | 'SUCCESS', deploymentGroup = 'prod') => ({
  service, event: { source: 'aws.codedeploy', 'detail-type': 'CodeDeploy Deployment State-change Notification', time: rig.at(0), detail: { deploymentId, application: 'shop', deploymentGroup, state } },
});
export const record = (input: unknown, watchId = 'w-1') => watch({ verb: 'record', watchId, input }, rig.parts) as Promise<Watching>;
export const captured = (state: string): StepCaptured[] => [
  { targetId: 'web', status: 'captured', state: { weights: { [state]: 100 } }, reason: null, at: rig.at(0) },
  { targetId: 'app', status: 'failed', state: null, reason: { code: 'denied', text: 'not allowed' } },
];
export const ran = (ok: boolean): JourneyRound => ({ at: rig.at(0), results: [{ journey: 'buy', ok, durationMs: 3, failedAt: ok ? null : 'home', reason: ok ? null : 'status 500' }] });
export const start = (watching: Watching, evidence = ran(true)) => watch({ verb: 'start', watchId: 'w-1', watch: watching, captured: captured('blue'), evidence }, rig.parts) as Promise<WatchLooked>;
export const look = (watching: Watching, evidence = ran(true), memory: WatchMemory | null = null) =>
  watch({ verb: 'look', watchId: 'w-1', watch: watching, look: 1, looksLeft: 1400, memory, evidence }, rig.parts) as Promise<WatchLooked>;
export const codes = ({ reasons }: WatchLooked) => reasons.map(({ code }) => code);

/** The same account some minutes on: alarms that became OK just now have been quiet for so long then. */
export const later = (minutes: number) => ({ ...rig.parts, clock: { now: () => new Date(rig.clock.now() + minutes * 60_000) } });

export const startLater = (watching: Watching, minutes: number, evidence = ran(true)) =>
  watch({ verb: 'start', watchId: 'w-1', watch: watching, captured: captured('blue'), evidence }, later(minutes)) as Promise<WatchLooked>;
/** A look so many minutes on. */
export const lookLater = (watching: Watching, minutes: number) =>
  watch({ verb: 'look', watchId: 'w-1', watch: watching, look: 1, evidence: ran(true) }, later(minutes)) as Promise<WatchLooked>;

/** Long after the alarms became OK, and quiet for more than a bake: instants of what follows are minutes from then. */
const settled = 60;
/** Minutes from then, as text. */
export const settledAt = (minutes: number): string => rig.at(settled + minutes);
/** What releases and captures of then are recorded with, a minute on. */
export const settledParts = () => later(settled + 1);

/** How a target with two weights looks. */
export const share = (blueWeight: number, greenWeight: number, more: TargetState = {}): TargetState => ({ weights: { blue: blueWeight, green: greenWeight }, strangers: {}, ...more });
export const blue = share(100, 0);
export const green = share(0, 100);

export const recordSettled = (type: 'Started' | 'Finished', minutes: number, number = 2) => watch({
  verb: 'record', watchId: `w-${type}-${number}`,
  input: { service, event: { source: 'ripcord.release', 'detail-type': `Release ${type}`, time: settledAt(minutes), detail: { service, releaseId: `build-${number}`, version: `v${number}`, previousVersion: `v${number - 1}`, actor: 'pipeline' } } },
}, settledParts()) as Promise<Watching>;

/** Captures of each target, so many minutes on. */
export const statesAt = (states: Readonly<Record<string, TargetState>>, minutes: number): StepCaptured[] =>
  Object.entries(states).map(([targetId, state]) => ({ targetId, status: 'captured', state, reason: null, at: settledAt(minutes) }));

/** The verb is the name of the watch as well. */
export const conclude = (verb: 'start' | 'left' | 'settle', watching: Watching, states: StepCaptured[]) =>
  watch({ verb, watchId: verb, watch: watching, captured: states, evidence: { at: '2026-11-20T09:00:00.000Z', results: [{ journey: 'buy', ok: true, durationMs: 3, failedAt: null, reason: null }] } }, settledParts()) as Promise<WatchLooked>;

export const goods = async () => (await ledger()).knownGoods;
