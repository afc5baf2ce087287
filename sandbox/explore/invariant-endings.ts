// What each run came to: one that recovered excuses no other.
import type { RollbackRun } from '../scenarios/scenario.ts';
import type { StoredRow } from '../stage/ripcord-view.ts';
import type { Run } from './invariants.ts';
import { lastResorts, type Struck } from './last-resort.ts';
import type { Ending } from './scenarios.ts';

/** Null: neither recovered and proven, nor stopped with on-call paged and the reason recorded, nor what the scenario asks for. */
export function endingOf(run: Run): Ending | null {
  const { world, struck } = run;
  const runs = world.runs();
  if (runs.some(({ status }) => status === 'RUNNING')) return null;
  // The engine's own alarm stands for the end of whatever nobody could close any more.
  const instead = lastResorts(run).length > 0 ? 'paged' : null;
  const ends = runs.length === 0 ? [instead] : runs.map((one) => endOf(run, one) ?? instead);
  if (ends.includes(null)) return null;
  // The alarm was read as quiet, which only an old answer can say: nothing is wrong as far as anybody can see.
  const found = (['recovered', 'paged', 'dry-run', 'left'] as const).find((end) => ends.includes(end)) ?? null;
  return found === 'left' && !isOldAlarm(struck) ? null : found;
}

const isOldAlarm = (struck: Struck | null): boolean => struck?.fault === 'stale' && /\/cloudwatch:DescribeAlarms[.#]/.test(struck.at);

/** Of one run alone, by its own record and the page that names it. */
function endOf(run: Run, { rollbackId, outcome: said, status }: RollbackRun): Ending | 'joined' | null {
  const { world, records, struck } = run;
  const rows = records.find((one) => one.rollbackId === rollbackId)?.rows ?? [];
  // What a run came to is in its sealed record: an execution that was stopped, or whose Report broke down, after that ends otherwise all the same.
  const seal = rows.find(({ kind }) => kind === 'sealed');
  const outcome = seal === undefined ? said : (JSON.parse(seal.data) as { readonly outcome: string }).outcome;
  if (outcome === 'recovered') {
    const proven = rows.some(({ kind, data }) => kind === 'verified' && data.includes('"answer":"recovered"'));
    return proven && world.targets[world.scenario.cure]?.live() === 'blue' ? 'recovered' : null;
  }
  if (isPaged(run, rollbackId)) return rows.some(saysWhy) ? 'paged' : null;
  // Also when only telling of it failed: its record is sealed, nothing was changed, and nobody has to act.
  if (outcome === 'dry-run') return world.scenario.ends === 'dry-run' ? 'dry-run' : null;
  if (outcome === 'left') return rows.some(saysWhy) ? 'left' : null;
  const isStopped = struck?.fault === 'aborted' && status === 'ABORTED';
  // Stopped by a person before it had put down anything: it held nothing, and the other run, which has to end by itself, is the one that people hear of.
  if (isStopped && rows.length === 0 && world.runs().length > 1) return 'joined';
  return (outcome === 'joined' || isStopped) && names(rows, run, rollbackId) ? 'joined' : null;
}

const isPaged = ({ world }: Run, rollbackId: string): boolean =>
  world.messages().some(({ topic, subject, text }) => topic === 'on-call' && subject.startsWith('PAGE ') && text.includes(`Rollback id: ${rollbackId}`));

/** Whom it joined stands in its record, and is a run that joined nobody. */
function names(rows: readonly StoredRow[], { world, records }: Run, rollbackId: string): boolean {
  const hasJoined = (id: string): boolean => records.some((one) => one.rollbackId === id && one.rows.some(({ kind, data }) => kind === 'assessed' && data.includes('"verdict":"joined"')));
  return world.runs().some((other) => other.rollbackId !== rollbackId && !hasJoined(other.rollbackId) && rows.some(({ kind, data }) => kind === 'assessed' && data.includes(other.rollbackId)));
}

interface Said {
  readonly ending?: { readonly reasons?: readonly Partial<Reason>[] };
  readonly decision?: { readonly verdict?: string; readonly reasons?: readonly Partial<Reason>[] };
  readonly refused?: Partial<Reason>;
}

interface Reason {
  readonly text: string;
}

/** The row that ends the record, or the verdict not to act: with at least one reason in words. */
function saysWhy({ kind, data }: StoredRow): boolean {
  const { ending, decision, refused } = JSON.parse(data) as Said;
  const isVerdict = kind === 'assessed' && (decision === undefined || decision.verdict === 'leave');
  const reasons = kind === 'reported' ? ending?.reasons : isVerdict ? decision?.reasons ?? (refused === undefined ? [] : [refused]) : [];
  return (reasons ?? []).some(({ text = '' }) => text.trim() !== '');
}
