// Reads a person's answer again where it was kept: what the workflow was told is a hint, like everything else it is told.
import { readApproval } from '../adapters/ledger-approvals.ts';
import type { LedgerTable } from '../adapters/ledger-table.ts';
import { RipcordError } from '../domain/errors.ts';
import { at } from '../domain/instants.ts';
import type { Approval, AssessInput } from '../domain/workflow.ts';

const forged = (text: string): RipcordError => new RipcordError('stop', 'forged-answer', `${text}: nothing was changed. Find out who completed the waiting task.`);

/**
 * The answer as the ledger has it. A task token stands in the execution's history, and whoever can read that and complete a task can tell the
 * workflow anything, under any name; the ledger is written only after IAM verified who answers.
 * @throws RipcordError with code `forged-answer` when the workflow has an answer that nobody gave.
 */
export async function approvalOf({ approval, rollbackId }: AssessInput, table: LedgerTable, now: Date): Promise<Approval | null> {
  if (approval === null) return null;
  const stored = await readApproval(table, rollbackId);
  if (stored === null) throw forged(`The workflow was told "${approval.answer}", but nobody was asked about rollback ${rollbackId}`);
  if (approval.answer !== 'deadline') {
    if (stored.answer?.answer === approval.answer) return stored.answer;
    throw forged(`The workflow was told "${approval.answer}", but no approver answered so`);
  }
  const { askedAt, deadlineAt } = stored.request;
  // The workflow's clock starts a moment before ours, so the deadline is not compared to the second.
  if (now.getTime() - at(askedAt) >= (at(deadlineAt) - at(askedAt)) / 2) return approval;
  throw forged(`The workflow was told that the deadline is over, but it is ${deadlineAt}`);
}
