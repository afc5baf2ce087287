// Each state type and each way a state fails, as Step Functions runs them in JSONata mode.
import { afterEach, describe, expect, test } from 'vitest';
import type { Retrier } from '../../../sandbox/services/states/definition.ts';
import { RetryCounter } from '../../../sandbox/services/states/retry.ts';
import { invoke, machineRig, Named, only, outputOf, type Functions, type Rig } from './machine-rig.ts';

let rig: Rig;
const start = (functions: Functions = {}, speed = 1000): Rig => (rig = machineRig(functions, speed));
afterEach(() => rig.stop());

const twice = (state: object): object => ({ StartAt: 'A', States: { A: { ...state, Next: 'B' }, B: { ...state, End: true } } });
const pick = (rules: object[], rest: object = {}): object => ({ StartAt: 'C', States: { C: { Type: 'Choice', Choices: rules, ...rest }, A: { Type: 'Succeed', Output: '{% ["A", $states.input, $v] %}' }, B: { Type: 'Succeed', Output: '{% ["B", $v] %}' } } });
const branch = (name: string, seconds: number): object => ({ StartAt: `${name}w`, States: { [`${name}w`]: { Type: 'Wait', Seconds: seconds, Next: name }, [name]: { Type: 'Pass', Output: `{% "${name}" & $states.input.k %}`, End: true } } });

describe('values', () => {
  test.each([
    ['a literal', { a: 1 }, { a: 1 }],
    ['an expression in a nested place', { a: ['{% $states.input.x + 1 %}'] }, { a: [3] }],
    ['text that only contains an expression', 'now {% 1 %}', 'now {% 1 %}'],
    ['null', '{% null %}', null],
    ['a sequence of one as its value', '{% $states.input.list[n > 1].n %}', 2],
    ['an array kept an array', '{% [$states.input.list[n > 1].n] %}', [2]],
    ['the execution name', '{% $length($states.context.Execution.Name) > 0 %}', true],
    ['the state name', '{% $states.context.State.Name %}', 'Only'],
    ['$partition', '{% $partition([1,2,3,4,5], 2) %}', [[1, 2], [3, 4], [5]]],
    ['$range', '{% $range(0, 10, 5) %}', [0, 5, 10]],
    ['$hash', "{% $hash('a', 'SHA-256') %}", 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'],
    ['$parse', '{% $parse(\'{"a":1}\').a %}', 1],
    ['$random with a seed', '{% $random(7) = $random(7) %}', true],
    ['$uuid', '{% $length($uuid()) %}', 36],
  ])('an Output can be %s', async (_name, given, expected) => {
    start();
    const done = await rig.run(only({ Type: 'Pass', Output: given }), { x: 2, list: [{ n: 1 }, { n: 2 }] });
    expect(outputOf(done)).toEqual(expected);
  });

  test('$millis counts sandbox time', async () => {
    start();
    const done = await rig.run({ StartAt: 'A', States: { A: { Type: 'Pass', Assign: { t: '{% $millis() %}' }, Next: 'W' }, W: { Type: 'Wait', Seconds: 60, Next: 'B' }, B: { Type: 'Pass', Output: '{% $millis() - $t %}', End: true } } });
    expect(outputOf(done)).toBeGreaterThanOrEqual(60_000);
  });

  test.each([
    ['an undefined result', '{% $states.input.missing %}'],
    ['an undefined result inside an object', { a: '{% $states.input.missing %}' }],
    ['a type error', "{% 1 + 'a' %}"],
    ['a function', '{% $sum %}'],
    ['$eval', "{% $eval('1') %}"],
    ['$states.result in a Pass', '{% $states.result %}'],
  ])('%s ends with States.QueryEvaluationError', async (_name, given) => {
    start();
    const done = await rig.run(only({ Type: 'Pass', Output: given }));
    expect(done.status).toBe('FAILED');
    expect(done.error).toBe('States.QueryEvaluationError');
  });
});

describe('variables', () => {
  test('Assign and Output of one state both see the old values', async () => {
    start();
    const done = await rig.run({ StartAt: 'A', States: { A: { Type: 'Pass', Assign: { x: 1 }, Next: 'B' }, B: { Type: 'Pass', Assign: { x: '{% $x + 1 %}' }, Output: '{% $x %}', Next: 'C' }, C: { Type: 'Pass', Output: '{% [$states.input, $x] %}', End: true } } });
    expect(outputOf(done)).toEqual([1, 2]);
  });

  test('inner scopes read outer variables and leak none of their own', async () => {
    start();
    const inner = { StartAt: 'I', States: { I: { Type: 'Pass', Assign: { x: 9 }, Next: 'J' }, J: { Type: 'Pass', Output: '{% [$x, $y] %}', End: true } } };
    const done = await rig.run({ StartAt: 'A', States: {
      A: { Type: 'Pass', Assign: { x: 1, y: 2 }, Next: 'P' },
      P: { Type: 'Parallel', Branches: [inner], Next: 'Z' },
      Z: { Type: 'Pass', Output: '{% {"inner": $states.input, "x": $x} %}', End: true },
    } });
    expect(outputOf(done)).toEqual({ inner: [[9, 2]], x: 1 });
  });
});

describe('Task', () => {
  test('gives the payload to the function and its answer to Output and Assign', async () => {
    start({ f: (payload: { n: number }) => ({ twice: payload.n * 2 }) });
    const done = await rig.run({ StartAt: 'T', States: { T: { ...invoke('f'), Assign: { kept: '{% $states.result.Payload.twice %}' }, Output: '{% $states.result.StatusCode %}', Next: 'E' }, E: { Type: 'Pass', Output: '{% [$states.input, $kept] %}', End: true } } }, { n: 4 });
    expect(outputOf(done)).toEqual([200, 8]);
  });

  test('the machine’s role is asked for each invoke', async () => {
    start({ f: () => 1 });
    rig.denied.add('lambda:InvokeFunction');
    const done = await rig.run(only(invoke('f')));
    expect(done.error).toBe('Lambda.AWSLambdaException');
    expect(rig.calls).toEqual([]);
  });

  test('a function that outlives TimeoutSeconds is States.Timeout', async () => {
    start({ f: () => new Promise((resolve) => setTimeout(resolve, 900)) });
    const done = await rig.run(only({ ...invoke('f'), TimeoutSeconds: '{% 20 %}' }));
    expect(done.error).toBe('States.Timeout');
  });

  test('sandbox time never outruns real Lambda work', async () => {
    start({ f: () => new Promise((resolve) => setTimeout(() => resolve('late'), 30)) });
    // 30 real ms are 30 sandbox seconds here; the task allows 5.
    const done = await rig.run({ TimeoutSeconds: 10, ...only({ ...invoke('f'), TimeoutSeconds: 5, Output: '{% $states.result.Payload %}' }) });
    expect(outputOf(done)).toBe('late');
  });

  test('startExecution starts another machine once for one name', async () => {
    start();
    const other = rig.create(only({ Type: 'Wait', Seconds: 30 }));
    const task = { Type: 'Task', Resource: 'arn:aws:states:::aws-sdk:sfn:startExecution', Arguments: { StateMachineArn: other, Name: 'one', Input: '{"a":1}' } };
    const done = await rig.run(twice(task));
    expect(done.status).toBe('SUCCEEDED');
    expect(rig.machines.executions(other)).toHaveLength(1);
    rig.machines.executions(other)[0]?.stop(null, null);
    const again = await rig.run(only(task));
    expect(again.error).toBe('Sfn.ExecutionAlreadyExistsException');
  });
});

describe('Retry', () => {
  test.each<[string, Partial<Retrier>, number[]]>([
    ['the interval grows by the back-off rate', { IntervalSeconds: 10, BackoffRate: 3, MaxAttempts: 2 }, [10, 30]],
    ['MaxDelaySeconds caps it', { IntervalSeconds: 10, BackoffRate: 10, MaxAttempts: 2, MaxDelaySeconds: 20 }, [10, 20]],
    ['full jitter takes a random part', { IntervalSeconds: 40, BackoffRate: 1, MaxAttempts: 2, JitterStrategy: 'FULL' }, [20, 20]],
    ['MaxAttempts 0 means never', { MaxAttempts: 0 }, []],
  ])('%s', (_name, retrier, expected) => {
    const retries = new RetryCounter([{ ErrorEquals: ['Busy'], ...retrier }], () => 0.5);
    expect(expected.map(() => retries.next('Busy'))).toEqual(expected);
    expect(retries.next('Busy')).toBeNull();
  });

  test('a retry waits its interval in sandbox time', async () => {
    start({ f: () => { throw new Named('Busy'); } });
    const done = await rig.run(only({ ...invoke('f'), Retry: [{ ErrorEquals: ['Busy'], IntervalSeconds: 30, MaxAttempts: 1 }] }));
    expect(done.error).toBe('Busy');
    expect((rig.calls[1]?.at ?? 0) - (rig.calls[0]?.at ?? 0)).toBeGreaterThanOrEqual(30_000);
  });

  test('each retrier counts its own attempts, and RetryCount is visible', async () => {
    start({ f: (seen: number, count: number) => { if (count < 3) throw new Named(count === 1 ? 'A' : 'B'); return seen; } });
    const done = await rig.run(only({ ...invoke('f', '{% $states.context.State.RetryCount %}'), Retry: [{ ErrorEquals: ['A'], MaxAttempts: 1 }, { ErrorEquals: ['B'], MaxAttempts: 1 }], Output: '{% $states.result.Payload %}' }));
    expect(outputOf(done)).toBe(2);
  });
});

describe('Catch', () => {
  test.each([
    ['States.ALL', 'Boom', true],
    ['States.TaskFailed', 'Boom', true],
    ['Other', 'Boom', false],
    ['States.TaskFailed', 'States.Timeout', false],
    ['States.ALL', 'States.Timeout', true],
    ['States.ALL', 'States.DataLimitExceeded', false],
    ['States.DataLimitExceeded', 'States.DataLimitExceeded', true],
  ])('%s on %s: caught %s', async (catcher, thrown, caught) => {
    start({ f: () => { throw new Named(thrown); } });
    const done = await rig.run({ StartAt: 'T', States: { T: { ...invoke('f'), Catch: [{ ErrorEquals: [catcher], Next: 'C' }], End: true }, C: { Type: 'Pass', Output: '{% $states.input.Error %}', End: true } } });
    expect([done.status, done.error]).toEqual(caught ? ['SUCCEEDED', null] : ['FAILED', thrown]);
  });

  test('Assign and Output of the catcher see errorOutput', async () => {
    start({ f: () => { throw new Named('Boom', 'why'); } });
    const done = await rig.run({ StartAt: 'T', States: {
      T: { ...invoke('f'), Catch: [{ ErrorEquals: ['States.ALL'], Next: 'C', Assign: { cause: '{% $parse($states.errorOutput.Cause).errorMessage %}' }, Output: { in: '{% $states.input %}', error: '{% $states.errorOutput.Error %}' } }], End: true },
      C: { Type: 'Pass', Output: '{% $merge([$states.input, {"cause": $cause}]) %}', End: true },
    } }, { k: 1 });
    expect(outputOf(done)).toEqual({ in: { k: 1 }, error: 'Boom', cause: 'why' });
  });

  test('a failed expression of a Task can be caught', async () => {
    start({ f: () => 1 });
    const done = await rig.run({ StartAt: 'T', States: { T: { ...invoke('f', '{% $nothing %}'), Catch: [{ ErrorEquals: ['States.QueryEvaluationError'], Next: 'C' }], End: true }, C: { Type: 'Pass', Output: 'caught', End: true } } });
    expect(outputOf(done)).toBe('caught');
  });

  test('a failed Output expression of a Task can be caught', async () => {
    start({ f: () => 1 });
    const done = await rig.run({ StartAt: 'T', States: { T: { ...invoke('f'), Output: '{% $nothing %}', Catch: [{ ErrorEquals: ['States.ALL'], Next: 'C' }], End: true }, C: { Type: 'Pass', Output: 'caught', End: true } } });
    expect(outputOf(done)).toBe('caught');
  });

  test('a result over 256 KiB is States.DataLimitExceeded', async () => {
    start({ f: () => 'x'.repeat(270_000) });
    const done = await rig.run(only(invoke('f')));
    expect(done.error).toBe('States.DataLimitExceeded');
  });
});

describe('Choice, Wait, Succeed, Fail', () => {
  test('the first true rule wins, with its own Assign and Output', async () => {
    start();
    const done = await rig.run(pick([{ Condition: '{% $states.input.n = 2 %}', Next: 'B' }, { Condition: '{% $states.input.n = 1 %}', Next: 'A', Assign: { v: 'rule' }, Output: 'o' }], { Default: 'B', Assign: { v: 'default' } }), { n: 1 });
    expect(outputOf(done)).toEqual(['A', 'o', 'rule']);
  });

  test('Default brings the state’s Assign', async () => {
    start();
    const done = await rig.run(pick([{ Condition: '{% false %}', Next: 'A' }], { Default: 'B', Assign: { v: 'default' } }));
    expect(outputOf(done)).toEqual(['B', 'default']);
  });

  test('no match and no Default is States.NoChoiceMatched', async () => {
    start();
    expect((await rig.run(pick([{ Condition: '{% false %}', Next: 'A' }]))).error).toBe('States.NoChoiceMatched');
  });

  test('a condition that is not a boolean fails', async () => {
    start();
    expect((await rig.run(pick([{ Condition: '{% 1 %}', Next: 'A' }]))).error).toBe('States.QueryEvaluationError');
  });

  test('Wait takes its seconds from an expression, in sandbox time', async () => {
    start();
    const before = rig.clock.now();
    await rig.run(only({ Type: 'Wait', Seconds: '{% $states.input.s %}' }), { s: 40 });
    expect(rig.clock.now() - before).toBeGreaterThanOrEqual(40_000);
  });

  test('Wait refuses a fraction of a second', async () => {
    start();
    expect((await rig.run(only({ Type: 'Wait', Seconds: '{% 1.5 %}' }))).error).toBe('States.QueryEvaluationError');
  });

  test('Fail takes error and cause from expressions', async () => {
    start();
    const done = await rig.run({ StartAt: 'F', States: { F: { Type: 'Fail', Error: "{% 'E' & $states.input.n %}", Cause: 'because' } } }, { n: 1 });
    expect(outputOf(done)).toEqual({ error: 'E1', cause: 'because' });
  });
});

describe('Parallel and Map', () => {
  test('Parallel gives each branch its Arguments and collects in order', async () => {
    start();
    const done = await rig.run(only({ Type: 'Parallel', Arguments: { k: 1 }, Branches: [branch('a', 20), branch('b', 1)] }));
    expect(outputOf(done)).toEqual(['a1', 'b1']);
  });

  test('one failed branch stops the others and can be caught', async () => {
    start({ f: () => { throw new Named('Boom'); }, g: () => 1 });
    const slow = { StartAt: 'S', States: { S: { Type: 'Wait', Seconds: 3600, Next: 'G' }, G: { ...invoke('g'), End: true } } };
    const bad = { StartAt: 'F', States: { F: { ...invoke('f'), End: true } } };
    const done = await rig.run({ StartAt: 'P', States: { P: { Type: 'Parallel', Branches: [slow, bad], Catch: [{ ErrorEquals: ['Boom'], Next: 'C' }], End: true }, C: { Type: 'Pass', Output: 'caught', End: true } } });
    expect(outputOf(done)).toBe('caught');
    expect(rig.calls.map((one) => one.name)).toEqual(['f']);
    expect(done.history.events.map((one) => one.type)).toEqual(expect.arrayContaining(['WaitStateAborted', 'ParallelStateFailed', 'ParallelStateExited']));
  });

  test('Map selects, limits concurrency and keeps the order', async () => {
    let running = 0;
    let most = 0;
    start({ f: async (payload: { i: number; v: number }) => {
      most = Math.max(most, (running += 1));
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      return payload.i * 10 + payload.v;
    } });
    const done = await rig.run(only({ Type: 'Map', Items: '{% $states.input.items %}', MaxConcurrency: 2,
      ItemSelector: { i: '{% $states.context.Map.Item.Index %}', v: '{% $states.context.Map.Item.Value %}' },
      ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, StartAt: 'T', States: { T: { ...invoke('f'), Output: '{% $states.result.Payload %}', End: true } } } }), { items: [1, 2, 3, 4, 5] });
    expect(outputOf(done)).toEqual([1, 12, 23, 34, 45]);
    expect(most).toBe(2);
  });

  test('Map over nothing gives an empty array', async () => {
    start();
    const done = await rig.run(only({ Type: 'Map', Items: [], ItemProcessor: { StartAt: 'T', States: { T: { Type: 'Pass', End: true } } } }));
    expect(outputOf(done)).toEqual([]);
  });

  test('a failed iteration fails the Map', async () => {
    start({ f: (n: number) => { if (n === 2) throw new Named('Boom'); return n; } });
    const done = await rig.run(only({ Type: 'Map', Items: [1, 2, 3], ItemProcessor: { StartAt: 'T', States: { T: { ...invoke('f'), End: true } } } }));
    expect(done.error).toBe('Boom');
    expect(done.history.events.map((one) => one.type)).toEqual(expect.arrayContaining(['MapStateStarted', 'MapIterationStarted', 'MapIterationFailed', 'MapStateFailed', 'ExecutionFailed']));
  });
});
