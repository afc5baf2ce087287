// Tells people that a rollback began, or that the next way back is being tried.
import type { AuditRecord } from '../adapters/audit-record.ts';
import type { LedgerTable } from '../adapters/ledger-table.ts';
import type { Notices } from '../adapters/notices.ts';
import { sendOnce } from '../adapters/notices-once.ts';
import type { Clock } from '../domain/clock.ts';
import type { AnnounceInput } from '../domain/workflow.ts';
import { stepsSeen } from './announce-seen.ts';
import { escalatedMessage, startedMessage } from './messages.ts';
import type { Log } from './logger.ts';
import type { ServiceFacts } from './report.ts';
import type { StepsSeen } from './report-plan.ts';

export interface AnnounceParts {
  readonly audit: Pick<AuditRecord, 'append' | 'read'>;
  readonly table: LedgerTable;
  readonly notices: Notices;
  readonly clock: Clock;
  readonly machineArn: string;
  readonly factsOf: (service: string) => Promise<ServiceFacts | null>;
  readonly log: Log;
}

export async function announce({ assessment, rung }: AnnounceInput, parts: AnnounceParts): Promise<{ readonly sent: boolean }> {
  const { rollbackId, service } = assessment;
  const facts = await factsOrNone(service, parts);
  const around = { machineArn: parts.machineArn, owner: facts?.owner ?? '', runbook: facts?.runbook ?? null };
  const kind = rung === 0 ? 'started' : `escalated-${rung}`;
  const seen = await seenOrNone(rollbackId, parts);
  const message = rung === 0 ? startedMessage(assessment, around, seen) : escalatedMessage(assessment, rung, around, seen);
  const sent = await sendOnce({ ...parts, mustBePermitted: true }, { rollbackId, kind, message });
  if (!sent) return { sent };
  const at = parts.clock.now().toISOString();
  // The step beside this one writes rows too, so the cursor of the assessment is only a hint.
  await parts.audit.append({ rollbackId, service, kind: 'announced', at, data: { message: kind, subject: message.subject, audience: message.audience } }, assessment.audit);
  parts.log.info(`announced: ${message.subject}`, { verdict: kind });
  return { sent };
}

/** People hear of it even when the catalogue cannot be read. */
async function factsOrNone(service: string, { factsOf, log }: AnnounceParts): Promise<ServiceFacts | null> {
  try {
    return await factsOf(service);
  } catch (error) {
    log.error('the catalogue could not be read for a message', error);
    return null;
  }
}

/** A message without from and to is worth more than none. */
async function seenOrNone(rollbackId: string, { audit, log }: AnnounceParts): Promise<StepsSeen> {
  try {
    return stepsSeen(await audit.read(rollbackId));
  } catch (error) {
    log.error('the record could not be read for a message', error);
    return new Map();
  }
}
