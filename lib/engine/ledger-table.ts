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

  /** No row is ever deleted. */
  may(...calls: readonly LedgerCall[]): Statement {
    return { actions: calls.map((call) => `dynamodb:${call}`), resources: [this.table.tableArn] };
  }
}
