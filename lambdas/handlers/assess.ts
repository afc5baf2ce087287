// Assess: admits an event, reads every signal again, gives a verdict with reasons.
import { systemClock } from '../domain/clock.ts';
import type { Assessment, AssessInput } from '../domain/workflow.ts';
import { type AssessParts, assess } from '../runtime/assess.ts';
import { read } from '../runtime/environment.ts';
import { fields, handle } from '../runtime/handle.ts';
import { auditStore, catalogueStore, cloudWatchClient, cloudWatchClients, codeDeployClient, dynamoClient, ledgerTable, ssmClient } from '../runtime/wiring.ts';

let parts: AssessParts | undefined;

function build(): AssessParts {
  const dynamo = dynamoClient();
  return {
    catalogue: catalogueStore(ssmClient()),
    table: ledgerTable(dynamo),
    audit: auditStore(dynamo),
    cloudWatch: cloudWatchClient(),
    cloudWatchIn: cloudWatchClients(),
    codeDeploy: codeDeployClient(),
    storm: { services: Number(read('stormServices')), minutes: Number(read('stormMinutes')), unrelated: Number(read('stormUnrelated')) },
    clock: systemClock,
    codeVersion: read('codeVersion'),
  };
}

const about = (input: AssessInput) => {
  const service = (input.input as { service?: unknown } | null)?.service;
  return { rollbackId: input.rollbackId, service: typeof service === 'string' ? service.slice(0, 40) : 'unknown' };
};

export const handler = handle<AssessInput, Assessment>({
  name: 'Assess',
  parse: fields<AssessInput>({ rollbackId: 'string', startedAt: 'string', look: 'number' }),
  about,
  run: (input, log) => assess(input, (parts ??= build()), log),
});
