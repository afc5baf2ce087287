// A handler that is killed, or called twice: the change is made once, people are told once, the record is whole.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyChain } from '../../lambdas/audit/chain.ts';
import type { AuditRow } from '../../lambdas/audit/entry.ts';
import type { RollbackRun } from '../../sandbox/scenarios/scenario.ts';
import { Rig } from './rig.ts';

/** Calls of Report after which its process is killed: one of each kind, and both sides of the message. */
const reportCalls = {
  reading: { service: 'dynamodb', operation: 'Query' },
  writing: { service: 'dynamodb', operation: 'TransactWriteItems' },
  closing: { service: 'dynamodb', operation: 'UpdateItem' },
  catalogue: { service: 'ssm', operation: 'GetParameter' },
} as const;

const services = { applied: {}, 'apply-twice': {}, 'apply-lost': {}, 'announce-twice': {}, 'announce-lost': {}, 'published-then-killed': {}, ...Object.fromEntries(Object.keys(reportCalls).map((name) => [name, {}])) };

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start({ services });
  await rig.release();
});
afterAll(() => rig.stop());

/** Kills the function's process right after its next call of this kind, once. */
function killAfter(name: string, call: { readonly service: string; readonly operation: string }): () => number {
  const handle = rig.sandbox.faults.add({ name: `kill ${name}`, ...call, role: rig.roleOf(name), calls: [1], effect: { kind: 'after', run: () => rig.fn(name).killAfterCall(1) } });
  return () => handle.injected;
}

/** Holds the function's next call of this kind back until two of its processes have made another one. */
function holdUntilTwo(name: string, call: { readonly service: string; readonly operation: string }, other: string): void {
  const { last } = rig.sandbox.calls;
  const seen = (): number => rig.sandbox.calls.list({ role: rig.roleOf(name), operation: other, after: last }).length;
  rig.sandbox.faults.add({ name: `hold ${name}`, ...call, role: rig.roleOf(name), calls: [1], effect: { kind: 'before', run: () => rig.until(`two processes of ${name} are at work`, () => seen() >= 2, 20) } });
}

async function rowsOf(rollbackId: string): Promise<readonly AuditRow[]> {
  const items = await rig.sandbox.services.dynamodb.items(rig.ripcord.names.auditTable);
  const mine = items.filter((item) => item['rollbackId']?.S === rollbackId).map((item) => Object.fromEntries(Object.entries(item).map(([key, value]) => [key, value.N === undefined ? value.S : Number(value.N)])));
  return (mine as unknown as AuditRow[]).toSorted((one, other) => one.seq - other.seq);
}

/** One change, one message at each end, a whole and sealed chain, and the lock is free. */
async function once(service: string, endMessages: readonly number[] = [1]): Promise<RollbackRun> {
  const run = await rig.ended(service);
  expect(run.outcome, run.headline).toBe('recovered');
  expect(rig.changes(service)).toEqual(['ModifyListener']);
  const subjects = rig.messages(run.rollbackId).filter(({ topic }) => topic === 'on-call').map(({ subject }) => subject);
  expect(subjects.filter((subject) => subject.includes(': rolling back')), subjects.join(' | ')).toHaveLength(1);
  expect(endMessages, subjects.join(' | ')).toContain(subjects.filter((subject) => subject.includes('has recovered')).length);
  const rows = await rowsOf(run.rollbackId);
  expect(verifyChain(rows)).toMatchObject({ intact: true, isSealed: true });
  for (const kind of ['announced', 'reported', 'sealed']) expect(rows.filter((row) => row.kind === kind), kind).toHaveLength(1);
  await rig.until('the lock is free', async () => (await rig.lockOwner(service)) === null);
  return run;
}

test('Apply dies right after the listener was changed: its repeat finds the work done', async () => {
  const killed = killAfter('strategy-alb-weights', { service: 'elasticloadbalancing', operation: 'ModifyListener' });
  rig.fire('applied');
  const run = await once('applied');
  expect(killed()).toBe(1);
  const made = (await rig.audit(run.rollbackId)).filter(({ kind }) => kind === 'change-made' || kind === 'change-intended');
  expect(made.map(({ kind, data }) => [kind, data['status']])).toEqual([['change-intended', undefined], ['change-made', 'already']]);
});

test('Apply is called twice at once, and both have read the state before: what they write is the same', async () => {
  holdUntilTwo('strategy-alb-weights', { service: 'elasticloadbalancing', operation: 'ModifyListener' }, 'DescribeListeners');
  rig.fn('strategy-alb-weights').deliverTwice('side-by-side');
  rig.fire('apply-twice');
  const run = await rig.ended('apply-twice');
  expect(run.outcome, run.headline).toBe('recovered');
  // Elastic Load Balancing has no compare-and-set: one change, said twice.
  const writes = rig.sandbox.calls.list({ operation: 'ModifyListener', where: ({ input }) => rig.targets['apply-twice']?.isTouchedBy(JSON.stringify(input)) === true }).map(({ input }) => JSON.stringify(input));
  expect(writes).toHaveLength(2);
  expect(new Set(writes).size).toBe(1);
  expect(verifyChain(await rowsOf(run.rollbackId))).toMatchObject({ intact: true, isSealed: true });
});

test('Apply is called again after its answer was lost: one change', async () => {
  rig.fn('strategy-alb-weights').deliverTwice('lost-answer');
  rig.fire('apply-lost');
  expect(await once('apply-lost')).toMatchObject({ status: 'SUCCEEDED' });
});

test('Announce is called twice at once, while the first is about to send: people are told once', async () => {
  holdUntilTwo('announce', { service: 'sns', operation: 'Publish' }, 'PutItem');
  rig.fn('announce').deliverTwice('side-by-side');
  rig.fire('announce-twice');
  expect(await once('announce-twice')).toMatchObject({ status: 'SUCCEEDED' });
});

test('Announce is called again after its answer was lost: people are told once', async () => {
  rig.fn('announce').deliverTwice('lost-answer');
  rig.fire('announce-lost');
  expect(await once('announce-lost')).toMatchObject({ status: 'SUCCEEDED' });
});

test.each(Object.entries(reportCalls))('Report dies after %s: its repeat ends what is left', async (service, call) => {
  const killed = killAfter('report', call);
  rig.fire(service);
  await once(service);
  expect(killed()).toBe(1);
});

test('Report dies between the message and the note that it was sent: it is rather sent twice than never', async () => {
  const killed = killAfter('report', { service: 'sns', operation: 'Publish' });
  rig.fire('published-then-killed');
  await once('published-then-killed', [1, 2]);
  expect(killed()).toBe(1);
});

test('no role was refused anything, and no invariant broke', () => {
  expect(rig.denials()).toEqual([]);
  expect(rig.sandbox.breaches).toEqual([]);
});
