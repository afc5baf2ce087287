// What the Watch remembers from look to look: for what it started a rollback, so that a signal that was left alone does not start one again and again.
import type { Series } from '../statistics/series.ts';
import { at, instantOf } from './instants.ts';
import { type MetricsFinding, metricsSource } from './metric-findings.ts';
import type { AuditCursor, Instant, JsonObject, Reason, Signal } from './vocabulary.ts';

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
  /** Since when each look finds harm in the metrics that was there before the release; absent where the last one did not, or nobody asked. */
  readonly fromBeforeSince?: Instant;
  /** Until when nothing happens by itself, as the look before read it; absent where that was no longer so. */
  readonly coolDownUntil?: Instant;
  /** For what harm in the metrics rollbacks were started; absent before the first. */
  readonly weighed?: WeighedHarm;
  /** What the last row of the audit says, and where its chain stands; absent before the first. */
  readonly kept?: { readonly said: string; readonly at: AuditCursor };
}

/** How far above usual, for each kind that is worse, as the judge measures it: share of requests that fail, ln of the ratio of latencies or of requests. */
export type Harm = Readonly<Partial<Record<Series['kind'], number>>>;

/** Empty unless the metrics are worse. */
export function harmIn(finding: MetricsFinding | null): Harm {
  const bad = finding?.judgement?.signals.filter(({ status }) => status === 'bad') ?? [];
  const most = (kind: Series['kind']): number => Math.max(...bad.flatMap(({ series, window }) => (series.kind === kind ? [window?.effect ?? 0] : [])));
  return Object.fromEntries(bad.map(({ series: { kind } }) => [kind, Number(most(kind).toPrecision(3))]));
}

/** The most of each kind, when the last rollback was started for it, and how long from then on the same harm starts no other one. */
export interface WeighedHarm {
  readonly at: Instant;
  readonly waitMinutes: number;
  readonly harm: Harm;
}

/** Metrics that turn worse, well and worse again are one harm to whoever is paged; each further run for it comes after twice as long, an hour at the most. */
const firstWaitMinutes = 10;
const longestWaitMinutes = 60;
/** So many times as much harm is another one. */
const otherHarm = 2;

/** How a version that was rolled back before is remembered. */
export const quarantinedName = 'quarantined';

export const nameOfSignal = ({ kind, source }: Pick<Signal, 'kind' | 'source'>): string => `${kind}/${source}`;

const metricsName = nameOfSignal({ kind: 'metrics', source: metricsSource });

/** How harm in the metrics from before the release is remembered once a rollback run was started for it: it is told once. */
export const fromBeforeName = 'metrics/from-before';

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

/**
 * Once a cool-down is over, forgets for what rollbacks were started: they could do nothing, so what fires still is weighed once more. A version that was
 * rolled back before and is out again stays told: whoever was paged decides about it.
 */
export function afterCoolDown({ coolDownUntil: before, ...memory }: WatchMemory, coolDownUntil: Instant | null, now: Instant): WatchMemory {
  if (coolDownUntil !== null && at(coolDownUntil) > at(now)) return { ...memory, coolDownUntil };
  if (before === undefined) return memory;
  const { weighed: _, ...rest } = memory;
  return { ...rest, told: memory.told.filter((name) => name === quarantinedName) };
}

/** The memory of a look that starts a rollback for these; null when one was started for each of them and none was quiet since. */
export function withTold(memory: WatchMemory, names: readonly string[], isNews = false): WatchMemory | null {
  const told = [...new Set([...memory.told, ...names])];
  return told.length === memory.told.length && !isNews ? null : { ...memory, runs: memory.runs + 1, told };
}

/**
 * Whether metrics that are worse now have to be weighed: for the first time; once more when they show another kind of harm, or much more of it, than a
 * rollback was started for; and the same harm, gone and back, when its wait is over. A harm that lasts is so never left for good.
 */
export function isNewHarm({ told, weighed }: WatchMemory, harm: Harm, now: Instant): boolean {
  const isBack = !told.includes(metricsName);
  if (weighed === undefined) return isBack;
  const isOther = Object.entries(harm).some(([kind, size]) => size > 0 && size >= otherHarm * (weighed.harm[kind as keyof Harm] ?? 0));
  return isOther || (isBack && at(now) >= waitsUntil(weighed));
}

/** After a rollback was started in which these metrics are weighed, whatever it was started for. */
export function withHarm(memory: WatchMemory, harm: Harm, now: Instant): WatchMemory {
  const { weighed } = memory;
  const kinds = Object.entries({ ...weighed?.harm, ...harm }).map(([kind, size]) => [kind, Math.max(size, weighed?.harm[kind as keyof Harm] ?? 0)] as const);
  return {
    ...memory, told: [...new Set([...memory.told, metricsName])],
    weighed: { at: now, waitMinutes: weighed === undefined ? firstWaitMinutes : Math.min(longestWaitMinutes, 2 * weighed.waitMinutes), harm: Object.fromEntries(kinds) },
  };
}

const waitsUntil = ({ at: since, waitMinutes }: WeighedHarm): number => at(since) + waitMinutes * 60_000;

/** It counts only while each look finds it: noise may look like it once. */
export const withFromBefore = ({ fromBeforeSince, ...memory }: WatchMemory, finding: MetricsFinding | null, now: Instant): WatchMemory =>
  (finding?.isFromBefore === true ? { ...memory, fromBeforeSince: fromBeforeSince ?? now } : memory);

/** Why metrics that are worse start nothing now, where that is so. */
export function waitedFor({ told, weighed }: WatchMemory, signals: readonly Signal[]): Reason[] {
  if (weighed === undefined || told.includes(metricsName) || !signals.some(({ kind, status }) => kind === 'metrics' && status === 'firing')) return [];
  return [{ code: 'worse-again', text: `The metrics are worse again, as when a rollback was started at ${weighed.at}; if that lasts, or gets much worse, another one is started, at ${instantOf(waitsUntil(weighed))} at the latest.` }];
}

/** What the name of a run is made of. The first run of a release and its signals has the same name whoever starts it. */
export const namedBy = (detail: JsonObject, runs: number): string => JSON.stringify(runs === 0 ? detail : [detail, runs]);
