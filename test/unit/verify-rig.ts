// A service that is asked whether it has recovered: what its world says is given, what is recorded is real.
import { afterAll, beforeAll } from 'vitest';
import type { AlarmReading } from '../../lambdas/domain/readings.ts';
import type { JourneyResult, StepConfirmed, Verified, VerifyInput } from '../../lambdas/domain/workflow.ts';
import type { Measured, MetricsReading } from '../../lambdas/domain/metrics.ts';
import { verify, type VerifyParts, type VerifyTarget } from '../../lambdas/runtime/verify.ts';
import { startTables, type Tables } from './audit-tables.ts';
import { silent, testClock } from './report-samples.ts';

export let tables: Tables;
/** To be called at the top of a test file. */
export function useTables(): void {
  beforeAll(async () => { tables = await startTables(); });
  afterAll(async () => { await tables.stop(); });
}

export const alarm = (name: string, state: AlarmReading['state']): AlarmReading =>
  ({ name, group: name, state, since: null, fault: null, suppressedBy: null, evaluationState: null, children: [], reason: 'because' });
export const passed: JourneyResult = { journey: 'buy', ok: true, durationMs: 5, failedAt: null, reason: null };
export const failed: JourneyResult = { ...passed, ok: false, failedAt: 'pay', reason: 'answered 503' };
export const live = (answer: StepConfirmed['answer']): StepConfirmed => ({ stepId: 'alb-weights/web', answer, detail: 'as seen', retryAfterSeconds: 0 });

let count = 0;
export const proofInput = (change: Partial<VerifyInput> = {}): VerifyInput => ({
  purpose: 'proof', rollbackId: `rb-${(count += 1)}`, service: 'checkout', fence: 1, verification: { intervalSeconds: 20, passesInARow: 3, deadlineSeconds: 600 },
  since: '2026-11-20T09:15:00.000Z', passes: 2, round: 4, live: [live('yes')], alarmsAtStart: [], audit: null, ...change,
});

export interface World {
  readonly results?: JourneyResult[];
  readonly alarms?: AlarmReading[];
  readonly isLeaseHeld?: boolean;
  readonly metrics?: MetricsReading;
  readonly controls?: VerifyTarget['signals']['controls'];
  /** What is measured of them; null: nothing can be read any more. */
  readonly beside?: readonly Measured[] | null;
  /** Counts how often they are read. */
  readonly asked?: { controls: number };
}

export async function prove(input: VerifyInput, world: World = {}): Promise<Verified> {
  const parts: VerifyParts = {
    targetOf: async () => ({ journeys: {}, signals: { alarms: (world.alarms ?? [alarm('5xx', 'OK')]).map(({ name }) => ({ name })), controls: world.controls } }),
    runJourneys: async () => world.results ?? [passed],
    readAlarms: async (wanted) => (world.alarms ?? [alarm('5xx', 'OK')]).filter(({ name }) => wanted.some((one) => one.name === name)),
    readMetrics: async ({ controls }) => {
      if (controls === undefined || world.metrics?.status !== 'read') return world.metrics;
      if (world.asked !== undefined) world.asked.controls += 1;
      return world.beside === null ? { status: 'unknown', why: 'throttled' } : { ...world.metrics, controls: world.beside ?? [] };
    },
    renewLease: async () => world.isLeaseHeld ?? true,
    audit: tables.audit, clock: testClock(), log: silent, codeVersion: 'abcdef012345',
  };
  return verify(input, parts);
}

export const codes = ({ reasons }: Verified): string[] => reasons.map(({ code }) => code);
