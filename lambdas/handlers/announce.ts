// Tells people that a rollback began, or that the next way back is being tried.
import { systemClock } from '../domain/clock.ts';
import type { AnnounceInput } from '../domain/workflow.ts';
import { announce, type AnnounceParts } from '../runtime/announce.ts';
import { read } from '../runtime/environment.ts';
import { fields, handle } from '../runtime/handle.ts';
import { factsFrom } from '../runtime/report-facts.ts';
import { auditRecord, catalogueStore, dynamoClient, ledgerTable, notices, ssmClient } from '../runtime/wiring.ts';

let parts: Omit<AnnounceParts, 'log'> | undefined;

function build(): Omit<AnnounceParts, 'log'> {
  const client = dynamoClient();
  return {
    audit: auditRecord(client), table: ledgerTable(client), notices: notices(), clock: systemClock, machineArn: read('rollbackMachineArn'),
    factsOf: factsFrom(catalogueStore(ssmClient())),
  };
}

export const handler = handle<AnnounceInput, { readonly sent: boolean }>({
  name: 'Announce',
  parse: fields<AnnounceInput>({ assessment: 'object', rung: 'number' }),
  about: ({ assessment: { rollbackId, service } }) => ({ rollbackId, service }),
  run: (input, log) => announce(input, { ...(parts ??= build()), log }),
});
