// Asks a person whether to roll back, and leaves the task token in the ledger for the answer.
import { Approvals } from '../adapters/approvals.ts';
import { readApprovalUrl } from '../adapters/approvals-url.ts';
import { systemClock } from '../domain/clock.ts';
import type { ApproveInput } from '../domain/workflow.ts';
import { approve, type ApproveParts } from '../runtime/approve.ts';
import { read } from '../runtime/environment.ts';
import { fields, handle } from '../runtime/handle.ts';
import { factsFrom } from '../runtime/report-facts.ts';
import { auditStore, catalogueStore, dynamoClient, ledgerTable, notices, sfnClient, ssmClient } from '../runtime/wiring.ts';

let parts: Omit<ApproveParts, 'log'> | undefined;

function build(): Omit<ApproveParts, 'log'> {
  const client = dynamoClient();
  const ssm = ssmClient();
  return {
    audit: auditStore(client), table: ledgerTable(client), notices: notices(), approvals: new Approvals(sfnClient()), clock: systemClock,
    machineArn: read('rollbackMachineArn'), factsOf: factsFrom(catalogueStore(ssm)),
    answerUrl: () => readApprovalUrl(ssm, read('approvalUrlParameter')),
  };
}

export const handler = handle<ApproveInput, Awaited<ReturnType<typeof approve>>>({
  name: 'Approve',
  parse: fields<ApproveInput>({ taskToken: 'string', assessment: 'object', plans: 'array' }),
  about: ({ assessment: { rollbackId, service } }) => ({ rollbackId, service }),
  run: (input, log) => approve(input, { ...(parts ??= build()), log }),
});
