// Watchdog: closes the record of a rollback whose execution failed, timed out or was aborted, frees its lock and pages.
import { signalsOfOthers } from '../adapters/ledger-late-signals.ts';
import { systemClock } from '../domain/clock.ts';
import type { Reported } from '../domain/workflow.ts';
import { read } from '../runtime/environment.ts';
import { handle } from '../runtime/handle.ts';
import type { ReportParts } from '../runtime/report.ts';
import { type DeathEvent, deathOf, endDead } from '../runtime/watchdog.ts';
import { auditRecord, dynamoClient, ledgerTable, notices } from '../runtime/wiring.ts';

let parts: Omit<ReportParts, 'log'> | undefined;

function build(): Omit<ReportParts, 'log'> {
  const client = dynamoClient();
  const table = ledgerTable(client);
  return {
    audit: auditRecord(client), table, signalsOfOthers: (about) => signalsOfOthers(table, about), notices: notices(), clock: systemClock, machineArn: read('rollbackMachineArn'),
    // The dead are closed with what the ledger and the audit know; the catalogue may be what killed them.
    factsOf: async () => null,
  };
}

export const handler = handle<DeathEvent, Reported>({
  name: 'Watchdog',
  parse: deathOf,
  about: ({ detail }) => ({ rollbackId: detail.name, service: 'unknown' }),
  run: (event, log) => endDead(event, { ...(parts ??= build()), log }),
});
