// Ripcord as seen from outside: its executions, its audit, its messages, and what its roles changed.
import type { Deployed } from '../deploy/deployer.ts';
import type { Sandbox } from '../sandbox.ts';
import type { AuditRow, RollbackRun, SentMessage } from '../scenarios/scenario.ts';

/** Where the deployed stack put what a scenario looks at, from the stack's outputs. */
export interface RipcordNames {
  readonly rollbackMachineArn: string;
  readonly watchMachineArn: string;
  readonly auditTable: string;
  readonly onCallTopicArn: string;
  readonly stakeholderTopicArn: string;
  readonly operatorPolicyArn: string;
}

/** One row of the audit table, attribute by attribute. */
export interface StoredRow extends Omit<AuditRow, 'data'> {
  readonly rollbackId: string;
  readonly service: string;
  readonly data: string;
  readonly previousHash: string;
  readonly hash: string;
}

export interface AuditRecord {
  readonly rollbackId: string;
  readonly rows: readonly StoredRow[];
}

const outputNames: Readonly<Record<keyof RipcordNames, RegExp>> = {
  rollbackMachineArn: /RollbackStateMachine/,
  watchMachineArn: /WatchStateMachine/,
  auditTable: /AuditTable/,
  onCallTopicArn: /OnCallTopic/,
  stakeholderTopicArn: /StakeholderTopic/,
  operatorPolicyArn: /OperatorPolicy/,
};

/** @throws Error naming the output that the deployed stack lacks. */
export function namesOf(deployed: Deployed): RipcordNames {
  const outputs = Object.entries(deployed.outputs);
  const found = Object.entries(outputNames).map(([name, pattern]) => {
    const output = outputs.find(([key]) => pattern.test(key));
    if (output === undefined) throw new Error(`the stack has no output like ${pattern.source}; it has ${outputs.map(([key]) => key).join(', ')}`);
    return [name, output[1]];
  });
  return Object.fromEntries(found) as RipcordNames;
}

const endOf = (output: string | null): { readonly outcome?: string; readonly headline?: string } => (output === null ? {} : (JSON.parse(output) as { outcome?: string; headline?: string }));

export class RipcordView {
  readonly names: RipcordNames;
  readonly #sandbox: Sandbox;

  constructor(sandbox: Sandbox, names: RipcordNames) {
    this.#sandbox = sandbox;
    this.names = names;
  }

  /** Oldest first. */
  rollbacks(): readonly RollbackRun[] {
    return this.#sandbox.services.states.executions(this.names.rollbackMachineArn).toReversed().map((execution) => ({
      rollbackId: execution.name,
      executionArn: execution.arn,
      status: execution.status,
      startedAt: execution.startedAt.getTime(),
      stoppedAt: execution.stoppedAt?.getTime() ?? null,
      input: JSON.parse(execution.input) as unknown,
      outcome: endOf(execution.output).outcome ?? execution.error ?? (execution.status === 'RUNNING' ? null : execution.status),
      headline: endOf(execution.output).headline ?? execution.cause ?? '',
    }));
  }

  async audit(rollbackId: string): Promise<readonly AuditRow[]> {
    const { rows } = await this.record(rollbackId);
    return rows.map(({ seq, at, kind, data }) => ({ seq, at, kind, data: JSON.parse(data) as Record<string, unknown> }));
  }

  /** The rows as they are stored, in order: what an export of the audit holds. */
  async record(rollbackId: string): Promise<AuditRecord> {
    return (await this.records()).find((one) => one.rollbackId === rollbackId) ?? { rollbackId, rows: [] };
  }

  /** All that were ever begun. */
  async records(): Promise<readonly AuditRecord[]> {
    const items = await this.#sandbox.services.dynamodb.items(this.names.auditTable);
    const rows = items.map((item): StoredRow => {
      const text = (name: string): string => item[name]?.S ?? '';
      return {
        rollbackId: text('rollbackId'), seq: Number(item['seq']?.N), at: text('at'), kind: text('kind'), service: text('service'), data: text('data'),
        previousHash: text('previousHash'), hash: text('hash'),
      };
    });
    const ids = [...new Set(rows.map(({ rollbackId }) => rollbackId))];
    return ids.map((rollbackId) => ({ rollbackId, rows: rows.filter((row) => row.rollbackId === rollbackId).toSorted((a, b) => a.seq - b.seq) }));
  }

  messages(): readonly SentMessage[] {
    const topicOf = (arn: string): SentMessage['topic'] => (arn === this.names.onCallTopicArn ? 'on-call' : 'stakeholders');
    return this.#sandbox.inbox.map(({ topicArn, subject, message, at }) => ({ topic: topicOf(topicArn), subject: subject ?? '', text: message, at }));
  }

  /** Calls of strategy roles that changed the workload, in order, with the sandbox time of each. */
  changes(): readonly { readonly call: string; readonly at: number }[] {
    const own = new Set(['dynamodb', 'sns', 'sqs', 'events', 'states', 'ssm', 'lambda']);
    return this.#sandbox.calls
      .list({ mutating: true, where: ({ caller, status, service }) => caller.kind === 'role' && status < 300 && !own.has(service) })
      .map(({ service, operation, startedAt }) => ({ call: `${service}:${operation}`, at: startedAt }));
  }
}
