// Functions in child processes behind the Lambda runtime API: errors, timeouts, concurrency, mischief, environment and time.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Iam } from '../../../sandbox/aws/iam.ts';
import type { Rate } from '../../../sandbox/aws/token-bucket.ts';
import { AwsError } from '../../../sandbox/aws/world.ts';
import { SpedUpClock } from '../../../sandbox/clock.ts';
import { environmentsRate, Scaling } from '../../../sandbox/services/lambda/concurrency.ts';
import { Functions } from '../../../sandbox/services/lambda/functions.ts';
import type { FunctionSpec } from '../../../sandbox/services/lambda/lambda-function.ts';

const place = { account: '111122223333', region: 'eu-west-1', partition: 'aws' } as const;
const roleArn = 'arn:aws:iam::111122223333:role/worker';
let folder: string;
let functions: Functions;
let clock: SpedUpClock;
let iam: Iam;
let counted: string[] = [];
const failures: Record<string, unknown>[] = [];

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'functions-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  await functions.stop();
  clock.stop();
});

function start(code: string, { scaling, ...more }: Partial<FunctionSpec> & { readonly scaling?: Rate } = {}, speed = 1): void {
  clock = new SpedUpClock({ speed, startAt: Date.parse('2026-06-01T00:00:00Z') });
  iam = new Iam(place, clock);
  iam.putRole({ roleName: 'worker', arn: roleArn, trust: { Statement: { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' } } });
  failures.length = 0;
  counted = [];
  functions = new Functions({
    clock, place, endpoint: () => 'http://127.0.0.1:1', issueKey: (role, session) => iam.issueKey(role, session), graceMs: 400,
    assume: (role, functionArn) => void iam.assume(role, 'lambda.amazonaws.com', functionArn), metrics: { record: ({ name }) => void counted.push(name) },
    destination: async (_fn, target, record) => void failures.push({ target, ...record }),
    ...(scaling === undefined ? {} : { scaling }),
  });
  const codeDirectory = mkdtempSync(path.join(folder, 'code-'));
  writeFileSync(path.join(codeDirectory, 'index.mjs'), code);
  functions.create({ name: 'f', handler: 'index.handler', runtime: 'nodejs24.x', codeDirectory, environment: { OWN: 'yes' }, roleArn, timeoutSeconds: 5, memoryMb: 256, reservedConcurrency: null, description: '', ...more });
}

const call = (payload: unknown = {}) => functions.invoke(functions.arnOf('f'), payload);

test('the handler gets the event and its answer comes back', async () => {
  start('export const handler = async (event, context) => ({ got: event, name: context.functionName, arn: context.invokedFunctionArn });');
  expect(await call({ a: [1] })).toEqual({ payload: { got: { a: [1] }, name: 'f', arn: functions.arnOf('f') }, functionError: null });
});

test('a handler without a result answers null', async () => {
  start('export const handler = async () => {};');
  expect((await call()).payload).toBeNull();
});

test('a thrown error keeps its name as errorType', async () => {
  start("export const handler = async () => { const e = new Error('why'); e.name = 'Retryable'; throw e; };");
  expect(await call()).toEqual({ payload: expect.objectContaining({ errorType: 'Retryable', errorMessage: 'why' }), functionError: 'Unhandled' });
  expect(functions.find('f').log.lines.join('\n')).toContain('Retryable');
});

test.each([
  ['a module that is not there', "import './nothing.mjs'; export const handler = () => 1;", 'Runtime.ImportModuleError'],
  ['a syntax error', 'export const handler = (;', 'Runtime.UserCodeSyntaxError'],
  ['no such export', 'export const other = () => 1;', 'Runtime.HandlerNotFound'],
  ['an error while loading', "throw new TypeError('bad'); export const handler = 1;", 'TypeError'],
])('%s is an error of the invocation', async (_name, code, errorType) => {
  start(code);
  expect((await call()).payload).toMatchObject({ errorType });
  expect((await call()).payload).toMatchObject({ errorType });
});

test('a process that exits is Runtime.ExitError, and the next invocation gets a fresh one', async () => {
  start('let n = 0; export const handler = async (e) => { if (e.exit) process.exit(3); return n++; };');
  expect(await call()).toMatchObject({ payload: 0 });
  expect((await call({ exit: true })).payload).toMatchObject({ errorType: 'Runtime.ExitError', errorMessage: expect.stringContaining('exit status 3') });
  expect(await call()).toMatchObject({ payload: 0 });
});

test('memory beyond the limit ends the process', async () => {
  start('export const handler = async () => { const all = []; for (;;) all.push(new Array(1e5).fill(Math.random())); };', { memoryMb: 128, timeoutSeconds: 15 });
  expect((await call()).payload).toMatchObject({ errorType: 'Runtime.ExitError' });
});

test('a timeout kills the process', async () => {
  start('export const handler = (e) => e.hang ? new Promise((r) => setTimeout(r, 60000)) : process.pid;', { timeoutSeconds: 1 });
  const before = await call();
  expect((await call({ hang: true })).payload).toMatchObject({ errorType: 'Sandbox.Timedout', errorMessage: expect.stringContaining('Task timed out after 1.00 seconds') });
  expect((await call()).payload).not.toEqual(before.payload);
});

test('the longest invocation is remembered', async () => {
  start('export const handler = (e) => new Promise((r) => setTimeout(r, e.ms ?? 0));');
  await call();
  expect(functions.find('f').longestMilliseconds).toBeLessThan(5000);
  await call({ ms: 300 });
  await call();
  expect(functions.find('f').longestMilliseconds).toBeGreaterThanOrEqual(295);
});

test('processes stay warm, and concurrency scales out', async () => {
  start('let n = 0; export const handler = async () => { await new Promise((r) => setTimeout(r, 60)); return [process.pid, n++]; };');
  const pids = (await Promise.all([call(), call(), call()])).map((one) => (one.payload as number[])[0]);
  expect(new Set(pids).size).toBe(3);
  const [pid, count] = (await call()).payload as number[];
  expect(pids).toContain(pid);
  expect(count).toBe(1);
});

test('reserved concurrency refuses what is beyond it', async () => {
  start('export const handler = () => new Promise((r) => setTimeout(() => r(1), 100));', { reservedConcurrency: 1 });
  const first = call();
  await expect(call()).rejects.toMatchObject({ code: 'TooManyRequestsException' });
  expect((await first).payload).toBe(1);
});

test('a function grows by so many new environments a second, and those it has it keeps', async () => {
  start('export const handler = () => new Promise((r) => setTimeout(() => r(1), 300));', { scaling: { burst: 2, perSecond: 0.001 } });
  const three = await Promise.allSettled([call(), call(), call()]);
  expect(three.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  expect(three[2]).toMatchObject({ reason: { code: 'TooManyRequestsException', status: 429, fields: { Reason: 'FunctionInvocationRateLimitExceeded' } } });
  expect(counted.filter((name) => name === 'Throttles')).toHaveLength(1);
  expect((await Promise.all([call(), call()])).map(({ payload }) => payload)).toEqual([1, 1]);
});

test('a function grows by 1,000 environments, and by as many every ten seconds', () => {
  const time = { now: 0 };
  const scaling = new Scaling(environmentsRate, () => time.now);
  const grown = (): number => {
    for (let count = 0; ; count += 1) try {
      scaling.enter();
    } catch {
      return count;
    }
  };
  expect(grown()).toBe(1000);
  time.now += 5000;
  expect(grown()).toBe(500);
  time.now += 3_600_000;
  expect(grown()).toBe(1000);
  for (let left = 2500; left > 0; left -= 1) scaling.leave();
  expect(grown()).toBe(2500);
});

test('the environment holds what Lambda sets and nothing of the parent’s but PATH', async () => {
  process.env['PARENT_SECRET'] = 'x';
  start('export const handler = async () => process.env;');
  const env = (await call()).payload as Record<string, string>;
  expect(env).toMatchObject({ OWN: 'yes', AWS_REGION: 'eu-west-1', AWS_LAMBDA_FUNCTION_NAME: 'f', AWS_ENDPOINT_URL: 'http://127.0.0.1:1', PATH: process.env['PATH'] });
  expect(env['AWS_ACCESS_KEY_ID']).toMatch(/^ASIA/);
  expect(env['_X_AMZN_TRACE_ID']).toMatch(/^Root=1-/);
  expect(Object.keys(env).filter((key) => !/^(AWS_|LAMBDA_|_|OWN$|PATH$|TZ$|LANG$)/.test(key))).toEqual([]);
});

test('Date tells sandbox time, which passes as real time does while a function works', async () => {
  start(`export const handler = async () => {
    const a = Date.now(); const p = performance.now();
    await new Promise((r) => setTimeout(r, 50));
    return { a, sped: new Date() - a, real: performance.now() - p, isDate: new Date() instanceof Date, text: typeof Date(), given: new Date(0).toISOString(), parsed: Date.parse('1970-01-01T00:00:01Z'), utc: Date.UTC(1970), same: new Date().constructor === Date };
  };`, {}, 100);
  const seen = (await call()).payload as { a: number; sped: number; real: number };
  expect(Math.abs(seen.a - clock.now())).toBeLessThan(10_000);
  expect(seen.sped / seen.real).toBeGreaterThan(0.8);
  expect(seen.sped / seen.real).toBeLessThan(1.2);
  await clock.sleep(600_000);
  const later = (await call()).payload as { a: number };
  expect(later.a - seen.a).toBeGreaterThanOrEqual(600_000);
  expect(seen).toMatchObject({ isDate: true, text: 'string', given: '1970-01-01T00:00:00.000Z', parsed: 1000, utc: 0, same: true });
});

test('held time stands still while a function works, and its timers do not; what it measures goes in whole seconds', async () => {
  start('export const handler = async ({ wait }) => { const a = Date.now(); const p = performance.now(); await new Promise((r) => setTimeout(r, wait)); return { a, passed: Date.now() - a, measured: performance.now() - p }; };');
  const letGo = clock.hold();
  expect((await call({ wait: 30 })).payload).toEqual({ a: Math.floor(clock.now()), passed: 0, measured: 0 });
  expect(Math.round(((await call({ wait: 1100 })).payload as { measured: number }).measured) % 1000).toBe(0);
  expect(((await call({ wait: 1100 })).payload as { measured: number }).measured).toBeGreaterThan(999);
  letGo();
  const { passed, measured } = (await call({ wait: 30 })).payload as { passed: number; measured: number };
  expect([passed > 20, measured > 20]).toEqual([true, true]);
});

test('getRemainingTimeInMillis counts real time', async () => {
  start('export const handler = async (e, c) => c.getRemainingTimeInMillis();', { timeoutSeconds: 5 }, 100);
  expect((await call()).payload).toBeGreaterThan(100);
});

test.each(['side-by-side', 'lost-answer'] as const)('an invocation can be delivered twice: %s', async (how) => {
  start("import { appendFileSync } from 'node:fs'; export const handler = async (e) => { appendFileSync(e.file, 'x'); return 1; };");
  const file = path.join(mkdtempSync(path.join(folder, 'twice-')), 'marks');
  functions.find('f').deliverTwice(how);
  await call({ file });
  await call({ file });
  const { readFileSync } = await import('node:fs');
  expect(readFileSync(file, 'utf8')).toBe('xxx');
});

test('a paused function answers after it is resumed', async () => {
  start('export const handler = async () => 1;');
  const resume = functions.find('f').pause();
  let done = false;
  const running = call().then(() => (done = true));
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(done).toBe(false);
  resume();
  await running;
  expect(done).toBe(true);
});

test('a process can be killed right after its n-th AWS call', async () => {
  start('export const handler = () => new Promise(() => setTimeout(() => {}, 3000));');
  functions.find('f').killAfterCall(2);
  const running = call();
  await new Promise((resolve) => setTimeout(resolve, 150));
  const key = 'ASIASANDBOX000000001';
  functions.onAwsCall(key);
  functions.onAwsCall(key);
  expect((await running).payload).toMatchObject({ errorType: 'Runtime.ExitError' });
});

test('an asynchronous invocation is retried, then sent to its failure destination', async () => {
  start("export const handler = async () => { throw new Error('no'); };", {}, 2000);
  functions.configureAsync('f', { maximumRetryAttempts: 1, onFailureArn: 'arn:aws:sqs:eu-west-1:111122223333:dead' });
  await functions.invokeLater(functions.arnOf('f'), { a: 1 });
  expect(failures).toMatchObject([{ target: 'arn:aws:sqs:eu-west-1:111122223333:dead', requestPayload: { a: 1 }, requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 2 } }]);
  expect(counted.filter((name) => name === 'AsyncEventsDropped')).toHaveLength(1);
});

const throttled = new AwsError('TooManyRequestsException', 'Rate Exceeded.', { status: 429 });
const broken = new AwsError('ServiceException', 'An error occurred inside Lambda.', { status: 500 });

test.each([['throttles', throttled, 4], ['fails at', broken, 0]])('an asynchronous invocation that Lambda %s comes back, and costs none of the tries', async (_what, error, throttles) => {
  start('export const handler = async () => 1;', {}, 2000);
  functions.configureAsync('f', { maximumRetryAttempts: 0, onFailureArn: 'arn:aws:sqs:eu-west-1:111122223333:dead' });
  functions.find('f').refuse(error, 1, 4);
  const before = clock.now();
  await functions.invokeLater(functions.arnOf('f'), {});
  // 1, 2, 4 and 8 seconds.
  expect(clock.now() - before).toBeGreaterThanOrEqual(15_000);
  expect([failures, counted.filter((name) => name === 'Throttles')]).toEqual([[], Array(throttles).fill('Throttles')]);
  expect(counted.filter((name) => name === 'Invocations' || name === 'AsyncEventsDropped')).toEqual(['Invocations']);
});

test('what Lambda refuses for longer than an event may be old goes to the failure destination, by its age', async () => {
  start('export const handler = async () => 1;', {}, 1000);
  functions.configureAsync('f', { maximumEventAgeSeconds: 600, onFailureArn: 'arn:aws:sqs:eu-west-1:111122223333:dead' });
  functions.find('f').refuse(broken, 1, Number.POSITIVE_INFINITY);
  const before = clock.now();
  await functions.invokeLater(functions.arnOf('f'), { a: 1 });
  expect(clock.now() - before).toBeGreaterThanOrEqual(600_000);
  expect(failures).toEqual([expect.objectContaining({ requestPayload: { a: 1 }, requestContext: { functionArn: `${functions.arnOf('f')}:$LATEST`, condition: 'EventAgeExceeded', approximateInvokeCount: 0 } })]);
  expect(failures[0]).not.toHaveProperty('responsePayload');
  // Ten that back off to five minutes, and one at the end of its age; on a busy machine sped time leaves room for fewer.
  expect([9, 10, 11]).toContain(functions.find('f').invocations);
  expect(counted).toEqual(['AsyncEventsDropped']);
});

test('an unknown function or qualifier is refused', async () => {
  start('export const handler = async () => 1;');
  await expect(functions.invoke(functions.arnOf('g'), {})).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
  await expect(functions.invoke(`${functions.arnOf('f')}:live`, {})).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
});

test('a warm call takes less than 15 ms', async () => {
  start('export const handler = async () => 1;');
  await call();
  const times: number[] = [];
  for (let index = 0; index < 20; index += 1) {
    const before = performance.now();
    await call();
    times.push(performance.now() - before);
  }
  // The fastest: what else a busy computer does is no part of it.
  expect(Math.min(...times)).toBeLessThan(15);
});

test('a function whose role no longer trusts Lambda does not run, and that is no error of its own', async () => {
  start('export const handler = async () => 1;', {}, 2000);
  expect((await call()).payload).toBe(1);
  counted = [];
  iam.distrust('worker');
  await expect(call()).rejects.toMatchObject({ code: 'AccessDeniedException', message: 'The role defined for the function cannot be assumed by Lambda.' });
  expect(counted).toEqual([]);
  functions.configureAsync('f', { maximumRetryAttempts: 1, onFailureArn: 'arn:aws:sqs:eu-west-1:111122223333:dead' });
  await functions.invokeLater(functions.arnOf('f'), { a: 1 });
  expect(failures).toMatchObject([{ requestPayload: { a: 1 }, requestContext: { approximateInvokeCount: 2 } }]);
});
