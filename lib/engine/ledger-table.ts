// The ledger: locks, releases, known-good versions, budgets, quarantine. Rows change; the table survives its stack.
import { aws_dynamodb as dynamodb, RemovalPolicy } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Statement } from '../../lambdas/strategies/strategy.ts';

export type LedgerCall = 'GetItem' | 'PutItem' | 'Query' | 'UpdateItem';

export class LedgerTable extends Construct {
  readonly table: dynamodb.Table;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.table = new dynamodb.Table(this, 'Table', {
      partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
      sortKey: { name: 'sk', type: dynamodb.AttributeType.STRING },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  /** For functions that only keep the lock while they work: no other row than a service's, so that none of them can write an approval. */
  mayRenewLease(): Statement {
    return {
      ...this.may('UpdateItem'),
      conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': 'SERVICE#*' }, Null: { 'dynamodb:LeadingKeys': 'false' } },
    };
  }

  /** No row is ever deleted. */
  may(...calls: readonly LedgerCall[]): Statement {
    return { actions: calls.map((call) => `dynamodb:${call}`), resources: [this.table.tableArn] };
  }
}
