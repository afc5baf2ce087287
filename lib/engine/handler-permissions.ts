// What each handler may do beyond its own logs: the table of docs/architecture.md as IAM statements.
import type { Statement } from '../../lambdas/strategies/strategy.ts';
import type { HandlerName } from './handler-timeouts.ts';

export interface HandlerResources {
  readonly ledger: Statement;
  /** Sending messages: topics, their key, the event bus. */
  readonly send: readonly Statement[];
  /** ARN of every catalogue entry, ending in a wildcard. */
  readonly catalogueArn: string;
  readonly approvalUrlArn: string;
}

/** Handlers that write rows of the audit. */
export const auditWriters: readonly HandlerName[] = ['assess', 'verify', 'approve', 'answer', 'announce', 'report', 'watchdog'];

export function handlerPermissions({ ledger, send, catalogueArn, approvalUrlArn }: HandlerResources): Readonly<Record<HandlerName, readonly Statement[]>> {
  const catalogue: Statement = {
    actions: ['ssm:GetParameter'], resources: [catalogueArn],
    because: 'One engine serves every service of the account; each has its own catalogue entry.',
  };
  const alarms: Statement = {
    actions: ['cloudwatch:DescribeAlarms'], resources: ['*'],
    because: 'Composite alarms can be described only on all resources.',
  };
  const metrics: Statement = {
    actions: ['cloudwatch:GetMetricData'], resources: ['*'],
    because: 'GetMetricData has no resource-level permissions.',
  };
  const answerTask: Statement = {
    actions: ['states:SendTaskSuccess'], resources: ['*'],
    because: 'Answers to task tokens have no resource-level permissions; the token itself is the secret.',
  };
  return {
    assess: [ledger, catalogue, alarms, metrics],
    verify: [ledger, catalogue, alarms, metrics],
    approve: [ledger, catalogue, ...send, { actions: ['ssm:GetParameter'], resources: [approvalUrlArn] }],
    answer: [ledger, answerTask],
    announce: [ledger, catalogue, ...send],
    report: [ledger, catalogue, metrics, ...send],
    watch: [ledger, catalogue, alarms],
    watchdog: [ledger, ...send],
  };
}
