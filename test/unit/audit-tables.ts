// Real DynamoDB tables on dynalite for tests of what is stored: audit and ledger, in memory, on a free port.
import { createRequire } from 'node:module';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { AuditStore } from '../../lambdas/adapters/audit-store.ts';
import type { LedgerTable } from '../../lambdas/adapters/ledger-table.ts';

const dynalite = createRequire(import.meta.url)('dynalite') as (options: object) => Server;

export interface Tables {
  readonly client: DynamoDBClient;
  readonly audit: AuditStore;
  readonly ledger: LedgerTable;
  readonly endpoint: string;
  stop(): Promise<void>;
}

export const auditTable = 'audit';

export async function startTables(): Promise<Tables> {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new DynamoDBClient({ endpoint, region: 'eu-west-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
  await create(client, auditTable, [['rollbackId', 'S', 'HASH'], ['seq', 'N', 'RANGE']]);
  await create(client, 'ledger', [['pk', 'S', 'HASH'], ['sk', 'S', 'RANGE']]);
  return {
    client, endpoint, audit: new AuditStore(client, auditTable), ledger: { client, name: 'ledger' },
    stop: async () => {
      client.destroy();
      server.closeAllConnections();
      await new Promise<void>((resolve) => { server.close(() => { resolve(); }); });
    },
  };
}

async function create(client: DynamoDBClient, TableName: string, keys: readonly (readonly [string, 'S' | 'N', 'HASH' | 'RANGE'])[]): Promise<void> {
  await client.send(new CreateTableCommand({
    TableName, BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: keys.map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
    KeySchema: keys.map(([AttributeName, , KeyType]) => ({ AttributeName, KeyType })),
  }));
}
