// Takes a person's answer: only from an approver who did not ask, once, in time; every try is kept in the audit.
import type { Approvals } from '../adapters/approvals.ts';
import type { AuditStore } from '../adapters/audit-store.ts';
import { answerApproval, readApproval, type StoredApproval } from '../adapters/ledger-approvals.ts';
import type { LedgerTable } from '../adapters/ledger-table.ts';
import type { Clock } from '../domain/clock.ts';
import type { Approval } from '../domain/workflow.ts';
import { type Answering, answeringOf, type HttpAnswer, type HttpRequest, reply, rollbackIdOf } from './answer-request.ts';
import { type Identity, identityOf, isApprover, isAsker } from './answer-identity.ts';
import type { Log } from './logger.ts';
import { plain, utc } from './messages-text.ts';

export interface AnswerParts {
  readonly audit: Pick<AuditStore, 'append'>;
  readonly table: LedgerTable;
  readonly approvals: Approvals;
  readonly clock: Clock;
  readonly approverRoleArns: readonly string[];
  readonly log: Log;
}

/** What comes back, and the sentence of it that goes into the audit. */
interface Ruling {
  readonly status: number;
  readonly code: string;
  readonly text: string;
}

const ruling = (status: number, code: string, text: string): Ruling => ({ status, code, text });

export async function answer(request: HttpRequest, parts: AnswerParts): Promise<HttpAnswer> {
  if (request.method === 'GET') return show(request, parts);
  if (request.method !== 'POST') return reply(405, { error: 'use POST to answer, GET to read what is asked' });
  const given = answeringOf(request.body);
  const identity = identityOf(request.userArn);
  const id = given.rollback;
  const stored = id === null ? null : await readApproval(parts.table, id);
  const found = 'wrong' in given
    ? ruling(400, 'malformed', given.wrong)
    : stored === null ? ruling(404, 'not-asked', 'nobody is asked about this rollback') : await rule({ given, stored, identity }, parts);
  if (stored !== null) await record(stored, { ...found, identity, given, userArn: request.userArn }, parts);
  parts.log.info(`answer: ${found.code}`, { verdict: found.code, by: identity?.arn ?? 'not a role session', answer: 'wrong' in given ? null : given.answer });
  return reply(found.status, found.status < 300 ? { result: found.text } : { error: found.text, code: found.code });
}

interface Try {
  readonly given: Answering;
  readonly stored: StoredApproval;
  readonly identity: Identity | null;
}

/** First who, then when, then whether it is the first. */
async function rule({ given, stored, identity }: Try, parts: AnswerParts): Promise<Ruling> {
  const { request } = stored;
  const notAllowed = refusalOf(identity, stored, parts.approverRoleArns);
  if (identity === null || notAllowed !== null) return notAllowed ?? ruling(403, 'not-an-approver', 'IAM verified nobody');
  const now = parts.clock.now().toISOString();
  const mine: Approval = { answer: given.answer === 'approve' ? 'approved' : 'rejected', by: identity.arn, at: now, comment: plain(given.comment, 1000) };
  if (stored.answer === null && now > request.deadlineAt) return ruling(410, 'too-late', `the deadline was ${utc(request.deadlineAt)}; the rollback went on as agreed: ${request.onDeadline}`);
  const isFirst = stored.answer === null && await answerApproval(parts.table, request.rollbackId, mine);
  const kept = isFirst ? mine : (await readApproval(parts.table, request.rollbackId))?.answer ?? null;
  if (kept === null) return ruling(409, 'asked-again', 'the question was asked anew meanwhile: answer again');
  if (kept.by !== mine.by || kept.answer !== mine.answer) return ruling(409, 'answered-before', `${plain(kept.by ?? 'somebody', 200)} answered "${kept.answer}" at ${utc(kept.at)}: the first answer counts`);
  // The same person's same answer is delivered again: the first try may have died before the workflow heard of it.
  if (await parts.approvals.deliver(stored.taskToken, kept)) return ruling(200, kept.answer, `${kept.answer}: rollback ${request.rollbackId} goes on, and reads every signal again first`);
  return isFirst
    ? ruling(410, 'too-late', 'the rollback no longer waits for an answer: its deadline passed or it was stopped')
    // Whether the first try got through in time, only the rollback's own record knows.
    : ruling(409, 'answered-before', `you answered "${kept.answer}" at ${utc(kept.at)}, and the rollback does not wait any more: its record says whether that came in time`);
}

function refusalOf(identity: Identity | null, { request }: StoredApproval, approverRoleArns: readonly string[]): Ruling | null {
  if (identity === null || !isApprover(identity, approverRoleArns))
    return ruling(403, 'not-an-approver', `only a session of an approver role may answer: ${approverRoleArns.join(', ') || 'none is configured'}`);
  if (isAsker(identity, request.requestedBy))
    return ruling(403, 'own-request', `${plain(request.requestedBy ?? '', 200)} asked for this rollback, and you are ${identity.arn}: who asks may not answer, so ask a colleague`);
  return null;
}

/** What is asked and how it stands, without the token. */
async function show({ rollback, userArn }: HttpRequest, parts: AnswerParts): Promise<HttpAnswer> {
  const id = rollbackIdOf(rollback);
  if (id === null) return reply(400, { error: 'use GET /?rollback=<id>, with the name of the execution' });
  const identity = identityOf(userArn);
  if (identity === null || !isApprover(identity, parts.approverRoleArns)) return reply(403, { error: 'only a session of an approver role may read this', code: 'not-an-approver' });
  const stored = await readApproval(parts.table, id);
  if (stored === null) return reply(404, { error: 'nobody is asked about this rollback', code: 'not-asked' });
  const isOver = parts.clock.now().toISOString() > stored.request.deadlineAt;
  return reply(200, { ...stored.request, state: stored.answer !== null ? 'answered' : isOver ? 'too late' : 'waiting', answer: stored.answer });
}

async function record(stored: StoredApproval, tried: Ruling & { readonly identity: Identity | null; readonly given: object; readonly userArn: unknown }, { audit, clock, log }: AnswerParts): Promise<void> {
  const { rollbackId, service } = stored.request;
  const { answer: said = null, comment = null } = tried.given as Partial<Answering>;
  const data = {
    by: tried.identity?.arn ?? (typeof tried.userArn === 'string' ? plain(tried.userArn, 300) : 'not verified'),
    answer: said, comment: comment === null ? null : plain(comment, 1000), taken: tried.status < 300, code: tried.code, detail: tried.text,
  };
  try {
    // No cursor: the chain may be sealed, and only a read can tell.
    await audit.append({ rollbackId, service, kind: 'approval-answered', at: clock.now().toISOString(), data }, null);
  } catch (error) {
    if (!(error instanceof Error && error.name === 'ChainSealed')) throw error;
    log.warn('an answer came after the rollback was closed', { ...data });
  }
}
