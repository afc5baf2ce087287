// What a run of workflows cost: its transitions, invocations and calls as the sandbox recorded them, times the list prices.
import type { CallRecord } from '../aws/world.ts';
import type { Sandbox } from '../sandbox.ts';
import type { Execution } from '../services/states/execution.ts';
import type { HistoryEvent } from '../services/states/history.ts';
import { prices } from './prices.ts';

export interface Cost {
  readonly transitions: number;
  readonly invocations: number;
  /** AWS calls that the invoked functions made. */
  readonly calls: number;
  /** US dollars. */
  readonly dollars: number;
}

interface Invocation {
  readonly roleArn: string;
  readonly gigabytes: number;
  readonly from: number;
  readonly to: number;
}

/** Everything these executions did together. Durations are those of this machine, cold starts included. */
export function costOf(sandbox: Sandbox, executions: readonly Execution[]): Cost {
  const events = executions.flatMap(({ history }) => [history.events]);
  const transitions = events.reduce((sum, one) => sum + transitionsIn(one), 0);
  const invocations = events.flatMap((one) => invocationsIn(sandbox, one));
  const calls = sandbox.calls.list({ where: (call) => invocations.some((invocation) => madeBy(invocation, call)) });
  const time = invocations.reduce((sum, { gigabytes, from, to }) => sum + (gigabytes * (to - from)) / 1000, 0);
  const dollars = transitions * prices.stateTransition + invocations.length * prices.lambdaRequest + time * prices.lambdaGigabyteSecond
    + calls.reduce((sum, call) => sum + priceOf(call), 0);
  return { transitions, invocations: invocations.length, calls: calls.length, dollars };
}

/** The Watches of one release and the rollbacks about it, in dollars; null where nothing was released or rolled back. */
export interface RunCosts {
  readonly watch: (Cost & { readonly minutes: number }) | null;
  readonly rollback: Cost | null;
}

/** @param machines ARNs of the two state machines. The release that was watched most counts: a rollback's own deployment is heard of too. */
export function runCosts(sandbox: Sandbox, machines: { readonly watchMachineArn: string; readonly rollbackMachineArn: string }): RunCosts {
  const { states } = sandbox.services;
  const watches = states.executions(machines.watchMachineArn);
  const releaseOf = ({ input }: Execution): string => {
    const { detail = {} } = (JSON.parse(input) as { readonly event?: { readonly detail?: { readonly releaseId?: string; readonly deploymentId?: string } } }).event ?? {};
    return detail.releaseId ?? detail.deploymentId ?? '';
  };
  const groups = [...new Set(watches.map(releaseOf))].map((release) => watches.filter((one) => releaseOf(one) === release));
  const lengthOf = (group: readonly Execution[]): number => group.reduce((sum, { history }) => sum + history.events.length, 0);
  const own = groups.toSorted((a, b) => lengthOf(b) - lengthOf(a))[0] ?? [];
  const rollbacks = states.executions(machines.rollbackMachineArn);
  const from = Math.min(...own.map(({ startedAt }) => startedAt.getTime()));
  const to = Math.max(...own.map(({ stoppedAt, startedAt }) => (stoppedAt ?? startedAt).getTime()));
  return {
    watch: own.length === 0 ? null : { ...costOf(sandbox, own), minutes: Math.round((to - from) / 60_000) },
    rollback: rollbacks.length === 0 ? null : costOf(sandbox, rollbacks),
  };
}

/** Each state that is entered, and each time that a task is tried again. */
function transitionsIn(events: readonly HistoryEvent[]): number {
  const entered = events.filter(({ type }) => type.endsWith('StateEntered'));
  const tries = events.filter(({ type }) => type === 'TaskScheduled').length - entered.filter(({ type }) => type === 'TaskStateEntered').length;
  return entered.length + Math.max(0, tries);
}

/** A task is one line of events: scheduled, started, then how it ended; one that waits for a token has had its function when it is submitted. */
function invocationsIn(sandbox: Sandbox, events: readonly HistoryEvent[]): Invocation[] {
  return events.flatMap((event): Invocation[] => {
    const details = event['taskScheduledEventDetails'] as { readonly resourceType: string; readonly parameters: string } | undefined;
    if (event.type !== 'TaskScheduled' || details?.resourceType !== 'lambda') return [];
    const started = events.find(({ type, previousEventId }) => type === 'TaskStarted' && previousEventId === event.id);
    const ended = started === undefined ? undefined : events.find(({ type, previousEventId }) => /^Task(Submitted|Succeeded|Failed|TimedOut)$/.test(type) && previousEventId === started.id);
    const { spec } = sandbox.services.functions.find((JSON.parse(details.parameters) as { readonly FunctionName: string }).FunctionName);
    const from = event.timestamp.getTime();
    return [{ roleArn: spec.roleArn, gigabytes: spec.memoryMb / 1024, from, to: ended?.timestamp.getTime() ?? from }];
  });
}

const madeBy = ({ roleArn, from, to }: Invocation, { caller, startedAt }: CallRecord): boolean =>
  caller.kind === 'role' && roleArn.endsWith(`/${caller.roleName}`) && startedAt >= from && startedAt <= to;

const sizeOf = (value: unknown): number => JSON.stringify(value ?? {}).length;
const unitsOf = (value: unknown, bytes: number): number => Math.max(1, Math.ceil(sizeOf(value) / bytes));

/** What one call costs by itself; most cost nothing. */
function priceOf({ service, operation, input, output }: CallRecord): number {
  const asked = input as { readonly TransactItems?: readonly unknown[]; readonly MetricDataQueries?: readonly { readonly MetricStat?: unknown }[]; readonly Entries?: readonly unknown[] };
  // Each item of a transaction is prepared and then written.
  if (operation === 'TransactWriteItems') return (asked.TransactItems ?? []).reduce<number>((sum, item) => sum + 2 * unitsOf(item, 1024), 0) * prices.dynamoWriteUnit;
  if (service === 'dynamodb') return /^(PutItem|UpdateItem)$/.test(operation) ? unitsOf(input, 1024) * prices.dynamoWriteUnit : unitsOf(output, 4096) * prices.dynamoReadUnit;
  if (operation === 'GetMetricData') return (asked.MetricDataQueries ?? []).filter(({ MetricStat }) => MetricStat !== undefined).length * prices.metricRequested;
  return operation === 'PutEvents' ? (asked.Entries ?? []).length * prices.customEvent : 0;
}
