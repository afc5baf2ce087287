// Plays the Rollback state machine on the sandbox's interpreter: every way through it, with handlers that answer as told.
import { describe, expect, test } from 'vitest';
import type { StrategyInput, VerifyInput } from '../../lambdas/domain/workflow.ts';
import { Named } from '../sandbox/engine/machine-rig.ts';
import { play, reportOf, twoRungs } from './rollback-rig.ts';
import { applied, assessment, confirmed, step, strategyFunction, verified } from './workflow-samples.ts';

describe('a rollback that goes well', () => {
  test('assesses, applies, confirms, confirms again, verifies and reports', async () => {
    const played = await play();
    expect(played.execution.status).toBe('SUCCEEDED');
    expect(played.calls.filter((name) => name !== 'announce')).toEqual(['assess', 'alb:apply', 'alb:confirm', 'alb:confirm', 'verify', 'report']);
    expect(JSON.parse(played.execution.output ?? '')).toMatchObject({ outcome: 'recovered' });
  });

  test('hands over exactly what the contract says, lists of one as lists', async () => {
    const played = await play({ assess: () => assessment({ release: { alarmsAtStart: ['only-one'] } as never }) }, { service: 'checkout', event: { id: 'e1' } });
    expect(played.payloads('assess')[0]).toEqual({
      rollbackId: expect.any(String), startedAt: expect.stringMatching(/Z$/), input: { service: 'checkout', event: { id: 'e1' } }, look: 0, approval: null, evidence: null, audit: null,
    });
    expect(played.payloads('alb')[0]).toEqual({
      verb: 'apply', rollbackId: expect.any(String), step: step('first', 'web'), fence: 7, planned: null, applied: null, confirmed: null, audit: { length: 1, hash: 'h1' },
    });
    expect(played.payloads('announce')[0]).toEqual({ assessment: expect.objectContaining({ verdict: 'roll-back' }), rung: 0 });
    expect(played.payloads('verify')[0]).toEqual({
      purpose: 'proof', rollbackId: expect.any(String), service: 'checkout', fence: 7, verification: { intervalSeconds: 1, passesInARow: 1, deadlineSeconds: 60 },
      since: expect.stringMatching(/Z$/), releaseStartedAt: null, passes: 0, round: 0, live: [{ stepId: 'first/web', answer: 'yes', detail: '', retryAfterSeconds: 1 }],
      alarmsAtStart: ['only-one'], audit: { length: 1, hash: 'h1' },
    });
    expect(reportOf(played)).toMatchObject({ plans: [], approval: null, error: null, untold: null, verified: { answer: 'recovered' } });
    expect(reportOf(played).results).toHaveLength(1);
    expect(reportOf(played).results[0]).toMatchObject({ rung: 'first', applied: { stepId: 'first/web' }, confirmed: { answer: 'yes' } });
  });

  test('does the waves one after the other, the steps of one side by side, and announces once a rung', async () => {
    const played = await play({ assess: () => assessment({ rungs: [{ name: 'first', waves: [[step('first', 'a'), step('first', 'b')], [step('first', 'c')]] }] }) });
    const targets = played.payloads<StrategyInput>('alb').filter(({ verb }) => verb === 'apply').map((one) => one.step.targetId);
    expect(targets.slice(0, 2).toSorted()).toEqual(['a', 'b']);
    expect(targets[2]).toBe('c');
    expect(played.calls.filter((name) => name === 'announce')).toHaveLength(1);
    expect(reportOf(played).results.map((one) => one.applied.targetId).toSorted()).toEqual(['a', 'b', 'c']);
  });

  test('rolls back although nobody can be told', async () => {
    const played = await play({ announce: () => { throw new Named('AccessDenied', 'no'); } });
    expect(played.execution.status).toBe('SUCCEEDED');
    expect(reportOf(played).untold).toMatchObject({ Error: 'AccessDenied', Cause: expect.stringContaining('no') });
  });

  test('tells Report of the first way back that nobody was told of, also when they were told of the next', async () => {
    const played = await play({
      assess: () => assessment({ rungs: twoRungs }), announce: ({ rung }: { rung: number }) => { if (rung === 0) throw new Named('AccessDenied', 'no'); return { sent: true }; },
      alb: strategyFunction({ confirm: (input) => confirmed(input, { answer: 'failed' }) }),
    });
    expect(played.payloads('announce')).toHaveLength(2);
    expect(reportOf(played).untold).toMatchObject({ Error: 'AccessDenied' });
  });

  test('gives Confirm its own last answer until it says yes', async () => {
    let asked = 0;
    const played = await play({ alb: strategyFunction({ confirm: (input) => ((asked += 1) < 3 ? confirmed(input, { answer: 'not-yet', progress: { asked } }) : confirmed(input)) }) });
    const given = played.payloads<StrategyInput>('alb').filter(({ verb }) => verb === 'confirm').map((one) => one.confirmed?.progress ?? null);
    expect(given).toEqual([null, { asked: 1 }, { asked: 2 }, null]);
  });

  test('a step that the world overtook is applied once more', async () => {
    let asked = 0;
    const played = await play({ alb: strategyFunction({ confirm: (input) => ((asked += 1) === 1 ? confirmed(input, { answer: 'overtaken' }) : confirmed(input)) }) });
    expect(played.calls.filter((name) => name.startsWith('alb'))).toEqual(['alb:apply', 'alb:confirm', 'alb:apply', 'alb:confirm', 'alb:confirm']);
    const applies = played.payloads<StrategyInput>('alb').filter(({ verb }) => verb === 'apply');
    expect(applies.map(({ step: { again } }) => again ?? false)).toEqual([false, true]);
    expect(reportOf(played).results).toHaveLength(1);
    expect(played.execution.status).toBe('SUCCEEDED');
  });

  test('a step that is overtaken again has failed: the next rung is tried', async () => {
    const played = await play({ assess: () => assessment({ rungs: twoRungs }), alb: strategyFunction({ confirm: (input) => confirmed(input, { answer: 'overtaken' }) }) });
    expect(played.calls.filter((name) => name.startsWith('alb'))).toEqual(['alb:apply', 'alb:confirm', 'alb:apply', 'alb:confirm']);
    expect(reportOf(played).results.map(({ rung, confirmed: last }) => [rung, last?.answer])).toEqual([['first', 'overtaken'], ['second', 'yes']]);
  });

  test('a step that was right already is confirmed like any other', async () => {
    const played = await play({ alb: strategyFunction({ apply: (input) => applied(input, { status: 'already' }) }) });
    expect(played.calls.filter((name) => name === 'alb:confirm')).toHaveLength(2);
    expect(played.execution.status).toBe('SUCCEEDED');
  });

  test('an alarm that accuses the release counts in the proof, although it was in ALARM once before as the release began', async () => {
    const signal = (source: string, status: string, isOlderThanRelease: boolean) => ({ kind: 'alarm', source, group: source, status, since: null, isOlderThanRelease, summary: '' });
    const signals = [signal('accuser', 'firing', false), signal('older', 'firing', true), signal('calm', 'quiet', false), signal('muted', 'unknown', false)];
    const played = await play({ assess: () => assessment({ release: { alarmsAtStart: ['accuser', 'older', 'calm', 'muted', 'gone'] } as never, signals: signals as never }) });
    expect(played.payloads<VerifyInput>('verify')[0]?.alarmsAtStart).toEqual(['older', 'muted', 'gone']);
  });
});

describe('when something goes wrong', () => {
  test('a step that fails leads to the next rung, and its siblings report too', async () => {
    const played = await play({
      assess: () => assessment({ rungs: [{ name: 'first', waves: [[step('first', 'a'), step('first', 'b')]] }, ...twoRungs.slice(1)] }),
      alb: strategyFunction({ apply: (input) => { if (input.step.targetId === 'a') throw new Named('AccessDenied', 'not authorized to ModifyRule'); return applied(input); } }),
    });
    expect(reportOf(played).results.map(({ rung, applied: one }) => `${rung}:${one.targetId}:${one.status}`)).toEqual(['first:a:failed', 'first:b:changed', 'second:release:changed']);
    expect(reportOf(played).results[0]?.applied.reason).toEqual({ code: 'apply-failed', text: 'AccessDenied: not authorized to ModifyRule' });
    expect(played.payloads<VerifyInput>('verify')[0]?.live.map(({ stepId }) => stepId)).toEqual(['second/release']);
    expect(played.payloads('announce')).toHaveLength(2);
  });

  test('a throttled function is asked again', async () => {
    const played = await play({ alb: strategyFunction({ apply: (input, count) => { if (count < 3) throw new Named('Retryable'); return applied(input); } }) });
    expect(played.execution.status).toBe('SUCCEEDED');
    expect(played.calls.filter((name) => name === 'alb:apply')).toHaveLength(3);
  });

  test('a change that somebody else made stops everything: no next rung, no proof', async () => {
    const played = await play({
      assess: () => assessment({ rungs: twoRungs }),
      alb: strategyFunction({ apply: (input) => applied(input, { status: 'changed-by-someone-else' }) }),
    });
    expect(played.calls.filter((name) => name !== 'announce')).toEqual(['assess', 'alb:apply', 'report']);
  });

  test('a person who moves a target during the proof has the last word', async () => {
    const played = await play({
      assess: () => assessment({ rungs: twoRungs }),
      alb: strategyFunction({ confirm: (input) => confirmed(input, { answer: input.confirmed === null ? 'yes' : 'changed-by-someone-else' }) }),
    });
    expect(played.calls).not.toContain('verify');
    expect(played.calls).not.toContain('codedeploy:apply');
    expect(reportOf(played).results[0]?.confirmed?.answer).toBe('changed-by-someone-else');
  });

  test.each(['failed', 'cannot-verify'] as const)('a step whose confirmation says %s leads to the next rung', async (answer) => {
    const played = await play({ assess: () => assessment({ rungs: twoRungs }), alb: strategyFunction({ confirm: (input) => confirmed(input, { answer }) }) });
    expect(played.calls).toContain('codedeploy:apply');
    expect(reportOf(played).results[0]?.confirmed?.answer).toBe(answer);
  });

  test('a step that never confirms is given up after an hour', async () => {
    const played = await play({ alb: strategyFunction({ confirm: (input) => confirmed(input, { answer: 'not-yet', detail: 'still moving', retryAfterSeconds: 60 }) }) });
    expect(reportOf(played).results[0]?.confirmed).toMatchObject({ answer: 'cannot-verify', detail: 'still not confirmed after 60 minutes: still moving' });
    expect(played.calls.filter((name) => name === 'alb:confirm').length).toBeLessThan(40);
  });

  test('a confirmation that breaks cannot verify', async () => {
    const played = await play({ alb: strategyFunction({ confirm: () => { throw new Named('TypeError', 'oops'); } }) });
    expect(reportOf(played).results[0]?.confirmed).toMatchObject({ stepId: 'first/web', answer: 'cannot-verify', detail: 'TypeError: oops' });
  });

  test('not proven yet: waits and looks again, counting passes and rounds', async () => {
    const played = await play({ verify: (input: VerifyInput) => verified(input.round < 2 ? { answer: 'not-yet', passes: input.passes + 1, round: input.round + 1, waitSeconds: 20 } : {}) });
    expect(played.payloads<VerifyInput>('verify').map(({ passes, round }) => [passes, round])).toEqual([[0, 0], [1, 1], [2, 2]]);
    expect(new Set(played.payloads<VerifyInput>('verify').map(({ since }) => since)).size).toBe(1);
  });

  test('still bad: the next rung, whose proof begins anew; after the last one the report', async () => {
    const played = await play({ assess: () => assessment({ rungs: twoRungs }), verify: () => verified({ answer: 'still-bad', passes: 0, round: 4 }) });
    expect(played.payloads<VerifyInput>('verify').map(({ round }) => round)).toEqual([0, 0]);
    expect(reportOf(played).verified).toMatchObject({ answer: 'still-bad' });
    expect(played.calls.at(-1)).toBe('report');
  });

  test('still bad, but no release is to blame for what is left: the report at once, without the next rung', async () => {
    const played = await play({ assess: () => assessment({ rungs: twoRungs }), verify: () => verified({ answer: 'still-bad', triesNoMore: true }) });
    expect(played.calls).not.toContain('codedeploy:apply');
    expect(reportOf(played).verified).toMatchObject({ answer: 'still-bad', triesNoMore: true });
  });

  test('the proof has an end even when Verify never gives one', async () => {
    const played = await play({ verify: (input: VerifyInput) => verified({ answer: 'not-yet', round: input.round + 100, waitSeconds: 1 }) });
    expect(played.calls.filter((name) => name === 'verify')).toHaveLength(3);
    expect(played.calls.at(-1)).toBe('report');
  });

  test.each(['assess', 'verify'])('an error of %s leads to the report', async (name) => {
    const played = await play({ [name]: () => { throw new Named('Refused', 'service "x" is not known'); } });
    expect(reportOf(played).error).toMatchObject({ Error: 'Refused' });
    expect(reportOf(played).assessment === null).toBe(name === 'assess');
    expect(played.execution.status).toBe('FAILED');
    expect(played.execution.error).toBe('failed');
  });

  test('a report that fails fails the execution: the Watchdog takes over', async () => {
    const played = await play({ report: () => { throw new Named('TypeError'); } });
    expect(played.execution.status).toBe('FAILED');
    expect(played.execution.error).toBe('TypeError');
  });
});
