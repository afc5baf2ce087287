// What a storm is held to, by made-up numbers: each rule has to fail for what it forbids.
import { describe, expect, test } from 'vitest';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { HistoryEvent } from '../../sandbox/services/states/history.ts';
import { brokenWaits, type RefusedResult } from '../../sandbox/storm/refused.ts';
import type { StormResult } from '../../sandbox/storm/storm.ts';
import { StormCounts } from '../../sandbox/storm/storm-counts.ts';
import { brokenPromises } from '../../sandbox/storm/storm-lines.ts';
import { CallTries, failuresIn, hotTries, StepTries } from '../../sandbox/storm/storm-tries.ts';

/** Six services, of which the brake lets two pass. */
const counts = {
  started: 12, ended: 12, triedAgain: 0, outcomes: new Map([['recovered', 1], ['joined', 8], ['joined (storm)', 2], ['left', 1]]), ownRuns: new Set<string>(), denials: new Map<string, number>(), apis: new Map(),
  changes: new Map([['service-1', 1]]), memory: [], recorded: { bytes: 0, rows: 0 }, hottest: { key: '', writes: 0 }, callTries: new CallTries(), stepTries: new StepTries(),
};
const page = { subject: 'PAGE Ripcord: many', text: 'look for a shared cause' };
const good = { counts, pages: [page], alarms: [], deadLetters: 0, locks: [], breaches: [], unsealed: [], sentSeconds: 1, wallSeconds: 1 };
const broken = (over: object, services = 6): string[] => brokenPromises({ ...good, ...over } as unknown as StormResult, { services, events: 12 });
const withCounts = (over: object): object => ({ counts: { ...counts, ...over } });

describe('a storm', () => {
  test('of which all is true breaks no promise', () => {
    expect(broken({})).toEqual([]);
  });

  test.each<[string, object, RegExp]>([
    ['a run that did not end', withCounts({ ended: 11 }), /^12 events were sent, 11 runs ended$/],
    ['a service changed twice', withCounts({ changes: new Map([['service-1', 2]]) }), /^a service was changed more than once: service-1 2$/],
    ['more changed than the brake lets pass', withCounts({ changes: new Map(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => [name, 1])) }), /^6 services were changed/],
    ['a second page about the storm', { pages: [page, page] }, /^on-call was told of the storm 2 times$/],
    ['another page', { pages: [page, { subject: 'PAGE other', text: '' }] }, /^there were other pages: PAGE other$/],
    ['an alarm', { alarms: ['ALARM: x'] }, /^on-call heard 1 alarms/],
    ['an ending of another kind', withCounts({ outcomes: new Map([['failed', 1]]) }), /^runs ended otherwise: failed 1$/],
    ['a lost event', { deadLetters: 1 }, /^1 events went to the dead-letter queue$/],
    ['a lock', { locks: ['rb-1'] }, /^locks were left behind by rb-1$/],
    ['a record without its seal', { unsealed: ['rb-1'] }, /not sealed: rb-1$/],
    ['a refusal', withCounts({ denials: new Map([['s3:GetObject by x', 2]]) }), /^roles were refused: s3:GetObject by x \(2\)$/],
    ['a broken invariant', { breaches: ['one: lock'] }, /^broken invariants: one: lock$/],
  ])('with %s breaks one', (_, over, text) => {
    expect(broken(over)).toEqual([expect.stringMatching(text) as string]);
  });

  test('of one service has to put it back, without a page', () => {
    expect(broken({ pages: [] }, 1)).toEqual([]);
    expect(broken({ pages: [], ...withCounts({ changes: new Map() }) }, 1)).toEqual(['the one service was not put back']);
  });

  test('with a call that is tried on and on breaks one', () => {
    const callTries = new CallTries();
    for (let nth = 0; nth < 4; nth += 1) callTries.call(describeAlarms('invocation-1'), true, nth);
    expect(broken(withCounts({ callTries }))).toEqual(['cloudwatch:DescribeAlarms was tried 4 times, and 3 may be']);
  });
});

const describeAlarms = (trace: string | null, input: object = { AlarmNames: ['a'] }) => ({ service: 'cloudwatch', operation: 'DescribeAlarms', trace, input });

describe('tries of a call', () => {
  test('are those of one invocation that ask the same, until one goes through', () => {
    const tries = new CallTries();
    const refused = (...calls: ReturnType<typeof describeAlarms>[]): void => { for (const call of calls) tries.call(call, true, 0); };
    for (let nth = 0; nth < 2; nth += 1) {
      refused(describeAlarms('one'), describeAlarms('two'), describeAlarms('one', { AlarmNames: ['b'] }), describeAlarms(null));
      // A transaction that was cancelled gets another name with each try.
      tries.call({ service: 'dynamodb', operation: 'TransactWriteItems', trace: 'one', input: { TransactItems: [], ClientRequestToken: `row-${nth}` } }, true, 0);
    }
    expect([...tries.most]).toEqual([['cloudwatch:DescribeAlarms', 2], ['dynamodb:TransactWriteItems', 2]]);
    tries.call(describeAlarms('one'), false, 0);
    refused(describeAlarms('one'), describeAlarms('one'), describeAlarms('one'));
    expect(hotTries(tries, new StepTries())).toEqual([]);
    refused(describeAlarms('two'), describeAlarms('two'));
    expect(hotTries(tries, new StepTries())).toEqual(['cloudwatch:DescribeAlarms was tried 4 times, and 3 may be']);
  });

  test('hold the last one too, which went through', () => {
    const tries = new CallTries();
    for (const isThrottled of [true, true, true, false]) tries.call(describeAlarms('one'), isThrottled, 0);
    expect(hotTries(tries, new StepTries())).toEqual(['cloudwatch:DescribeAlarms was tried 4 times, and 3 may be']);
  });

  test('may be six of Route 53', () => {
    const tries = new CallTries();
    const again = (): void => { tries.call({ ...describeAlarms('one'), service: 'route53', operation: 'GetChange' }, true, 0); };
    for (let nth = 0; nth < 6; nth += 1) again();
    expect(hotTries(tries, new StepTries())).toEqual([]);
    again();
    expect(hotTries(tries, new StepTries())).toEqual(['route53:GetChange was tried 7 times, and 6 may be']);
  });
});

/** The history of one step, Assess, entered as often, refused so many times each; its tries are so many milliseconds apart. */
function steps(entered: number, { refusals, waitMs = 0 }: { readonly refusals: number; readonly waitMs?: number }): StepTries {
  const events: HistoryEvent[] = [];
  let at = 0;
  const add = (type: string, details: object = {}): void => { events.push({ id: events.length + 1, previousEventId: events.length, timestamp: new Date(at), type, ...details }); };
  for (let n = 0; n < entered; n += 1) {
    add('TaskStateEntered', { stateEnteredEventDetails: { name: 'Assess' } });
    for (let nth = 0; nth <= refusals; nth += 1) {
      add('TaskScheduled');
      add('TaskStarted');
      if (nth === refusals) add('TaskSucceeded');
      else add('TaskFailed', { taskFailedEventDetails: { error: nth % 2 === 0 ? 'Retryable' : 'Lambda.TooManyRequestsException' } });
      at += waitMs;
    }
    add('TaskStateExited');
  }
  const tries = new StepTries();
  tries.execution(events);
  return tries;
}

describe('tries of a step', () => {
  test('are counted from when its state is entered', () => {
    expect([...steps(3, { refusals: 5 }).most]).toEqual([['Assess', 6]]);
    expect(hotTries(new CallTries(), steps(3, { refusals: 5 }))).toEqual([]);
    expect(hotTries(new CallTries(), steps(1, { refusals: 6 }))).toEqual(['Assess was tried 7 times, and 6 may be']);
  });

  test('tell how long each waited', () => {
    expect(steps(3, { refusals: 2, waitMs: 1500 }).waits.text).toBe('3 of 1500 ms (3 long), then 3 of 1500 ms (3 long)');
    expect(steps(3, { refusals: 3, waitMs: 1500 }).waits.text).toBe('3 of 1500 ms (3 long), then 6 of 1500 ms (3 long)');
  });

  test('that ended otherwise, in a failure that is not tried again, are none', () => {
    const tries = new StepTries();
    tries.execution([{ id: 1, previousEventId: 0, timestamp: new Date(0), type: 'TaskStateEntered', stateEnteredEventDetails: { name: 'Assess' } }, { id: 2, previousEventId: 1, timestamp: new Date(0), type: 'TaskFailed', taskFailedEventDetails: { error: 'Refused' } }]);
    expect([...tries.most]).toEqual([]);
  });
});

describe('services whose calls are refused', () => {
  /** What was told of so many services, each refused twice on its way. */
  const told = (services: number, over: object = {}): string[] => {
    const [callTries, stepTries] = [new CallTries(), steps(services, { refusals: 2, waitMs: 4000 })];
    for (let n = 0; n < services; n += 1) for (const [nth, at] of [0, 900, 2700].entries()) callTries.call(describeAlarms(`invocation-${n}`), nth < 2, at);
    return brokenWaits({ counts: { ended: services, outcomes: new Map([['left', services]]), callTries, stepTries, ...over }, wallSeconds: 1 } as unknown as RefusedResult, services);
  };

  test('that all wait and leave are all right', () => {
    expect(told(70)).toEqual([]);
  });

  test('have to be enough', () => {
    expect(told(59)).toEqual(['calls', 'steps'].flatMap((who) => ['a second', 'a later'].map((which) => `the waits of ${who} before ${which} try were not judged: there were 59, 60 are needed`)));
  });

  test('are told when their calls are tried again too soon', () => {
    const callTries = new CallTries();
    for (let n = 0; n < 70; n += 1) for (const [nth, at] of [0, 900, 1800].entries()) callTries.call(describeAlarms(`invocation-${n}`), nth < 2, at);
    expect(told(70, { callTries })).toEqual([expect.stringMatching(/^calls that were refused again did not wait longer each time: 0 of 70/) as string]);
  });

  test.each<[string, object, RegExp]>([
    ['a run that did not end', { ended: 69 }, /^70 alarms fired, 69 runs ended$/],
    ['another ending', { outcomes: new Map([['left', 69], ['failed', 1]]) }, /^runs ended otherwise: failed 1$/],
    ['steps that are tried again at once', { stepTries: steps(70, { refusals: 1 }) }, /^steps that were refused were tried a second time too soon: 0 of 70/],
    ['steps whose waits do not grow', { stepTries: steps(70, { refusals: 2, waitMs: 1000 }) }, /^steps that were refused again did not wait longer each time: 0 of 70/],
  ])('break a promise with %s', (_, over, text) => {
    expect(told(70, over)[0]).toMatch(text);
  });
});

test('what an event has left is what tables hold more at the end', () => {
  const sandbox = { calls: { onCall: () => undefined }, services: { states: { onEnd: () => undefined } } } as unknown as Sandbox;
  const storm = new StormCounts(sandbox, [], 'arn');
  storm.ended = 10;
  storm.record({ rows: 200, bytes: 50_000 }, { rows: 220, bytes: 74_000 });
  expect(storm.recorded).toEqual({ rows: 2, bytes: 2400 });
});

test('of tasks that failed each error is told, but for a refusal', () => {
  const event = (type: string, details: object): HistoryEvent => ({ id: 1, previousEventId: 0, timestamp: new Date(0), type, ...details });
  const failures = new Map<string, number>();
  failuresIn([
    event('TaskFailed', { taskFailedEventDetails: { error: 'Retryable', cause: 'throttled' } }), event('TaskSucceeded', {}),
    event('TaskTimedOut', { taskTimedOutEventDetails: { error: 'States.Timeout', cause: 'late' } }), event('TaskFailed', { taskFailedEventDetails: { error: 'Stop', cause: 'why' } }),
  ], failures);
  expect(failures).toEqual(new Map([['States.Timeout: late', 1], ['Stop: why', 1]]));
});
