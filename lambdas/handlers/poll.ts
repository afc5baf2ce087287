// Poll: every few minutes, looks for releases and alarms whose events were lost.
import { systemClock } from '../domain/clock.ts';
import { read } from '../runtime/environment.ts';
import { handle } from '../runtime/handle.ts';
import { type PollParts, type PollSummary, poll } from '../runtime/poll.ts';
import { catalogueStore, cloudWatchClient, codeDeployClient, dynamoClient, ecsClient, lambdaClient, ledgerTable, sfnClient, ssmClient } from '../runtime/wiring.ts';

let parts: PollParts | undefined;

const build = (): PollParts => ({
  catalogue: catalogueStore(ssmClient()),
  table: ledgerTable(dynamoClient()),
  cloudWatch: cloudWatchClient(),
  codeDeploy: codeDeployClient(),
  ecs: ecsClient(),
  lambda: lambdaClient(),
  stepFunctions: sfnClient(),
  machines: { watch: read('watchMachineArn'), rollback: read('rollbackMachineArn') },
  clock: systemClock,
});

export const handler = handle<unknown, PollSummary>({
  name: 'Poll',
  parse: (event) => event,
  about: () => ({ rollbackId: 'poll', service: 'every' }),
  run: (_event, log) => poll((parts ??= build()), log),
});
