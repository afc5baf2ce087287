// The ledger for tests of what is kept in it: a DynamoDB engine for each test file, and names that no other test of the file uses.
import { afterAll, beforeAll } from 'vitest';
import type { LedgerTable } from '../../lambdas/adapters/ledger-table.ts';
import type { Release } from '../../lambdas/domain/vocabulary.ts';
import { startTables, type Tables } from './audit-tables.ts';
import { release } from './domain/samples.ts';

export let table: LedgerTable;
let count = 0;

/** To be called at the top of a test file. */
export function useLedger(): void {
  let tables: Tables;
  beforeAll(async () => {
    tables = await startTables();
    table = tables.ledger;
  });
  afterAll(async () => { await tables.stop(); });
}

export const freshService = (): string => `service-${(count += 1)}`;
export const freshRollback = (): string => `rb-${(count += 1)}`;
/** A release as the ledger keeps it. */
export const full = (over: Partial<Release> = {}): Release => ({ ...release(), left: null, ...over });
