// The audit: rows are only ever added. Nothing of ours, and nobody else by a data call, may change or remove one.
import { aws_dynamodb as dynamodb, aws_iam as iam, aws_ssm as ssm, RemovalPolicy } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Statement } from '../../lambdas/strategies/strategy.ts';
import { allow, deny } from './statements.ts';

/** A row comes with its anchor: a put by itself is none of ours. */
const insideTransaction = { StringEquals: { 'dynamodb:EnclosingOperation': 'TransactWriteItems' } };

/** IAM can demand the transaction around a `PutItem`, not the condition in it that forbids to replace a row; the hash chain shows what IAM cannot stop. */
export const rewritingActions = [
  'dynamodb:BatchWriteItem', 'dynamodb:DeleteItem', 'dynamodb:PartiQLDelete', 'dynamodb:PartiQLInsert', 'dynamodb:PartiQLUpdate', 'dynamodb:UpdateItem',
] as const;

export class AuditTable extends Construct {
  readonly table: dynamodb.Table;

  /** @param parameterName under which the table's name is kept for people's commands. */
  constructor(scope: Construct, id: string, parameterName: string) {
    super(scope, id);
    this.table = new dynamodb.Table(this, 'Table', {
      partitionKey: { name: 'rollbackId', type: dynamodb.AttributeType.STRING },
      sortKey: { name: 'seq', type: dynamodb.AttributeType.NUMBER },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true, recoveryPeriodInDays: 35 },
      encryption: dynamodb.TableEncryption.AWS_MANAGED,
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
      // Data calls only: a policy that also denied control calls could lock out the deployment that has to mend it.
      resourcePolicy: new iam.PolicyDocument({
        statements: [new iam.PolicyStatement({
          sid: 'RowsAreOnlyEverAdded', effect: iam.Effect.DENY, principals: [new iam.AnyPrincipal()], actions: [...rewritingActions], resources: ['*'],
        })],
      }),
    });
    new ssm.StringParameter(this, 'Name', { parameterName, description: 'Audit table; `npx ripcord show|report|audit` read it', stringValue: this.table.tableName });
  }

  /** Lets a role of ours add rows in transactions, and forbids it every other way to write. */
  grantAppend(role: iam.IRole): void {
    allow(role, [{ actions: ['dynamodb:PutItem'], resources: [this.table.tableArn], conditions: insideTransaction }]);
    deny(role, { actions: rewritingActions, resources: [this.table.tableArn] });
  }

  /** Lets a role of ours read the rows of a chain. */
  grantQuery(role: iam.IRole, quiet?: Readonly<Record<string, string>>): void {
    allow(role, [{ actions: ['dynamodb:Query'], resources: [this.table.tableArn], ...(quiet === undefined ? {} : { quiet }) }]);
  }

  /** Lets a role add to chains of labels, to no rollback's. */
  grantLabel(role: iam.IRole): void {
    this.grantChains(role, 'label#*');
  }

  /** Lets a role add to the chains of watches, to no rollback's. */
  grantWatch(role: iam.IRole): void {
    this.grantChains(role, 'watch#*');
  }

  private grantChains(role: iam.IRole, chains: string): void {
    const { tableArn } = this.table;
    allow(role, [{
      actions: ['dynamodb:PutItem'], resources: [tableArn],
      // Without the Null condition a call that names no key would pass.
      conditions: { ...insideTransaction, 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': chains }, Null: { 'dynamodb:LeadingKeys': 'false' } },
    }]);
    deny(role, { actions: rewritingActions, resources: [tableArn] });
  }

  /** Statement for people and tools that read the audit. */
  get read(): Statement {
    return { actions: ['dynamodb:DescribeTable', 'dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:Scan'], resources: [this.table.tableArn] };
  }
}
