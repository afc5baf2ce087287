// Faults strike the calls they are meant for, do or do not take effect as said, and look to a real client as AWS's own.
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FaultEffect } from '../../../sandbox/aws/faults.ts';
import { SpedUpClock } from '../../../sandbox/clock.ts';
import { ParameterStore } from '../../../sandbox/services/ssm/parameter-store.ts';
import { ssmService } from '../../../sandbox/services/ssm/service.ts';
import { place, startWorld, type TestWorld } from './world.ts';

let world: TestWorld;
let store: ParameterStore;
let client: SSMClient;

beforeEach(async () => {
  store = new ParameterStore(place, new SpedUpClock());
  world = await startWorld([ssmService(store)]);
  client = new SSMClient(world.client);
});
afterEach(async () => {
  client.destroy();
  await world.close();
});

const write = (value: string): Promise<unknown> => client.send(new PutParameterCommand({ Name: '/a', Value: value, Type: 'String', Overwrite: true }));
const read = async (): Promise<string | undefined> => (await client.send(new GetParameterCommand({ Name: '/a' }))).Parameter?.Value;
const nameOf = (call: Promise<unknown>): Promise<string> => call.then(() => 'success', (error: unknown) => (error as Error & { code?: string }).code ?? (error as Error).name);
const stored = (): string | null => store.below('/', true)[0]?.value ?? null;

test.each<[string, FaultEffect, string, string | null]>([
  ['throttling', { kind: 'throttle' }, 'ThrottlingException', null],
  ['an error before the effect', { kind: 'error', status: 500 }, 'InternalFailure', null],
  ['an unavailable service', { kind: 'error', status: 503 }, 'ServiceUnavailable', null],
  ['an error after the effect', { kind: 'error', status: 500, after: true }, 'InternalFailure', 'x'],
  ['a reset before the effect', { kind: 'reset', after: false }, 'ECONNRESET', null],
  ['a reset after the effect', { kind: 'reset', after: true }, 'ECONNRESET', 'x'],
  ['a denial', { kind: 'deny' }, 'AccessDeniedException', null],
])('%s', async (name, effect, thrown, effected) => {
  world.server.faults.add({ name, operation: 'PutParameter', effect });
  expect(await nameOf(write('x'))).toBe(thrown);
  expect(stored()).toBe(effected);
  expect(world.server.calls.list()).toMatchObject([{ faults: [name], mutating: effected !== null }]);
});

test('what an operation did is in the record also when it answers with an error after its effect', async () => {
  const heard: unknown[] = [];
  world.server.calls.onCall(({ output }) => void heard.push(output));
  world.server.faults.add({ name: 'after', calls: [1], effect: { kind: 'error', status: 500, after: true } });
  world.server.faults.add({ name: 'before', calls: [2], effect: { kind: 'error', status: 500 } });
  await nameOf(write('x'));
  await nameOf(write('y'));
  expect(world.server.calls.list()).toMatchObject([{ status: 500, output: { Version: 1 }, mutating: true }, { status: 500, output: null, mutating: false }]);
  expect(heard).toMatchObject([{ Version: 1 }, null]);
});

test('the SDK tries again after a throttled, a failed and a broken call, as it does with AWS', async () => {
  const retrying = new SSMClient({ ...world.client, maxAttempts: 4 });
  const kinds: FaultEffect[] = [{ kind: 'throttle' }, { kind: 'error', status: 503 }, { kind: 'reset', after: true }];
  kinds.forEach((effect, index) => world.server.faults.add({ name: `fault ${index}`, calls: [index + 1], effect }));
  await retrying.send(new PutParameterCommand({ Name: '/a', Value: 'x', Type: 'String', Overwrite: true }));
  retrying.destroy();
  expect(store.history('/a')).toHaveLength(2);
});

test('a late reply comes after the client gave up, though the call took effect', async () => {
  const impatient = new SSMClient({ ...world.client, requestHandler: { requestTimeout: 50, throwOnRequestTimeout: true } });
  world.server.faults.add({ name: 'late', effect: { kind: 'delay', wallMilliseconds: 400 } });
  expect(await nameOf(impatient.send(new PutParameterCommand({ Name: '/a', Value: 'x', Type: 'String' })))).toBe('ETIMEDOUT');
  expect(stored()).toBe('x');
});

test('a stale read answers what the same read answered before; the next one is fresh', async () => {
  await write('old');
  await read();
  await write('new');
  const fault = world.server.faults.add({ name: 'stale', operation: 'GetParameter', calls: [1], effect: { kind: 'stale' } });
  expect([await read(), await read()]).toEqual(['old', 'new']);
  expect([fault.matched, fault.injected]).toEqual([2, 1]);
});

test('something else may happen right before the write, or right after it', async () => {
  const by = 'somebody';
  await write('first');
  world.server.faults.add({ name: 'meddler', operation: 'PutParameter', effect: { kind: 'before', run: () => void store.put({ name: '/a', value: 'meddled', overwrite: true, by }) } });
  await write('second');
  world.server.faults.add({ name: 'undoer', operation: 'PutParameter', effect: { kind: 'after', run: async () => void store.put({ name: '/a', value: 'undone', overwrite: true, by }) } });
  await write('third');
  expect(store.history('/a').map(({ value }) => value)).toEqual(['first', 'meddled', 'second', 'meddled', 'third', 'undone']);
});

test('a rule strikes only its service, operation, role and condition, and only the calls it names', async () => {
  const { faults, iam } = world.server;
  iam.putRole({ roleName: 'assess', arn: 'arn:aws:iam::111122223333:role/assess', policies: [{ name: 'p', document: { Statement: { Effect: 'Allow', Action: 'ssm:*', Resource: '*' } } }] });
  const fault = faults.add({
    name: 'narrow', service: 'ssm', operation: 'PutParameter', role: 'assess', calls: [2],
    when: ({ input }) => (input as { Value: string }).Value !== 'spared', effect: { kind: 'throttle' },
  });
  faults.add({ name: 'elsewhere', service: 'route53', effect: { kind: 'throttle' } });
  const role = new SSMClient({ ...world.client, credentials: iam.issueKey('assess') });
  const asRole = (value: string): Promise<string> => nameOf(role.send(new PutParameterCommand({ Name: '/a', Value: value, Type: 'String', Overwrite: true })));
  expect([await nameOf(write('x')), await asRole('1'), await asRole('spared'), await asRole('2'), await asRole('3')]).toEqual(['success', 'success', 'success', 'ThrottlingException', 'success']);
  fault.remove();
  role.destroy();
  expect(fault).toMatchObject({ matched: 3, injected: 1 });
});
