// From the event to the first change: two Lambda calls, and at most seven AWS calls in sequence, for every strategy.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CallRecord } from '../../sandbox/aws/world.ts';
import type { ServiceDocument } from '../../sandbox/scenarios/scenario.ts';
import { Rig } from './rig.ts';
import { albTarget, aliasTarget, dnsTarget, flagTarget, lambdaTarget, tasksTarget } from './small-services.ts';

// One alarm is enough here, so that one run begins, and every call since belongs to it.
const changes = (name: string): ServiceDocument => ({ signals: { alarms: [{ name: `${name}-errors` }], minimum: 1, holdSeconds: 240, traffic: { none: 'nobody sends it requests here' } } });
const dependent: ServiceDocument = { dependencies: ['shop', { service: 'zone', critical: false }] };
const services = {
  shop: { changes: changes('shop'), target: albTarget, change: 'ModifyListener', strategy: 'alb-weights' },
  zone: { changes: changes('zone'), target: dnsTarget, change: 'ChangeResourceRecordSets', strategy: 'route53-weights' },
  alias: { changes: changes('alias'), target: lambdaTarget('finished'), change: 'CreateDeployment', strategy: 'codedeploy' },
  // Reads what it depends on too, beside everything else.
  shifting: { changes: { ...changes('shifting'), ...dependent }, target: lambdaTarget('in-progress'), change: 'StopDeployment', strategy: 'codedeploy' },
  flag: { changes: changes('flag'), target: flagTarget(), change: 'PutParameter', strategy: 'ssm-parameter' },
  mailer: { changes: changes('mailer'), target: aliasTarget, change: 'UpdateAlias', strategy: 'lambda-alias' },
  tasks: { changes: changes('tasks'), target: tasksTarget, change: 'UpdateService', strategy: 'ecs-service' },
} as const;

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start({ services });
  // With this release done and baked, the ledger knows a good version of the alias.
  await rig.release(['alias']);
  await rig.release();
  // Each call takes a while, as on AWS, so that calls side by side are seen side by side.
  rig.sandbox.faults.add({ name: 'latency', when: ({ caller }) => caller.kind === 'role', effect: { kind: 'before', run: () => new Promise((resolve) => setTimeout(resolve, 150)) } });
});
afterAll(() => rig.stop());

/** The longest row of calls up to this one of which each began after the one before it had ended. */
function longestChain(calls: readonly CallRecord[], to: CallRecord): readonly CallRecord[] {
  const best = new Map<CallRecord, readonly CallRecord[]>();
  for (const call of calls.toSorted((one, other) => one.endedAt - other.endedAt)) {
    const before = [...best.entries()].filter(([{ endedAt }]) => endedAt <= call.startedAt).map(([, chain]) => chain);
    best.set(call, [...(before.toSorted((one, other) => other.length - one.length)[0] ?? []), call]);
  }
  return best.get(to) ?? [];
}

test.each(Object.entries(services))('%s: two functions and at most seven calls in sequence', async (name, { change, strategy }) => {
  const { last } = rig.sandbox.calls;
  rig.fire(name, 1);
  const run = await rig.ended(name);
  expect(run.outcome, run.headline).toBe('recovered');
  const changed = rig.sandbox.calls.list({ operation: change, after: last })[0];
  if (changed === undefined) throw new Error(`${change} was not called`);
  const acting = rig.sandbox.services.states.execution(run.executionArn);
  const invoked = acting.history.events.filter(({ type, timestamp }) => type === 'TaskScheduled' && timestamp.getTime() <= changed.endedAt).map((event) => JSON.stringify(event));
  const functionsSoFar = invoked.map((text) => /function:ripcord-([a-z0-9-]+)/.exec(text)?.[1]).filter((one) => one !== 'announce');
  expect(functionsSoFar).toEqual(['assess', `strategy-${strategy}`]);
  const roles = [rig.roleOf('assess'), rig.roleOf(`strategy-${strategy}`)];
  const calls = rig.sandbox.calls.list({ after: last, where: ({ caller, endedAt }) => caller.kind === 'role' && roles.includes(caller.roleName) && endedAt <= changed.endedAt });
  const chain = longestChain(calls, changed).map(({ service, operation }) => `${service}:${operation}`);
  expect(chain.length).toBeGreaterThan(1);
  expect(chain.length, chain.join(' → ')).toBeLessThanOrEqual(7);
});

test('no role was refused anything', () => {
  expect(rig.denials()).toEqual([]);
  expect(rig.sandbox.breaches).toEqual([]);
});
