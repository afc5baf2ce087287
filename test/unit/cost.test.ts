// What a run cost, reckoned by hand for a small one; and how much code the judge is.
import { describe, expect, test } from 'vitest';
import { readFileSync } from 'node:fs';
import { bundleSize } from '../../bench/judge/size.ts';
import type { CallRecord } from '../../sandbox/aws/world.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { Execution } from '../../sandbox/services/states/execution.ts';
import { costOf, runCosts } from '../../sandbox/stage/cost.ts';
import { prices } from '../../sandbox/stage/prices.ts';
import { costLines } from '../../sandbox/stage/summary.ts';

const assessRole = 'arn:aws:iam::111122223333:role/assess';
const second = (seconds: number): Date => new Date(Date.UTC(2026, 10, 20) + seconds * 1000);

const event = (id: number, type: string, seconds: number, over: { readonly previousEventId?: number; readonly taskScheduledEventDetails?: object } = {}) =>
  ({ id, previousEventId: id - 1, timestamp: second(seconds), type, ...over });
const scheduled = { taskScheduledEventDetails: { resourceType: 'lambda', parameters: JSON.stringify({ FunctionName: 'assess' }) } };

/** Begin, Assess, which fails after a second and is tried again for two, Decide, Done. */
const events = [
  event(1, 'ExecutionStarted', 0), event(2, 'PassStateEntered', 0), event(3, 'TaskStateEntered', 0),
  event(4, 'TaskScheduled', 0, scheduled), event(5, 'TaskStarted', 0), event(6, 'TaskFailed', 1),
  event(7, 'TaskScheduled', 3, scheduled), event(8, 'TaskStarted', 3), event(9, 'TaskSucceeded', 5),
  event(10, 'ChoiceStateEntered', 5), event(11, 'SucceedStateEntered', 5),
];
const execution = (over: object = {}): Execution => ({ history: { events }, input: '{}', startedAt: second(0), stoppedAt: second(300), ...over }) as unknown as Execution;

const call = (service: string, operation: string, input: unknown, over: Partial<CallRecord> = {}): CallRecord =>
  ({ service, operation, input, output: {}, caller: { kind: 'role', roleName: 'assess' }, startedAt: second(4).getTime(), ...over }) as CallRecord;
const text = (length: number): string => 'x'.repeat(length);
const metric = { MetricStat: {} };

const calls: readonly CallRecord[] = [
  call('dynamodb', 'PutItem', { Item: text(1500) }),
  call('dynamodb', 'Query', { TableName: 'ledger' }, { output: { Items: text(5000) } }),
  call('cloudwatch', 'GetMetricData', { MetricDataQueries: [metric, metric, metric, { Expression: 'm1 / m2' }] }),
  call('events', 'PutEvents', { Entries: [{}, {}] }),
  call('cloudwatch', 'DescribeAlarms', {}),
  // Between the two tries, and by somebody else: neither is this run's.
  call('dynamodb', 'PutItem', { Item: text(90_000) }, { startedAt: second(2).getTime() }),
  call('dynamodb', 'PutItem', { Item: text(90_000) }, { caller: { kind: 'role', roleName: 'report' } as CallRecord['caller'] }),
];

const sandboxWith = (executions: Readonly<Record<string, readonly Execution[]>> = {}): Sandbox => ({
  calls: { list: ({ where }: { where: (one: CallRecord) => boolean }) => calls.filter(where) },
  services: { functions: { find: () => ({ spec: { roleArn: assessRole, memoryMb: 512 } }) }, states: { executions: (arn: string) => executions[arn] ?? [] } },
}) as unknown as Sandbox;

describe('the cost of a run', () => {
  test('is its transitions, invocations and calls, times the list prices', () => {
    const { transitions, invocations, calls: made, dollars } = costOf(sandboxWith(), [execution()]);
    // Four states are entered, and one task is tried a second time.
    expect({ transitions, invocations, made }).toEqual({ transitions: 5, invocations: 2, made: 5 });
    // 5 × 0.000025 + 2 × 0.0000002 + half a gigabyte for 3 s at 0.0000133334
    // + 2 writes of a kB at 0.000000625 + 2 reads of 4 kB at 0.000000125 + 3 metrics at 0.00001 + 2 events at 0.000001.
    expect(dollars).toBeCloseTo(0.000125 + 0.0000004 + 0.0000200001 + 0.00000125 + 0.00000025 + 0.00003 + 0.000002, 12);
  });

  test('is told with the date and the Region of its prices', () => {
    const machines = { watchMachineArn: 'watch', rollbackMachineArn: 'rollback' };
    const release = (releaseId: string) => ({ input: JSON.stringify({ event: { detail: { releaseId } } }) });
    const short = execution({ ...release('by-the-rollback'), history: { events: events.slice(0, 3) } });
    const costs = runCosts(sandboxWith({ watch: [short, execution(release('build-812'))], rollback: [execution()] }), machines);
    expect(costs).toMatchObject({ watch: { transitions: 5, minutes: 5 }, rollback: { transitions: 5 } });
    expect(costLines(costs).join('\n')).toContain(`5 transitions, 2 invocations, 5 calls: $0.0002`);
    expect(costLines(costs).join('\n')).toContain('(list prices of us-east-1, 2026-11)');
    expect(runCosts(sandboxWith(), machines)).toEqual({ watch: null, rollback: null });
  });

  test('has a price page of AWS for each price', () => {
    const { asOf, region, sources, ...amounts } = prices;
    expect([asOf, region]).toEqual([expect.stringMatching(/^20\d\d-(0[1-9]|1[0-2])$/), 'us-east-1']);
    expect(Object.keys(sources).toSorted()).toEqual(Object.keys(amounts).toSorted());
    for (const source of Object.values(sources)) expect(source).toMatch(/^https:\/\/aws\.amazon\.com\/[a-z-]+\/pricing\/$/);
    for (const amount of Object.values(amounts)) expect(amount).toBeGreaterThan(0);
  });
});

test('the judge is as small as its documentation says, and has nothing of anybody else in it', async () => {
  const { minified, gzipped, files } = await bundleSize();
  const [, smallest, zipped] = /(\d+) bytes minified, (\d+) bytes gzipped, no dependency/.exec(readFileSync('docs/judge.md', 'utf8')) ?? [];
  // A change of a few bytes is not worth a new figure, one of a fiftieth is.
  expect(Math.abs(minified - Number(smallest)) / minified).toBeLessThan(0.02);
  expect(Math.abs(gzipped - Number(zipped)) / gzipped).toBeLessThan(0.02);
  expect(files.length).toBeGreaterThan(10);
  expect(files.filter((name) => !name.startsWith('lambdas/statistics/'))).toEqual([]);
});
