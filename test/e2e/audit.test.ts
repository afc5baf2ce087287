// The record of a real rollback: intact as written, and any row that is changed, taken out or put in is named by the command line.
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AuditStore } from '../../lambdas/adapters/audit-store.ts';
import { rowAfter } from '../../lambdas/audit/entry.ts';
import type { Item } from '../../sandbox/services/dynamodb/dynamodb.ts';
import type { RollbackRun } from '../../sandbox/scenarios/scenario.ts';
import { ripcordInside, type Said, startRipcord } from './command-line.ts';
import { Rig } from './rig.ts';

let rig: Rig;
let run: RollbackRun;
let rows: readonly Item[];
let viewer: ReturnType<Rig['sandbox']['iam']['issueKey']>;
beforeAll(async () => {
  rig = await Rig.start({ services: { shop: {} } });
  rig.sandbox.iam.putRole({ roleName: 'viewer', arn: 'arn:aws:iam::111122223333:role/viewer', managedPolicyArns: [rig.deployed.outputs['ViewerPolicy'] ?? ''] });
  viewer = rig.sandbox.iam.issueKey('viewer', 'vera');
  await rig.release();
  rig.fire('shop');
  run = await rig.ended('shop');
  rows = (await rig.sandbox.services.dynamodb.items(rig.ripcord.names.auditTable)).filter((item) => item['rollbackId']?.S === run.rollbackId).toSorted((one, other) => Number(one['seq']?.N) - Number(other['seq']?.N));
});
afterAll(() => rig.stop());

const rowAt = (seq: number): Item => rows[seq] ?? {};
const put = (item: Item): Promise<void> => rig.sandbox.services.dynamodb.putItem(rig.ripcord.names.auditTable, item);
const remove = (seq: number): Promise<void> => rig.sandbox.services.dynamodb.deleteItem(rig.ripcord.names.auditTable, { rollbackId: { S: run.rollbackId }, seq: { N: String(seq) } });

/** `npx ripcord audit verify` and no more, with the rights of the viewer policy. */
function verify(rollbackId = run.rollbackId, ripcord = ripcordInside): Promise<Said> {
  const { accessKeyId, secretAccessKey, sessionToken } = viewer;
  return ripcord(['audit', 'verify', rollbackId], {
    PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL: rig.sandbox.endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken,
  });
}

test('is intact, sealed and anchored', async () => {
  expect(run.outcome, run.headline).toBe('recovered');
  expect(await verify(run.rollbackId, startRipcord)).toEqual({ code: 0, text: expect.stringMatching(new RegExp(`^Intact: ${run.rollbackId}: ${rows.length} rows, last hash [0-9a-f]{64}\nNo labels\\. That does not prove .*\n$`)) as string });
});

test('each of its rows told its hash to the log of the function that wrote it', () => {
  const lines = rig.sandbox.services.functions.list().flatMap(({ log }) => log.lines);
  const told = rows.map((row) => lines.filter((line) => line.includes(`"rollbackId":"${run.rollbackId}"`) && line.includes(`"auditLength":${Number(row['seq']?.N) + 1},"auditHash":"${row['hash']?.S}"`)).length);
  expect(rows.length).toBeGreaterThan(5);
  expect(told.filter((count) => count === 0)).toEqual([]);
});

test('holds a row for every call that changed something, with the state before', async () => {
  const calls = rig.changes('shop');
  expect(calls).toEqual(['ModifyListener']);
  const written = await rig.audit(run.rollbackId);
  const intended = written.filter(({ kind }) => kind === 'change-intended');
  expect(intended).toHaveLength(calls.length);
  expect(written.filter(({ kind }) => kind === 'change-made')).toHaveLength(calls.length);
  expect(intended[0]?.data['from']).toMatchObject({ weights: { blue: 0, green: 100 } });
  const listener = rig.sandbox.calls.list({ operation: 'ModifyListener' })[0];
  expect(Date.parse(intended[0]?.at ?? '')).toBeLessThanOrEqual(listener?.startedAt ?? 0);
});

test('a changed row is named', async () => {
  const row = rowAt(2);
  await put({ ...row, data: { S: (row['data']?.S ?? '').replace('100', '99') } });
  expect(await verify(run.rollbackId, startRipcord)).toEqual({ code: 1, text: expect.stringMatching(/^BROKEN: .*\brow 2\b.* 2\]\n$/) as string });
  await put(row);
  expect((await verify()).code).toBe(0);
});

test('a row that was taken out is named', async () => {
  await remove(3);
  expect(await verify()).toEqual({ code: 1, text: expect.stringMatching(/^BROKEN: .*\brow 3\b.* 3\]\n$/) as string });
  await put(rowAt(3));
});

test('a row that was put in is named, be it a copy or well forged', async () => {
  const end = rows.length;
  await put({ ...rowAt(1), seq: { N: String(end) } });
  expect(await verify()).toEqual({ code: 1, text: expect.stringMatching(new RegExp(`^BROKEN: .*row ${end} was inserted.* ${end}\\]\n$`)) as string });
  const cursor = { length: end, hash: rowAt(end - 1)['hash']?.S ?? '' };
  const forged = rowAfter(cursor, { rollbackId: run.rollbackId, service: 'shop', kind: 'change-made', at: rowAt(end - 1)['at']?.S ?? '', data: { status: 'changed' } });
  await put(Object.fromEntries(Object.entries(forged).map(([key, value]) => [key, typeof value === 'number' ? { N: String(value) } : { S: String(value) }])));
  expect(await verify()).toEqual({ code: 1, text: expect.stringMatching(new RegExp(`^BROKEN: .*row ${end} was inserted after the chain was sealed.* ${end}\\]\n$`)) as string });
  await remove(end);
  expect((await verify()).code).toBe(0);
});

test('a cut end is noticed, because the ledger knows how long the chain was', async () => {
  await remove(rows.length - 1);
  expect(await verify()).toEqual({ code: 1, text: expect.stringMatching(/^BROKEN: /) as string });
  await put(rowAt(rows.length - 1));
  expect((await verify()).code).toBe(0);
});

test('rows that changed places are named', async () => {
  const [two, three] = [rowAt(2), rowAt(3)];
  await put({ ...two, seq: { N: '3' } });
  await put({ ...three, seq: { N: '2' } });
  expect(await verify()).toEqual({ code: 1, text: expect.stringMatching(/^BROKEN: .*row 2 was moved: what stands in its place was written as row 3 \[reordered 2\]\n$/) as string });
  for (const row of [two, three]) await put(row);
  expect((await verify()).code).toBe(0);
});

test('a chain that was deleted as a whole is noticed: the ledger knows its length', async () => {
  for (const seq of rows.keys()) await remove(seq);
  expect(await verify()).toEqual({ code: 1, text: expect.stringMatching(new RegExp(`^BROKEN: .*rows 0 to ${rows.length - 1} of ${rows.length} are missing: cut from the end \\[truncated 0\\]\n$`)) as string });
  for (const row of rows) await put(row);
  expect((await verify()).code).toBe(0);
});

test('the one row of a run that joined another is anchored too: changed or deleted it shows', async () => {
  const joined = rig.ripcord.rollbacks().find(({ outcome }) => outcome === 'joined')?.rollbackId ?? '';
  const table = rig.ripcord.names.auditTable;
  const [row = {}, ...others] = (await rig.sandbox.services.dynamodb.items(table)).filter((item) => item['rollbackId']?.S === joined);
  expect(others).toEqual([]);
  expect(await verify(joined)).toEqual({ code: 0, text: expect.stringMatching(/^Intact: .* 1 rows, .*\nNot sealed: .* it joined another run and ended with that; .*\n$/) as string });
  await put({ ...row, at: { S: '2026-01-01T00:00:00.000Z' } });
  expect(await verify(joined)).toEqual({ code: 1, text: expect.stringContaining('[changed 0]') as string });
  await rig.sandbox.services.dynamodb.deleteItem(table, { rollbackId: { S: joined }, seq: { N: '0' } });
  expect(await verify(joined)).toEqual({ code: 1, text: expect.stringContaining('[truncated 0]') as string });
  await put(row);
});

test('labels of tools are anchored: the last one cut off, all of them taken away, each is named with the rollback', async () => {
  const table = rig.ripcord.names.auditTable;
  const chain = `label#event#${run.rollbackId}`;
  for (const [index, label] of ['wrong', 'right'].entries()) {
    rig.sandbox.services.events.put({ source: 'ripcord.label', 'detail-type': 'Label', detail: { rollback: run.rollbackId, label, by: 'pager' } });
    await rig.until('the label is anchored', async () => (await rig.ledger()).some(({ pk, length }) => pk === `AUDIT#${chain}` && length === String(index + 1)));
  }
  expect(await verify()).toEqual({ code: 0, text: expect.stringMatching(/^Intact: .*\nIntact: label#event#.*: 2 rows, .*\n$/) as string });
  const labels = (await rig.sandbox.services.dynamodb.items(table)).filter((item) => item['rollbackId']?.S === chain);
  const drop = (seq: number): Promise<void> => rig.sandbox.services.dynamodb.deleteItem(table, { rollbackId: { S: chain }, seq: { N: String(seq) } });
  await drop(1);
  expect(await verify()).toEqual({ code: 1, text: expect.stringContaining(`BROKEN: ${chain}: row 1 of 2 is missing: cut from the end [truncated 1]`) as string });
  expect(await verify(chain)).toMatchObject({ code: 1 });
  await drop(0);
  expect(await verify()).toEqual({ code: 1, text: expect.stringContaining(`BROKEN: ${chain}: rows 0 to 1 of 2 are missing: cut from the end [truncated 0]`) as string });
  for (const row of labels) await put(row);
  expect((await verify()).code).toBe(0);
  expect(rig.denials()).toEqual([]);
});

test('rows cut from the end of a rollback that runs are named, and without its anchor no record is called intact', async () => {
  const client = new DynamoDBClient({ endpoint: rig.sandbox.endpoint, region: 'eu-west-1', credentials: { accessKeyId: 'AKIAPERSON', secretAccessKey: 'anything' } });
  const store = new AuditStore(client, rig.ripcord.names.auditTable, rig.ledgerTable);
  const id = 'cut-short';
  let at = null;
  for (const kind of ['assessed', 'change-intended', 'change-made'] as const) at = await store.append({ rollbackId: id, service: 'shop', kind, at: '2026-01-01T00:00:00.000Z', data: {} }, at);
  client.destroy();
  expect(await verify(id)).toEqual({ code: 0, text: expect.stringMatching(/^Intact: cut-short: 3 rows, .*\nNot sealed: the rollback runs still/) as string });
  const drop = (seq: string): Promise<void> => rig.sandbox.services.dynamodb.deleteItem(rig.ripcord.names.auditTable, { rollbackId: { S: id }, seq: { N: seq } });
  await drop('2');
  expect(await verify(id)).toEqual({ code: 1, text: `BROKEN: ${id}: row 2 of 3 is missing: cut from the end [truncated 2]\n` });
  await rig.sandbox.services.dynamodb.deleteItem(rig.ledgerTable, { pk: { S: `AUDIT#${id}` }, sk: { S: 'ANCHOR' } });
  expect(await verify(id)).toEqual({ code: 2, text: expect.stringMatching(/^NOT PROVEN: cut-short: 2 rows .*somebody took that away/s) as string });
});

test('a viewer reads where a chain ends, and no other row of the ledger', async () => {
  const client = new DynamoDBClient({ endpoint: rig.sandbox.endpoint, region: 'eu-west-1', credentials: viewer });
  const read = (pk: string, sk: string): Promise<unknown> => client.send(new GetItemCommand({ TableName: rig.ledgerTable, Key: { pk: { S: pk }, sk: { S: sk } } }));
  await expect(read(`AUDIT#${run.rollbackId}`, 'ANCHOR')).resolves.toMatchObject({ Item: { length: { N: String(rows.length) } } });
  await expect(read(`ROLLBACK#${run.rollbackId}`, 'APPROVAL')).rejects.toMatchObject({ name: 'AccessDeniedException' });
  await expect(read('SERVICE#shop', 'LOCK')).rejects.toMatchObject({ name: 'AccessDeniedException' });
  client.destroy();
});

test('no handler may change or delete a row', () => {
  const { iam } = rig.sandbox;
  const resources = [rig.sandbox.services.dynamodb.tableArn(rig.ripcord.names.auditTable)];
  const may = iam.roleNames.filter((roleName) => ['dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:BatchWriteItem'].some((action) =>
    iam.isAllowed({ kind: 'role', arn: `arn:aws:sts::111122223333:assumed-role/${roleName}/x`, roleName, sessionName: 'x', accessKeyId: '' }, { action, resources })));
  expect(may).toEqual([]);
});
