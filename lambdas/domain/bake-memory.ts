// What the Watch remembers from look to look: for what it started a rollback, so that a signal that was left alone does not start one again and again.
import type { AuditCursor, Instant, JsonObject, Signal } from './vocabulary.ts';

/** What one look of the Watch leaves for the next one. */
export interface WatchMemory {
  /** Rollbacks started so far: a signal that comes back after it was quiet starts another one, under another name. */
  readonly runs: number;
  /** What a rollback was started for and was not read as quiet since: `alarm/<name>`, `journey/<name>`, `metrics/metrics`, `quarantined`. */
  readonly told: readonly string[];
  /** When the metrics last were worse by this release. */
  readonly worseAt: Instant | null;
  /** When the metrics last had a say. */
  readonly judgedAt: Instant | null;
  /** What the last row of the audit says, and where its chain stands; absent before the first. */
  readonly kept?: { readonly said: string; readonly at: AuditCursor };
}

/** How a version that was rolled back before is remembered. */
export const quarantinedName = 'quarantined';

export const nameOfSignal = ({ kind, source }: Pick<Signal, 'kind' | 'source'>): string => `${kind}/${source}`;

export const noMemory: WatchMemory = { runs: 0, told: [], worseAt: null, judgedAt: null };

/** Forgets what reads quiet, so that it can start a rollback anew. What cannot be read, or has no data, may fire still. */
export function rememberedAt(memory: WatchMemory, signals: readonly Signal[], now: Instant): WatchMemory {
  const quiet = new Set(signals.filter(({ status }) => status === 'quiet').map(nameOfSignal));
  const metrics = signals.find(({ kind }) => kind === 'metrics')?.status ?? 'unknown';
  return {
    ...memory, told: memory.told.filter((name) => !quiet.has(name)),
    worseAt: metrics === 'firing' ? now : memory.worseAt, judgedAt: metrics === 'unknown' ? memory.judgedAt : now,
  };
}

/** The memory of a look that starts a rollback for these; null when one was started for each of them and none was quiet since. */
export function withTold(memory: WatchMemory, names: readonly string[]): WatchMemory | null {
  const told = [...new Set([...memory.told, ...names])];
  return told.length === memory.told.length ? null : { ...memory, runs: memory.runs + 1, told };
}

/** What the name of a run is made of. The first run of a release and its signals has the same name whoever starts it. */
export const namedBy = (detail: JsonObject, runs: number): string => JSON.stringify(runs === 0 ? detail : [detail, runs]);
