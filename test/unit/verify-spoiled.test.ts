// `ripcord audit verify` on a record that somebody spoiled, and on the labels of persons.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DeleteItemCommand, GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { main } from '../../bin/ripcord.ts';
import { genesis } from '../../lambdas/audit/entry.ts';
import { auditTable, ledgerTable, startTables, type Tables } from './audit-tables.ts';

let tables: Tables;
const before = { ...process.env };
beforeAll(async () => {
  tables = await startTables();
  Object.assign(process.env, { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_ENDPOINT_URL: tables.endpoint, RIPCORD_AUDIT_TABLE: auditTable, RIPCORD_LEDGER_TABLE: ledgerTable });
});
afterAll(async () => {
  for (const name of Object.keys(process.env)) if (before[name] === undefined) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, before);
  await tables.stop();
});

interface Said {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

const verify = (...words: string[]): Promise<Said> => audit('verify', ...words);

async function audit(...words: string[]): Promise<Said> {
  const lines: { out: string[]; error: string[] } = { out: [], error: [] };
  const code = await main(['node', 'ripcord', 'audit', ...words], { out: (text: string) => { lines.out.push(text); }, error: (text: string) => { lines.error.push(text); }, code: 0 });
  return { code, out: lines.out.join('\n'), error: lines.error.join('\n') };
}

const about = (rollbackId: string) => ({ rollbackId, service: 'checkout', at: '2026-11-20T09:00:00.000Z' });
const spoilAnchor = (chain: string) => tables.client.send(new UpdateItemCommand({
  TableName: ledgerTable, Key: { pk: { S: `AUDIT#${chain}` }, sk: { S: 'ANCHOR' } }, UpdateExpression: 'SET head = :head', ExpressionAttributeValues: { ':head': { S: 'x' } },
}));

it('names the anchor that was changed, and the row that was written over it', async () => {
  const at = await tables.audit.append({ ...about('rb'), kind: 'assessed', data: {} }, null);
  await spoilAnchor('rb');
  expect(await verify('rb')).toMatchObject({ code: 1, error: expect.stringMatching(/^BROKEN: rb: the anchor was changed after row 0 was written: it is .* \[anchor 0\]$/) as string });
  await tables.audit.append({ ...about('rb'), kind: 'confirmed', data: {} }, at);
  expect(await verify('rb')).toMatchObject({ code: 1, error: expect.stringMatching(/^BROKEN: rb: the anchor was changed before row 1 was written over it: it was .* \[anchor 1\]$/) as string });
});

/** As somebody adds it in the console, where no hash covers it. */
const addNote = (table: string, Key: Record<string, { S: string } | { N: string }>) => tables.client.send(new UpdateItemCommand({
  TableName: table, Key, UpdateExpression: 'SET approvedBy = :who, note = :note', ExpressionAttributeValues: { ':who': { S: 'the boss' }, ':note': { S: 'data above is void' } },
}));

it('names what was added to a row, in the table, in its export, and in a file', async () => {
  let at = null;
  for (const n of [0, 1, 2]) at = await tables.audit.append({ ...about('added'), kind: 'confirmed', data: { n } }, at);
  const file = path.join(tmpdir(), `ripcord-added-${process.pid}.json`);
  try {
    await audit('export', 'added', '--output', file);
    expect(await verify('--file', file)).toMatchObject({ code: 0 });
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('"seq": 1,', '"seq": 1, "remark": "void",'));
    expect(await verify('--file', file)).toEqual({ code: 1, out: '', error: 'BROKEN: added: row 1 was changed: "remark" was added to it, and no function writes that [changed 1]' });
    await writeFile(file, text.replace('"seq": 1,', '"seq": 1, "foreign": 7,'));
    expect(await verify('--file', file)).toMatchObject({ code: 1, error: expect.stringContaining('is not an export') as string });
    await addNote(auditTable, { rollbackId: { S: 'added' }, seq: { N: '1' } });
    const named = { code: 1, out: '', error: 'BROKEN: added: row 1 was changed: "approvedBy", "note" was added to it, and no function writes that [changed 1]' };
    expect(await verify('added')).toEqual(named);
    await audit('export', 'added', '--output', file);
    expect(await verify('--file', file)).toEqual(named);
  } finally {
    await rm(file, { force: true });
  }
});

it('names what was added to an anchor, also when rows were written since', async () => {
  let at = await tables.audit.append({ ...about('noted'), kind: 'assessed', data: {} }, null);
  await addNote(ledgerTable, { pk: { S: 'AUDIT#noted' }, sk: { S: 'ANCHOR' } });
  for (const seq of [0, 1]) {
    expect(await verify('noted')).toEqual({ code: 1, out: '', error: `BROKEN: noted: the anchor was changed: "approvedBy", "note" was added to it, and no function writes that [anchor ${seq}]` });
    at = await tables.audit.append({ ...about('noted'), kind: 'confirmed', data: {} }, at);
  }
});

it('misses the labels of events that are gone as a whole, and says what it does not prove that there are none', async () => {
  await tables.audit.seal({ ...about('rb-2'), data: {} }, genesis);
  const doubt = /^Intact: rb-2: 1 rows, .*\nNo labels\. That does not prove that there were none: /;
  expect(await verify('rb-2')).toMatchObject({ code: 0, out: expect.stringMatching(doubt) as string });
  const chain = 'label#event#rb-2';
  await tables.labels.append({ ...about(chain), kind: 'labelled', data: {} }, null);
  expect(await verify('rb-2')).toMatchObject({ code: 0, out: expect.stringMatching(/^Intact: rb-2: .*\nIntact: label#event#rb-2: 1 rows, .*$/) as string });
  const list = { TableName: ledgerTable, Key: { pk: { S: 'AUDIT#label#persons#rb-2' }, sk: { S: 'LIST' } } };
  const { Item } = await tables.client.send(new GetItemCommand(list));
  await tables.client.send(new DeleteItemCommand(list));
  for (const asked of ['rb-2', chain]) expect(await verify(asked)).toMatchObject({ code: 2, error: expect.stringContaining(`NOT PROVEN: ${chain}: 1 rows that fit together`) as string });
  await tables.client.send(new PutItemCommand({ TableName: ledgerTable, Item }));
  await tables.client.send(new DeleteItemCommand({ TableName: auditTable, Key: { rollbackId: { S: chain }, seq: { N: '0' } } }));
  await tables.client.send(new DeleteItemCommand({ TableName: ledgerTable, Key: { pk: { S: `AUDIT#${chain}` }, sk: { S: 'ANCHOR' } } }));
  for (const words of [['rb-2'], ['rb-2', '--labels'], [chain]]) expect(await verify(...words)).toMatchObject({ code: 1, error: `BROKEN: ${chain}: all its rows and its anchor are gone: the ledger lists who labelled, and names it [removed 0]` });
  await tables.client.send(new DeleteItemCommand(list));
  expect(await verify('rb-2', '--labels')).toMatchObject({ code: 0, out: expect.stringMatching(doubt) as string });
});

it('checks the labels of each person, and no other rollback\'s', async () => {
  const end = await tables.audit.seal({ ...about('rb-1'), data: {} }, genesis);
  const [dana, lee] = ['label#AROATEST:dana#rb-1', 'label#AROATEST:lee#rb-1'] as const;
  for (const chain of [dana, lee, lee, 'label#AROATEST:dana#rb-12', 'label#event#rb-1']) await tables.labels.append({ ...about(chain), kind: 'labelled', data: { n: Math.random() } }, null);
  const checked = async (...words: string[]) => (await verify('rb-1', ...words)).out.split('\n').map((line) => line.split(': ')[1]);
  for (const words of [[], ['--labels']]) expect(await checked(...words)).toEqual(['rb-1', dana, lee, 'label#event#rb-1']);
  await tables.client.send(new DeleteItemCommand({ TableName: auditTable, Key: { rollbackId: { S: lee }, seq: { N: '1' } } }));
  expect(await verify('rb-1')).toMatchObject({ code: 1, error: `BROKEN: ${lee}: row 1 of 2 is missing: cut from the end [truncated 1]` });
  expect(await verify('rb-1', '--labels', '--anchor', `1:${end.hash}`)).toMatchObject({ code: 1, error: expect.stringContaining('--labels looks for chains') as string });
});
