// Approvals and messages on a real DynamoDB engine: one answer, the newest token, each message once.
import { describe, expect, it } from 'vitest';
import { answerApproval, claimMessage, putApproval, readApproval } from '../../lambdas/adapters/ledger-approvals.ts';
import type { Approval } from '../../lambdas/domain/workflow.ts';
import { minute } from './domain/samples.ts';
import { freshRollback, table, useLedger } from './ledger-rig.ts';

useLedger();
const request = (rollbackId: string) => ({
  rollbackId, service: 'checkout', requestedBy: null, askedAt: minute(0), deadlineAt: minute(30), onDeadline: 'stop' as const, shown: { headline: 'Go back?' },
});
const answer = (by: string): Approval => ({ answer: 'approved', by, at: minute(1), comment: '' });

describe('an approval', () => {
  it('has exactly one answer, whoever answers at once', async () => {
    const id = freshRollback();
    await putApproval(table, request(id), 'token-1');
    const won = await Promise.all(['ada', 'bob', 'eve'].map((who) => answerApproval(table, id, answer(who))));
    expect(won.filter(Boolean)).toHaveLength(1);
    const stored = await readApproval(table, id);
    expect(stored?.answer?.by).toBe(['ada', 'bob', 'eve'][won.indexOf(true)]);
    expect(stored).toMatchObject({ request: request(id), taskToken: 'token-1' });
  });

  it('takes the newest token until it is answered, and none after', async () => {
    const id = freshRollback();
    expect(await putApproval(table, request(id), 'token-1')).toBe(true);
    expect(await putApproval(table, request(id), 'token-2')).toBe(true);
    await answerApproval(table, id, answer('ada'));
    expect(await putApproval(table, request(id), 'token-3')).toBe(false);
    expect((await readApproval(table, id))?.taskToken).toBe('token-2');
  });

  it('that nobody asked for cannot be given', async () => {
    expect(await answerApproval(table, 'rb-unknown', answer('ada'))).toBe(false);
    expect(await readApproval(table, 'rb-unknown')).toBeNull();
  });
});

describe('a message', () => {
  it('is claimed once', async () => {
    const claims = await Promise.all([1, 2, 3].map(() => claimMessage(table, 'rb-1', 'started', new Date(minute(0)))));
    expect(claims.filter(Boolean)).toHaveLength(1);
    expect(await claimMessage(table, 'rb-1', 'ended', new Date(minute(0)))).toBe(true);
  });
});
