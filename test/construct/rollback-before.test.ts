// The Rollback state machine before anything is changed: it holds, plans, refuses, asks a person.
import { describe, expect, test } from 'vitest';
import type { StrategyInput } from '../../lambdas/domain/workflow.ts';
import { machineRig, Named } from '../sandbox/engine/machine-rig.ts';
import { play, reportOf, twoRungs } from './rollback-rig.ts';
import { assessment, confirmed, rollback, step, strategyFunction, wellAnswers } from './workflow-samples.ts';

describe('before anything is changed', () => {
  test('holds, looks for evidence, and looks again', async () => {
    const played = await play({ assess: (_: never, count: number) => (count === 1 ? assessment({ verdict: 'hold', holdSeconds: 30, wantsEvidence: true }) : assessment({ verdict: 'leave' })) });
    expect(played.calls).toEqual(['assess', 'verify', 'assess', 'report']);
    expect(played.payloads('verify')[0]).toMatchObject({ purpose: 'evidence', verification: null, since: null, live: [] });
    expect(played.payloads('assess')[1]).toMatchObject({ look: 1, evidence: { results: [] } });
  });

  test('a sick probe does not end a hold: Assess is told that there is no evidence', async () => {
    const played = await play({
      assess: (_: never, count: number) => (count === 1 ? assessment({ verdict: 'hold', wantsEvidence: true }) : assessment({ verdict: 'leave' })),
      verify: () => { throw new Named('Error'); },
    });
    expect(played.payloads('assess')[1]).toMatchObject({ look: 1, evidence: null });
  });

  test('a run that joined another one is done at once', async () => {
    const played = await play({ assess: () => assessment({ verdict: 'joined', rungs: [] }) });
    expect(played.calls).toEqual(['assess']);
    expect(JSON.parse(played.execution.output ?? '')).toEqual({ outcome: 'joined', headline: 'checkout is sick' });
  });

  test.each([['dry-run', 'roll-back'], ['shadow', 'roll-back'], ['shadow', 'ask']] as const)('mode %s with verdict %s shows the plan of every rung and changes nothing', async (mode, verdict) => {
    const approval = verdict === 'ask' ? { timeoutSeconds: 60, onDeadline: 'stop' as const } : null;
    const played = await play({ assess: () => assessment({ mode, verdict, approval, rungs: [{ name: 'first', waves: [[step('first', 'a')], [step('first', 'b')]] }, ...twoRungs.slice(1)] }) });
    expect(played.calls.toSorted()).toEqual(['alb:plan', 'alb:plan', 'assess', 'codedeploy:plan', 'report']);
    expect(reportOf(played).plans.map(({ stepId }) => stepId)).toEqual(['first/a', 'first/b', 'second/release']);
  });

  test('a step that cannot be planned does not hide the others', async () => {
    const played = await play({
      assess: () => assessment({ mode: 'dry-run', rungs: [{ name: 'first', waves: [[step('first', 'a'), step('first', 'b')]] }] }),
      alb: strategyFunction({ plan: (input) => { if (input.step.targetId === 'a') throw new Named('TypeError', 'no such thing'); return { stepId: 'first/b', outcome: 'change' }; } }),
    });
    expect(reportOf(played).plans).toEqual([
      expect.objectContaining({ stepId: 'first/a', outcome: 'impossible', reason: { code: 'plan-failed', text: 'TypeError: no such thing' } }),
      { stepId: 'first/b', outcome: 'change' },
    ]);
  });

  test('a strategy that this engine has no function for is refused, not guessed', async () => {
    const played = await play({ assess: () => assessment({ rungs: [{ name: 'first', waves: [[step('first', 'a', 'unheard-of')]] }] }) });
    expect(reportOf(played).results[0]?.applied).toMatchObject({ status: 'failed', reason: { code: 'apply-failed', text: expect.stringContaining('QueryEvaluationError') } });
    expect(played.calls.some((name) => name.startsWith('alb'))).toBe(false);
  });

  test('a mode that is not known changes nothing and fails', async () => {
    const played = await play({ assess: () => assessment({ mode: 'pretend' as never }) });
    expect(reportOf(played).error).toMatchObject({ Error: 'UnknownVerdict' });
    expect(played.calls).toEqual(['assess', 'report']);
  });

  test.each([['unheard-of', undefined], ['roll-back', []]])('verdict %s with rungs %j changes nothing and fails', async (verdict, rungs) => {
    const played = await play({ assess: () => assessment({ verdict: verdict as never, ...(rungs === undefined ? {} : { rungs }) }) });
    expect(reportOf(played).error).toMatchObject({ Error: 'UnknownVerdict' });
    expect(played.calls).toEqual(['assess', 'report']);
    expect(played.execution.status).toBe('FAILED');
  });

  test('input that is far too long is described, not passed on', async () => {
    const played = await play({}, { service: 'checkout', reason: '€'.repeat(61_000) });
    expect(played.payloads<{ input: string }>('assess')[0]?.input).toMatch(/^input of 610\d+ characters, more than the 60000 allowed/);
  });

  test('the longest input that is passed on fits the payload of a step, three bytes a character', async () => {
    const input = { service: 'checkout', reason: '€'.repeat(59_900) };
    const [assessed] = (await play({}, input)).payloads<{ input: unknown }>('assess');
    expect(assessed?.input).toEqual(input);
    expect(Buffer.byteLength(JSON.stringify(assessed))).toBeLessThan(256 * 1024 - 64 * 1024);
  });
});

describe('a person is asked', () => {
  const ask = assessment({ verdict: 'ask', approval: { timeoutSeconds: 600, onDeadline: 'stop' } });

  test('the plan goes with the question, the answer to Assess, and the plan to Apply', async () => {
    const rig = machineRig(wellAnswers({
      assess: (_: never, count: number) => (count === 1 ? ask : assessment()),
      approve: ({ taskToken }: { taskToken: string }) => {
        queueMicrotask(() => rig.machines.tokens.succeed(taskToken, JSON.stringify({ answer: 'approved', by: 'arn:aws:sts::1:assumed-role/x/y', at: 'now', comment: '' })));
        return { asked: true };
      },
      alb: strategyFunction({ confirm: (input) => (input.step.again === undefined ? confirmed(input, { answer: 'overtaken' }) : confirmed(input)) }),
    }), 20_000);
    await rig.run(rollback, { service: 'checkout' });
    const payload = (name: string, index: number) => rig.calls.filter((one) => one.name === name)[index]?.payload;
    expect(payload('approve', 0)).toMatchObject({ taskToken: expect.any(String), assessment: { verdict: 'ask' }, plans: [{ stepId: 'first/web' }] });
    expect(payload('assess', 1)).toMatchObject({ look: 1, approval: { answer: 'approved' } });
    expect(payload('alb', 1)).toMatchObject({ verb: 'apply', planned: { stepId: 'first/web', outcome: 'change' } });
    // What the person saw is no longer live then, but it leads to the same place.
    expect(payload('alb', 3)).toMatchObject({ verb: 'apply', step: { again: true }, planned: null });
    rig.stop();
  });

  test('what a person saw of a later way back binds nobody: the ways before it moved the world', async () => {
    const rungs = twoRungs;
    const rig = machineRig(wellAnswers({
      assess: (_: never, count: number) => (count === 1 ? { ...ask, rungs } : assessment({ rungs })),
      approve: ({ taskToken }: { taskToken: string }) => {
        queueMicrotask(() => rig.machines.tokens.succeed(taskToken, JSON.stringify({ answer: 'approved', by: 'arn:aws:sts::1:assumed-role/x/y', at: 'now', comment: '' })));
        return { asked: true };
      },
      alb: strategyFunction({ confirm: (input) => confirmed(input, { answer: 'failed' }) }),
    }), 20_000);
    await rig.run(rollback, { service: 'checkout' });
    const applies = rig.calls.map(({ payload }) => payload as StrategyInput).filter(({ verb }) => verb === 'apply');
    expect(rig.calls.find(({ name }) => name === 'approve')?.payload).toMatchObject({ plans: [{ stepId: 'first/web' }, { stepId: 'second/release' }] });
    expect(applies.map(({ step: { id }, planned }) => [id, planned?.stepId ?? null])).toEqual([['first/web', 'first/web'], ['second/release', null]]);
    rig.stop();
  });

  test('a deadline that passes is an answer too, and Assess reads every signal again', async () => {
    const played = await play({ assess: (_: never, count: number) => (count === 1 ? ask : assessment({ verdict: 'leave' })), approve: () => ({ asked: true }) });
    expect(played.payloads('assess')[1]).toMatchObject({ approval: { answer: 'deadline', by: null, at: expect.stringMatching(/Z$/), comment: '' } });
    expect(played.execution.status).toBe('SUCCEEDED');
  });

  test('without a deadline nobody is asked and nothing is changed', async () => {
    const played = await play({ assess: () => assessment({ verdict: 'ask', approval: null }) });
    expect(reportOf(played).error).toMatchObject({ Error: 'NoDeadline' });
    expect(played.calls.some((name) => name.endsWith('apply'))).toBe(false);
  });

  test('a question that cannot be sent ends in the report', async () => {
    const played = await play({ assess: () => ask, approve: () => { throw new Named('Error', 'no lock'); } });
    expect(reportOf(played).error).toMatchObject({ Error: 'Error' });
  });
});
