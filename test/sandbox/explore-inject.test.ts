// Which invocations a fault may meet: those a process has to do, whatever is known of them.
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Principal } from '../../sandbox/aws/world.ts';
import { parseCase } from '../../sandbox/explore/cases.ts';
import { inject, type Injected } from '../../sandbox/explore/inject.ts';
import type { RecordedCall } from '../../sandbox/explore/record.ts';
import type { ExploredWorld, Grounds } from '../../sandbox/explore/world.ts';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.ts';

const roleOf = (name: string): string => `arn:aws:iam::111122223333:role/${name}`;
let sandbox: Sandbox;

beforeEach(async () => {
  sandbox = await startSandbox({ handleSignals: false });
  sandbox.services.topics.create('told');
  for (const name of ['ripcord-f', 'ripcord-g']) {
    sandbox.iam.putRole({
      roleName: name, arn: roleOf(name), policies: [{ name: 'it', document: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sns:Publish', Resource: '*' }] } }],
      trust: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }] },
    });
    sandbox.services.functions.create({ name, handler: 'index.handler', runtime: 'nodejs24.x', codeDirectory: '/nonexistent', environment: {}, roleArn: roleOf(name), timeoutSeconds: 3, memoryMb: 128, reservedConcurrency: null, description: '' });
  }
});
afterEach(() => sandbox.stop());

const call: Partial<RecordedCall> = { actor: 'f', what: 'sns:Publish.topic', nth: 1, name: 'f/sns:Publish.topic#1' };

const injected = (at: string, fault: string): Injected => inject(parseCase(`it/${at}/${fault}`), {
  world: { sandbox, abort: () => undefined } as unknown as ExploredWorld, grounds: { warm: { strike: () => undefined, kill: () => undefined } } as unknown as Grounds, call: at.includes('/') ? call as RecordedCall : null,
});

const principal = (name: string): Principal => sandbox.iam.assume(roleOf(name), 'lambda.amazonaws.com', `arn:aws:lambda:eu-west-1:111122223333:function:${name}`);
const publish = (name: string, topic = 'told') =>
  sandbox.server.call(principal(name), 'sns', { operation: 'Publish', input: { TopicArn: `arn:aws:sns:eu-west-1:111122223333:${topic}`, Message: 'it' } }).catch(() => null);
const invoke = (name: string) => sandbox.services.functions.invoke(name, {}).catch(() => null);

/** Of f and of g: may their next invocation be struck? */
const may = (one: Injected, nth = 2): readonly boolean[] => [one.mayStrike('ripcord-f', nth), one.mayStrike('ripcord-g', nth)];

test.each([['error-once', [false, false]], ['denied', [true, false]], ['throttled-five', [true, false]], ['killed', [false, false]]])('before %s has struck its call all may be, and then %j', async (fault, after) => {
  const one = injected('f/sns:Publish.topic#1', fault);
  expect(may(one)).toEqual([true, true]);
  await publish('ripcord-g');
  expect(may(one)).toEqual([true, true]);
  await publish('ripcord-f');
  expect(may(one)).toEqual(after);
});

test('what comes after the effect may strike until a call took effect', async () => {
  const one = injected('f/sns:Publish.topic#1', 'killed');
  await publish('ripcord-f', 'no-such-topic');
  expect([one.count(), may(one)]).toEqual([1, [true, true]]);
  await publish('ripcord-f');
  expect(may(one)).toEqual([false, false]);
});

test.each([['twice', false], ['twice-at-once', false], ['refused-once', false], ['refused-for-good', true]])('%s meets the second invocation of one function alone', async (fault, lasts) => {
  const one = injected('f#2', fault);
  await invoke('ripcord-f');
  expect(may(one, 1)).toEqual([true, true]);
  await invoke('ripcord-f');
  expect([may(one, 2), may(one, 3)]).toEqual([[true, false], [lasts, false]]);
});
