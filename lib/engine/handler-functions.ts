// The engine's handlers as functions: what each is for, what it is told, and what it may do.
import { Construct } from 'constructs';
import type { Variable } from '../../lambdas/runtime/environment.ts';
import type { AuditTable } from './audit-table.ts';
import type { EngineNames } from './engine-names.ts';
import { HandlerFunction } from './handler-function.ts';
import { auditWriters, handlerPermissions } from './handler-permissions.ts';
import { handlerNames, handlerTimeoutSeconds, type HandlerName } from './handler-timeouts.ts';
import type { LedgerTable } from './ledger-table.ts';
import type { Messages } from './messages.ts';

/** More distinct services than this with a signal inside the window is a shared cause: nothing acts by itself. */
export interface Storm {
  readonly services: number;
  readonly minutes: number;
}

export interface HandlerFunctionsProps {
  readonly names: EngineNames;
  readonly ledger: LedgerTable;
  readonly audit: AuditTable;
  readonly messages: Messages;
  readonly storm: Storm;
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
};

export class HandlerFunctions extends Construct {
  readonly all: Readonly<Record<HandlerName, HandlerFunction>>;

  constructor(scope: Construct, id: string, props: HandlerFunctionsProps) {
    super(scope, id);
    const permissions = handlerPermissions({
      ledger: props.ledger.readWrite,
      send: props.messages.send,
      catalogueArn: props.names.parameterArn(props.names.cataloguePrefix),
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
      if (auditWriters.includes(name)) props.audit.grantAppend(made.role);
      return made;
    };
    this.all = Object.fromEntries(handlerNames.map((name) => [name, make(name)])) as Record<HandlerName, HandlerFunction>;
  }
}

/** What every function is told, handlers and strategies alike. */
export const commonEnvironment = ({ names, ledger, audit }: Pick<HandlerFunctionsProps, 'names' | 'ledger' | 'audit'>) => ({
  engineName: names.engine,
  ledgerTable: ledger.table.tableName,
  auditTable: audit.table.tableName,
  cataloguePrefix: names.cataloguePrefix,
}) as const;

function environmentOf(name: HandlerName, props: HandlerFunctionsProps): Partial<Record<Variable, string>> {
  const topics = { onCallTopicArn: props.messages.onCall.topicArn, stakeholderTopicArn: props.messages.stakeholders.topicArn };
  const own: Readonly<Record<HandlerName, Partial<Record<Variable, string>>>> = {
    assess: { stormServices: String(props.storm.services), stormMinutes: String(props.storm.minutes) },
    verify: {},
    approve: { ...topics, approvalUrlParameter: props.names.approvalUrlParameter, rollbackMachineArn: props.names.rollbackArn },
    // Without an approver the function refuses everyone, by the missing variable.
    answer: props.approvers.length === 0 ? {} : { approverRoleArns: props.approvers.join(',') },
    announce: { ...topics, rollbackMachineArn: props.names.rollbackArn },
    report: { ...topics, rollbackMachineArn: props.names.rollbackArn },
    watch: {},
    watchdog: { ...topics, rollbackMachineArn: props.names.rollbackArn },
  };
  return { ...commonEnvironment(props), ...own[name] };
}
