// The wrapper of every handler: what it refuses, how it names errors for the state machine, and what its log lines keep back.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RipcordError } from '../../lambdas/domain/errors.ts';
import { fields, handle } from '../../lambdas/runtime/handle.ts';
import { asWorkflowError } from '../../lambdas/runtime/handle-errors.ts';
import type { Log } from '../../lambdas/runtime/logger.ts';

let lines: string[] = [];
beforeEach(() => {
  lines = [];
  // Powertools keeps a console of its own; what reaches the streams is what CloudWatch would keep.
  for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, 'write').mockImplementation((text) => { lines.push(String(text)); return true; });
});
afterEach(() => { vi.restoreAllMocks(); });

interface Input { readonly rollbackId: string; readonly service: string }
const step = (run: (input: Input, log: Log) => Promise<string>) =>
  handle<Input, string>({ name: 'Example', parse: fields<Input>({ rollbackId: 'string', service: 'string' }), about: (input) => input, run });

const input = { rollbackId: 'rb-1', service: 'checkout' };
const logged = (): Record<string, unknown>[] => lines.join('').split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);

describe('a handler', () => {
  it('writes the service, the rollback, the step and the time on its last line', async () => {
    await expect(step(async () => 'done')(input)).resolves.toBe('done');
    expect(logged()).toMatchObject([{ level: 'INFO', service: 'checkout', rollbackId: 'rb-1', step: 'Example', durationMs: expect.any(Number) as number }]);
  });

  it('refuses an input of another shape by the name of the field', async () => {
    const run = step(async () => 'done');
    await expect(run({ rollbackId: 'rb-1' })).rejects.toThrow('input field "service" must be a JSON string, not undefined');
    await expect(run({ rollbackId: ['rb-1'], service: 'x' })).rejects.toThrow('input field "rollbackId" must be a JSON string, not array');
    await expect(run(null)).rejects.toThrow('the input must be a JSON object');
  });

  it('keeps tokens, secrets and credentials out of its lines', async () => {
    await step(async (_, log) => {
      log.info('with a secret', { from: { taskToken: 'AAAA', nested: { password: 'BBBB', Authorization: 'CCCC' } }, to: { secretValue: 'DDDD', weight: 1 } });
      throw Object.assign(new Error('failed'), { sessionToken: 'EEEE' });
    })(input).catch(() => undefined);
    expect(lines.join('')).toContain('"weight":1');
    for (const secret of ['AAAA', 'BBBB', 'CCCC', 'DDDD', 'EEEE']) expect(lines.join('')).not.toContain(secret);
  });

  it('names what passes by itself Retryable, with the first error as its cause', async () => {
    const throttled = Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
    await expect(step(async () => { throw throttled; })(input)).rejects.toMatchObject({ name: 'Retryable', cause: throttled, message: 'ThrottlingException: slow down' });
  });
});

const named = (name: string, more: object = {}): Error => Object.assign(new Error('x'), { name }, more);

describe('errors for the state machine', () => {
  it.each([
    named('TooManyRequestsException'), named('TimeoutError'), named('Whatever', { $metadata: { httpStatusCode: 503 } }), named('Error', { code: 'ECONNRESET' }),
    new AggregateError([named('ThrottlingException'), named('TimeoutError')]), new RipcordError('retry', 'throttled', 'x'),
  ])('are Retryable for %o', (error) => {
    expect(asWorkflowError(error).name).toBe('Retryable');
  });

  it.each([named('AccessDeniedException'), new TypeError('x'), new AggregateError([named('ThrottlingException'), named('AccessDeniedException')]), new AggregateError([])])('keep their name for %o', (error) => {
    expect(asWorkflowError(error)).toBe(error);
  });

  it('are errors even when something else was thrown', () => {
    expect(asWorkflowError('text')).toBeInstanceOf(Error);
  });
});
