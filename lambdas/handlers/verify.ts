// Runs the journeys of a service, as evidence before a decision or as proof after it. Can change nothing but its own record.
import { readAlarms } from '../adapters/alarms.ts';
import { readCheckedEntry } from '../adapters/catalogue-checked.ts';
import { runJourneys } from '../adapters/journeys.ts';
import { renewLock } from '../adapters/ledger-lock.ts';
import { readMetrics } from '../adapters/metrics.ts';
import { Secrets } from '../adapters/secrets.ts';
import { systemClock } from '../domain/clock.ts';
import type { Verified, VerifyInput } from '../domain/workflow.ts';
import { read } from '../runtime/environment.ts';
import { fields, handle } from '../runtime/handle.ts';
import { verify, type VerifyParts } from '../runtime/verify.ts';
import { auditStore, catalogueStore, cloudWatchClient, cloudWatchClients, dynamoClient, ledgerTable, secretsManagerClient, ssmClient } from '../runtime/wiring.ts';

let parts: Omit<VerifyParts, 'log'> | undefined;

function build(): Omit<VerifyParts, 'log'> {
  const client = dynamoClient();
  const table = ledgerTable(client);
  const catalogue = catalogueStore(ssmClient());
  const sources = { cloudWatch: cloudWatchClient(), cloudWatchIn: cloudWatchClients() };
  const secrets = new Secrets(secretsManagerClient());
  return {
    audit: auditStore(client), clock: systemClock, codeVersion: read('codeVersion'),
    targetOf: async (service) => (await readCheckedEntry(catalogue, service)).service,
    runJourneys: (journeys, rollbackId) => runJourneys(journeys, { rollbackId, readSecrets: (references) => secrets.read(references) }),
    readAlarms: (alarms) => readAlarms(sources.cloudWatch, alarms),
    readMetrics: (metrics) => readMetrics(sources, metrics, systemClock.now()),
    renewLease: (hold) => renewLock(table, hold, { now: systemClock.now() }),
  };
}

export const handler = handle<VerifyInput, Verified>({
  name: 'Verify',
  parse: fields<VerifyInput>({ purpose: 'string', rollbackId: 'string', service: 'string', passes: 'number', round: 'number', live: 'array', alarmsAtStart: 'array' }),
  about: ({ rollbackId, service }) => ({ rollbackId, service }),
  run: (input, log) => verify(input, { ...(parts ??= build()), log }),
});
