// The ledger: locks, releases, known-good versions, budgets, quarantine. Rows change; the table survives its stack.
import { aws_dynamodb as dynamodb, aws_ssm as ssm, RemovalPolicy } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Statement } from '../../lambdas/strategies/strategy.ts';

export type LedgerCall = 'GetItem' | 'PutItem' | 'Query' | 'UpdateItem';

export class LedgerTable extends Construct {
  readonly table: dynamodb.Table;

  /** @param parameterName under which the table's name is kept for people's commands. */
  constructor(scope: Construct, id: string, parameterName: string) {
    super(scope, id);
    this.table = new dynamodb.Table(this, 'Table', {
      partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
      sortKey: { name: 'sk', type: dynamodb.AttributeType.STRING },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    new ssm.StringParameter(this, 'Name', { parameterName, description: 'Ledger; `npx ripcord audit` reads where each chain has to end', stringValue: this.table.tableName });
  }

  /** For functions that only keep the lock while they work: no other row than a service's, so that none of them can write an approval. */
  mayRenewLease(): Statement {
    return { ...this.may('UpdateItem'), ...belowKey('SERVICE#*') };
  }

  /** For functions that write the audit and no other row: where each chain ends. @param chains name of a chain, a wildcard at its end. */
  mayAnchor(chains = '*'): Statement {
    return { ...this.may('UpdateItem'), ...belowKey(`AUDIT#${chains}`) };
  }

  /** For functions that write of a rollback what is asked, answered and told, and its audit: no service's lock, releases or known good versions. */
  mayTell(...calls: readonly LedgerCall[]): Statement {
    return { ...this.may(...calls), ...belowKey(['ROLLBACK#*', 'AUDIT#*']) };
  }

  /** No row is ever deleted. */
  may(...calls: readonly LedgerCall[]): Statement {
    return { actions: calls.map((call) => `dynamodb:${call}`), resources: [this.table.tableArn] };
  }
}

/** Without the Null condition a call that names no key would pass. */
const belowKey = (keys: string | readonly string[]): Pick<Statement, 'conditions'> => ({
  conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys }, Null: { 'dynamodb:LeadingKeys': 'false' } },
});
