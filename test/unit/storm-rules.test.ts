// What a storm is held to, by made-up numbers: each rule has to fail for what it forbids.
import { describe, expect, test } from 'vitest';
import type { HistoryEvent } from '../../sandbox/services/states/history.ts';
import type { StormResult } from '../../sandbox/storm/storm.ts';
import { brokenPromises } from '../../sandbox/storm/storm-lines.ts';
import { CallTries, hotTries, StepTries } from '../../sandbox/storm/storm-tries.ts';

/** Events of a storm that is too small for its waits to be judged. */
const few = 4999;

/** Six services, of which the brake lets two pass. */
const counts = {
  started: 12, ended: 12, triedAgain: 0, outcomes: new Map([['recovered', 1], ['joined', 8], ['joined (storm)', 2], ['left', 1]]), ownRuns: new Set<string>(), denials: new Map<string, number>(), apis: new Map(),
  changes: new Map([['service-1', 1]]), memory: [], recordedBytes: 0, recordedRows: 0, recorded: { bytes: 0, rows: 0 }, hottest: { key: '', writes: 0 }, callTries: new CallTries(), stepTries: new StepTries(),
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

/** Calls that are throttled twice and then go through, with these waits before the second and the third try. */
function refusedTwice(count: number, waits: readonly [number, number]): CallTries {
  const tries = new CallTries();
  for (let n = 0; n < count; n += 1) for (const [nth, at] of [0, waits[0], waits[0] + waits[1]].entries()) tries.call(describeAlarms(`invocation-${n}`), nth < 2, at);
  return tries;
}

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
    expect(hotTries(tries, new StepTries(), few)).toEqual([]);
    refused(describeAlarms('two'), describeAlarms('two'));
    expect(hotTries(tries, new StepTries(), few)).toEqual(['cloudwatch:DescribeAlarms was tried 4 times, and 3 may be']);
  });

  test('hold the last one too, which went through', () => {
    const tries = new CallTries();
    for (const isThrottled of [true, true, true, false]) tries.call(describeAlarms('one'), isThrottled, 0);
    expect(hotTries(tries, new StepTries(), few)).toEqual(['cloudwatch:DescribeAlarms was tried 4 times, and 3 may be']);
  });

  test('may be six of Route 53', () => {
    const tries = new CallTries();
    const again = (): void => { tries.call({ ...describeAlarms('one'), service: 'route53', operation: 'GetChange' }, true, 0); };
    for (let nth = 0; nth < 6; nth += 1) again();
    expect(hotTries(tries, new StepTries(), few)).toEqual([]);
    again();
    expect(hotTries(tries, new StepTries(), few)).toEqual(['route53:GetChange was tried 7 times, and 6 may be']);
  });

  test('wait longer each time, where there are enough to say', () => {
    expect(hotTries(refusedTwice(40, [250, 500]), new StepTries(), few)).toEqual([]);
    expect(hotTries(refusedTwice(40, [20, 20]), new StepTries(), few)).toEqual(['calls that were refused waited 20 ms before their second try and 20 ms before their third: the waits do not grow']);
    expect(refusedTwice(39, [20, 20]).meanWaits).toBeNull();
  });

  test('have to be enough to judge their waits in a storm of 5,000 events or more; of steps few are refused', () => {
    const said = (count: number): string => `whether waits of calls grow was not judged: ${count} were refused twice and tried again, 40 are needed`;
    const [enough, tooFew] = [refusedTwice(40, [250, 500]), refusedTwice(39, [20, 20])];
    expect(hotTries(tooFew, steps(40, { refusals: 2 }), few)).toEqual([]);
    expect(hotTries(tooFew, steps(40, { refusals: 2 }), 5000)).toEqual([said(39)]);
    expect(hotTries(enough, steps(39, { refusals: 2 }), 5000)).toEqual([]);
    expect(hotTries(new CallTries(), new StepTries(), 10_000)).toEqual([said(0)]);
    expect(hotTries(enough, steps(40, { refusals: 2 }), 10_000)).toEqual([]);
    expect(brokenPromises({ ...good, ...withCounts({ started: 5000, ended: 5000 }) } as unknown as StormResult, { services: 6, events: 5000 })).toContain(said(0));
  });
});

/** The history of one step, Assess, entered as often, refused so many times each: the n-th try waits 2^n seconds, or always one. */
function steps(entered: number, { refusals, grows = true }: { readonly refusals: number; readonly grows?: boolean }): StepTries {
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
      at += grows ? 1000 * 2 ** nth : 1000;
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
    expect(hotTries(new CallTries(), steps(3, { refusals: 5 }), few)).toEqual([]);
    expect(hotTries(new CallTries(), steps(1, { refusals: 6 }), few)).toEqual(['Assess was tried 7 times, and 6 may be']);
  });

  test('wait longer each time', () => {
    expect(steps(40, { refusals: 2 }).meanWaits).toEqual([1000, 2000]);
    expect(hotTries(new CallTries(), steps(40, { refusals: 2 }), few)).toEqual([]);
    expect(hotTries(new CallTries(), steps(40, { refusals: 2, grows: false }), few)).toEqual([expect.stringMatching(/^steps that were refused waited 1000 ms .* 1000 ms before their third: the waits do not grow$/) as string]);
  });

  test('that ended otherwise, in a failure that is not tried again, are none', () => {
    const tries = new StepTries();
    tries.execution([{ id: 1, previousEventId: 0, timestamp: new Date(0), type: 'TaskStateEntered', stateEnteredEventDetails: { name: 'Assess' } }, { id: 2, previousEventId: 1, timestamp: new Date(0), type: 'TaskFailed', taskFailedEventDetails: { error: 'Refused' } }]);
    expect([...tries.most]).toEqual([]);
  });
});
