// Executions that die, a Report that cannot be made, an event that cannot be delivered: nothing ends silently, nothing keeps the lock.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RollbackRun } from '../../sandbox/scenarios/scenario.ts';
import { Rig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start({ services: { stopped: {}, slow: {}, mute: {}, deaf: {} } });
  await rig.release(['stopped', 'slow', 'mute']);
});
afterAll(() => rig.stop());

const pagesAbout = (rollbackId: string): readonly string[] =>
  rig.messages(rollbackId).filter(({ topic, subject }) => topic === 'on-call' && subject.startsWith('PAGE ')).map(({ subject }) => subject);

async function verify(rollbackId: string): Promise<string> {
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent', AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL: rig.sandbox.endpoint, AWS_ACCESS_KEY_ID: 'me', AWS_SECRET_ACCESS_KEY: 'anything' };
  const bin = new URL('../../bin/ripcord.mjs', import.meta.url).pathname;
  return (await promisify(execFile)(process.execPath, [bin, 'audit', 'verify', rollbackId, '--table', rig.ripcord.names.auditTable, '--ledger', rig.ledgerTable], { env })).stdout;
}

/** What has to be true of a rollback that the Watchdog closed. */
async function closed(service: string, run: RollbackRun): Promise<void> {
  await rig.until('the Watchdog has freed the lock', async () => (await rig.lockOwner(service)) === null && pagesAbout(run.rollbackId).length > 0);
  const kinds = await rig.kinds(run.rollbackId);
  expect(kinds.slice(-2)).toEqual(['reported', 'sealed']);
  expect(kinds.filter((kind) => kind === 'sealed')).toHaveLength(1);
  expect(await verify(run.rollbackId)).toMatch(/^Intact: .* rows, last hash [0-9a-f]{64}\nNo labels\. .*\n$/);
  // Nothing comes later either: another event, a retry of the Watchdog.
  await rig.sandbox.clock.sleep(10 * 60_000);
  expect(pagesAbout(run.rollbackId)).toHaveLength(1);
}

const runOf = async (service: string): Promise<RollbackRun> => {
  await rig.until(`${service} has changed its target`, () => rig.changes(service).length > 0);
  const owner = await rig.lockOwner(service);
  const run = rig.ripcord.rollbacks().find(({ rollbackId }) => rollbackId === owner);
  if (run === undefined) throw new Error(`nobody has the lock of ${service}`);
  return run;
};

test('a person stops the execution halfway', async () => {
  rig.fire('stopped');
  const run = await runOf('stopped');
  await rig.until('the change is on record', async () => (await rig.kinds(run.rollbackId)).includes('change-made'));
  rig.sandbox.services.states.execution(run.executionArn).stop('Mistake', 'a person pressed stop');
  await closed('stopped', run);
  expect((await rig.endOf(run)).status).toBe('ABORTED');
  expect(pagesAbout(run.rollbackId)).toEqual([expect.stringContaining('ended from outside (ABORTED)') as string]);
  const report = (await rig.audit(run.rollbackId)).find(({ kind }) => kind === 'reported')?.data['markdown'];
  expect(report).toContain('blue 0 → 100, green 100 → 0');
});

test('the execution runs out of time', async () => {
  const { states } = rig.sandbox.services;
  const machine = states.machine(rig.ripcord.names.rollbackMachineArn);
  const definition = JSON.parse(machine.definitionText) as Record<string, unknown>;
  states.create({ name: machine.name, roleArn: machine.roleArn, definition: JSON.stringify({ ...definition, TimeoutSeconds: 300 }) });
  rig.fire('slow');
  const run = await runOf('slow');
  // The alarms fire on, so that the proof does not come before the end.
  rig.fire('slow');
  expect((await rig.endOf(run)).status).toBe('TIMED_OUT');
  await closed('slow', run);
  expect(pagesAbout(run.rollbackId)).toEqual([expect.stringContaining('ended from outside (TIMED_OUT)') as string]);
  states.create({ name: machine.name, roleArn: machine.roleArn, definition: machine.definitionText });
});

test('Report may not write any more', async () => {
  const giveBack = rig.sandbox.iam.takeAway(rig.roleOf('report'), 'dynamodb:PutItem');
  rig.fire('mute');
  const run = await runOf('mute');
  expect((await rig.endOf(run)).status).toBe('FAILED');
  await closed('mute', run);
  expect(pagesAbout(run.rollbackId)).toEqual([expect.stringContaining('ended from outside (FAILED)') as string]);
  giveBack();
});

test('an event that cannot be delivered ends in the dead-letter queue, and its alarm fires', async () => {
  const delivery = rig.deployed.byType('AWS::IAM::Role').find(({ ref }) => ref.includes('Delivery'))?.ref ?? '';
  const giveBack = rig.sandbox.iam.takeAway(delivery, 'states:StartExecution');
  const before = rig.ripcord.rollbacks().length;
  rig.fire('deaf', 1);
  const { queues } = rig.sandbox.services;
  const dead = queues.names.find((name) => name.includes('DeadLetters')) ?? '';
  await rig.until('the event is parked', () => queues.peek(dead).length > 0);
  const [letter] = queues.peek(dead);
  expect(JSON.parse(letter?.body ?? '{}')).toMatchObject({ source: 'aws.cloudwatch', detail: { alarmName: 'deaf-errors' } });
  expect(letter?.attributes['ERROR_CODE']).toMatchObject({ stringValue: 'NO_PERMISSIONS' });
  expect(rig.ripcord.rollbacks()).toHaveLength(before);
  await rig.until('the alarm fires', () => rig.sandbox.services.cloudwatch.alarmState('ripcord-dead-letters') === 'ALARM');
  await rig.until('on-call hears of it', () => rig.ripcord.messages().some(({ topic, subject }) => topic === 'on-call' && subject.includes('ripcord-dead-letters')));
  giveBack();
});
