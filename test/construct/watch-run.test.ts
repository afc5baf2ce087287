// Plays the Watch state machine on the sandbox's interpreter: release began, release ended, and what the bake may bring.
import { describe, expect, test } from 'vitest';
import type { Watching, WatchInput, WatchLooked } from '../../lambdas/domain/workflow.ts';
import { watchLook } from '../../lambdas/domain/bake.ts';
import { alarm, minute, quiet, release, rollback as rollbackRecord } from '../unit/domain/samples.ts';
import { machineRig, Named, type Functions } from '../sandbox/engine/machine-rig.ts';
import { rollbackArn, step, strategyFunction, verified, watch } from './workflow-samples.ts';

const watching = (over: Partial<Watching> = {}): Watching =>
  ({ service: 'checkout', releaseId: 'd-1', kind: 'started', reason: null, steps: [step('w', 'web')], hasJourneys: true, ...over });
const looked = (over: Partial<WatchLooked> = {}): WatchLooked => ({ answer: 'continue', waitSeconds: 10, reasons: [], rollback: null, ...over });

async function play(answer: (input: WatchInput, count: number) => unknown, over: Functions = {}) {
  const rig = machineRig({ watch: answer, alb: strategyFunction(), verify: () => verified(), ...over }, 20_000);
  const rollback = rig.create({ StartAt: 'Stay', States: { Stay: { Type: 'Wait', Seconds: 90_000, End: true } } });
  expect(rollback).toBe(rollbackArn);
  const execution = await rig.run(watch, { service: 'checkout', event: { id: 'e' } });
  const started = rig.machines.executions(rollback);
  const calls = rig.calls.map(({ name, payload }) => (name === 'watch' || name === 'alb' ? `${name}:${(payload as WatchInput).verb}` : name));
  const payloads = rig.calls.filter(({ name }) => name === 'watch').map(({ payload }) => payload as WatchInput);
  rig.stop();
  return { execution, calls, payloads, started, verifies: rig.calls.filter(({ name }) => name === 'verify').map(({ payload }) => payload) };
}

const byVerb = (verbs: Partial<Record<WatchInput['verb'], (count: number) => unknown>>) => {
  const counts: Record<string, number> = {};
  return ({ verb }: WatchInput): unknown => verbs[verb]?.((counts[verb] = (counts[verb] ?? 0) + 1)) ?? {};
};

describe('watching a release', () => {
  test('an event that is none of ours ends at once', async () => {
    const played = await play(byVerb({ record: () => watching({ kind: 'ignored' }) }));
    expect(played.calls).toEqual(['watch:record']);
    expect(played.payloads[0]).toEqual({ verb: 'record', watchId: expect.any(String), input: { service: 'checkout', event: { id: 'e' } } });
    expect(played.execution.status).toBe('SUCCEEDED');
  });

  test('a release that finished is captured', async () => {
    const played = await play(byVerb({ record: () => watching({ kind: 'finished' }) }));
    expect(played.calls).toEqual(['watch:record', 'alb:capture', 'watch:left']);
    expect(played.payloads[1]).toMatchObject({ watch: { releaseId: 'd-1' }, captured: [{ targetId: 'web', status: 'captured' }] });
  });

  test('a release that began is captured, probed and looked at until it is known good', async () => {
    const played = await play(byVerb({ record: () => watching(), start: () => looked(), look: (count) => (count < 3 ? looked() : looked({ answer: 'known-good' })) }));
    expect(played.calls).toEqual([
      'watch:record', 'alb:capture', 'verify', 'watch:start', 'verify', 'watch:look', 'verify', 'watch:look', 'verify', 'watch:look', 'alb:capture', 'watch:settle',
    ]);
    expect(played.payloads.filter(({ verb }) => verb === 'look').map((one) => 'look' in one && one.look)).toEqual([0, 1, 2]);
    expect(played.verifies[0]).toMatchObject({ purpose: 'evidence', service: 'checkout', fence: null, live: [], alarmsAtStart: [] });
    expect(played.execution.status).toBe('SUCCEEDED');
  });

  test('without journeys nothing is probed, and the evidence is empty', async () => {
    const played = await play(byVerb({ record: () => watching({ hasJourneys: false }), start: () => looked(), look: () => looked({ answer: 'ended' }) }));
    expect(played.calls).not.toContain('verify');
    expect(played.payloads.at(-1)).toMatchObject({ verb: 'look', evidence: { at: expect.stringMatching(/Z$/), results: [] } });
  });

  test('a probe that breaks is no evidence; the watch goes on, and says at its end that the journeys could not be run', async () => {
    const played = await play(byVerb({ record: () => watching(), start: () => looked(), look: () => looked({ answer: 'ended' }) }), { verify: () => { throw new Named('TypeError', 'no secret'); } });
    expect(played.payloads.at(-1)).toMatchObject({ verb: 'look', evidence: { results: [] } });
    expect(played.execution).toMatchObject({ status: 'FAILED', error: 'NotProbed', cause: 'TypeError: no secret' });
  });

  test('a probe that a later one mends is nobody\'s trouble', async () => {
    const played = await play(byVerb({ record: () => watching(), start: () => looked(), look: () => looked({ answer: 'ended' }) }), {
      verify: (_: unknown, count: number) => { if (count === 1) throw new Named('TypeError', 'no secret'); return verified(); },
    });
    expect(played.calls.filter((call) => call === 'verify')).toHaveLength(2);
    expect(played.execution.status).toBe('SUCCEEDED');
  });

  test('a target that cannot be captured is told, beside those that can', async () => {
    const played = await play(byVerb({ record: () => watching({ kind: 'finished', steps: [step('w', 'a'), step('w', 'b')] }) }), {
      alb: strategyFunction({ capture: ({ step: one }) => { if (one.targetId === 'a') throw new Named('AccessDenied', 'no'); return { targetId: 'b', status: 'captured', state: {}, reason: null }; } }),
    });
    expect(played.payloads[1]).toMatchObject({ captured: [{ targetId: 'a', status: 'failed', reason: { code: 'capture-failed', text: 'AccessDenied: no' } }, { targetId: 'b', status: 'captured' }] });
    expect(played.execution).toMatchObject({ status: 'FAILED', error: 'NotCaptured', cause: 'a: AccessDenied: no' });
  });

  test('a call that was denied fails the watch, but only when everything else is done', async () => {
    const played = await play(byVerb({ record: () => watching({ hasJourneys: false }), start: () => looked(), look: () => looked({ answer: 'known-good' }) }), {
      alb: strategyFunction({ capture: (_, count) => (count === 1 ? { targetId: 'web', status: 'failed', state: null, reason: { code: 'denied', text: 'elasticloadbalancing:DescribeRules was denied' } } : { targetId: 'web', status: 'captured', state: {}, reason: null }) }),
    });
    expect(played.calls.at(-1)).toBe('watch:settle');
    expect(played.execution).toMatchObject({ status: 'FAILED', error: 'NotCaptured', cause: 'web: elasticloadbalancing:DescribeRules was denied' });
  });

  test('a target that is not there yet fails nothing', async () => {
    const played = await play(byVerb({ record: () => watching({ kind: 'finished' }) }), {
      alb: strategyFunction({ capture: () => ({ targetId: 'web', status: 'failed', state: null, reason: { code: 'gone', text: 'no such rule' } }) }),
    });
    expect(played.execution.status).toBe('SUCCEEDED');
  });
});

describe('a signal during the bake', () => {
  const signal = looked({ answer: 'signal', waitSeconds: 60, rollback: { name: 'watch-d-1', input: { service: 'checkout', reason: 'alarm' } } });

  test('starts Rollback under the name that Watch gives', async () => {
    const played = await play(byVerb({ record: () => watching(), start: () => signal, look: () => looked({ answer: 'ended' }) }));
    expect(played.started.map(({ name, input }) => [name, JSON.parse(input)])).toEqual([['watch-d-1', { service: 'checkout', reason: 'alarm' }]]);
    expect(played.execution.status).toBe('SUCCEEDED');
  });

  test('that AWS itself told of as the release ended starts one, and nothing is left to look at', async () => {
    const played = await play(byVerb({ record: () => watching({ kind: 'signal', rollback: { name: 'watch-d-1', input: {} } }) }));
    expect(played.started.map(({ name }) => name)).toEqual(['watch-d-1']);
    expect(played.calls).toEqual(['watch:record']);
    expect(played.execution.status).toBe('SUCCEEDED');
  });

  test('that blinked and was left alone is not the end of the watch: what comes back later is rolled back', async () => {
    const states = ['ALARM', 'ALARM', 'OK', 'ALARM', 'ALARM', 'taken over'];
    const about = { ...release({ journeysFailedAtStart: [] }), left: null };
    const real = (input: WatchInput): WatchLooked => {
      if (input.verb !== 'look') throw new Error(input.verb);
      const state = states[input.look];
      return watchLook({
        service: 'checkout', release: about, releases: [about], bakeMinutes: 60, hasJourneys: true, now: minute(9 + input.look), deployments: [], delivered: [], externalTools: [],
        evidence: input.evidence, traffic: null, quarantined: [], lockedBy: null, looksLeft: input.looksLeft ?? 0, memory: input.memory ?? null,
        alarms: [state === 'OK' ? quiet('5xx') : alarm('5xx')], rollbacks: state === 'taken over' ? [rollbackRecord({ release: about })] : [],
      });
    };
    const played = await play((input: WatchInput) => (input.verb === 'look' ? real(input) : input.verb === 'record' ? watching() : looked()));
    expect(played.started).toHaveLength(2);
    expect(new Set(played.started.map(({ name }) => name)).size).toBe(2);
    expect(played.payloads.flatMap((one) => (one.verb === 'look' ? [one.memory?.told ?? null] : []))).toEqual([null, ['alarm/5xx'], ['alarm/5xx'], [], ['alarm/5xx'], ['alarm/5xx']]);
    expect(played.payloads.flatMap((one) => (one.verb === 'look' ? [one.looksLeft] : []))).toEqual([1500, 1499, 1498, 1497, 1496, 1495]);
    expect(JSON.parse(played.execution.output ?? '')).toMatchObject({ answer: 'ended', reasons: [{ code: 'rolled-back' }] });
  });

  test('that was reported before is no failure', async () => {
    const rig = machineRig({ watch: byVerb({ record: () => watching(), start: () => signal, look: () => looked({ answer: 'ended' }) }), alb: strategyFunction(), verify: () => verified() }, 20_000);
    const rollback = rig.create({ StartAt: 'Stay', States: { Stay: { Type: 'Succeed' } } });
    rig.machines.startExecution(rollback, { service: 'checkout', reason: 'another text' }, 'watch-d-1');
    const execution = await rig.run(watch, { service: 'checkout' });
    expect(execution.status).toBe('SUCCEEDED');
    rig.stop();
  });
});

describe('a watch that cannot go on says so', () => {
  test.each([
    ['an error', byVerb({ record: () => { throw new Named('TypeError'); } })],
    ['an unknown kind', byVerb({ record: () => watching({ kind: 'unheard-of' as never }) })],
    ['an unknown answer', byVerb({ record: () => watching(), start: () => looked({ answer: 'unheard-of' as never }) })],
  ])('%s fails the execution, for the alarm to see', async (_, answers) => {
    const played = await play(answers);
    expect(played.execution.status).toBe('FAILED');
    expect(played.execution.cause).not.toBe('');
  });
});
