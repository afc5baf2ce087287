// Events that nobody handled and beginnings that nobody was told of, in the real stack: on-call hears of each loss that matters, also while an older one lies in the queue, and never of a label.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { synthesize } from '../../../lib/app.ts';
import { startSandbox, type Sandbox } from '../../../sandbox/sandbox.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'lost-events-'));
let sandbox: Sandbox;
let functionNamed: (name: string) => string;

beforeAll(async () => {
  synthesize(path.resolve(import.meta.dirname, '../../../services.yaml'), directory);
  sandbox = await startSandbox({ speed: 60, handleSignals: false });
  const made = await sandbox.deploy(directory);
  const delivery = made.byType('AWS::IAM::Role').find(({ ref }) => ref.includes('Delivery'))?.ref ?? '';
  sandbox.iam.takeAway(delivery, 'states:StartExecution');
  functionNamed = (name) => sandbox.services.functions.arnOf(`ripcord-${name}`);
}, 60_000);
afterAll(async () => {
  await sandbox.stop();
  rmSync(directory, { recursive: true });
});

const loseOne = (): void => void sandbox.services.events.put({ source: 'ripcord.release', 'detail-type': 'Release Started', detail: { service: 'checkout' } });
const lying = (queue: 'DeadLetters' | 'Unhandled'): number => {
  const { queues } = sandbox.services;
  return queues.peek(queues.names.find((name) => name.includes(queue)) ?? '').length;
};
const heard = (alarm: string): number => sandbox.inbox.filter(({ subject }) => subject === `ALARM: "ripcord-${alarm}"`).length;

/** Time enough for every alarm to ring, and for those that look at what comes in to be quiet again. */
async function twentyMinutes(): Promise<void> {
  await sandbox.services.events.settled();
  const calm = sandbox.clock.hurry(20);
  await sandbox.clock.sleep(20 * 60_000);
  calm();
}

test('a label with a typing error lands in no queue and sounds no alarm', async () => {
  const answer = await sandbox.services.functions.invoke(functionNamed('label'), { id: 'e-1', time: '2026-11-21T08:00:00Z', detail: { rollback: 'rb-1', label: 'worng', by: 'pager' } });
  expect(answer).toEqual({ payload: { refused: expect.stringContaining('right or wrong') as string }, functionError: null });
  sandbox.services.events.put({ source: 'ripcord.label', 'detail-type': 'Label', detail: { rollback: 'rb-1', label: 'worng', by: 'pager' } });
  await twentyMinutes();
  expect([lying('DeadLetters'), lying('Unhandled'), heard('dead-letters'), heard('dead-letters-more')]).toEqual([0, 0, 0, 0]);
}, 60_000);

test('on-call hears of an event that is lost while another one lies in the queue', async () => {
  loseOne();
  await twentyMinutes();
  expect([lying('DeadLetters'), heard('dead-letters'), heard('dead-letters-more')]).toEqual([1, 1, 0]);
  for (const times of [1, 2]) {
    loseOne();
    await twentyMinutes();
    expect([lying('DeadLetters'), heard('dead-letters'), heard('dead-letters-more')]).toEqual([1 + times, 1, times]);
  }
}, 60_000);

test('and of each death that the Watchdog could not close, whatever lies in the queues', async () => {
  for (const times of [1, 2]) {
    const closing = sandbox.services.functions.invokeLater(functionNamed('watchdog'), { id: 'no event of an execution' });
    const calm = sandbox.clock.hurry(20);
    await closing;
    calm();
    await twentyMinutes();
    expect([lying('Unhandled'), heard('handler-lost-watchdog')]).toEqual([times, times]);
  }
}, 60_000);

type Measured = 'announce' | 'verify';

/** One call of a function, as Lambda measures it. @param inMinutes from now. */
function called(name: Measured, errors: 0 | 1, inMinutes = 0): void {
  for (const [metric, value] of [['Invocations', 1], ['Errors', errors]] as const)
    sandbox.services.cloudwatch.record({ namespace: 'AWS/Lambda', name: metric, dimensions: { FunctionName: `ripcord-${name}` }, value, unit: 'Count', at: sandbox.clock.now() + inMinutes * 60_000 });
}

async function pass(minutes: number): Promise<void> {
  const calm = sandbox.clock.hurry(20);
  await sandbox.clock.sleep(minutes * 60_000);
  calm();
}

const rung = (): Readonly<Record<Measured, number>> => ({ announce: heard('handler-errors-announce'), verify: heard('handler-errors-verify') });

test('on-call hears within minutes that nobody could be told of a beginning or that no journey can be run, and nothing of a try that a later one mends', async () => {
  // Tries that lie minutes apart: whatever window is looked at, some moment stands between them.
  for (const name of ['announce', 'verify'] as const)
    for (const [inMinutes, errors] of [[1, 1], [2, 1], [4, 0]] as const) called(name, errors, inMinutes);
  await twentyMinutes();
  expect(rung()).toEqual({ announce: 0, verify: 0 });
  called('verify', 1);
  expect(await sandbox.services.functions.invoke(functionNamed('announce'), {})).toMatchObject({ functionError: 'Unhandled' });
  await pass(8);
  expect(rung()).toEqual({ announce: 1, verify: 0 });
  called('verify', 1);
  await pass(12);
  expect(rung()).toEqual({ announce: 1, verify: 1 });
}, 90_000);
