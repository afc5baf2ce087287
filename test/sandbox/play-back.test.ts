// What came before a fault is played back: the same calls with the same outcomes in the same order, or else the case is played whole.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.ts';
import { seededIds, uuid } from '../../sandbox/ids.ts';
import { parseCase } from '../../sandbox/explore/cases.ts';
import { beginningOf, PlayBack, timeless, type Effect, type RecordedInvocation } from '../../sandbox/explore/play-back.ts';
import type { ExploredWorld } from '../../sandbox/explore/world.ts';

const startAt = Date.parse('2026-01-01T00:00:00Z');
const roleArn = 'arn:aws:iam::111122223333:role/it';

let sandbox: Sandbox;
let goneOn: number;
let topicArn: string;

beforeEach(async () => {
  sandbox = await startSandbox({ handleSignals: false, startAt, ids: seededIds('a test') });
  sandbox.clock.hold();
  sandbox.services.topics.create('told');
  topicArn = sandbox.services.topics.arn('told');
  sandbox.iam.putRole({
    roleName: 'it', arn: roleArn, policies: [{ name: 'it', document: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sns:Publish', Resource: '*' }] } }],
    trust: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }] },
  });
  for (const name of ['ripcord-a', 'ripcord-b']) {
    sandbox.services.functions.create({
      name, handler: 'index.handler', runtime: 'nodejs20.x', codeDirectory: '/nonexistent', environment: {}, roleArn, timeoutSeconds: 3, memoryMb: 128, reservedConcurrency: null, description: '',
    });
  }
  goneOn = 0;
});

afterEach(() => sandbox.stop());

const publish = (order: number, text: string, output: unknown): Effect => ({ order, endedAt: startAt + order * 1000, service: 'sns', signingName: 'sns', operation: 'Publish', region: 'eu-west-1', input: { TopicArn: topicArn, Message: text }, output, errorCode: null });

const invocation = (name: string, nth: number, effects: readonly Effect[], [from, to]: readonly [number, number] = [0, 9000]): RecordedInvocation => ({
  name, nth, payload: `{"at":"2025-12-31T23:59:59.123Z","n":${nth}}`, answer: { payload: `"${name} ${nth}"`, functionError: null }, startedAt: startAt + from, endedAt: startAt + to, effects,
});

const playBack = (beginning: readonly RecordedInvocation[]): PlayBack => new PlayBack({ sandbox, goOn: () => { goneOn += 1; } } as unknown as ExploredWorld, beginning);

const ids = (): readonly { readonly MessageId: string }[] => {
  const same = seededIds('a test');
  return Array.from({ length: 4 }, () => ({ MessageId: uuid(same, 'message') }));
};

const invoke = (name: string, nth: number) => sandbox.services.functions.invoke(name, { at: '2026-01-01T00:00:00.000Z', n: nth });

test('the calls of invocations side by side come in the order in which they came, and no process is needed', async () => {
  const [first, second, third] = ids();
  const one = playBack([
    invocation('ripcord-a', 1, [publish(1, 'a first', first), publish(3, 'a last', third)]),
    invocation('ripcord-b', 1, [publish(2, 'b between', second)], [500, 2500]),
  ]);
  const answers = await Promise.all([invoke('ripcord-a', 1), invoke('ripcord-b', 1)]);
  expect(answers.map(({ payload }) => payload)).toEqual(['ripcord-a 1', 'ripcord-b 1']);
  expect(sandbox.inbox.map(({ message, at }) => [message, at - startAt])).toEqual([['a first', 1000], ['b between', 2000], ['a last', 3000]]);
  expect([one.played, one.difference, goneOn]).toEqual([2, null, 0]);
  expect(sandbox.clock.now()).toBe(startAt + 9000);
});

test('a call that failed in the recording is counted, and not made', async () => {
  const counted: string[] = [];
  sandbox.faults.add({ name: 'counts', effect: { kind: 'before', run: () => undefined }, when: ({ operation, input }) => counted.push(`${operation} ${(input as { readonly Message: string }).Message}`) === 0 });
  const one = playBack([invocation('ripcord-a', 1, [{ ...publish(1, 'in vain', null), errorCode: 'ThrottlingException' }, publish(2, 'told', ids()[0])])]);
  await invoke('ripcord-a', 1);
  expect(sandbox.inbox.map(({ message }) => message)).toEqual(['told']);
  expect([counted, one.difference]).toEqual([['Publish in vain', 'Publish told'], null]);
});

test('held time goes on to a moment in order: who waits for a moment is woken then, and so is who waits from then on', async () => {
  const { clock } = sandbox;
  const from = clock.now();
  const woken: number[] = [];
  const wakes = (async () => {
    for (let beat = 0; beat < 3; beat += 1) {
      await clock.sleep(1000);
      woken.push(clock.now() - from);
    }
  })();
  await clock.advance(from + 2500);
  expect([woken, clock.now() - from]).toEqual([[1000, 2000], 2500]);
  await clock.advance(from + 100);
  expect(clock.now() - from).toBe(2500);
  await clock.advance(from + 3000);
  await wakes;
  expect(woken).toEqual([1000, 2000, 3000]);
});

test('an outcome that is another one, and a question that is another one, are noticed', async () => {
  const one = playBack([invocation('ripcord-a', 1, [publish(1, 'told', { MessageId: 'another' }), publish(2, 'not told any more', {})])]);
  await invoke('ripcord-a', 1);
  expect(one.difference).toMatch(/^ripcord-a: Publish came to .*, and in the recording to .*another/);
  expect(sandbox.inbox.map(({ message }) => message)).toEqual(['told']);
  const other = playBack([invocation('ripcord-a', 2, [])]);
  // No code is there to do it.
  await invoke('ripcord-a', 3).catch(() => undefined);
  expect(other.difference).toMatch(/^ripcord-a was asked /);
  expect(goneOn).toBe(1);
});

test('from the first invocation that a process has to do, time goes on and nothing is played back', async () => {
  const one = playBack([invocation('ripcord-b', 1, [])]);
  await invoke('ripcord-a', 1).catch(() => undefined);
  expect(goneOn).toBe(1);
  const { functionError } = await invoke('ripcord-b', 1);
  expect([functionError, one.played, one.difference]).toEqual(['Unhandled', 0, null]);
  playBack([]);
  expect(goneOn).toBe(2);
});

test('the beginning is what was over before the struck invocation began', () => {
  const invocations = [invocation('ripcord-a', 1, [], [0, 10]), invocation('ripcord-b', 1, [], [5, 30]), invocation('ripcord-a', 2, [], [20, 40])];
  const call = (name: string, index: number | null, at: number) => ({ name, invocation: index, startedAt: startAt + at }) as never;
  const calls = [call('a/sns:Publish#2', 2, 25), call('rules/states:StartExecution#1', null, 35)];
  const namesOf = (id: string): readonly string[] => beginningOf({ invocations, calls }, parseCase(id)).map(({ name, nth }) => `${name}#${nth}`);
  expect(namesOf('it/a/sns:Publish#2/denied')).toEqual(['ripcord-a#1']);
  expect(namesOf('it/a#2/twice')).toEqual(['ripcord-a#1']);
  expect(namesOf('it/rules/states:StartExecution#1/denied')).toEqual(['ripcord-a#1', 'ripcord-b#1']);
  expect(namesOf('it/a/sns:Publish#9/denied')).toEqual([]);
});

test('times and ports of this machine make no difference, all else does', () => {
  expect(timeless('{"at":"2026-01-01T00:00:00.123Z","ms":1767225600123,"url":"http://127.0.0.1:4000/"}')).toBe(timeless('{"at":"2026-01-01T00:00:01+0000","ms":1767225600999,"url":"http://127.0.0.1:5000/"}'));
  expect(timeless('{"n":1}')).not.toBe(timeless('{"n":2}'));
});

test('seeded ids: each kind has its own order, and another seed has others', () => {
  const [one, same, other] = [seededIds('x'), seededIds('x'), seededIds('y')];
  one.bytes('token', 96);
  expect(uuid(one, 'event')).toBe(uuid(same, 'event'));
  expect(uuid(one, 'event')).not.toBe(uuid(other, 'event'));
  expect(uuid(other, 'event')).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  expect(one.bytes('token', 96)).toHaveLength(96);
});
