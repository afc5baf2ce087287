// A tool's label, from its event to the audit table, with the role that the stack gives.
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
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

test('cannot be written with that role into any other chain', async () => {
  const credentials = rig.sandbox.iam.issueKey(rig.roleOf('label'), 'somebody');
  const client = new DynamoDBClient({ endpoint: rig.sandbox.endpoint, region: 'eu-west-1', credentials });
  const write = async (rollbackId: string): Promise<string> => {
    try {
      await client.send(new PutItemCommand({ TableName: rig.ripcord.names.auditTable, Item: { rollbackId: { S: rollbackId }, seq: { N: '7' } } }));
      return 'written';
    } catch (error) {
      return error instanceof Error ? error.name : 'unknown';
    }
  };
  expect(await write('label#event#rb-1')).toBe('written');
  expect(await write('label#AROAEXAMPLE:dana#rb-1')).toBe('AccessDeniedException');
  expect(await write('rb-1')).toBe('AccessDeniedException');
  client.destroy();
});
