// What a look into an answer may take: of values, of depth and of time, whatever the path and the body.
import { describe, expect, it } from 'vitest';
import { AnswerBody, bodyLimits } from '../../lambdas/adapters/journey-body.ts';
import { journey, run, serve } from './journey-rig.ts';

const found = (body: string, path: string): unknown => new AnswerBody(Buffer.from(body)).find(path, (values) => values);
const count = (body: AnswerBody | string, path: string): number => (typeof body === 'string' ? new AnswerBody(Buffer.from(body)) : body).find(path, ({ length }) => length);
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const wide = (values: number): string => `[${'1,'.repeat(values - 1)}1]`;
/** Within both limits, and a path with two steps into any depth finds five million places in it. */
const hostile = `[${Array.from({ length: 1000 }, () => `${'{"a":'.repeat(98)}1${'}'.repeat(98)}`).join()}]`;

describe('the body of an answer', () => {
  it('is looked through up to the limits', () => {
    expect([count(nested(bodyLimits.depth + 1), '$..*'), count(wide(bodyLimits.values - 1), '$[*]')]).toEqual([bodyLimits.depth, bodyLimits.values - 1]);
    expect(found('{"a":[{"b":1},{"b":2}]}', '$..b')).toEqual([1, 2]);
  });

  it.each([
    ['nested a list deeper', nested(bodyLimits.depth + 2), 'the body is nested too deep, in more than 100 lists and objects, so nothing is looked for in it'],
    ['nested as deep as a megabyte goes', nested(500_000), 'the body is nested too deep, in more than 100 lists and objects, so nothing is looked for in it'],
    ['of one value more', wide(bodyLimits.values), 'the body holds more than 100000 values, so nothing is looked for in it'],
    ['of as many values as a megabyte holds', wide(520_000), 'the body holds more than 100000 values, so nothing is looked for in it'],
  ])('is not when it is %s', (_, body, why) => {
    for (const path of ['$', '$..a']) expect(() => found(body, path)).toThrow(expect.objectContaining({ name: 'ExchangeFailed', message: why }) as Error);
  });

  it.each([
    ['two steps into any depth', hostile, '$..a..a'],
    ['a look through all of it for each value', wide(8000), '$[?count($[*]) > 1]'],
    ['a pattern that goes back and forth', JSON.stringify(['a'.repeat(100_000)]), "$[?search(@, 'a*b')]"],
    ['a pattern that the service chose', JSON.stringify({ pattern: '(a+)+b', list: ['a'.repeat(28)] }), '$.list[?match(@, $.pattern)]'],
  ])('is given up where the path asks for %s', (_, body, path) => {
    const began = performance.now();
    expect(() => found(body, path)).toThrow(expect.objectContaining({ name: 'JourneyBroken', message: `the body was not looked through within 300 ms: ${path} was still being looked for` }) as Error);
    // On a machine with much else to do it ends later than it should; without an end it takes several seconds.
    expect(performance.now() - began).toBeLessThan(2000);
    expect(found('[7]', '$[0]')).toEqual([7]);
  });

  it('gives all its paths together the time of one, what is done with what they find included', () => {
    const body = new AnswerBody(Buffer.from(hostile));
    const spin = (milliseconds: number) => () => { for (const end = performance.now() + milliseconds; performance.now() < end;); };
    for (let turn = 0; turn < 2; turn += 1) body.find('$', spin(bodyLimits.milliseconds * 0.4));
    expect(() => { body.find('$', spin(bodyLimits.milliseconds * 0.4)); }).toThrow('the body was not looked through within 300 ms: $ was still being looked for');
    expect(() => { body.find('$', spin(50)); }).toThrow('was still being looked for');
  });

  it('on which the stack runs out fails as well', () => {
    expect(() => new AnswerBody(Buffer.from('1')).find('$', () => { throw new RangeError('Maximum call stack size exceeded'); })).toThrow(expect.objectContaining({ name: 'ExchangeFailed', message: 'the body could not be looked through for $: the stack ran out' }) as Error);
  });
});

it('a journey whose server answers with that could not be run, as the time was ours: an expectation and a carried value alike', async () => {
  const host = await serve((_, response) => { response.end(hostile); });
  const path = '$..a..a';
  for (const request of [{ expect: { json: [{ path, equals: 1 }] } }, { expect: { json: [{ path, exists: true }] } }, { carry: { first: path } }]) {
    const result = await run(journey(host, [{ url: `http://${host}/`, timeoutMs: 5000, ...request }]));
    expect(result).toMatchObject({ ok: false, couldNotRun: true, failedAt: 'r1', reason: `the body was not looked through within 300 ms: ${path} was still being looked for` });
  }
});
