// Before the exploration: one assembly for all scenarios, and each scenario's release played once under Ripcord's own Watch.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import type { JsonValue } from '../scenarios/scenario.ts';
import { journeySecret, scenarios, serviceOf, type BaseScenario } from './scenarios.ts';
import { approverArn, ExploredWorld, type Grounds, type Prepared } from './world.ts';

const minute = 60_000;

/** Writes the services of all scenarios and synthesizes them. @returns the assembly's folder. */
export async function makeAssembly(directory: string, grounds: Omit<Grounds, 'assembly'>, synthesize: (config: string, out: string) => void): Promise<string> {
  await mkdir(directory, { recursive: true });
  const documents: Record<string, JsonValue> = {};
  for (const scenario of scenarios) {
    const world = await ExploredWorld.start(scenario, grounds);
    documents[scenario.name] = serviceOf(scenario, world.targets, { port: grounds.port, secretArn: world.sandbox.services.secrets.arn(journeySecret) });
    await world.stop();
  }
  const config = path.join(directory, 'services.yaml');
  await writeFile(config, stringify({ engine: { approvers: [approverArn], storm: { services: 100, minutes: 10 } }, services: documents }));
  const assembly = path.join(directory, 'cdk.out');
  synthesize(config, assembly);
  return assembly;
}

/** Plays the release of a scenario, watched by Ripcord, and takes down what its ledger holds then. */
export async function prepare(scenario: BaseScenario, grounds: Grounds): Promise<Prepared> {
  const world = await ExploredWorld.start(scenario, grounds);
  try {
    await world.deploy(grounds.assembly);
    const beganAt = world.sandbox.clock.now();
    for (const target of Object.values(world.targets)) target.firstRelease?.();
    await world.sleep(2 * minute);
    await world.until('the Watch of the good release is over', () => watches(world).every(({ status }) => status !== 'RUNNING'));
    await world.sleep(2 * minute);
    const announces = Object.values(world.targets).some((target) => target.announces);
    const earlier = watches(world).length;
    if (announces) announce(world, 'Release Started');
    if (announces) await world.until('the Watch has seen the state before', () => watches(world).some(({ history }) => history.events.some(({ type }) => type === 'WaitStateEntered')));
    const releasedAt = world.sandbox.clock.now();
    for (const target of Object.values(world.targets)) target.release();
    if (announces) announce(world, 'Release Finished');
    await world.until('each Watch is over, or waits for a deployment', () => watches(world).length > earlier + (announces ? 1 : 0) && watches(world).every((one) => one.status !== 'RUNNING' || isShifting(world)));
    if (isShifting(world)) await world.until('the Watch waits', () => watches(world).every(({ status, history }) => status !== 'RUNNING' || history.events.some(({ type }) => type === 'WaitStateEntered')));
    return { scenario: scenario.name, beganAt, releasedAt, readyAt: world.sandbox.clock.now() + minute, ledger: await world.ledger(), madeUpIds: Object.values(world.targets).flatMap((target) => target.madeUpIds()) };
  } finally {
    await world.stop();
  }
}

const watches = (world: ExploredWorld) => world.sandbox.services.states.executions(world.ripcord.names.watchMachineArn);
const isShifting = (world: ExploredWorld): boolean => Object.values(world.targets).some((target) => !target.announces && target.live() === 'shifting');

function announce(world: ExploredWorld, type: 'Release Started' | 'Release Finished'): void {
  const { name } = world.scenario;
  world.sandbox.services.events.put({ source: 'ripcord.release', 'detail-type': type, detail: { service: name, releaseId: `${name}-2`, version: '2.0.0', previousVersion: '1.0.0', actor: 'pipeline' } });
}
