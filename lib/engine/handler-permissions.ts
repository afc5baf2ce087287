// What each handler may do beyond its own logs: the table of docs/architecture.md as IAM statements.
import type { Statement } from '../../lambdas/strategies/strategy.ts';
import type { HandlerName } from './handler-timeouts.ts';
import type { LedgerTable } from './ledger-table.ts';

export interface HandlerResources {
  readonly ledger: LedgerTable;
  /** Sending messages: topics, their key, the event bus. */
  readonly send: readonly Statement[];
  /** The same without the stakeholders. */
  readonly sendOnCall: readonly Statement[];
  /** ARN of every catalogue entry, ending in a wildcard. */
  readonly catalogueArn: string;
  readonly approvalUrlArn: string;
  /** ARN of the catalogue as a whole, to list it. */
  readonly cataloguePathArn: string;
  /** ARN of every alarm mute rule, ending in a wildcard. */
  readonly muteRulesArn: string;
  /** Both state machines. */
  readonly machineArns: readonly string[];
}

/** Handlers that write rows of the audit. */
export const auditWriters: readonly HandlerName[] = ['assess', 'verify', 'approve', 'answer', 'announce', 'report', 'watchdog'];

/** Handlers that read what stands in the audit; whoever only adds to it does not. */
export const auditReaders: readonly HandlerName[] = ['announce', 'report', 'watchdog', 'label'];

/** What is not told when they may not. */
export const quietReads: Partial<Record<HandlerName, Readonly<Record<string, string>>>> = {
  announce: { 'dynamodb:Query': 'The message goes out without from and to, and the log says why: a message late would be worse.' },
};

export const alarms: Statement = {
  actions: ['cloudwatch:DescribeAlarms'], resources: ['*'],
  because: 'Composite alarms can be described only on all resources.',
};

export const metrics: Statement = {
  actions: ['cloudwatch:GetMetricData'], resources: ['*'],
  because: 'A metric has no ARN; the datasets, to which alone this action can be limited, hold none that Ripcord reads.',
};

const answerTask: Statement = {
  actions: ['states:SendTaskSuccess'], resources: ['*'],
  because: 'Answers to task tokens have no resource-level permissions; the token itself is the secret.',
};

export function handlerPermissions({ ledger, send, sendOnCall, catalogueArn, approvalUrlArn, cataloguePathArn, muteRulesArn, machineArns }: HandlerResources): Readonly<Record<HandlerName, readonly Statement[]>> {
  const catalogue: Statement = {
    actions: ['ssm:GetParameter'], resources: [catalogueArn],
    because: 'One engine serves every service of the account; each has its own catalogue entry.',
  };
  const facts: Statement = { ...catalogue, quiet: { 'ssm:GetParameter': 'The message goes out without the service\'s owner and runbook, and the log says why: a message late would be worse.' } };
  const everything = ledger.may('GetItem', 'PutItem', 'Query', 'UpdateItem');
  const rows = ledger.may('GetItem', 'PutItem', 'UpdateItem');
  return {
    assess: [everything, catalogue, alarms, metrics],
    verify: [ledger.mayRenewLease(), ledger.mayAnchor(), catalogue, alarms, metrics],
    approve: [rows, facts, answerTask, { actions: ['ssm:GetParameter'], resources: [approvalUrlArn] }, ...sendOnCall],
    answer: [ledger.mayTell('GetItem', 'UpdateItem'), answerTask],
    announce: [ledger.mayTell('GetItem', 'PutItem', 'UpdateItem'), facts, ...send],
    // The signals that joined while it was closing.
    report: [everything, facts, ...send],
    watch: [everything, catalogue, alarms, metrics],
    // The same for one that died.
    watchdog: [everything, ...send],
    // Of the audit its own chains too: `AuditTable.grantLabel`.
    label: [ledger.mayAnchor('label#*')],
    poll: [
      ledger.may('GetItem', 'PutItem', 'Query'), alarms,
      { actions: ['ssm:GetParametersByPath'], resources: [cataloguePathArn] },
      { actions: ['cloudwatch:ListAlarmMuteRules'], resources: [muteRulesArn], because: 'Which rule mutes an alarm is the question: none can be named beforehand.' },
      { actions: ['states:StartExecution'], resources: machineArns },
    ],
  };
}
