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
  expect([lying('DeadLetters'), heard('dead-letters')]).toEqual([1, 1]);
  const before = heard('dead-letters-more');
  loseOne();
  await twentyMinutes();
  expect([lying('DeadLetters'), heard('dead-letters'), heard('dead-letters-more')]).toEqual([2, 1, before + 1]);
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

/** One call of Announce, as Lambda measures it. */
function announced(errors: 0 | 1): void {
  for (const [name, value] of [['Invocations', 1], ['Errors', errors]] as const)
    sandbox.services.cloudwatch.record({ namespace: 'AWS/Lambda', name, dimensions: { FunctionName: 'ripcord-announce' }, value, unit: 'Count' });
}

test('on-call hears within minutes that nobody could be told of a beginning, and nothing of a try that the next one mends', async () => {
  for (const errors of [1, 1, 0] as const) announced(errors);
  await twentyMinutes();
  expect(heard('handler-errors-announce')).toBe(0);
  expect(await sandbox.services.functions.invoke(functionNamed('announce'), {})).toMatchObject({ functionError: 'Unhandled' });
  const calm = sandbox.clock.hurry(5);
  await sandbox.clock.sleep(5 * 60_000);
  calm();
  expect(heard('handler-errors-announce')).toBe(1);
}, 60_000);
