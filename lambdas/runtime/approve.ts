// Asks a person: keeps the request and its task token in the ledger, keeps the lock past the deadline, and sends the message that asks.
import type { Approvals } from '../adapters/approvals.ts';
import type { AuditStore } from '../adapters/audit-store.ts';
import { putApproval, readApproval } from '../adapters/ledger-approvals.ts';
import { defaultLeaseSeconds, renewLock } from '../adapters/ledger-lock.ts';
import type { LedgerTable } from '../adapters/ledger-table.ts';
import type { Notices } from '../adapters/notices.ts';
import { sendOnce } from '../adapters/notices-once.ts';
import type { Clock } from '../domain/clock.ts';
import type { Instant } from '../domain/vocabulary.ts';
import type { ApproveInput } from '../domain/workflow.ts';
import { approvalMessage } from './messages.ts';
import type { Log } from './logger.ts';
import type { ServiceFacts } from './report.ts';
import { runbook } from './report-plan.ts';

export interface ApproveParts {
  readonly audit: Pick<AuditStore, 'append'>;
  readonly table: LedgerTable;
  readonly notices: Notices;
  readonly approvals: Approvals;
  readonly clock: Clock;
  readonly machineArn: string;
  readonly factsOf: (service: string) => Promise<ServiceFacts | null>;
  /** Reads the function URL that takes the answer. */
  readonly answerUrl: () => Promise<string>;
  readonly log: Log;
}

/** @throws Error when the assessment sets no deadline, or when this rollback no longer has the lock. */
export async function approve(input: ApproveInput, parts: ApproveParts): Promise<{ readonly asked: boolean; readonly deadlineAt: Instant }> {
  const { assessment, taskToken } = input;
  const demand = assessment.approval;
  if (demand === null) throw new Error('a person cannot be asked without a deadline');
  const now = parts.clock.now();
  const deadlineAt = new Date(now.getTime() + demand.timeoutSeconds * 1000).toISOString();
  await keepLock(input, parts, demand.timeoutSeconds);
  const isNew = await putApproval(parts.table, {
    rollbackId: assessment.rollbackId, service: assessment.service, requestedBy: assessment.requestedBy, askedAt: now.toISOString(), deadlineAt,
    onDeadline: demand.onDeadline, shown: shown(input),
  }, taskToken);
  if (!isNew) return { asked: await passOnAnswer(input, parts), deadlineAt };
  await ask(input, parts, { deadlineAt, onDeadline: demand.onDeadline });
  return { asked: true, deadlineAt };
}

/** The lease has to outlast the deadline, or another rollback begins while a person thinks. */
async function keepLock({ assessment: { service, rollbackId, fence } }: ApproveInput, { table, clock }: ApproveParts, timeoutSeconds: number): Promise<void> {
  if (fence === null) return;
  const held = await renewLock(table, { service, owner: rollbackId, fence }, { now: clock.now(), leaseSeconds: timeoutSeconds + defaultLeaseSeconds });
  if (!held) throw new Error(`rollback ${rollbackId} no longer has the lock of ${service}: nobody is asked`);
}

/** A repeat of this step has a new token; an answer that was given to the old one in between still counts. */
async function passOnAnswer({ assessment: { rollbackId }, taskToken }: ApproveInput, { table, approvals, log }: ApproveParts): Promise<false> {
  const stored = await readApproval(table, rollbackId);
  if (stored?.answer != null) {
    await approvals.deliver(taskToken, stored.answer);
    log.info('an answer given before was passed on', { verdict: stored.answer.answer });
  }
  return false;
}

async function ask(input: ApproveInput, parts: ApproveParts, when: { readonly deadlineAt: Instant; readonly onDeadline: 'roll-back' | 'stop' }): Promise<void> {
  const { assessment, plans } = input;
  const { rollbackId, service } = assessment;
  const [url, facts] = await Promise.all([parts.answerUrl(), parts.factsOf(service).catch(() => null)]);
  const message = approvalMessage(assessment, plans, { ...when, url }, { machineArn: parts.machineArn, owner: facts?.owner ?? '', runbook: facts?.runbook ?? null });
  const data = { ...when, requestedBy: assessment.requestedBy, subject: message.subject, ...shown(input) };
  await parts.audit.append({ rollbackId, service, kind: 'approval-asked', at: parts.clock.now().toISOString(), data }, assessment.audit);
  await sendOnce(parts, { rollbackId, kind: 'approval', message });
  parts.log.info(`asked a person: ${message.subject}`, { verdict: 'ask', deadlineAt: when.deadlineAt });
}

/** What the person is shown, and can read again by GET. The token is not in it. */
const shown = ({ assessment, plans }: ApproveInput) => ({
  headline: assessment.headline,
  reasons: assessment.reasons.map((reason) => ({ ...reason })),
  version: assessment.release?.version ?? null,
  goodVersion: assessment.knownGood?.version ?? null,
  plan: runbook(assessment, plans),
  plans: plans.map(({ stepId, strategy, targetId, outcome, summary, from, to, expectedSeconds }) => ({ stepId, strategy, targetId, outcome, summary, from, to, expectedSeconds })),
});
