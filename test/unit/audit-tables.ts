// The two tables for tests of what is stored, audit and ledger: the sandbox's DynamoDB in memory, on a free port.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { listed } from '../../lambdas/adapters/audit-label-list.ts';
import { AuditRecord } from '../../lambdas/adapters/audit-record.ts';
import type { LedgerTable } from '../../lambdas/adapters/ledger-table.ts';
import { SandboxServer } from '../../sandbox/aws/server.ts';
import { SpedUpClock } from '../../sandbox/clock.ts';
import { DynamoDb } from '../../sandbox/services/dynamodb/dynamodb.ts';

export interface Tables {
  readonly client: DynamoDBClient;
  readonly audit: AuditRecord;
  /** As the function of labels writes: lists the persons. */
  readonly labels: AuditRecord;
  readonly ledger: LedgerTable;
  readonly endpoint: string;
  stop(): Promise<void>;
}

export const auditTable = 'audit';
export const ledgerTable = 'ledger';

export async function startTables(): Promise<Tables> {
  const place = { account: '111122223333', region: 'eu-west-1', partition: 'aws' } as const;
  const dynamo = new DynamoDb(place);
  await createTables(dynamo);
  // A key's write units fill in sandbox time.
  const clock = new SpedUpClock({ speed: 60 });
  const server = new SandboxServer({ services: [dynamo.service], place, clock });
  const endpoint = await server.listen();
  const client = new DynamoDBClient({ endpoint, region: place.region, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
  return {
    client, endpoint, labels: new AuditRecord(client, auditTable, ledgerTable, { beside: listed(ledgerTable) }), audit: new AuditRecord(client, auditTable, ledgerTable), ledger: { client, name: ledgerTable },
    stop: async () => {
      client.destroy();
      clock.stop();
      await server.close();
    },
  };
}

/** Audit and ledger, with the keys that the stack gives them. */
export async function createTables(dynamo: DynamoDb): Promise<void> {
  for (const [TableName, ...keys] of [[auditTable, ['rollbackId', 'S'], ['seq', 'N']], [ledgerTable, ['pk', 'S'], ['sk', 'S']]] as const)
    await dynamo.createTable({
      TableName,
      KeySchema: keys.map(([AttributeName], index) => ({ AttributeName, KeyType: index === 0 ? 'HASH' : 'RANGE' })),
      AttributeDefinitions: keys.map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
    });
}
