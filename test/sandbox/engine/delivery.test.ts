// What targets are given, and how deliveries are repeated, given up, doubled and reordered.
import { afterEach, describe, expect, test } from 'vitest';
import { AwsError, type AwsEvent, type Principal } from '../../../sandbox/aws/world.ts';
import { SpedUpClock } from '../../../sandbox/clock.ts';
import { EventBus } from '../../../sandbox/services/events/event-bus.ts';
import type { RuleTarget } from '../../../sandbox/services/events/rule.ts';
import { checkTargetInput, targetPayload, type TargetInput } from '../../../sandbox/services/events/transformer.ts';

const event: AwsEvent = { version: '0', id: 'e', 'detail-type': 'T', source: 's', account: '1', time: 't', region: 'r', resources: ['arn:x'], detail: { text: 'say "hi"\n', n: 3, deep: { 'a-b': [1] } } };
const given = (input: TargetInput): unknown => JSON.parse(targetPayload(input, { event, rule: { arn: 'arn:rule', name: 'rule' }, ingestedAt: 'now' }));
const transform = (InputTemplate: string, InputPathsMap: Record<string, string> = {}): TargetInput => ({ InputTransformer: { InputPathsMap, InputTemplate } });

describe('what a target is given', () => {
  test.each<[string, TargetInput, unknown]>([
    ['the whole event', {}, event],
    ['a constant', { Input: '{"a":1}' }, { a: 1 }],
    ['a part', { InputPath: '$.detail.deep' }, { 'a-b': [1] }],
    ['values of any kind', transform('{"t":<t>,"n":<n>,"d":<d>,"all":<all>}', { t: '$.detail.text', n: '$.detail.n', d: '$.detail.deep.a-b', all: '$' }), { t: 'say "hi"\n', n: 3, d: [1], all: event }],
    ['values inside text', transform('"<t> and <n>, <r>"', { t: '$.detail.text', n: '$.detail.n', r: '$.resources[0]' }), 'say "hi"\n and 3, arn:x'],
    ['nothing for a missing path', transform('{"m":<m>,"in":"[<m>]"}', { m: '$.detail.missing' }), { m: null, in: '[]' }],
    ['reserved names', transform('{"r":"<aws.events.rule-arn>","n":"<aws.events.rule-name>","e":<aws.events.event.json>,"w":<aws.events.event>,"i":"<aws.events.event.ingestion-time>"}'), { r: 'arn:rule', n: 'rule', e: event, w: Object.fromEntries(Object.entries(event).filter(([key]) => key !== 'detail')), i: 'now' }],
  ])('%s', (_name, input, expected) => expect(given(input)).toEqual(expected));

  test.each<[string, TargetInput]>([
    ['two settings', { Input: '{}', InputPath: '$' }],
    ['a bracket path', { InputPath: '$.detail["a-b"]' }],
    ['an unknown name', transform('{"a":<b>}')],
    ['a constant that is not JSON', { Input: 'x' }],
  ])('%s is refused', (_name, input) => expect(() => checkTargetInput(input)).toThrow(/only one of|is not supported|which InputPathsMap does not have|not valid JSON|Unexpected token/));
});

describe('deliveries', () => {
  let clock: SpedUpClock;
  let bus: EventBus;
  const calls: { operation: string; service: string; input: Record<string, string>; caller: Principal; at: number }[] = [];
  afterEach(() => {
    bus.stop();
    clock.stop();
  });

  function start(answer: (count: number) => AwsError | null, target: Partial<RuleTarget> = {}, rule: { pattern?: string; schedule?: string } = { pattern: '{"source":["s"]}' }): void {
    clock = new SpedUpClock({ speed: 1000 });
    calls.length = 0;
    bus = new EventBus({
      clock, place: { account: '111122223333', region: 'eu-west-1', partition: 'aws' }, metrics: null,
      assume: (roleArn) => ({ kind: 'role', arn: roleArn, roleName: 'r', sessionName: 'events', accessKeyId: '' }),
      queueUrl: (arn) => arn,
      call: async (caller, service, { operation, input }) => {
        calls.push({ operation, service, input: input as never, caller, at: clock.now() });
        const error = service === 'sqs' ? null : answer(calls.filter((one) => one.service !== 'sqs').length);
        if (error !== null) throw error;
        return {};
      },
    });
    bus.putRule({ name: 'rule', state: 'ENABLED', ...rule });
    bus.putTarget('rule', { Id: 'T', Arn: 'arn:aws:lambda:eu-west-1:111122223333:function:f', DeadLetterConfig: { Arn: 'arn:aws:sqs:eu-west-1:111122223333:dead' }, ...target });
  }
  const put = (detail: Record<string, unknown> = {}) => bus.put({ source: 's', 'detail-type': 'T', detail });
  const busy = new AwsError('TooManyRequestsException', 'busy', { status: 429 });
  const attributes = (): Record<string, string> => Object.fromEntries(Object.entries((calls.at(-1)?.input['MessageAttributes'] ?? {}) as Record<string, { StringValue: string }>).map(([key, one]) => [key, one.StringValue]));

  test('a busy target is tried again with growing pauses', async () => {
    start((count) => (count < 4 ? busy : null));
    put();
    await bus.settled();
    const gaps = calls.slice(1).map((one, index) => one.at - (calls[index]?.at ?? 0));
    expect(calls).toHaveLength(4);
    expect(gaps[0]).toBeGreaterThanOrEqual(1000);
    expect(gaps[2]).toBeGreaterThanOrEqual(4000);
  });

  test('after MaximumRetryAttempts the event is in the dead-letter queue', async () => {
    start(() => busy, { RetryPolicy: { MaximumRetryAttempts: 2 } });
    put({ lost: true });
    await bus.settled();
    expect(calls.map((one) => one.operation)).toEqual(['Invoke', 'Invoke', 'Invoke', 'SendMessage']);
    expect(attributes()).toEqual({ RULE_ARN: bus.rule('rule').arn, TARGET_ARN: 'arn:aws:lambda:eu-west-1:111122223333:function:f', ERROR_CODE: 'THROTTLING', ERROR_MESSAGE: 'busy', RETRY_ATTEMPTS: '2', EXHAUSTED_RETRY_CONDITION: 'MaximumRetryAttempts' });
    expect(JSON.parse(String(calls.at(-1)?.input['MessageBody']))).toMatchObject({ detail: { lost: true } });
  });

  test('after MaximumEventAgeInSeconds as well', async () => {
    start(() => busy, { RetryPolicy: { MaximumEventAgeInSeconds: 60 } });
    put();
    await bus.settled();
    expect(attributes()['EXHAUSTED_RETRY_CONDITION']).toBe('MaximumEventAgeInSeconds');
  });

  test.each([['AccessDeniedException', 'NO_PERMISSIONS'], ['ResourceNotFoundException', 'NO_RESOURCE']])('%s is not tried again', async (code, expected) => {
    start(() => new AwsError(code, 'no'));
    put();
    await bus.settled();
    expect(calls).toHaveLength(2);
    expect(attributes()).toMatchObject({ ERROR_CODE: expected, RETRY_ATTEMPTS: '0' });
  });

  test('the target is called as EventBridge, for the rule', async () => {
    start(() => null);
    put();
    await bus.settled();
    expect(calls[0]?.caller).toEqual({ kind: 'service', arn: 'events.amazonaws.com', service: 'events.amazonaws.com', sourceArn: bus.rule('rule').arn });
  });

  test('deliveries can be doubled and reordered', async () => {
    start(() => null);
    const undo = bus.disturb({ copies: 2, delayMs: (index) => (4 - index) * 30_000 });
    put({ n: 1 });
    put({ n: 2 });
    await bus.settled();
    const order = calls.map((one) => (JSON.parse(Buffer.from(one.input['Payload'] ?? '').toString()) as { detail: { n: number } }).detail.n);
    expect(order).toEqual([2, 2, 1, 1]);
    undo();
    put({ n: 3 });
    await bus.settled();
    expect(calls).toHaveLength(5);
  });

  test('a disabled rule sends nothing', async () => {
    start(() => null);
    bus.rule('rule').state = 'DISABLED';
    put();
    await bus.settled();
    expect(calls).toEqual([]);
  });

  test('a schedule sends one event a period', async () => {
    start(() => null, {}, { schedule: 'rate(1 minute)' });
    const before = clock.now();
    await clock.sleep(190_000);
    expect(calls.length).toBeGreaterThanOrEqual(1);
    expect(calls.length).toBeLessThanOrEqual(Math.floor((clock.now() - before) / 60_000));
    expect(JSON.parse(Buffer.from(calls[0]?.input['Payload'] ?? '').toString())).toMatchObject({ source: 'aws.events', 'detail-type': 'Scheduled Event', resources: [bus.rule('rule').arn] });
  });

  test('a sixth target is refused', () => {
    start(() => null);
    const topic = 'arn:aws:sns:eu-west-1:111122223333:t';
    for (const Id of ['2', '3', '4', '5']) bus.putTarget('rule', { Id, Arn: topic });
    expect(() => bus.putTarget('rule', { Id: '6', Arn: topic })).toThrow(expect.objectContaining({ code: 'LimitExceededException' }));
  });
});
