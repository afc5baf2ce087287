// Watch: records releases, looks at each through its bake, and marks versions known good.
import { systemClock } from '../domain/clock.ts';
import type { WatchInput, Watching, WatchLooked } from '../domain/workflow.ts';
import { read } from '../runtime/environment.ts';
import { fields, handle } from '../runtime/handle.ts';
import { type WatchParts, watch } from '../runtime/watch.ts';
import { auditStore, catalogueStore, cloudWatchClient, cloudWatchClients, codeDeployClient, dynamoClient, ecsClient, ledgerTable, ssmClient } from '../runtime/wiring.ts';

let parts: WatchParts | undefined;

const build = (dynamo = dynamoClient()): WatchParts => ({
  catalogue: catalogueStore(ssmClient()),
  table: ledgerTable(dynamo),
  audit: auditStore(dynamo),
  cloudWatch: cloudWatchClient(),
  cloudWatchIn: cloudWatchClients(),
  codeDeploy: codeDeployClient(),
  ecs: ecsClient(),
  codeVersion: read('codeVersion'),
  clock: systemClock,
});

export const handler = handle<WatchInput, Watching | WatchLooked>({
  name: 'Watch',
  parse: fields<WatchInput>({ verb: 'string', watchId: 'string' }),
  about: (input) => ({ rollbackId: input.watchId, service: 'watch' in input ? input.watch.service : 'unknown' }),
  run: async (input, log) => {
    const answer = await watch(input, (parts ??= build()));
    const reasons = 'answer' in answer ? answer.reasons : [answer.reason];
    log.info(`${input.verb}: ${'answer' in answer ? answer.answer : answer.kind}`, { reasons: reasons.map((reason) => reason?.text) });
    return answer;
  },
});
