// Ends a rollback: seals the audit, writes the incident report, tells people, frees the lock.
import { signalsOfOthers } from '../adapters/ledger-late-signals.ts';
import { systemClock } from '../domain/clock.ts';
import type { Reported, ReportInput } from '../domain/workflow.ts';
import { read } from '../runtime/environment.ts';
import { fields, handle } from '../runtime/handle.ts';
import { factsFrom } from '../runtime/report-facts.ts';
import { endRollback, type ReportParts } from '../runtime/report.ts';
import { serviceOf } from '../runtime/report-outcome.ts';
import { auditRecord, catalogueStore, dynamoClient, ledgerTable, notices, ssmClient } from '../runtime/wiring.ts';

let parts: Omit<ReportParts, 'log'> | undefined;

function build(): Omit<ReportParts, 'log'> {
  const client = dynamoClient();
  const table = ledgerTable(client);
  return {
    audit: auditRecord(client), table, signalsOfOthers: (about) => signalsOfOthers(table, about), notices: notices(), clock: systemClock, machineArn: read('rollbackMachineArn'),
    factsOf: factsFrom(catalogueStore(ssmClient())),
  };
}

export const handler = handle<ReportInput, Reported>({
  name: 'Report',
  parse: fields<ReportInput>({ rollbackId: 'string', startedAt: 'string', plans: 'array', results: 'array' }),
  about: (input) => ({ rollbackId: input.rollbackId, service: serviceOf(input) ?? 'unknown' }),
  run: (input, log) => endRollback(input, { ...(parts ??= build()), log }),
});
