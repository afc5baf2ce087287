// What came before a fault is played back: the same calls with the same outcomes in the same order, or else the case is played whole.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CallWithoutVerdict } from '../../sandbox/aws/calls.ts';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.ts';
import { chance, seededIds, uuid } from '../../sandbox/ids.ts';
import { parseCase } from '../../sandbox/explore/cases.ts';
import { samePort } from '../../sandbox/explore/known-invocations.ts';
import { PlayBack } from '../../sandbox/explore/play-back.ts';
import { scriptOf, type Effect, type RecordedInvocation, type Script } from '../../sandbox/explore/script.ts';
import type { ExploredWorld } from '../../sandbox/explore/world.ts';

const startAt = Date.parse('2026-01-01T00:00:00Z');
const roleArn = 'arn:aws:iam::111122223333:role/it';
const topicArn = 'arn:aws:sns:eu-west-1:111122223333:told';

let sandbox: Sandbox;

beforeEach(async () => {
  sandbox = await startSandbox({ handleSignals: false, startAt, ids: seededIds('a test') });
  sandbox.clock.hold();
  sandbox.services.topics.create('told');
  sandbox.iam.putRole({
    roleName: 'it', arn: roleArn, policies: [{ name: 'it', document: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sns:Publish', Resource: '*' }] } }],
    trust: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }] },
  });
  for (const name of ['ripcord-a', 'ripcord-b']) {
    sandbox.services.functions.create({
      name, handler: 'index.handler', runtime: 'nodejs20.x', codeDirectory: '/nonexistent', environment: {}, roleArn, timeoutSeconds: 3, memoryMb: 128, reservedConcurrency: null, description: '',
    });
  }
});

afterEach(() => sandbox.stop());

const publish = (order: number, text: string, output: unknown): Effect => ({ order, endedAt: startAt + order * 1000, service: 'sns', signingName: 'sns', operation: 'Publish', region: 'eu-west-1', mutating: true, input: { TopicArn: topicArn, Message: text }, output, errorCode: null, errorDetail: null });

const invocation = (name: string, nth: number, effects: readonly Effect[], [from, to]: readonly [number, number] = [0, 9000]): RecordedInvocation => ({
  name, nth, payload: `{"n":${nth}}`, answer: { payload: `"${name} ${nth}"`, functionError: null }, startedAt: startAt + from, endedAt: startAt + to, began: from, ended: to, effects,
});

const playBack = (before: readonly RecordedInvocation[], more: Partial<Script> = {}): PlayBack => new PlayBack({ sandbox } as unknown as ExploredWorld, { before, struck: [], after: [], ...more });

const ids = (): readonly { readonly MessageId: string }[] => {
  const same = seededIds('a test');
  return Array.from({ length: 4 }, () => ({ MessageId: uuid(same, 'message') }));
};

/** How many invocations a process had to do. */
const live = (): number => sandbox.services.functions.list().flatMap(({ log }) => log.lines).filter((line) => line.startsWith('START ')).length;

const invoke = (name: string, nth: number) => sandbox.services.functions.invoke(name, { n: nth });

test('the calls of invocations side by side come in the order in which they came, and no process is needed', async () => {
  const [first, second, third] = ids();
  const one = playBack([
    invocation('ripcord-a', 1, [publish(1, 'a first', first), publish(3, 'a last', third)]),
    invocation('ripcord-b', 1, [publish(2, 'b between', second)], [500, 2500]),
  ]);
  const answers = await Promise.all([invoke('ripcord-a', 1), invoke('ripcord-b', 1)]);
  expect(answers.map(({ payload }) => payload)).toEqual(['ripcord-a 1', 'ripcord-b 1']);
  expect(sandbox.inbox.map(({ message, at }) => [message, at - startAt])).toEqual([['a first', 1000], ['b between', 2000], ['a last', 3000]]);
  expect([one.played, one.difference, live()]).toEqual([{ before: 2, after: 0, byHeart: 0 }, null, 0]);
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
  const effects = [publish(1, 'told', { MessageId: 'another' }), publish(2, 'not told any more', {})];
  const one = playBack([{ ...invocation('ripcord-a', 1, effects), answer: { payload: '"I sent another"', functionError: null } }]);
  await invoke('ripcord-a', 1);
  expect(one.difference).toMatch(/^ripcord-a: Publish came to .*, and in the recording to .*another/);
  expect(sandbox.inbox.map(({ message }) => message)).toEqual(['told']);
  const other = playBack([invocation('ripcord-a', 2, [])]);
  // No code is there to do it.
  await invoke('ripcord-a', 3).catch(() => undefined);
  expect(other.difference).toMatch(/^ripcord-a was asked /);
  expect(live()).toBe(1);
});

test('the id of a message with which nobody does anything may be another one', async () => {
  const one = playBack([invocation('ripcord-a', 1, [publish(1, 'told', { MessageId: 'another' }), publish(2, 'told more', { MessageId: 'a third' })])]);
  await invoke('ripcord-a', 1);
  expect([one.difference, sandbox.inbox.map(({ message }) => message)]).toEqual([null, ['told', 'told more']]);
});

test('from the first invocation that a process has to do, nothing is played back', async () => {
  const one = playBack([invocation('ripcord-b', 1, [])]);
  await invoke('ripcord-a', 1).catch(() => undefined);
  const { functionError } = await invoke('ripcord-b', 1);
  expect([functionError, one.played, one.difference, live()]).toEqual(['Unhandled', { before: 0, after: 0, byHeart: 0 }, null, 2]);
});

test('what was over before the struck invocation began, what was at work beside it, and what began after those', () => {
  const invocations = [
    invocation('ripcord-a', 1, [], [1, 2]), invocation('ripcord-b', 1, [], [3, 6]), invocation('ripcord-a', 2, [], [5, 8]), invocation('ripcord-c', 1, [], [7, 9]), invocation('ripcord-a', 3, [], [10, 11]),
  ];
  const call = (name: string, index: number | null, moment: number) => ({ name, invocation: index, moment }) as never;
  const calls = [call('b/sns:Publish#1', 1, 3), call('rules/states:StartExecution#1', null, 9)];
  const scriptFor = (id: string): readonly (readonly string[])[] => {
    const { before, struck, after } = scriptOf({ invocations, calls }, parseCase(id));
    return [before, struck, after].map((some) => some.map(({ name, nth }) => `${name.slice(-1)}${nth}`));
  };
  expect(scriptFor('it/b/sns:Publish#1/throttled-once')).toEqual([['a1'], ['b1', 'a2', 'c1'], ['a3']]);
  expect(scriptFor('it/b/sns:Publish#1/denied')).toEqual([['a1'], [], []]);
  expect(scriptFor('it/a#2/twice')).toEqual([['a1'], [], []]);
  expect(scriptFor('it/rules/states:StartExecution#1/error-once')).toEqual([['a1', 'b1', 'a2', 'c1'], [], []]);
  expect(scriptFor('it/b/sns:Publish#9/throttled-once')).toEqual([[], [], []]);
});

/** As if a process had done it, with these changes. */
function done(one: PlayBack, { name, nth, answer }: RecordedInvocation, changes: readonly Partial<Effect>[], functionError: string | null = null): void {
  for (const change of changes)
    sandbox.calls.add({ ...publish(0, 'told', {}), caller: { kind: 'root', arn: 'it' }, ...change, trace: 'its trace', faults: [], startedAt: startAt, requestId: 'its id' } as unknown as CallWithoutVerdict);
  one.ended({ name, nth, payload: `{"n":${nth}}`, answer: { ...answer, functionError }, traceId: 'its trace', startedAt: startAt, endedAt: startAt });
}

describe('after the struck invocation', () => {
  const row = (values: object, operation = 'PutItem'): Partial<Effect> => ({ service: 'dynamodb', operation, input: { TableName: 'ledger', ...values } });
  const struck = invocation('ripcord-a', 1, [publish(1, 'told', {}), { ...publish(2, '', {}), ...row({ Item: 'x' }) }]);
  const later = invocation('ripcord-b', 1, [], [9000, 9500]);
  const [told, written] = [{}, row({ Item: 'x' })];

  async function followed(changes: readonly Partial<Effect>[], functionError: string | null = null): Promise<readonly unknown[]> {
    const one = playBack([], { struck: [struck], after: [later] });
    done(one, struck, changes, functionError);
    const { payload } = await invoke('ripcord-b', 1).catch(() => ({ payload: null }));
    return [payload, one.played.after, one.difference, live()];
  }
  const asRecorded = ['ripcord-b 1', 1, null, 0];

  test('that came to the same, all that follows is played back', async () => {
    expect(await followed([written, told])).toEqual(asRecorded);
  });

  test.each<[string, readonly Partial<Effect>[], string | null]>([
    ['a change less', [told], null],
    ['a change more', [told, written, row({ Item: 'y' })], null],
    ['another change', [told, row({ Item: 'y' })], null],
    ['another receiver', [{ input: { TopicArn: 'another', Message: 'told' } }, written], null],
    ['an error', [told, written], 'Unhandled'],
    ['a counter raised twice', [told, written, row({ UpdateExpression: 'ADD tries :one' }, 'UpdateItem'), row({ UpdateExpression: 'ADD tries :one' }, 'UpdateItem')], null],
  ])('that came to something else (%s), processes do the rest', async (_, changes, functionError) => {
    expect((await followed(changes, functionError)).slice(1)).toEqual([0, null, 1]);
  });

  test.each<[string, readonly Partial<Effect>[]]>([
    ['a row written twice', [told, written, written]],
    ['the same message twice', [told, told, written]],
    ['a message that says how far a function beside it had come', [{ input: { TopicArn: topicArn, Message: 'said otherwise' } }, written]],
    ['a call that was refused', [told, written, { ...row({ Item: 'y' }), output: null }]],
  ])('%s makes no difference', async (_, changes) => {
    expect(await followed(changes)).toEqual(asRecorded);
  });

  test.each([[['a', 'a'], 0], [['a', 'b'], 1]])('a transaction sent under the tokens %j', async (tokens, byProcesses) => {
    const sent = (token: string) => row({ TransactItems: [], ClientRequestToken: token }, 'TransactWriteItems');
    const once = { ...struck, effects: [{ ...publish(1, '', {}), ...sent('recorded') }] };
    done(playBack([], { struck: [once], after: [later] }), once, tokens.map(sent));
    await invoke('ripcord-b', 1).catch(() => undefined);
    expect(live()).toBe(byProcesses);
  });

  test('as long as one beside it is at work, whatever else begins is done by a process', async () => {
    const beside = invocation('ripcord-a', 2, []);
    const one = playBack([], { struck: [struck, beside], after: [later] });
    done(one, struck, [told, written]);
    await invoke('ripcord-b', 1).catch(() => undefined);
    expect([one.played.after, live()]).toEqual([0, 1]);
  });

  test('a question that is another one is answered by a process, and is no fault of the recording', async () => {
    const one = playBack([], { struck: [struck], after: [{ ...later, payload: '{"n":7}' }] });
    done(one, struck, [told, written]);
    await invoke('ripcord-b', 1).catch(() => undefined);
    expect([one.played.after, one.difference, live()]).toEqual([0, null, 1]);
  });
});

test('ports of this machine make no difference, all else does', () => {
  expect(samePort('{"url":"http://127.0.0.1:4000/"}')).toBe(samePort('{"url":"http://127.0.0.1:5000/"}'));
  expect(samePort('{"at":"2026-01-01T00:00:00.123Z"}')).not.toBe(samePort('{"at":"2026-01-01T00:00:00.124Z"}'));
});

test('seeded ids: each kind has its own order, and another seed has others', () => {
  const [one, same, other] = [seededIds('x'), seededIds('x'), seededIds('y')];
  one.bytes('token', 96);
  expect(uuid(one, 'event')).toBe(uuid(same, 'event'));
  expect(uuid(one, 'event')).not.toBe(uuid(other, 'event'));
  expect(uuid(other, 'event')).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  expect(one.bytes('token', 96)).toHaveLength(96);
  const drawn = Array.from({ length: 200 }, () => chance(one, 'jitter'));
  expect([Math.min(...drawn) >= 0, Math.max(...drawn) < 1, Math.max(...drawn) - Math.min(...drawn) > 0.9]).toEqual([true, true, true]);
  expect(chance(same, 'jitter')).toBe(drawn[0]);
});
