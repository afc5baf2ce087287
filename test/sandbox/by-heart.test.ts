// What an invocation did in one sandbox is done in the next without a process, as far as AWS answers the same.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ByHeart } from '../../sandbox/explore/by-heart.ts';
import { KnownInvocations } from '../../sandbox/explore/known-invocations.ts';
import type { ExploredWorld } from '../../sandbox/explore/world.ts';
import { seededIds } from '../../sandbox/ids.ts';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.ts';

const startAt = Date.parse('2026-01-01T00:00:00Z');
const roleArn = 'arn:aws:iam::111122223333:role/it';
const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }] };
const allowed = [{ Effect: 'Allow', Action: ['sns:Publish', 'ssm:GetParameter'], Resource: '*' }];

// Reads, tells, reads again, and answers with all of it.
const code = `
import { createRequire } from 'node:module';
const require = createRequire(${JSON.stringify(fileURLToPath(import.meta.url))});
const { GetParameterCommand, SSMClient } = require('@aws-sdk/client-ssm');
const { PublishCommand, SNSClient } = require('@aws-sdk/client-sns');
const [ssm, sns] = [new SSMClient({}), new SNSClient({})];
const read = async (Name) => (await ssm.send(new GetParameterCommand({ Name }))).Parameter.Value;
export const handler = async ({ kept = '', fails = false }) => {
  if (fails) throw new Error('it fails');
  const first = await read('/first').catch((error) => { if (kept !== 'errors') throw error; return error.message; });
  const { MessageId: id } = await sns.send(new PublishCommand({ TopicArn: 'arn:aws:sns:eu-west-1:111122223333:told', Message: first + (kept === 'chance' ? Math.random() : '') }));
  return [first, await read('/second').catch(() => 'none'), ...(kept === 'id' ? [id] : [])].join(' ');
};`;

let folder: string;
let known: KnownInvocations;
const open: Sandbox[] = [];

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'by-heart-'));
  writeFileSync(path.join(folder, 'index.mjs'), code);
});
beforeEach(() => {
  known = new KnownInvocations(new Map());
});
afterEach(() => Promise.all(open.splice(0).map((one) => one.stop())));
afterAll(() => rmSync(folder, { recursive: true }));

interface Played {
  readonly byHeart: ByHeart;
  readonly sandbox: Sandbox;
  readonly ask: (payload?: object) => Promise<unknown>;
  /** What processes had to do. */
  readonly live: () => number;
  readonly calls: () => readonly string[];
}

interface Given {
  readonly first: string;
  readonly second: string;
  readonly mayStrike: boolean;
  readonly seed: string;
  readonly statements: typeof allowed | readonly { readonly Effect: string; readonly Action: string | readonly string[]; readonly Resource: string }[];
}

async function world({ first = 'a', second = 'b', mayStrike = false, seed = 'one', statements = allowed }: Partial<Given> = {}): Promise<Played> {
  const sandbox = await startSandbox({ handleSignals: false, startAt, isHeld: true, ids: seededIds(seed) });
  open.push(sandbox);
  sandbox.services.topics.create('told');
  sandbox.iam.putRole({ roleName: 'it', arn: roleArn, policies: [{ name: 'it', document: { Version: '2012-10-17', Statement: statements } }], trust });
  sandbox.services.parameters.put({ name: '/first', value: first, type: 'String', by: 'it' });
  sandbox.services.parameters.put({ name: '/second', value: second, type: 'String', by: 'it' });
  const fn = sandbox.services.functions.create({ name: 'f', handler: 'index.handler', runtime: 'nodejs24.x', codeDirectory: folder, environment: {}, roleArn, timeoutSeconds: 20, memoryMb: 256, reservedConcurrency: null, description: '' });
  const byHeart = new ByHeart({ sandbox, scenario: { name: 'it' } } as unknown as ExploredWorld, known, { mayStrike: () => mayStrike });
  sandbox.services.functions.watchedBy(byHeart);
  return {
    byHeart, sandbox,
    ask: async (payload = {}) => (await sandbox.services.functions.invoke('f', payload)).payload,
    live: () => fn.log.lines.filter((line) => line.startsWith('START ')).length,
    calls: () => sandbox.calls.list().map(({ operation, input }) => `${operation} ${(input as { Name?: string }).Name ?? ''}`.trim()),
  };
}

const allCalls = ['GetParameter /first', 'Publish', 'GetParameter /second'];

test('the same question at the same moment, answered the same by AWS: all its calls are made again, without a process', async () => {
  const one = await world();
  expect([await one.ask(), one.live()]).toEqual(['a b', 1]);
  // Another id of the message makes no difference, as nobody does anything with it.
  const other = await world({ seed: 'another' });
  expect([await other.ask(), other.live(), other.byHeart.played, other.byHeart.difference]).toEqual(['a b', 0, 1, null]);
  expect(other.calls()).toEqual(allCalls);
  expect(other.sandbox.inbox.map(({ message }) => message)).toEqual(['a']);
  expect(await other.ask({ another: 'question' })).toBe('a b');
  expect(other.live()).toBe(1);
});

test('where AWS answers otherwise a process goes on from there: no call is made twice, and the next sandbox knows that too', async () => {
  await (await world()).ask();
  const otherwise = await world({ second: 'c' });
  expect([await otherwise.ask(), otherwise.live(), otherwise.byHeart.played, otherwise.byHeart.difference]).toEqual(['a c', 1, 0, null]);
  expect(otherwise.calls()).toEqual(allCalls);
  expect(otherwise.sandbox.inbox).toHaveLength(1);
  const again = await world({ second: 'c' });
  expect([await again.ask(), again.live()]).toEqual(['a c', 0]);
  const first = await world({ first: 'z' });
  expect([await first.ask(), first.live()]).toEqual(['z b', 1]);
  expect(first.calls()).toEqual(allCalls);
});

test('an error is told from another one of its name by all that it says', async () => {
  const refused = ['ssm:GetParameter'];
  const unallowed = await world({ statements: [{ Effect: 'Allow', Action: 'sns:Publish', Resource: '*' }] });
  expect(await unallowed.ask({ kept: 'errors' })).toContain('no identity-based policy allows');
  const denied = await world({ statements: [{ Effect: 'Allow', Action: '*', Resource: '*' }, { Effect: 'Deny', Action: refused, Resource: '*' }] });
  expect(await denied.ask({ kept: 'errors' })).toContain('explicit deny');
  expect([denied.live(), denied.calls()]).toEqual([1, allCalls]);
});

test('an id that the function hands on has to be the same', async () => {
  const answer = await (await world()).ask({ kept: 'id' });
  const other = await world({ seed: 'another' });
  expect(await other.ask({ kept: 'id' })).not.toBe(answer);
  expect(other.live()).toBe(1);
  expect(other.sandbox.inbox).toHaveLength(1);
  const same = await world();
  expect([await same.ask({ kept: 'id' }), same.live()]).toEqual([answer, 0]);
});

test('what a fault may strike, what failed, what was at work beside something else and another moment are done by processes', async () => {
  await (await world()).ask();
  const struck = await world({ mayStrike: true });
  await struck.ask();
  expect(struck.live()).toBe(1);
  await (await world()).ask({ fails: true });
  const failed = await world();
  await failed.ask({ fails: true });
  expect(failed.live()).toBe(1);
  const two = await world();
  expect(await Promise.all([two.ask({ n: 1 }), two.ask({ n: 2 })])).toEqual(['a b', 'a b']);
  const after = await world();
  await after.ask({ n: 2 });
  expect([two.live(), after.live()]).toEqual([2, 1]);
  const later = await world();
  await later.sandbox.clock.advance(startAt + 1000);
  await later.ask();
  expect(later.live()).toBe(1);
});

test('a process that does not do what is known of it is noticed', async () => {
  await (await world()).ask({ kept: 'chance' });
  const other = await world({ second: 'c' });
  await other.ask({ kept: 'chance' });
  expect(other.byHeart.difference).toMatch(/^f did not ask sns:Publish /);
});
