// Whatever waits in a state machine: task tokens, heartbeats, deadlines, stops; and what is refused before it could run.
import { afterEach, describe, expect, test } from 'vitest';
import { invoke, machineRig, Named, only, outputOf, type Functions, type Rig } from './machine-rig.ts';

let rig: Rig;
const start = (functions: Functions = {}, speed = 1000): Rig => (rig = machineRig(functions, speed));
afterEach(() => rig.stop());

const ask = (extra: object = {}): object => ({
  Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken', Arguments: { FunctionName: 'ask', Payload: { token: '{% $states.context.Task.Token %}' } }, ...extra,
});
const tokens: string[] = [];
const asked = { ask: ({ token }: { token: string }) => void tokens.push(token) };
const lastToken = (): string => tokens.at(-1) ?? '';
const real = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function begin(definition: object): Promise<() => Promise<ReturnType<Rig['machines']['execution']>>> {
  const { executionArn } = rig.machines.startExecution(rig.create(definition), {});
  await real(20);
  return async () => {
    const execution = rig.machines.execution(executionArn);
    await execution.finished;
    return execution;
  };
}

describe('task tokens', () => {
  test('success gives the output', async () => {
    start(asked, 1);
    const done = await begin(only(ask()));
    rig.machines.tokens.succeed(lastToken(), '{"yes":1}');
    const execution = await done();
    expect(outputOf(execution)).toEqual({ yes: 1 });
    expect(execution.history.events.map((one) => one.type)).toEqual(['ExecutionStarted', 'TaskStateEntered', 'TaskScheduled', 'TaskStarted', 'TaskSubmitted', 'TaskSucceeded', 'TaskStateExited', 'ExecutionSucceeded']);
  });

  test('an answer that comes before the function returned counts', async () => {
    start({ ask: async ({ token }: { token: string }) => {
      rig.machines.tokens.succeed(token, '"early"');
      await real(30);
    } }, 1);
    expect(outputOf(await rig.run(only(ask())))).toBe('early');
  });

  test('failure is an error that can be caught', async () => {
    start(asked, 1);
    const done = await begin({ StartAt: 'T', States: { T: ask({ Catch: [{ ErrorEquals: ['No'], Next: 'C' }], End: true }), C: { Type: 'Pass', Output: '{% $states.input.Cause %}', End: true } } });
    rig.machines.tokens.fail(lastToken(), 'No', 'because');
    expect(outputOf(await done())).toBe('because');
  });

  test('a deadline is States.Timeout, and the late answer is refused', async () => {
    start(asked);
    const done = await begin(only(ask({ TimeoutSeconds: 40 })));
    expect((await done()).error).toBe('States.Timeout');
    expect(() => rig.machines.tokens.succeed(lastToken(), '{}')).toThrow(expect.objectContaining({ code: 'TaskTimedOut' }));
  });

  test('no heartbeat is States.HeartbeatTimeout, which a Catch of States.Timeout takes too', async () => {
    start(asked);
    const done = await begin({ StartAt: 'T', States: { T: ask({ TimeoutSeconds: 3000, HeartbeatSeconds: 40, Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'C' }], End: true }), C: { Type: 'Pass', Output: '{% $states.input.Error %}', End: true } } });
    expect(outputOf(await done())).toBe('States.HeartbeatTimeout');
  });

  test('heartbeats keep the task alive', async () => {
    start(asked, 200);
    // 60 sandbox seconds are 300 real milliseconds; the beats go on for 500.
    const done = await begin(only(ask({ HeartbeatSeconds: 60 })));
    for (let beat = 0; beat < 5; beat += 1) {
      rig.machines.tokens.heartbeat(lastToken());
      await real(100);
    }
    rig.machines.tokens.succeed(lastToken(), '1');
    expect(outputOf(await done())).toBe(1);
  });

  test.each<[string, () => void, string]>([
    ['no token', () => rig.machines.tokens.heartbeat('nonsense'), 'InvalidToken'],
    ['output that is not JSON', () => rig.machines.tokens.succeed(lastToken(), 'no'), 'InvalidOutput'],
  ])('%s is refused', async (_name, answer, code) => {
    start(asked, 1);
    await begin(only(ask()));
    expect(answer).toThrow(expect.objectContaining({ code }));
  });

  test('a function that fails ends the task', async () => {
    start({ ask: () => { throw new Named('Broken'); } });
    expect((await rig.run(only(ask()))).error).toBe('Broken');
  });
});

describe('the end of an execution from outside', () => {
  const caught = { StartAt: 'W', States: { W: { Type: 'Parallel', Branches: [only({ Type: 'Wait', Seconds: 99_999 })], Catch: [{ ErrorEquals: ['States.ALL'], Next: 'C' }], End: true }, C: { ...invoke('c'), End: true } } };

  test('StopExecution runs no Catch', async () => {
    start({ c: () => 1 });
    const done = await begin(caught);
    rig.machines.executions()[0]?.stop('Op', 'enough');
    const execution = await done();
    expect([execution.status, execution.error, execution.cause]).toEqual(['ABORTED', 'Op', 'enough']);
    await real(30);
    expect(rig.calls).toEqual([]);
    expect(execution.history.events.at(-1)?.type).toBe('ExecutionAborted');
  });

  test('the machine’s own timeout runs no Catch', async () => {
    start({ c: () => 1 });
    const execution = await rig.run({ TimeoutSeconds: 30, ...caught });
    expect(execution.status).toBe('TIMED_OUT');
    expect(rig.calls).toEqual([]);
    expect(execution.history.events.at(-1)?.type).toBe('ExecutionTimedOut');
  });

  test('every change of status is an event', async () => {
    start();
    await rig.run(only({ Type: 'Pass', Output: 1 }), { a: 1 });
    await rig.run({ StartAt: 'F', States: { F: { Type: 'Fail', Error: 'E', Cause: 'c' } } });
    expect(rig.events.map((one) => [one.detail['status'], one.detail['output'], one.detail['error']])).toEqual([['RUNNING', null, null], ['SUCCEEDED', '1', null], ['RUNNING', null, null], ['FAILED', null, 'E']]);
    expect(rig.events[1]).toMatchObject({ source: 'aws.states', 'detail-type': 'Step Functions Execution Status Change', detail: { input: '{"a":1}', stopDate: expect.any(Number) } });
  });
});

describe('starting', () => {
  test('the same name: same input while it runs is the same execution, anything else exists already', () => {
    start();
    const arn = rig.create(only({ Type: 'Wait', Seconds: 99_999 }));
    const one = rig.machines.startExecution(arn, { a: 1 }, 'n');
    expect(rig.machines.startExecution(arn, { a: 1 }, 'n').executionArn).toBe(one.executionArn);
    expect(() => rig.machines.startExecution(arn, { a: 2 }, 'n')).toThrow(expect.objectContaining({ code: 'ExecutionAlreadyExists' }));
    rig.machines.execution(one.executionArn).stop(null, null);
    expect(() => rig.machines.startExecution(arn, { a: 1 }, 'n')).toThrow(expect.objectContaining({ code: 'ExecutionAlreadyExists' }));
  });

  test.each<[string, unknown, string, string]>([
    ['a name with a space', '{}', 'a b', 'InvalidName'],
    ['a name of 81 letters', '{}', 'a'.repeat(81), 'InvalidName'],
    ['no JSON', 'x', 'n', 'InvalidExecutionInput'],
    ['300 kB', JSON.stringify('x'.repeat(300_000)), 'n', 'InvalidExecutionInput'],
  ])('%s is refused', (_name, input, name, code) => {
    start();
    const arn = rig.create(only({ Type: 'Pass' }));
    expect(() => rig.machines.startWithText(arn, String(input), name)).toThrow(expect.objectContaining({ code }));
  });
});

describe('definitions', () => {
  test.each<[string, object, RegExp]>([
    ['JSONPath', { ...only({ Type: 'Pass' }), QueryLanguage: 'JSONPath' }, /only JSONata/],
    ['an unknown state type', only({ Type: 'Dance' }), /state type Dance/],
    ['a field of JSONPath', only({ Type: 'Pass', Parameters: {} }), /field Parameters/],
    ['an unknown Next', { StartAt: 'A', States: { A: { Type: 'Pass', Next: 'B' } } }, /leads to "B"/],
    ['neither Next nor End', { StartAt: 'A', States: { A: { Type: 'Pass' } } }, /exactly one of Next and End/],
    ['an unknown StartAt', { StartAt: 'B', States: { A: { Type: 'Pass', End: true } } }, /StartAt names "B"/],
    ['another integration', only({ Type: 'Task', Resource: 'arn:aws:states:::dynamodb:getItem' }), /Task resource/],
    ['an activity', only({ Type: 'Task', Resource: 'arn:aws:states:eu-west-1:1:activity:a' }), /Task resource/],
    ['a distributed map', only({ Type: 'Map', ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED' }, StartAt: 'A', States: { A: { Type: 'Pass', End: true } } } }), /DISTRIBUTED/],
    ['States.ALL beside others', only({ ...invoke('f'), Retry: [{ ErrorEquals: ['States.ALL', 'X'] }] }), /States.ALL/],
    ['States.ALL before others', only({ ...invoke('f'), Retry: [{ ErrorEquals: ['States.ALL'] }, { ErrorEquals: ['X'] }] }), /States.ALL/],
    ['an expression that does not parse', only({ Type: 'Pass', Output: '{% 1 + %}' }), /SCHEMA_VALIDATION_FAILED/],
    ['a name used twice', { StartAt: 'A', States: { A: { Type: 'Parallel', Branches: [{ StartAt: 'A', States: { A: { Type: 'Pass', End: true } } }], End: true } } }, /used twice/],
  ])('%s is refused', (_name, definition, message) => {
    start();
    expect(() => rig.create(definition)).toThrow(message);
  });
});
