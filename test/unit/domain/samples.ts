// One question that ends in a rollback, and the small changes that end it otherwise.
import type { Question, ReleaseFacts } from '../../../lambdas/domain/question.ts';
import type { NeighbourReading } from '../../../lambdas/domain/neighbours.ts';
import type { AlarmReading, DeploymentReading } from '../../../lambdas/domain/readings.ts';
import type { DeliveredSignal, RollbackRecord } from '../../../lambdas/domain/ledger.ts';
import type { Trigger } from '../../../lambdas/domain/trigger.ts';
import type { Approval, JourneyRound } from '../../../lambdas/domain/workflow.ts';

/** Minute `m` of the hour in which everything happens; negative and beyond 59 are fine. */
export const minute = (m: number): string => new Date(Date.UTC(2026, 10, 20, 9, 0, 0) + m * 60_000).toISOString();

export const release = (over: Partial<ReleaseFacts> = {}): ReleaseFacts => ({
  id: 'r-2', service: 'checkout', version: 'v2', previousVersion: 'v1', startedAt: minute(0), finishedAt: minute(2), status: 'finished', origin: 'event',
  actor: 'ada', touched: ['code'], alarmsAtStart: [], ...over,
});

export const alarm = (name: string, over: Partial<AlarmReading> = {}): AlarmReading => ({
  name, group: name, state: 'ALARM', since: minute(8), fault: { from: minute(5), to: minute(6) }, suppressedBy: null, evaluationState: null, children: [],
  reason: 'Threshold Crossed', ...over,
});
export const quiet = (name: string, over: Partial<AlarmReading> = {}): AlarmReading => alarm(name, { state: 'OK', since: minute(-600), fault: null, reason: '', ...over });

export const deployment = (over: Partial<DeploymentReading> = {}): DeploymentReading => ({
  id: 'd-2', targetId: 'app', version: 'v2', previousVersion: 'v1', startedAt: minute(0), finishedAt: minute(3), status: 'finished', actor: 'user',
  nature: 'release', undoes: null, ...over,
});

export const rollback = (over: Partial<RollbackRecord> = {}): RollbackRecord => ({
  rollbackId: 'rb-0', service: 'checkout', startedAt: minute(-300), isAutomatic: true, release: { id: 'r-0', version: 'v0' }, goodVersion: 'v1',
  endedAt: minute(-290), outcome: 'recovered', ...over,
});

/** A service that checkout calls, with all its alarms OK and nothing released. */
export const neighbour = (over: Partial<NeighbourReading> = {}): NeighbourReading => ({
  service: 'payments', relation: 'dependency', distance: 1, critical: true, sharedWith: [], releases: [], rollbacks: [], lockedBy: null, alarms: [quiet('payments-5xx')], ...over,
});
export const sick = [alarm('payments-5xx', { fault: { from: minute(4), to: minute(5) }, since: minute(7) })];
export const payments5 = { id: 'p-5', version: '5.1.0', startedAt: minute(2), finishedAt: minute(3), status: 'finished', touched: ['code'] } as const;

export const delivered = (over: Partial<DeliveredSignal> = {}): DeliveredSignal => ({
  at: minute(9), rollbackId: 'rb-9', kind: 'external', source: 'datadog/monitor-1', status: 'firing', since: minute(8), summary: 'p99 is up', mutedUntil: null, ...over,
});

export const alarmTrigger = (over: Partial<Extract<Trigger, { kind: 'alarm' }>> = {}): Trigger =>
  ({ kind: 'alarm', alarm: '5xx', at: minute(8), mutedUntil: null, suppressedBy: null, evaluationState: null, ...over });
export const personTrigger = (over: Partial<Extract<Trigger, { kind: 'person' }>> = {}): Trigger =>
  ({ kind: 'person', reason: 'customers report errors', requestedBy: 'ada', mode: 'roll-back', ...over });
export const deploymentTrigger: Trigger = { kind: 'deployment', deploymentId: 'd-2', application: 'shop', deploymentGroup: 'prod', at: minute(3) };
export const externalTrigger = (over: Partial<Extract<Trigger, { kind: 'external' }>> = {}): Trigger =>
  ({ kind: 'external', tool: 'datadog', id: 'monitor-1', status: 'firing', summary: 'p99 is up', since: minute(8), at: minute(9), ...over });
export const watchTrigger = (over: Partial<Extract<Trigger, { kind: 'watch' }>> = {}): Trigger =>
  ({ kind: 'watch', releaseId: 'r-2', alarms: ['5xx'], journeys: ['buy'], ...over });

export const approval = (answer: Approval['answer']): Approval => ({ answer, by: answer === 'deadline' ? null : 'arn:aws:iam::111122223333:role/ops', at: minute(9), comment: '' });

export const journeys = (ok: boolean, over: { couldNotRun?: true } = {}): JourneyRound => ({
  at: minute(10), results: [{ journey: 'buy', ok, durationMs: 12, failedAt: ok ? null : 'pay', reason: ok ? null : 'status 500', ...over }],
});

const policy: Question['policy'] = {
  mode: 'act', approval: { none: 'the on-call engineer agreed' }, releaseWindowMinutes: 240, bakeMinutes: 60, coolDownMinutes: 30, dailyBudget: 3, askTimeoutMinutes: 30,
};

/** Two alarms fire six minutes after release v2 began; v1 is known good; nothing speaks against going back. */
export const question = (over: Partial<Omit<Question, 'policy'>> & { readonly policy?: Partial<Question['policy']> } = {}): Question => ({
  service: 'checkout', rollbackId: 'rb-1', startedAt: minute(10), now: minute(10), look: 0, trigger: alarmTrigger(), approval: null, evidence: null,
  minimumSignals: 2, holdSeconds: 300, externalTools: ['datadog'], hasJourneys: true,
  targets: {
    web: { strategy: 'alb-weights', goodSide: null, way: 'traffic-shift', expectedSeconds: 5 }, app: { strategy: 'codedeploy', goodSide: null, way: 'redeploy', expectedSeconds: 300 },
  },
  rungs: [{ name: 'alb-weights', waves: [['web']] }, { name: 'codedeploy', waves: [['app']] }],
  coolDownUntil: null, releases: [release()],
  knownGoods: [{ version: 'v1', since: minute(-500), basis: 'baked', targets: ['web', 'app'] }],
  rollbacks: [], delivered: [], quarantined: [],
  alarms: [alarm('5xx'), alarm('latency')],
  traffic: { status: 'enough', requests: 900, minimum: 50, minutes: 5 },
  deployments: [],
  storm: { services: ['checkout'], limit: 5, minutes: 10, isAnnounced: false },
  lockedBy: null,
  ...over,
  policy: { ...policy, ...over.policy },
});
