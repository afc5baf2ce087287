// Function processes shared by sandboxes: what an invocation leaves behind never reaches the next sandbox.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Struck, WarmProcesses, type Wanted } from '../../../sandbox/services/lambda/warm-processes.ts';
import type { Worker } from '../../../sandbox/services/lambda/worker.ts';

// Calls under the trace of its own invocation, found as the SDK does, as often as it is told, with a pause before each call, and does not wait for the calls.
const code = `
import http from 'node:http';
export const handler = async ({ pauses, patience = 60000 }) => {
  const authorization = 'AWS4-HMAC-SHA256 Credential=' + process.env.AWS_ACCESS_KEY_ID + '/20260101/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=' + '0'.repeat(64);
  const call = () => new Promise((resolve) => {
    const trace = globalThis.awslambda.InvokeStore.getXRayTraceId();
    const request = http.request(process.env.AWS_ENDPOINT_URL, { headers: { authorization, 'x-amzn-trace-id': trace }, timeout: patience }, (response) => response.resume().on('end', resolve));
    request.on('error', resolve);
    request.on('timeout', () => request.destroy());
    request.end();
  });
  const calls = pauses.map((pause) => new Promise((resolve) => setTimeout(resolve, pause)).then(call));
  if (pauses.every((pause) => pause < 100)) await Promise.all(calls);
};`;

let directory: string;
let warm: WarmProcesses;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'warm-'));
  await writeFile(path.join(directory, 'index.mjs'), code);
  warm = await new WarmProcesses().listen();
});

afterAll(async () => {
  await warm.stop();
  await rm(directory, { recursive: true });
});

/** @param answer to each call; a call may be left without one. */
function sandbox(answer: (response: ServerResponse) => void = (response) => void response.end()): Wanted & { readonly heard: (string | string[] | undefined)[] } {
  const heard: (string | string[] | undefined)[] = [];
  const handle = async ({ headers }: IncomingMessage, response: ServerResponse): Promise<void> => {
    heard.push(headers['x-amzn-trace-id']);
    answer(response);
  };
  return { heard, endpoint: { handle }, environment: { _HANDLER: 'index.handler', LAMBDA_TASK_ROOT: directory }, codeDirectory: directory, memoryMb: 128, time: { now: () => Date.now(), isHeld: false }, log: () => undefined, adopt: () => undefined };
}

const run = (worker: Worker, traceId: string, pauses: readonly number[], patience?: number): Promise<unknown> =>
  worker.run({ requestId: traceId, payload: JSON.stringify({ pauses, patience }), milliseconds: 10_000, functionArn: 'arn', traceId }, 10);

test('a call left behind reaches its own sandbox, and no other', async () => {
  const [one, other] = [sandbox(), sandbox()];
  const first = await warm.take(one);
  await run(first, 'one-1', [1, 200, 900]);
  warm.give(first);
  const again = await warm.take(one);
  await run(again, 'one-2', [1]);
  await new Promise((resolve) => { setTimeout(resolve, 400); });
  warm.give(again);
  const second = await warm.take(other);
  expect(second).toBe(first);
  await run(second, 'other-1', [1]);
  await new Promise((resolve) => { setTimeout(resolve, 1000); });
  expect(one.heard).toContain('one-2');
  expect(one.heard.filter((trace) => trace === 'one-1').length).toBeGreaterThan(0);
  expect(other.heard).toEqual(['other-1']);
});

test('a process whose client has few retries left goes to nobody else, unless calls have brought them back', async () => {
  const keys: string[] = [];
  const asked = (): Wanted => ({ ...sandbox(), adopt: (accessKeyId) => void keys.push(accessKeyId) });
  const struck = async (times: number, pauses: readonly number[], how: Struck = {}): Promise<{ readonly worker: Worker; readonly isKept: boolean }> => {
    const worker = await warm.take(asked());
    for (let count = 0; count < times; count += 1) warm.strike(keys.at(-1) ?? '', how);
    await run(worker, `struck-${keys.length}`, pauses);
    warm.give(worker);
    const next = await warm.take(asked());
    await run(next, `next-${keys.length}`, [1]);
    warm.give(next);
    return { worker, isKept: next === worker };
  };
  const first = await struck(25, Array.from({ length: 80 }, () => 1));
  expect(first.isKept).toBe(true);
  const second = await struck(5, [1]);
  expect(second).toEqual({ worker: first.worker, isKept: true });
  expect((await struck(5, [1])).isKept).toBe(false);
  // What is mended at the next attempt costs nothing, and what is throttled less than a half.
  expect((await struck(100, [1], { isOnce: true })).isKept).toBe(true);
  expect((await struck(60, [1], { isThrottled: true })).isKept).toBe(true);
  expect((await struck(12, [1], { isThrottled: true })).isKept).toBe(false);
});

test('a client that no longer waits for a reply is counted, unless the reply was kept from it on purpose or its process died', async () => {
  let [late, key] = [true, ''];
  const slow = { ...sandbox((response) => void (late ? setTimeout(() => response.end(), 150) : response.end())), adopt: (accessKeyId: string) => void (key = accessKeyId) };
  const worker = await warm.take(slow);
  await run(worker, 'slow-1', [1], 30);
  await expect.poll(() => warm.givenUp(slow.endpoint)).toBe(1);
  warm.strike(key, { isLost: true });
  expect(warm.givenUp(slow.endpoint)).toBe(0);
  await run(worker, 'slow-2', [1], 30);
  await expect.poll(() => warm.givenUp(slow.endpoint)).toBe(1);
  late = false;
  await run(worker, 'slow-3', [1, 1], 2000);
  expect(warm.givenUp(slow.endpoint)).toBe(1);
  late = true;
  const dying = run(worker, 'slow-4', [1], 2000);
  await new Promise((resolve) => { setTimeout(resolve, 80); });
  warm.kill(key);
  await dying;
  await new Promise((resolve) => { setTimeout(resolve, 200); });
  expect([warm.givenUp(slow.endpoint), warm.givenUp(sandbox().endpoint)]).toEqual([1, 0]);
});

test('a process whose client gave up waiting too often goes to nobody else', async () => {
  const slow = sandbox((response) => void setTimeout(() => response.end(), 5000).unref());
  const worker = await warm.take(slow);
  await run(worker, 'waiting-1', Array.from({ length: 40 }, () => 1), 1000);
  await expect.poll(() => warm.givenUp(slow.endpoint), { timeout: 5000 }).toBeGreaterThan(30);
  warm.give(worker);
  expect(await warm.take(sandbox())).not.toBe(worker);
});
