// Labels that came as events: added once, to a chain of their own, and counted only where nobody spoke with credentials.
import { PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { scoresOf } from '../../bin/commands/score.ts';
import { readAnchor } from '../../lambdas/adapters/audit-anchor.ts';
import { AuditRecord } from '../../lambdas/adapters/audit-record.ts';
import { toItem } from '../../lambdas/adapters/audit-rows.ts';
import { verifyChain } from '../../lambdas/audit/chain.ts';
import { type AuditRow, cursorAt, rowAfter } from '../../lambdas/audit/entry.ts';
import { eventChain } from '../../lambdas/audit/label-chains.ts';
import { addLabel, takeLabel } from '../../lambdas/runtime/label.ts';
import { auditTable, startTables, type Tables } from './audit-tables.ts';

let tables: Tables;
beforeAll(async () => { tables = await startTables(); });
afterAll(async () => { await tables.stop(); });

let count = 0;
let id = '';
beforeEach(() => { id = `rb-e${(count += 1)}`; });

const label = (detail: object, eventId = 'event-1') => addLabel({ id: eventId, time: '2026-11-21T08:00:00Z', detail: { rollback: id, label: 'wrong', by: 'pager', ...detail } }, { audit: tables.audit });

async function ended(): Promise<void> {
  const about = { rollbackId: id, service: 'shop', at: '2026-11-20T09:10:00.000Z' };
  const first = await tables.audit.append({ ...about, kind: 'change-intended', data: {} }, null);
  const next = await tables.audit.append({ ...about, kind: 'reported', data: { ending: { outcome: 'recovered' } } }, first);
  await tables.audit.seal({ ...about, data: { outcome: 'recovered' } }, next);
}

/** Labels of the one rollback, right and wrong. */
async function counted(...people: { readonly user: string; readonly opinion: string }[]): Promise<readonly number[]> {
  const own = people.map(({ user, opinion }) => ({ rollbackId: `label#${user}#${id}`, seq: 0, at: '', kind: 'labelled', service: 'shop', data: JSON.stringify({ rollbackId: id, opinion, by: user }) }));
  const [score] = scoresOf([...await tables.audit.read(id), ...await tables.audit.read(eventChain(id)), ...own]);
  return [score?.counts.acted.right ?? -1, score?.counts.acted.wrong ?? -1];
}

describe('a label that came as an event', () => {
  it('stands beside the sealed record, with the name as it was typed and not proven', async () => {
    await ended();
    const before = await tables.audit.read(id);
    expect(await label({ comment: 'a dependency was down' })).toEqual({ chain: `label#event#${id}`, added: true });
    expect(await tables.audit.read(id)).toEqual(before);
    const rows = await tables.audit.read(eventChain(id));
    expect(rows).toMatchObject([{ kind: 'labelled', service: 'shop', at: '2026-11-21T08:00:00.000Z' }]);
    expect(JSON.parse(rows[0]?.data ?? '')).toEqual({ rollbackId: id, opinion: 'wrong', comment: 'a dependency was down', by: 'pager', isVerified: false, eventId: 'event-1', sealedAt: before.at(-1)?.hash });
  });

  it('is added once, however often it is delivered', async () => {
    await ended();
    await label({});
    await Promise.all([label({ label: 'right' }, 'event-0'), label({ label: 'right' }, 'event-0')]);
    expect(await label({})).toMatchObject({ added: false });
    expect(await label({ label: 'right' }, 'event-2')).toMatchObject({ added: true });
    const rows = await tables.audit.read(eventChain(id));
    expect(rows).toHaveLength(3);
    expect(verifyChain(rows)).toMatchObject({ intact: true });
  });

  it('has an anchor that moves on with each label, and follows no row that somebody else put in', async () => {
    await ended();
    await label({});
    const first = (await tables.audit.read(eventChain(id)))[0] as AuditRow;
    expect(await readAnchor(tables.ledger, eventChain(id))).toEqual({ ...cursorAt(first), isSealed: false });
    const forged = rowAfter(cursorAt(first), { rollbackId: eventChain(id), service: 'shop', kind: 'labelled', at: '2026-11-21T08:00:00.000Z', data: { eventId: 'forged' } });
    await tables.client.send(new PutItemCommand({ TableName: auditTable, Item: toItem(forged) }));
    await label({}, 'event-2');
    expect(verifyChain(await tables.audit.read(eventChain(id)), await readAnchor(tables.ledger, eventChain(id)) ?? undefined)).toMatchObject({ fault: 'inserted', seq: 1 });
  });

  it('is looked for among the newest hundred, however long the chain is, and refused where it is older than those', async () => {
    await ended();
    const at = (minute: number, eventId: string) => addLabel({ id: eventId, time: new Date(Date.UTC(2026, 10, 21, 8, minute)).toISOString(), detail: { rollback: id, label: 'wrong', by: 'pager' } }, { audit: tables.audit });
    for (let minute = 0; minute < 101; minute += 1) await at(minute, `event-${minute}`);
    expect(await at(1, 'event-1')).toMatchObject({ added: false });
    await expect(at(0, 'event-0')).rejects.toMatchObject({ name: 'Refused', message: expect.stringContaining('older than the newest 100') as string });
    expect(await at(101, 'event-101')).toMatchObject({ added: true });
    expect(await readAnchor(tables.ledger, eventChain(id))).toMatchObject({ length: 102 });
    const queries: object[] = [];
    const [send] = [tables.client.send.bind(tables.client) as (command: { readonly input: object }) => Promise<unknown>];
    const audit = new AuditRecord({ send: (command: { readonly input: object }) => (command instanceof QueryCommand && queries.push(command.input), send(command)) } as unknown as typeof tables.client, auditTable, 'ledger');
    await addLabel({ id: 'event-102', time: '2026-11-21T11:00:00Z', detail: { rollback: id, label: 'wrong', by: 'pager' } }, { audit });
    expect(queries.map((query) => (query as { readonly Limit?: number }).Limit)).toEqual([1, 100]);
  });

  it.each<[string, object, string, string]>([
    ['a rollback that never was', { rollback: 'rb-unknown' }, 'Refused', 'no record of one'],
    ['a name that turns the words around it', { rollback: '\u202egnp' }, 'Refused', 'names rollback "gnp", and no record'],
    ['a name that leads elsewhere', { rollback: 'x#rb-1' }, 'Refused', 'name of an execution'],
    ['no name at all', { rollback: undefined }, 'Refused', 'name of an execution'],
    ['another word', { label: 'perhaps' }, 'Refused', 'right or wrong'],
    ['nobody', { by: ' ' }, 'Refused', 'who says so'],
    ['a comment that is none', { comment: { a: 1 } }, 'Refused', 'must be text'],
  ])('is refused for %s', async (_what, detail, name, words) => {
    await ended();
    await expect(label(detail)).rejects.toMatchObject({ name, message: expect.stringContaining(words) as string });
    expect(await tables.audit.read(eventChain(id))).toEqual([]);
  });

  it('is refused for a time that is none', async () => {
    await ended();
    const event = { id: 'event-1', time: 'yesterday', detail: { rollback: id, label: 'wrong', by: 'pager' } };
    await expect(addLabel(event, { audit: tables.audit })).rejects.toMatchObject({ name: 'Refused', message: expect.stringContaining('`time` must be an instant') as string });
  });

  const take = (detail: object, logged: unknown[]) =>
    takeLabel({ id: 'event-1', time: '2026-11-21T08:00:00Z', detail: { rollback: id, label: 'wrong', by: 'pager', ...detail } }, { audit: tables.audit }, { error: (...line) => void logged.push(line) });

  it('that is refused is answered and logged, so that Lambda takes it for done', async () => {
    await ended();
    const logged: unknown[] = [];
    expect(await take({ label: 'worng' }, logged)).toEqual({ refused: expect.stringContaining('right or wrong') as string });
    expect(logged).toEqual([['a label was refused', expect.objectContaining({ name: 'Refused', code: 'bad-label' }), { eventId: 'event-1' }]]);
    expect(await take({}, logged)).toMatchObject({ added: true });
  });

  it('waits for the end of a rollback that runs', async () => {
    await tables.audit.append({ rollbackId: id, service: 'shop', kind: 'assessed', at: '2026-11-20T09:10:00.000Z', data: {} }, null);
    await expect(label({})).rejects.toMatchObject({ name: 'Retryable', code: 'not-ended' });
    await expect(take({}, [])).rejects.toMatchObject({ name: 'Retryable', code: 'not-ended' });
  });
});

describe('the score', () => {
  it('counts what events say: the last word of each name, and one "wrong" makes it wrong', async () => {
    await ended();
    await label({ label: 'wrong' }, 'event-1');
    await label({ label: 'right' }, 'event-2');
    expect(await counted()).toEqual([1, 0]);
    await label({ label: 'wrong', by: 'datadog' }, 'event-3');
    expect(await counted()).toEqual([0, 1]);
  });

  it('takes a person with credentials over any event', async () => {
    await ended();
    await label({ label: 'wrong' });
    expect(await counted({ user: 'AROAEXAMPLE:dana', opinion: 'right' })).toEqual([1, 0]);
  });
});
