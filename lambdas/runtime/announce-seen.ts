// What the record says of each step by the time people are first told: the change is made side by side with the message, and often before it.
import { dataIn } from '../audit/data.ts';
import type { AuditRow } from '../audit/entry.ts';
import type { StepApplied, StepPlan } from '../domain/workflow.ts';
import type { StepsSeen } from './report-plan.ts';

type StepData = Pick<StepApplied, 'stepId'> & Partial<Pick<StepApplied, 'summary' | 'status' | 'reason'> & Pick<StepPlan, 'outcome'>>;

/** The last word on each step, in words: `blue 0 → 100, green 100 → 0, done`. A step that no row speaks of is not in it. */
export function stepsSeen(rows: readonly AuditRow[]): StepsSeen {
  const seen = new Map<string, string>();
  for (const row of rows) {
    const { kind } = row;
    if (kind !== 'planned' && kind !== 'change-intended' && kind !== 'change-made' && kind !== 'change-failed') continue;
    const step = dataIn(row) as StepData | null;
    const words = step === null ? null : wordsOf(kind, step);
    if (step !== null && words !== null) seen.set(step.stepId, words);
  }
  return seen;
}

function wordsOf(kind: 'planned' | 'change-intended' | 'change-made' | 'change-failed', { summary = '', status, reason, outcome }: StepData): string | null {
  if (kind === 'planned') return outcome === 'change' ? summary : null;
  if (kind === 'change-intended') return `${summary}, being done`;
  if (kind === 'change-made') return status === 'already' ? `nothing to do, ${summary}` : `${summary}, done`;
  // Without a status the workflow tries again.
  return status === undefined ? null : `NOT done: ${reason?.text ?? status}`;
}
