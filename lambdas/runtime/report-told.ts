// Keeps several runs about one incident from paging for the same thing within minutes: each is recorded, one of them wakes people.
import type { Mailbox } from '../adapters/notices-once.ts';
import { type Incident, tellerOf, toldMinutes } from '../adapters/notices-told.ts';
import type { ReportInput } from '../domain/workflow.ts';
import { plain } from './messages-text.ts';
import type { Ending } from './report-outcome.ts';

/** One page for all services is claimed for the whole account already; this claim would keep it from whoever got that one. */
const claimedElsewhere: readonly string[] = ['storm', 'shared-dependency'];

/** Whether one page for all services is what wakes people about this one. */
export const isToldForAll = ({ assessment }: Pick<ReportInput, 'assessment'>): boolean => assessment?.reasons.some(({ code }) => claimedElsewhere.includes(code)) === true;

/** What a page about a service that was left alone is about; null for every other end, which wakes people whenever it comes. */
export function incidentOf(ending: Ending, { assessment, approval }: ReportInput): Incident | null {
  const reason = assessment?.reasons[0]?.code;
  if (!ending.page || ending.outcome !== 'left' || assessment?.page !== true || reason === undefined) return null;
  // A question to a person is one of a kind, and so is the silence that follows.
  if (approval?.answer === 'deadline' || isToldForAll({ assessment })) return null;
  return { service: assessment.service, releaseId: assessment.release?.id ?? null, reason };
}

/** The ending as it is, or without its page where another rollback has just told on-call the same. To be asked before the ending is recorded: a repeat reads the record. */
export async function pageOnce(mailbox: Mailbox, input: ReportInput, ending: Ending): Promise<Ending> {
  const incident = incidentOf(ending, input);
  const teller = incident === null ? null : await tellerOf(mailbox, input.rollbackId, incident);
  if (teller === null) return ending;
  const by = plain(teller, 80);
  const reason = { code: 'already-told', text: `Rollback ${by} paged on-call about the same release for the same reason; nobody is paged for it again within ${toldMinutes} minutes.` };
  return { ...ending, page: false, headline: `${ending.headline}; on-call was paged by ${by}`, reasons: [reason, ...ending.reasons] };
}
