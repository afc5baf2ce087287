// Facts that many scenarios check: how a recovery, a refusal and a page look from outside.
import type { AuditRow, RollbackRun, Stage } from './scenario.ts';

const outcomeOf = (run: RollbackRun): string => run.outcome ?? 'still running';

/** Everything that has to be true after a rollback that helped. */
export async function checkRecovered(stage: Stage, run: RollbackRun): Promise<readonly AuditRow[]> {
  stage.check('the rollback says it recovered', run.status === 'SUCCEEDED' && outcomeOf(run) === 'recovered', `${run.status}, ${outcomeOf(run)}`);
  const rows = await stage.audit(run.rollbackId);
  const kinds = rows.map((row) => row.kind);
  for (const kind of ['assessed', 'change-intended', 'change-made', 'verified', 'reported', 'sealed'])
    stage.check(`the audit has "${kind}"`, kinds.includes(kind), kinds.join(' '));
  stage.check('the state before is recorded ahead of the change', kinds.indexOf('change-intended') < kinds.indexOf('change-made'), kinds.join(' '));
  // A question to an approver is neither.
  const own = stage.messages().filter(({ text, topic, subject }) => text.includes(run.rollbackId) && topic === 'on-call' && !/approve the rollback of/i.test(subject));
  stage.check('on-call was told once at the start and once at the end', own.length === 2, own.map((message) => message.subject).join(' | '));
  return rows;
}

/** A run that must end without a change of the workload; `outcomes` are the acceptable ends. */
export function checkEndedAs(stage: Stage, run: RollbackRun, outcomes: readonly string[]): void {
  stage.check(`it ended as ${outcomes.join(' or ')}`, outcomes.includes(outcomeOf(run)), `${run.status}, ${outcomeOf(run)}: ${run.headline}`);
}

export function expectNoChange(stage: Stage, when: string): void {
  stage.check(`Ripcord changed nothing ${when}`, stage.changes().length === 0, stage.changes().join(', ') || 'no change');
}

export function checkPaged(stage: Stage, word: RegExp): void {
  const pages = stage.messages().filter((message) => message.topic === 'on-call');
  const told = pages.find((message) => word.test(`${message.subject}\n${message.text}`));
  stage.check(`on-call was told why (${word.source})`, told !== undefined, told?.subject ?? pages.map((message) => message.subject).join(' | '));
}

/** No second rollback, nothing left running. */
export function checkQuietEnd(stage: Stage): void {
  const acting = stage.rollbacks().filter((run) => outcomeOf(run) === 'recovered');
  stage.check('exactly one rollback acted', acting.length === 1, stage.rollbacks().map((run) => `${run.rollbackId}: ${outcomeOf(run)}`).join('; '));
  const open = stage.rollbacks().filter((run) => run.status === 'RUNNING');
  stage.check('no run is left open', open.length === 0, open.map((run) => run.rollbackId).join(', ') || 'none');
}

interface Judged {
  readonly decision?: { readonly signals?: readonly { readonly kind: string; readonly status: string; readonly summary: string }[] };
}

/** What the judge said of the metrics at each look of a run: with what status, in its own words. */
export const judgedIn = (rows: readonly AuditRow[]): readonly { readonly status: string; readonly summary: string }[] =>
  rows.filter(({ kind }) => kind === 'assessed').flatMap(({ data }) => (data as Judged).decision?.signals?.filter(({ kind }) => kind === 'metrics') ?? []);

/** That the judge was asked beside the alarms, and that it saw the recovery: without that no proof would have ended well. */
export function checkMetricsProved(stage: Stage, rows: readonly AuditRow[], saw: RegExp = /error rate [1-9][\d.]* % in the last|ROLL BACK/): void {
  const said = judgedIn(rows).map(({ status, summary }) => `${status}: ${summary}`);
  stage.check('the metrics were judged beside the alarms', said.some((words) => saw.test(words)), said.join(' | ') || 'they have no say');
  const proofs = JSON.stringify(rows.filter(({ kind }) => kind === 'verified').map(({ data }) => data));
  stage.check('the recovery was proven by the metrics too', proofs.includes('metrics-recovered'), proofs.match(/metrics-[a-z-]+/g)?.join(' ') ?? 'no word of metrics');
}
