// Names and ARNs the parts of one engine agree on before they exist: a function names the workflow that calls it.
import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

export interface EngineNames {
  readonly engine: string;
  readonly rollback: string;
  readonly watch: string;
  readonly rollbackArn: string;
  readonly watchArn: string;
  /** Every rule of the account that mutes alarms. */
  readonly muteRulesArn: string;
  /** Catalogue entries are SSM parameters under this prefix, which ends in a slash. */
  readonly cataloguePrefix: string;
  readonly approvalUrlParameter: string;
  readonly labelUrlParameter: string;
  /** Names the audit table, so that the command line finds it. */
  readonly auditTableParameter: string;
  /** Names the ledger, where the command line finds how long each chain of the audit has to be. */
  readonly ledgerTableParameter: string;
  /** ARN of an SSM parameter; a prefix stands for all below it. */
  parameterArn(name: string): string;
}

export function engineNames(scope: Construct, engine: string): EngineNames {
  const stack = Stack.of(scope);
  const machineArn = (name: string): string =>
    stack.formatArn({ service: 'states', resource: 'stateMachine', resourceName: name, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
  return {
    engine,
    rollback: `${engine}-rollback`,
    watch: `${engine}-watch`,
    rollbackArn: machineArn(`${engine}-rollback`),
    watchArn: machineArn(`${engine}-watch`),
    muteRulesArn: stack.formatArn({ service: 'cloudwatch', resource: 'alarm-mute-rule', resourceName: '*', arnFormat: ArnFormat.COLON_RESOURCE_NAME }),
    cataloguePrefix: `/${engine}/services/`,
    approvalUrlParameter: `/${engine}/approval-url`,
    labelUrlParameter: `/${engine}/label-url`,
    auditTableParameter: `/${engine}/audit-table`,
    ledgerTableParameter: `/${engine}/ledger-table`,
    parameterArn: (name) => stack.formatArn({ service: 'ssm', resource: 'parameter', resourceName: `${name.slice(1)}${name.endsWith('/') ? '*' : ''}` }),
  };
}
