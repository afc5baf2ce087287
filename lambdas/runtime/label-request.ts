// A person's label, sent to the function URL: who they are was verified by IAM, and says into which chain it goes.
import type { AuditRecord } from '../adapters/audit-record.ts';
import { dataIn } from '../audit/data.ts';
import { cursorAt } from '../audit/entry.ts';
import { labelChain } from '../audit/label-chains.ts';
import type { Clock } from '../domain/clock.ts';
import type { AuditCursor } from '../domain/vocabulary.ts';
import { type HttpAnswer, type HttpRequest, reply, requestOf, rollbackIdOf } from './answer-request.ts';
import { plain } from './messages-text.ts';

/** `userId`: as IAM knows the caller, `AROA…:<session>` for the session of a role. Null: verified nobody, or nobody that a chain can be named after. */
export interface LabelRequest extends HttpRequest {
  readonly userId: string | null;
}

export interface LabelRequestParts {
  readonly audit: Pick<AuditRecord, 'append' | 'last'>;
  readonly clock: Clock;
}

const maximumBytes = 4096;

/** Null: this is no request to the function URL. */
export function labelRequestOf(event: unknown): LabelRequest | null {
  const context = (event as { readonly requestContext?: { readonly authorizer?: { readonly iam?: { readonly userId?: unknown } } } | null } | null)?.requestContext;
  if (context === undefined || context === null) return null;
  const userId = context.authorizer?.iam?.userId;
  return { ...requestOf(event), userId: typeof userId === 'string' && /^[A-Z0-9]{4,}(:[\w+=,.@-]+)?$/.test(userId) ? userId : null };
}

interface Said {
  readonly rollback: string;
  readonly opinion: 'right' | 'wrong';
  readonly comment: string;
}

/** Safe to repeat: the same word right after itself is one label. */
export async function labelByPerson(request: LabelRequest, parts: LabelRequestParts): Promise<HttpAnswer> {
  if (request.method !== 'POST') return reply(405, { error: 'use POST to label a rollback' });
  if (request.userId === null || typeof request.userArn !== 'string') return reply(403, { error: 'IAM verified nobody who could label', code: 'not-verified' });
  const said = saidIn(request.body);
  if ('wrong' in said) return reply(400, { error: said.wrong, code: 'malformed' });
  const last = await parts.audit.last(said.rollback);
  if (last === null) return reply(404, { error: `no record of a rollback "${plain(said.rollback, 80)}": its name is that of the Step Functions execution`, code: 'unknown-rollback' });
  if (last.kind !== 'sealed') return reply(409, { error: `rollback "${plain(said.rollback, 80)}" has not ended: there is nothing to judge yet`, code: 'not-ended' });
  const { hash } = await keep(said, { ...parts, userId: request.userId, by: request.userArn, seal: last });
  const chain = labelChain(request.userId, said.rollback);
  return reply(200, { result: `${said.rollback} (${last.service}) is labelled ${said.opinion} by ${request.userArn}. Keep this to check it later: npx ripcord audit verify '${chain}' --expect ${hash}` });
}

type Keeping = LabelRequestParts & { readonly userId: string; readonly by: string; readonly seal: { readonly service: string; readonly hash: string } };

/** @returns where the chain stands with this label. */
async function keep({ rollback, opinion, comment }: Said, { audit, clock, userId, by, seal }: Keeping): Promise<AuditCursor> {
  const chain = labelChain(userId, rollback);
  const newest = await audit.last(chain);
  const before = newest === null ? null : dataIn(newest) as Partial<Said> | null;
  if (newest !== null && before?.opinion === opinion && before.comment === comment) return cursorAt(newest);
  const data = { rollbackId: rollback, opinion, comment, by, sealedAt: seal.hash };
  return audit.append({ rollbackId: chain, service: seal.service, kind: 'labelled', at: clock.now().toISOString(), data }, newest === null ? null : cursorAt(newest));
}

function saidIn(body: string): Said | { readonly wrong: string } {
  if (Buffer.byteLength(body) > maximumBytes) return { wrong: `the body has ${Buffer.byteLength(body)} bytes, at most ${maximumBytes} are taken` };
  let given: unknown;
  try {
    given = JSON.parse(body);
  } catch {
    return { wrong: 'the body must be JSON, like {"rollback": "<id>", "label": "right", "comment": "why"}' };
  }
  const { rollback, label, comment = '', ...unknown } = (given ?? {}) as Readonly<Record<string, unknown>>;
  const id = rollbackIdOf(rollback);
  const extra = Object.keys(unknown);
  if (id === null) return { wrong: '"rollback" must be the name of an execution' };
  if (extra.length > 0) return { wrong: `unknown fields: ${extra.join(', ').slice(0, 200)}` };
  if (label !== 'right' && label !== 'wrong') return { wrong: '"label" must be "right" or "wrong"' };
  if (typeof comment !== 'string') return { wrong: '"comment" must be text' };
  return { rollback: id, opinion: label, comment: comment.slice(0, 1000) };
}
