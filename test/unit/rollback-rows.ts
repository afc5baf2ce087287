// A rollback that is on record as begun, for tests of what reads it: as Assess writes it, without the row of the audit beside it.
import { TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { rollbackBegun } from '../../lambdas/adapters/ledger-history.ts';
import type { LedgerTable } from '../../lambdas/adapters/ledger-table.ts';
import type { RollbackRecord } from '../../lambdas/domain/ledger.ts';

export async function recordRollback(table: LedgerTable, record: RollbackRecord): Promise<void> {
  await table.client.send(new TransactWriteItemsCommand({ TransactItems: [rollbackBegun(table, record)] }));
}
