// Plays services whose first calls AWS refuses, and measures how long each call and step waits: a storm itself may leave too few of them to judge.
import { startSandbox, type Sandbox } from '../sandbox.ts';
import { StormCounts } from './storm-counts.ts';
import { deployStorm, type StormOptions } from './storm.ts';
import { hotTries } from './storm-tries.ts';
import { startHealthy } from './storm-world.ts';

export interface RefusedOptions extends Pick<StormOptions, 'directory' | 'synthesize' | 'release'> {
  /** Each has one alarm that fires once. */
  readonly services: number;
}

export interface RefusedResult {
  readonly counts: StormCounts;
  readonly wallSeconds: number;
}

/** Of each service: three tries of one call, in the first two tries of the step. */
const refusals = 6;
/** Function processes: more than there are cores, as all they do is wait. */
const processes = 20;

/** Services enough that each kind of wait comes more often than it has to be for a judgement. */
export const refusedServices = 70;

export async function playRefused(options: RefusedOptions): Promise<RefusedResult> {
  const { server, port } = await startHealthy();
  const sandbox = await startSandbox({ speed: 60, handleSignals: false, processes, graceMs: 30_000 });
  try {
    return await play(sandbox, port, options);
  } finally {
    await sandbox.stop();
    server.close();
  }
}

async function play(sandbox: Sandbox, port: number, options: RefusedOptions): Promise<RefusedResult> {
  const { services, view } = await deployStorm(sandbox, port, options);
  const counts = new StormCounts(sandbox, services, view.names.rollbackMachineArn);
  refuseCatalogue(sandbox);
  const began = performance.now();
  const { cloudwatch, states, events } = sandbox.services;
  for (const { alarm } of services) cloudwatch.setAlarmState(alarm, 'ALARM', 'it fires');
  // Whoever is let through at last finds nothing to do.
  for (const { alarm } of services) cloudwatch.setAlarmState(alarm, 'OK', 'it is over');
  await events.settled();
  while (states.executions(view.names.rollbackMachineArn).some(({ status }) => status === 'RUNNING')) await sandbox.clock.sleep(1000);
  return { counts, wallSeconds: (performance.now() - began) / 1000 };
}

/** As if somebody else in the account used its quota up. */
function refuseCatalogue({ faults }: Sandbox): void {
  const asked = new Map<string, number>();
  faults.add({
    name: 'the quota is used up', service: 'ssm', operation: 'GetParameter', effect: { kind: 'throttle' },
    when: ({ input }) => {
      const { Name } = input as { readonly Name: string };
      asked.set(Name, (asked.get(Name) ?? 0) + 1);
      return (asked.get(Name) ?? 0) <= refusals;
    },
  });
}

/** What did not hold, or could not be judged. */
export function brokenWaits({ counts: { ended, outcomes, callTries, stepTries } }: RefusedResult, services: number): string[] {
  const strange = [...outcomes].filter(([outcome]) => outcome !== 'left');
  return [
    ...(ended === services ? [] : [`${services} alarms fired, ${ended} runs ended`]),
    ...(strange.length === 0 ? [] : [`runs ended otherwise: ${strange.map(([outcome, count]) => `${outcome} ${count}`).join(', ')}`]),
    ...hotTries(callTries, stepTries), ...callTries.waits.problems('calls'), ...callTries.waits.unjudged('calls'), ...stepTries.waits.unjudged('steps'),
  ];
}
