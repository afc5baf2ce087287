// A label from its event or its person to the audit table, with the rights that the stack gives.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { DynamoDBClient, PutItemCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyChain } from '../../lambdas/audit/chain.ts';
import { Rig } from './rig.ts';

let rig: Rig;
beforeAll(async () => { rig = await Rig.start({ services: { shop: {} } }); });
afterAll(async () => { await rig.stop(); });

const put = (detail: Record<string, string>): void => {
  rig.sandbox.services.events.put({ source: 'ripcord.label', 'detail-type': 'Label', detail });
};

test('stands in a chain of its own, once though its event came twice, and the record it speaks of stays as it was', async () => {
  const run = await rig.endOf(rig.ask({ service: 'shop', reason: 'what would be done?', requestedBy: 'dana', mode: 'dry-run' }));
  const before = await rig.ripcord.record(run.rollbackId);
  expect(before.rows.at(-1)?.kind).toBe('sealed');
  rig.sandbox.services.events.disturb({ copies: 2 });
  put({ rollback: run.rollbackId, label: 'wrong', by: 'pager', comment: 'a dependency was down' });
  const chain = `label#event#${run.rollbackId}`;
  await rig.until('the label is written', async () => (await rig.audit(chain)).length > 0);
  await rig.sandbox.services.events.settled();
  await rig.sandbox.clock.sleep(5 * 60_000);
  const { rows } = await rig.ripcord.record(chain);
  expect(rows.map(({ kind }) => kind)).toEqual(['labelled']);
  expect(JSON.parse(rows[0]?.data ?? '')).toMatchObject({ opinion: 'wrong', by: 'pager', isVerified: false });
  expect(verifyChain(rows)).toMatchObject({ intact: true });
  expect(await rig.ripcord.record(run.rollbackId)).toEqual(before);
  expect(rig.denials()).toEqual([]);
});

test('an operator labels through the URL, proven by IAM, and can write neither rows nor anchors', async () => {
  const run = await rig.endOf(rig.ask({ service: 'shop', reason: 'and now?', requestedBy: 'dana', mode: 'dry-run' }));
  rig.sandbox.iam.putRole({ roleName: 'operator', arn: 'arn:aws:iam::111122223333:role/operator', managedPolicyArns: [rig.deployed.outputs['OperatorPolicy'] ?? ''] });
  const { accessKeyId, secretAccessKey, sessionToken } = rig.sandbox.iam.issueKey('operator', 'dana');
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent', AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL: rig.sandbox.endpoint, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken };
  const ripcord = (...words: string[]) => promisify(execFile)(process.execPath, [new URL('../../bin/ripcord.mjs', import.meta.url).pathname, ...words], { env });
  const { stdout } = await ripcord('label', run.rollbackId, 'wrong', '--comment', 'a dependency was down');
  const chain = `label#AROASANDBOX:dana#${run.rollbackId}`;
  const [, words, hash = ''] = /^(.*) --expect ([0-9a-f]{64})\n$/.exec(stdout) ?? [];
  expect(words).toBe(`${run.rollbackId} (shop) is labelled wrong by arn:aws:sts::111122223333:assumed-role/operator/dana. Keep this to check it later: npx ripcord audit verify '${chain}'`);
  expect(rig.sandbox.services.functions.find('ripcord-label').log.lines.join('\n')).toContain(`"auditHash":"${hash}"`);
  expect((await ripcord('audit', 'verify', chain, '--expect', hash)).stdout).toMatch(/^Intact: label#AROASANDBOX:dana#.*: 1 rows/);
  expect((await ripcord('audit', 'verify', run.rollbackId)).stdout).toMatch(new RegExp(`^Intact: ${run.rollbackId}: .*\nIntact: ${chain}: 1 rows`));
  expect(rig.denials()).toEqual([]);
  const client = new DynamoDBClient({ endpoint: rig.sandbox.endpoint, region: 'eu-west-1', credentials: { accessKeyId, secretAccessKey, sessionToken } });
  const Item = { rollbackId: { S: chain }, seq: { N: '0' }, pk: { S: `AUDIT#${chain}` }, sk: { S: 'ANCHOR' } };
  for (const TableName of [rig.ripcord.names.auditTable, rig.ledgerTable]) await expect(client.send(new PutItemCommand({ TableName, Item }))).rejects.toMatchObject({ name: 'AccessDeniedException' });
  client.destroy();
});

test('cannot be written with that role into the chain of a rollback', async () => {
  const credentials = rig.sandbox.iam.issueKey(rig.roleOf('label'), 'somebody');
  const client = new DynamoDBClient({ endpoint: rig.sandbox.endpoint, region: 'eu-west-1', credentials });
  const row = (rollbackId: string) => ({ TableName: rig.ripcord.names.auditTable, Item: { rollbackId: { S: rollbackId }, seq: { N: '7' } } });
  const answered = (sent: Promise<unknown>): Promise<string> => sent.then(() => 'written', (error: unknown) => (error instanceof Error ? error.name : 'unknown'));
  const write = (rollbackId: string): Promise<string> => answered(client.send(new TransactWriteItemsCommand({ TransactItems: [{ Put: row(rollbackId) }] })));
  expect(await write('label#event#rb-1')).toBe('written');
  expect(await write('label#AROAEXAMPLE:dana#rb-1')).toBe('written');
  expect(await write('rb-1')).toBe('AccessDeniedException');
  // A put alone could replace a row.
  expect(await answered(client.send(new PutItemCommand(row('label#event#rb-1'))))).toBe('AccessDeniedException');
  client.destroy();
});
