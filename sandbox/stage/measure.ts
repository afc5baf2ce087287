// How long each part of a rollback took, and what it cost the users: measured from the traffic, the alarms and the audit.
import type { RollbackRun } from '../scenarios/scenario.ts';
import type { RipcordView } from './ripcord-view.ts';
import type { LiveStage } from './stage.ts';

export interface Measured {
  /** Sandbox seconds: sick until the first event reached Ripcord. Null where that did not happen. */
  readonly detectSeconds: number | null;
  /** Event until Ripcord decided to act. */
  readonly decideSeconds: number | null;
  /** Decision until every change was confirmed to have taken hold. */
  readonly restoreSeconds: number | null;
  /** From then until the recovery was proven and reported. */
  readonly verifySeconds: number | null;
  readonly requests: number;
  readonly failedRequests: number;
  /** Milliseconds from the start of the run to the first change. While functions work, sandbox time is real time. */
  readonly eventToChangeMs: number | null;
}

const seconds = (from: number | null, to: number | null): number | null => (from === null || to === null ? null : Math.max(0, (to - from) / 1000));

export async function measure({ stage, ripcord }: { stage: LiveStage; ripcord: RipcordView }): Promise<Measured> {
  const acted = await actingRun(ripcord);
  const { ok, failed } = stage.load.totals;
  const counts = { requests: ok + failed, failedRequests: failed };
  if (acted === null) return { ...counts, detectSeconds: null, decideSeconds: null, restoreSeconds: null, verifySeconds: null, eventToChangeMs: null };
  const { run, decidedAt, confirmedAt } = acted;
  const changes = ripcord.changes().filter(({ at }) => at >= run.startedAt);
  const firstChange = changes[0]?.at ?? null;
  return {
    ...counts,
    detectSeconds: seconds(stage.sickSince, run.startedAt),
    decideSeconds: seconds(run.startedAt, decidedAt),
    restoreSeconds: seconds(decidedAt, confirmedAt),
    verifySeconds: seconds(confirmedAt, run.stoppedAt),
    eventToChangeMs: firstChange === null ? null : firstChange - run.startedAt,
  };
}

/** The run whose verdict was to roll back, when it said so, and when its last change was confirmed. */
async function actingRun(ripcord: RipcordView): Promise<{ run: RollbackRun; decidedAt: number; confirmedAt: number | null } | null> {
  for (const run of ripcord.rollbacks().toReversed()) {
    const rows = await ripcord.audit(run.rollbackId);
    const decision = rows.find(({ kind, data }) => kind === 'assessed' && JSON.stringify(data).includes('"verdict":"roll-back"'));
    const confirmed = rows.findLast(({ kind, data }) => kind === 'confirmed' && data['answer'] === 'yes');
    if (decision !== undefined) return { run, decidedAt: Date.parse(decision.at), confirmedAt: confirmed === undefined ? null : Date.parse(confirmed.at) };
  }
  return null;
}
