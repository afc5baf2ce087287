// Asking a person and taking the answer: who may, when, how often, and that the token goes nowhere.
import { SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Approvals } from '../../lambdas/adapters/approvals.ts';
import { acquireLock, readLock } from '../../lambdas/adapters/ledger-lock.ts';
import { readApproval } from '../../lambdas/adapters/ledger-approvals.ts';
import type { Approval } from '../../lambdas/domain/workflow.ts';
import { answer, type AnswerParts } from '../../lambdas/runtime/answer.ts';
import { identityOf, isApprover, isAsker } from '../../lambdas/runtime/answer-identity.ts';
import { type HttpAnswer, requestOf } from '../../lambdas/runtime/answer-request.ts';
import { approve, type ApproveParts } from '../../lambdas/runtime/approve.ts';
import type { Log } from '../../lambdas/runtime/logger.ts';
import { startTables, type Tables } from './audit-tables.ts';
import { assessment, machineArn, recordingNotices, testClock } from './report-samples.ts';

const token = 'AQCEAAAAKgAAAAMAAAAAAAAAATOKEN';
const role = 'arn:aws:iam::123456789012:role/team/Approver';
const bob = 'arn:aws:sts::123456789012:assumed-role/Approver/bob@example.com';
const carol = 'arn:aws:sts::123456789012:assumed-role/Approver/carol';

let tables: Tables;
beforeAll(async () => { tables = await startTables(); });
afterAll(async () => { await tables.stop(); });

let count = 0;
let id = '';
let delivered: { token: string; approval: Approval }[] = [];
let fault: string | null = null;
let lines: string[] = [];
let clock = testClock();
let sent = recordingNotices();

const log: Log = {
  info: (message, fields) => { lines.push(JSON.stringify([message, fields])); },
  warn: (message, fields) => { lines.push(JSON.stringify([message, fields])); },
  error: (message, error, fields) => { lines.push(JSON.stringify([message, String(error), fields])); },
};

function approvals(): Approvals {
  const client = new SFNClient({ region: 'eu-west-1' });
  client.send = (async ({ input }: { input: { taskToken: string; output: string } }) => {
    if (fault !== null) throw Object.assign(new Error('no'), { name: fault });
    delivered.push({ token: input.taskToken, approval: JSON.parse(input.output) as Approval });
    return {};
  }) as typeof client.send;
  return new Approvals(client);
}

beforeEach(() => {
  id = `rb-a${(count += 1)}`;
  delivered = [];
  fault = null;
  lines = [];
  clock = testClock();
  sent = recordingNotices();
});

const approveParts = (): ApproveParts => ({
  audit: tables.audit, table: tables.ledger, notices: sent.notices, approvals: approvals(), clock, machineArn, log,
  factsOf: async () => ({ owner: 'Team Shop', runbook: 'https://wiki.example/checkout', coolDownMinutes: 30 }), answerUrl: async () => 'https://answer.example/',
});

const service = (): string => `checkout-${id}`;

async function ask(requestedBy: string | null = null, taskToken = token): Promise<void> {
  const acquired = await acquireLock(tables.ledger, service(), id, { now: clock.now() });
  if (!acquired.held) throw new Error('the lock is taken');
  await approve({
    taskToken, plans: [{ stepId: 'alb-weights/web', strategy: 'alb-weights', targetId: 'web', outcome: 'change', from: {}, to: {}, reason: null, summary: 'blue 0 → 100', expectedSeconds: 20 }],
    assessment: assessment({ rollbackId: id, service: service(), verdict: 'ask', requestedBy, fence: acquired.fence, approval: { timeoutSeconds: 1800, onDeadline: 'stop' } }),
  }, approveParts());
}

const answerParts = (): AnswerParts => ({ audit: tables.audit, table: tables.ledger, approvals: approvals(), clock, approverRoleArns: [role], log });

const event = (method: string, userArn: unknown, more: Record<string, unknown> = {}) => ({
  version: '2.0', requestContext: { http: { method }, authorizer: { iam: { userArn } } }, isBase64Encoded: false, ...more,
});

const post = (userArn: unknown, body: unknown): Promise<HttpAnswer> =>
  answer(requestOf(event('POST', userArn, { body: typeof body === 'string' ? body : JSON.stringify(body) })), answerParts());

const say = (userArn: unknown, said: string, comment = 'seen it'): Promise<HttpAnswer> => post(userArn, { rollback: id, answer: said, comment });

const auditOf = async (): Promise<{ kind: string; data: Record<string, unknown> }[]> =>
  (await tables.audit.read(id)).map(({ kind, data }) => ({ kind, data: JSON.parse(data) as Record<string, unknown> }));

describe('asking a person', () => {
  it('keeps the request and the token, holds the lock past the deadline, and tells on-call how to answer', async () => {
    await ask();
    expect(await readApproval(tables.ledger, id)).toMatchObject({ taskToken: token, answer: null, request: { deadlineAt: '2026-11-20T09:47:00.000Z', onDeadline: 'stop' } });
    expect(Date.parse((await readLock(tables.ledger, service())).leaseUntil ?? '')).toBeGreaterThan(Date.parse('2026-11-20T09:47:00.000Z'));
    const [message] = sent.messages;
    expect(message).toMatchObject({ topic: 'on-call', urgency: 'page' });
    for (const fact of [`npx ripcord approve ${id}`, 'curl -sS --aws-sigv4 "aws:amz:eu-west-1:lambda"', 'https://answer.example/', 'Answer by 2026-11-20 09:47:00 UTC', 'NOTHING is changed and you are paged again', 'blue 0 → 100', 'v42', 'alice', 'https://wiki.example/checkout'])
      expect(message?.text).toContain(fact);
    expect(sent.events).toMatchObject([{ type: 'Approval Needed', detail: { rollbackId: id, deadlineAt: '2026-11-20T09:47:00.000Z' } }]);
    expect(await auditOf()).toMatchObject([{ kind: 'approval-asked', data: { onDeadline: 'stop', plans: [{ summary: 'blue 0 → 100' }] } }]);
  });

  it('sends the message once, and takes the newest token, when the step is repeated', async () => {
    await ask();
    await ask(null, 'second-token');
    expect(sent.messages).toHaveLength(1);
    await say(bob, 'approve');
    expect(delivered).toMatchObject([{ token: 'second-token' }]);
  });

  it('passes on an answer that was given to the token before', async () => {
    await ask();
    fault = 'TaskTimedOut';
    await say(bob, 'approve');
    fault = null;
    await ask(null, 'second-token');
    expect(delivered).toMatchObject([{ token: 'second-token', approval: { answer: 'approved', by: bob } }]);
  });

  it('asks nobody when the lock was lost', async () => {
    await expect(approve({ taskToken: token, plans: [], assessment: assessment({ rollbackId: id, service: service(), fence: 99, approval: { timeoutSeconds: 60, onDeadline: 'stop' } }) }, approveParts())).rejects.toThrow(/no longer has the lock/);
    expect(sent.messages).toEqual([]);
  });

  it('asks nobody without a deadline', async () => {
    await expect(approve({ taskToken: token, plans: [], assessment: assessment({ rollbackId: id }) }, approveParts())).rejects.toThrow(/without a deadline/);
  });
});

describe('an answer', () => {
  it('of an approver goes to the workflow with the verified identity', async () => {
    await ask('alice');
    const reply = await say(bob, 'approve', 'go <b>now</b>');
    expect(reply.statusCode).toBe(200);
    expect(delivered).toEqual([{ token, approval: { answer: 'approved', by: bob, at: '2026-11-20T09:17:00.000Z', comment: 'go ‹b›now‹/b›' } }]);
    expect((await auditOf()).at(-1)).toMatchObject({ kind: 'approval-answered', data: { by: bob, answer: 'approve', taken: true, code: 'approved' } });
  });

  it('can be no', async () => {
    await ask();
    expect(await say(bob, 'reject')).toMatchObject({ statusCode: 200 });
    expect(delivered).toMatchObject([{ approval: { answer: 'rejected' } }]);
  });

  it.each([
    ['another role', 'arn:aws:sts::123456789012:assumed-role/Developer/bob'],
    ['the same role name in another account', 'arn:aws:sts::999999999999:assumed-role/Approver/bob'],
    ['a role whose name only ends alike', 'arn:aws:sts::123456789012:assumed-role/NotApprover/bob'],
    ['an IAM user', 'arn:aws:iam::123456789012:user/Approver'],
    ['the root of the account', 'arn:aws:iam::123456789012:root'],
    ['nobody', undefined],
    ['an ARN with more in it', `${bob}/../x`],
  ])('of %s is refused, kept in the audit, and goes nowhere', async (_, arn) => {
    await ask();
    const reply = await say(arn, 'approve');
    expect(reply.statusCode).toBe(403);
    expect(JSON.parse(reply.body)).toMatchObject({ code: 'not-an-approver' });
    expect(delivered).toEqual([]);
    expect((await readApproval(tables.ledger, id))?.answer).toBeNull();
    expect((await auditOf()).at(-1)).toMatchObject({ kind: 'approval-answered', data: { taken: false, code: 'not-an-approver', answer: 'approve' } });
  });

  it.each(['bob@example.com', 'BOB@EXAMPLE.COM', 'bob', 'Bob ', bob, 'arn:aws:iam::123456789012:user/bob', 'Approver/bob'])('of the person who asked as "%s" is refused with the reason', async (requestedBy) => {
    await ask(requestedBy);
    for (const said of ['approve', 'reject']) {
      const reply = await say(bob, said);
      expect(reply.statusCode).toBe(403);
      expect(JSON.parse(reply.body)).toMatchObject({ code: 'own-request', error: expect.stringContaining('ask a colleague') as string });
    }
    expect(delivered).toEqual([]);
    expect(await say(carol, 'approve')).toMatchObject({ statusCode: 200 });
  });

  it('counts once: the first one wins, and the second hears of it', async () => {
    await ask();
    await say(bob, 'approve');
    const second = await say(carol, 'reject');
    expect(second.statusCode).toBe(409);
    expect(second.body).toContain('answered \\"approved\\"');
    expect(delivered).toHaveLength(1);
    expect((await auditOf()).at(-1)).toMatchObject({ data: { by: carol, taken: false, code: 'answered-before' } });
  });

  it('counts once also when two come at the same moment', async () => {
    await ask();
    const replies = await Promise.all([say(bob, 'approve'), say(carol, 'reject')]);
    expect(replies.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)).toEqual([200, 409]);
    expect(new Set(delivered.map(({ approval }) => approval.answer)).size).toBe(1);
  });

  it('is delivered again when the same person repeats it, because the first try may not have got through', async () => {
    await ask();
    fault = 'ThrottlingException';
    await expect(say(bob, 'approve')).rejects.toThrow(/^no$/);
    fault = null;
    expect(await say(bob, 'approve')).toMatchObject({ statusCode: 200 });
    expect(delivered).toHaveLength(1);
  });

  it('after the deadline is refused, and what was agreed is said', async () => {
    await ask();
    clock.at = '2026-11-20T09:47:00.001Z';
    const reply = await say(bob, 'approve');
    expect(reply.statusCode).toBe(410);
    expect(reply.body).toContain('the deadline was 2026-11-20 09:47:00 UTC');
    expect(delivered).toEqual([]);
    expect((await readApproval(tables.ledger, id))?.answer).toBeNull();
  });

  it.each(['TaskTimedOut', 'TaskTimedOutException', 'TaskDoesNotExist', 'InvalidToken'])('to a workflow that waits no more (%s) is refused, and never called taken, however often it is said', async (name) => {
    await ask();
    fault = name;
    expect(await say(bob, 'approve')).toMatchObject({ statusCode: 410 });
    expect(await say(bob, 'approve')).toMatchObject({ statusCode: 409, body: expect.stringContaining('its record says whether that came in time') as string });
    expect((await auditOf()).slice(-2)).toMatchObject([{ data: { taken: false, code: 'too-late' } }, { data: { taken: false, code: 'answered-before' } }]);
  });

  it.each<[string, unknown]>([
    ['no JSON', 'approve!'], ['a list', []], ['no rollback', { answer: 'approve' }], ['a rollback that can be no execution', { rollback: 'a/b', answer: 'approve' }],
  ])('that is malformed (%s) is refused', async (_, body) => {
    expect(await post(bob, body)).toMatchObject({ statusCode: 400 });
  });

  it.each<[string, Record<string, unknown>]>([['another word', { answer: 'yes' }], ['an unknown field', { answer: 'approve', by: 'root' }], ['a comment that is no text', { answer: 'approve', comment: 1 }]])(
    'with %s is refused and kept in the audit', async (_, body) => {
      await ask();
      expect(await post(bob, { rollback: id, ...body })).toMatchObject({ statusCode: 400 });
      expect((await auditOf()).at(-1)).toMatchObject({ data: { taken: false, code: 'malformed' } });
      expect(delivered).toEqual([]);
    });

  it('above 4 kB is refused', async () => {
    await ask();
    expect(await say(bob, 'approve', 'x'.repeat(4096))).toMatchObject({ statusCode: 400 });
    expect(delivered).toEqual([]);
  });

  it('about a rollback that asks nobody is refused and writes nothing', async () => {
    expect(await say(bob, 'approve')).toMatchObject({ statusCode: 404 });
    expect(await tables.audit.read(id)).toEqual([]);
  });

  it('in base64 is read', async () => {
    await ask();
    const body = Buffer.from(JSON.stringify({ rollback: id, answer: 'approve' })).toString('base64');
    expect(await answer(requestOf(event('POST', bob, { body, isBase64Encoded: true })), answerParts())).toMatchObject({ statusCode: 200 });
  });

  it('after the rollback was closed changes nothing in its record', async () => {
    await ask();
    await tables.audit.seal({ rollbackId: id, service: service(), at: clock.at, data: {} }, null);
    fault = 'TaskTimedOut';
    expect(await say(bob, 'approve')).toMatchObject({ statusCode: 410 });
    expect((await auditOf()).at(-1)?.kind).toBe('sealed');
  });

  it('leaves the token in no reply, message, event, audit row or log line', async () => {
    await ask('alice');
    const replies = [await say(carol, 'approve'), await say(bob, 'reject'), await answer(requestOf(event('GET', bob, { queryStringParameters: { rollback: id } })), answerParts())];
    expect(JSON.stringify([replies, sent.messages, sent.events, await tables.audit.read(id), lines])).not.toContain(token);
  });
});

const get = (userArn: unknown): Promise<HttpAnswer> => answer(requestOf(event('GET', userArn, { queryStringParameters: { rollback: id } })), answerParts());

describe('GET', () => {
  it('shows an approver what is asked and how it stands', async () => {
    await ask();
    expect(JSON.parse((await get(bob)).body)).toMatchObject({ rollbackId: id, state: 'waiting', shown: { plans: [{ summary: 'blue 0 → 100' }] } });
    await say(bob, 'approve');
    expect(JSON.parse((await get(bob)).body)).toMatchObject({ state: 'answered', answer: { by: bob } });
  });

  it('shows nothing to anybody else', async () => {
    await ask();
    expect(await get('arn:aws:sts::123456789012:assumed-role/Developer/bob')).toMatchObject({ statusCode: 403 });
  });

  it('refuses other methods, and events that are none of a function URL', async () => {
    expect(await answer(requestOf(event('DELETE', bob)), answerParts())).toMatchObject({ statusCode: 405 });
    expect(() => requestOf({ rollback: id })).toThrow(/its own URL only/);
  });
});

describe('identities', () => {
  it('of single sign-on roles are matched in spite of their path', () => {
    const identity = identityOf('arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Approver_0123456789abcdef/bob@example.com');
    expect(identity !== null && isApprover(identity, ['arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Approver_0123456789abcdef'])).toBe(true);
    expect(identity !== null && isApprover(identity, ['arn:aws-cn:iam::123456789012:role/AWSReservedSSO_Approver_0123456789abcdef'])).toBe(false);
  });

  it('of a rollback that began by itself block nobody', () => {
    const identity = identityOf(bob);
    expect(identity !== null && isAsker(identity, null)).toBe(false);
    expect(identity !== null && isAsker(identity, 'carol')).toBe(false);
  });
});
