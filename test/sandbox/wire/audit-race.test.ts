// Many writers on one chain, each believing the chain to stand somewhere else: no row is lost, none is there twice, and the chain holds.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAnchor } from '../../../lambdas/adapters/audit-anchor.ts';
import { AuditRecord } from '../../../lambdas/adapters/audit-record.ts';
import { verifyChain } from '../../../lambdas/audit/chain.ts';
import type { AuditCursor } from '../../../lambdas/domain/vocabulary.ts';
import { SandboxServer } from '../../../sandbox/aws/server.ts';
import { SpedUpClock } from '../../../sandbox/clock.ts';
import { DynamoDb } from '../../../sandbox/services/dynamodb/dynamodb.ts';
import { createTables } from '../../unit/audit-tables.ts';
import { person, place } from './world.ts';

const clock = new SpedUpClock();
const dynamo = new DynamoDb(place);
const server = new SandboxServer({ services: [dynamo.service], place, clock });
let client: DynamoDBClient;
beforeAll(async () => {
  client = new DynamoDBClient({ endpoint: await server.listen(), region: place.region, credentials: person });
  await createTables(dynamo);
});
afterAll(async () => {
  client.destroy();
  clock.stop();
  await server.close();
});

let number = 0;

test('no row of racing writers is lost, whatever each believes of the chain', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.nat({ max: 5 }), { minLength: 2, maxLength: 12 }), async (beliefs) => {
    const rollbackId = `rb-${(number += 1)}`;
    const store = new AuditRecord(client, 'audit', 'ledger');
    const add = (n: string, cursor: AuditCursor | null): Promise<AuditCursor> =>
      store.append({ rollbackId, service: 'shop', kind: 'confirmed', at: '2026-11-20T09:00:00.000Z', data: { n } }, cursor);
    const cursors: (AuditCursor | null)[] = [null];
    for (const n of ['a', 'b', 'c', 'd']) cursors.push(await add(n, cursors.at(-1) ?? null));
    await Promise.all(beliefs.map((belief, index) => add(`writer-${index}`, cursors[belief] ?? null)));
    const rows = await store.read(rollbackId);
    expect(verifyChain(rows, await readAnchor({ client, name: 'ledger' }, rollbackId) ?? undefined)).toMatchObject({ intact: true, isAnchored: true, length: 4 + beliefs.length });
    expect(rows.map(({ data }) => (JSON.parse(data) as { n: string }).n).toSorted()).toEqual(['a', 'b', 'c', 'd', ...beliefs.map((_, index) => `writer-${index}`)].toSorted());
  }), { numRuns: 4 });
}, 90_000);
