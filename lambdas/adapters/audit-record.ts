// The audit for whoever reads it too: writing alone takes no right to read.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { AuditRow } from '../audit/entry.ts';
import { AuditRows } from './audit-rows.ts';
import { AuditStore, type Company } from './audit-store.ts';

export class AuditRecord extends AuditStore {
  readonly #rows: AuditRows;

  /** @param ledger name of the table that holds the anchors. */
  constructor(client: DynamoDBClient, table: string, ledger: string, company?: Company) {
    super(client, table, ledger, company);
    this.#rows = new AuditRows(client, table);
  }

  /** As `AuditRows.read`. */
  read(rollbackId: string): Promise<AuditRow[]> {
    return this.#rows.read(rollbackId);
  }

  /** As `AuditRows.newest`. */
  newest(rollbackId: string, most: number): Promise<AuditRow[]> {
    return this.#rows.newest(rollbackId, most);
  }

  /** As `AuditRows.last`. */
  last(rollbackId: string): Promise<AuditRow | null> {
    return this.#rows.last(rollbackId);
  }
}
