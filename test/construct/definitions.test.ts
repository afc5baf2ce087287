// What holds for both definitions as data: valid language, expressions that parse, comments, time limits, retries.
import validate from 'asl-validator';
import jsonata from 'jsonata';
import { describe, expect, test } from 'vitest';
import type { Definition, State } from '../../lib/engine/asl.ts';
import { handlerTimeoutSeconds, strategyTimeoutSeconds } from '../../lib/engine/handler-timeouts.ts';
import { longestRollbackSeconds, longestWatchSeconds } from '../../lib/engine/rollback-length.ts';
import { parseConfig } from '../../lib/load-config.ts';
import { minimalYaml } from './config-samples.ts';
import { rollback, watch } from './workflow-samples.ts';

type Graph = { readonly States: Readonly<Record<string, State>> };

const statesOf = (graph: Graph): [string, State][] => Object.entries(graph.States).flatMap(([name, state]) => [
  [name, state] as [string, State],
  ...(state['ItemProcessor'] === undefined ? [] : statesOf(state['ItemProcessor'] as Graph)),
  ...((state['Branches'] ?? []) as Graph[]).flatMap(statesOf),
]);

const expressionsOf = (value: unknown): string[] =>
  typeof value === 'string' ? (/^\{%[\s\S]*%\}$/.test(value) ? [value.slice(2, -2)] : [])
    : typeof value === 'object' && value !== null ? Object.values(value).flatMap(expressionsOf) : [];

const machines: [string, Definition][] = [['Rollback', rollback], ['Watch', watch]];

describe.each(machines)('%s', (_, definition) => {
  const states = statesOf(definition);
  const tasks = states.filter(([, { Type }]) => Type === 'Task');

  test('is valid for asl-validator', () => {
    const result = validate(definition);
    expect(result.isValid, result.errorsText('\n')).toBe(true);
  });

  test('has expressions that parse, and no text that only looks like one', () => {
    const expressions = expressionsOf(definition);
    expect(expressions.length).toBeGreaterThan(30);
    for (const expression of expressions) expect(() => jsonata(expression), expression).not.toThrow();
    expect(JSON.stringify(definition).split('{%').length - 1).toBe(expressions.length);
  });

  test('explains each state to whoever opens the graph', () => {
    for (const [name, { Comment }] of states) expect(Comment.length, name).toBeGreaterThan(5);
  });

  test('names each state once', () => {
    expect(new Set(states.map(([name]) => name)).size).toBe(states.length);
  });

  test('lets no task wait for ever', () => {
    for (const [name, task] of tasks) expect(task['TimeoutSeconds'], name).toBeDefined();
    expect(definition.TimeoutSeconds).toBe(86_400);
  });

  test('retries every task with bounded attempts and full jitter', () => {
    for (const [name, task] of tasks) {
      const retry = task['Retry'] as { MaxAttempts: number; JitterStrategy: string; ErrorEquals: string[] }[];
      expect(retry.length, name).toBeGreaterThan(0);
      for (const one of retry) expect(one, name).toMatchObject({ JitterStrategy: 'FULL', MaxAttempts: expect.any(Number) });
      expect(Math.max(...retry.map((one) => one.MaxAttempts)), name).toBeLessThanOrEqual(6);
    }
  });

  test('catches every error of every task but Report', () => {
    const uncaught = tasks.filter(([, task]) => ((task['Catch'] ?? []) as { ErrorEquals: string[] }[]).every((one) => !one.ErrorEquals.includes('States.ALL')));
    expect(uncaught.map(([name]) => name)).toEqual(definition === rollback ? ['Report'] : []);
  });

  test('waits longer for a function than the function may run', () => {
    const limits = { ...handlerTimeoutSeconds, alb: strategyTimeoutSeconds };
    for (const [name, task] of tasks) {
      const called = /function:(\w+)/.exec(JSON.stringify(task['Arguments']))?.[1] as keyof typeof limits | undefined;
      if (called === undefined || typeof task['TimeoutSeconds'] !== 'number') continue;
      expect(task['TimeoutSeconds'], name).toBeGreaterThan(limits[called]);
    }
  });
});

/** Where a state can lead, each with the condition under which it does; none where nothing has to hold. */
const leads = (state: State): { readonly to: string; readonly when: string }[] => [
  ...((state['Choices'] ?? []) as { Next: string; Condition: string }[]).map(({ Next, Condition }) => ({ to: Next, when: Condition })),
  ...((state['Catch'] ?? []) as { Next: string }[]).map(({ Next }) => ({ to: Next, when: '' })),
  ...[state['Next'], state['Default']].flatMap((to) => (typeof to === 'string' ? [{ to, when: '' }] : [])),
];

/** Every state that a run can come to when the condition of each way it takes is open to it. */
function reachable(isOpen: (when: string) => boolean): Set<string> {
  const reached = new Set([rollback.StartAt]);
  for (const name of reached)
    for (const { to, when } of leads(rollback.States[name] as State)) if (isOpen(when)) reached.add(to);
  return reached;
}

test('a run in shadow, or a dry run, has no way to a change or to a question', () => {
  const needsToAct = "$assessment.mode = 'roll-back' and ";
  const otherwise = reachable((when) => !when.includes(needsToAct) || when.includes(' or '));
  expect([...otherwise].filter((name) => ['Revert', 'Approve', 'NextWave', 'Recheck', 'Verify'].includes(name))).toEqual([]);
  expect([...otherwise]).toContain('PlanSteps');
  expect([...reachable(() => true)]).toEqual(expect.arrayContaining(['Revert', 'Approve', 'Verify']));
});

test('a task that waits for a person is never asked again because of its deadline', () => {
  const approve = rollback.States['Approve'] as State;
  expect((approve['Retry'] as { ErrorEquals: string[] }[]).flatMap((one) => one.ErrorEquals)).not.toContain('States.Timeout');
});

const service = (more: string) => Object.values(parseConfig(minimalYaml.replace('    policy:', `${more}    policy:`), 'x').services);

test('the machines may run as long as the slowest service needs', () => {
  const base = longestRollbackSeconds(service(''));
  expect(longestRollbackSeconds([...service(''), ...Object.values(parseConfig(minimalYaml.replace('none: nobody is needed here', 'required: always\n        timeoutMinutes: 600\n        onDeadline: stop').replace('services:', 'engine: { approvers: [arn:aws:iam::111122223333:role/a] }\nservices:'), 'x').services)])).toBe(base + 2 * (600 - 30) * 60);
  expect(longestRollbackSeconds(service('    rungs: [[[web], [web]], [[web]]]\n'))).toBe(base + 3 * 3600);
  expect(longestWatchSeconds(service(''))).toBe(27 * 3600);
});
