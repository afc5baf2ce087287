// Function processes shared by sandboxes: what an invocation leaves behind never reaches the next sandbox.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WarmProcesses, type Wanted } from '../../../sandbox/services/lambda/warm-processes.ts';
import type { Worker } from '../../../sandbox/services/lambda/worker.ts';

// Calls under the trace of its own invocation as often as it is told, with a pause before each call, and does not wait for the calls.
const code = `
import http from 'node:http';
export const handler = async ({ pauses }) => {
  const authorization = 'AWS4-HMAC-SHA256 Credential=' + process.env.AWS_ACCESS_KEY_ID + '/20260101/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=' + '0'.repeat(64);
  const trace = process.env._X_AMZN_TRACE_ID;
  const call = () => new Promise((resolve) => {
    const request = http.request(process.env.AWS_ENDPOINT_URL, { headers: { authorization, 'x-amzn-trace-id': trace } }, (response) => response.resume().on('end', resolve));
    request.on('error', resolve);
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

function sandbox(): Wanted & { readonly heard: (string | string[] | undefined)[] } {
  const heard: (string | string[] | undefined)[] = [];
  const handle = async ({ headers }: IncomingMessage, response: ServerResponse): Promise<void> => {
    heard.push(headers['x-amzn-trace-id']);
    response.end();
  };
  return { heard, endpoint: { handle }, environment: { _HANDLER: 'index.handler', LAMBDA_TASK_ROOT: directory }, codeDirectory: directory, memoryMb: 128, now: () => Date.now(), log: () => undefined, adopt: () => undefined };
}

const run = (worker: Worker, traceId: string, pauses: readonly number[]): Promise<unknown> =>
  worker.run({ requestId: traceId, payload: JSON.stringify({ pauses }), milliseconds: 10_000, functionArn: 'arn', traceId }, 10);

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
  const struck = async (times: number, pauses: readonly number[]): Promise<{ readonly worker: Worker; readonly isKept: boolean }> => {
    const worker = await warm.take(asked());
    for (let count = 0; count < times; count += 1) warm.strike(keys.at(-1) ?? '');
    await run(worker, `struck-${keys.length}`, pauses);
    warm.give(worker);
    const next = await warm.take(asked());
    await run(next, `next-${keys.length}`, [1]);
    warm.give(next);
    return { worker, isKept: next === worker };
  };
  const first = await struck(25, Array.from({ length: 80 }, () => 1));
  expect(first.isKept).toBe(true);
  const second = await struck(10, [1]);
  expect(second).toEqual({ worker: first.worker, isKept: true });
  expect((await struck(10, [1])).isKept).toBe(false);
});
