// The engine's handlers as functions: what each is for, what it is told, and what it may do.
import { Lazy } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Variable } from '../../lambdas/runtime/environment.ts';
import type { AuditTable } from './audit-table.ts';
import type { EngineNames } from './engine-names.ts';
import { HandlerFunction } from './handler-function.ts';
import { auditReaders, auditWriters, handlerPermissions, quietReads } from './handler-permissions.ts';
import { handlerNames, handlerTimeoutSeconds, type HandlerName } from './handler-timeouts.ts';
import type { LedgerTable } from './ledger-table.ts';
import type { Messages } from './messages.ts';
import { type Storm, unrelatedLimit } from './storm-brake.ts';

export interface HandlerFunctionsProps {
  readonly names: EngineNames;
  readonly ledger: LedgerTable;
  readonly audit: AuditTable;
  readonly messages: Messages;
  readonly storm: Storm;
  /** How many groups of services are attached that have nothing to do with each other: known at synth. */
  readonly groups: () => number;
  /** ARNs of the roles that may answer. */
  readonly approvers: readonly string[];
}

const descriptions: Readonly<Record<HandlerName, string>> = {
  assess: 'Reads the evidence and gives the verdict on one signal',
  verify: 'Runs journeys and proves a recovery; can change nothing',
  approve: 'Asks a person whether to roll back',
  answer: 'Takes the answer of a person whose identity IAM verified',
  announce: 'Tells people what is being rolled back',
  report: 'Seals the audit, writes the incident report, frees the lock',
  watch: 'Records releases and watches them through their bake',
  watchdog: 'Closes the record of a rollback whose execution died',
  label: 'Writes down what a person or a tool says of a rollback that has ended',
  poll: 'Finds releases and alarms whose events were lost',
};

export class HandlerFunctions extends Construct {
  readonly all: Readonly<Record<HandlerName, HandlerFunction>>;

  constructor(scope: Construct, id: string, props: HandlerFunctionsProps) {
    super(scope, id);
    const permissions = handlerPermissions({
      ledger: props.ledger,
      send: props.messages.send,
      sendOnCall: props.messages.sendOnCall,
      catalogueArn: props.names.parameterArn(props.names.cataloguePrefix),
      cataloguePathArn: props.names.parameterArn(props.names.cataloguePrefix.replace(/\/$/, '')),
      muteRulesArn: props.names.muteRulesArn,
      machineArns: [props.names.rollbackArn, props.names.watchArn],
      approvalUrlArn: props.names.parameterArn(props.names.approvalUrlParameter),
    });
    const make = (name: HandlerName): HandlerFunction => {
      const made = new HandlerFunction(this, name, {
        bundle: name,
        functionName: `${props.names.engine}-${name}`,
        description: descriptions[name],
        timeoutSeconds: handlerTimeoutSeconds[name],
        environment: environmentOf(name, props),
      });
      made.allow(permissions[name]);
      if (auditReaders.includes(name)) props.audit.grantQuery(made.role, quietReads[name]);
      if (auditWriters.includes(name)) props.audit.grantAppend(made.role);
      if (name === 'label') props.audit.grantLabel(made.role);
      if (name === 'watch') props.audit.grantWatch(made.role);
      return made;
    };
    this.all = Object.fromEntries(handlerNames.map((name) => [name, make(name)])) as Record<HandlerName, HandlerFunction>;
  }
}

function environmentOf(name: HandlerName, props: HandlerFunctionsProps): Partial<Record<Variable, string>> {
  const ledger = { ledgerTable: props.ledger.table.tableName };
  const tables = { ...ledger, auditTable: props.audit.table.tableName };
  const catalogue = { cataloguePrefix: props.names.cataloguePrefix };
  const messages = {
    onCallTopicArn: props.messages.onCall.topicArn, stakeholderTopicArn: props.messages.stakeholders.topicArn, rollbackMachineArn: props.names.rollbackArn,
  };
  const each: Readonly<Record<HandlerName, Partial<Record<Variable, string>>>> = {
    assess: {
      ...tables, ...catalogue, stormServices: String(props.storm.services), stormMinutes: String(props.storm.minutes),
      stormUnrelated: Lazy.string({ produce: () => String(unrelatedLimit(props.storm, props.groups())) }),
    },
    verify: { ...tables, ...catalogue },
    approve: { ...tables, ...catalogue, ...messages, approvalUrlParameter: props.names.approvalUrlParameter },
    // Without an approver the function refuses everyone, by the missing variable.
    answer: { ...tables, ...(props.approvers.length === 0 ? {} : { approverRoleArns: props.approvers.join(',') }) },
    announce: { ...tables, ...catalogue, ...messages },
    report: { ...tables, ...catalogue, ...messages },
    watch: { ...tables, ...catalogue },
    watchdog: { ...tables, ...messages },
    label: tables,
    poll: { ...ledger, ...catalogue, rollbackMachineArn: props.names.rollbackArn, watchMachineArn: props.names.watchArn },
  };
  return each[name];
}
