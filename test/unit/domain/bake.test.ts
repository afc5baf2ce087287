// One look of the Watch: when it goes on, starts a rollback, calls a version good, or gives up.
import { describe, expect, it } from 'vitest';
import { type BakeQuestion, watchLook } from '../../../lambdas/domain/bake.ts';
import { noMemory } from '../../../lambdas/domain/bake-memory.ts';
import type { ReleaseFacts } from '../../../lambdas/domain/question.ts';
import type { TrafficReading } from '../../../lambdas/domain/readings.ts';
import { parseTrigger } from '../../../lambdas/domain/trigger.ts';
import { alarm, delivered, deployment, journeys, minute, quiet, release, rollback } from './samples.ts';

const older = (name: string) => alarm(name, { since: minute(-60), fault: null });
const passedAtStart = { ...release({ journeysFailedAtStart: [] }), left: null };

const used = (status: TrafficReading['status'], requests: number | null): TrafficReading => ({ status, requests, minimum: 50, minutes: 60 });

const look = (over: Partial<BakeQuestion> = {}) => watchLook({
  service: 'checkout', release: passedAtStart, rollbacks: [], bakeMinutes: 60, hasJourneys: true, now: minute(30),
  alarms: [quiet('5xx'), quiet('latency')], delivered: [], deployments: [], evidence: journeys(true), externalTools: [], releases: [release()], traffic: used('enough', 900), quarantined: [],
  lockedBy: null, looksLeft: 1500, memory: null, ...over,
});
const baked = { now: minute(62) };

describe('a look of the Watch', () => {
  it.each<[string, Partial<BakeQuestion>, string, string]>([
    ['goes on while the release bakes', {}, 'continue', 'baking'],
    ['goes on while the release goes out', { release: { ...passedAtStart, finishedAt: null, status: 'in-progress' } }, 'continue', 'in-progress'],
    ['gives up on a release that never says it finished', { release: { ...passedAtStart, finishedAt: null }, now: minute(24 * 60 + 1) }, 'ended', 'never-finished'],
    ['calls a version good that was quiet for its bake', baked, 'known-good', 'baked'],
    ['ends when a rollback took over', { rollbacks: [rollback({ release: { id: 'r-2', version: 'v2' } })] }, 'ended', 'rolled-back'],
    ['ends when the release failed', { release: { ...passedAtStart, status: 'failed' } }, 'ended', 'release-over'],
    ['ends when the release was stopped', { release: { ...passedAtStart, status: 'stopped' } }, 'ended', 'release-over'],
    ['ends when a newer release began', { releases: [release({ id: 'r-3', version: 'v3', startedAt: minute(20) }), release()] }, 'ended', 'superseded'],
    ['signals a fresh alarm', { alarms: [alarm('5xx'), quiet('latency')] }, 'signal', 'signal'],
    ['signals an alarm that fired before and a journey that passed before', { alarms: [older('5xx')], evidence: journeys(false) }, 'signal', 'signal'],
    ['goes on when only an older alarm fires', { alarms: [older('5xx')] }, 'continue', 'baking'],
    ['goes on when only a journey fails', { evidence: journeys(false) }, 'continue', 'baking'],
    ['goes on when the journey failed before as well', { alarms: [older('5xx')], evidence: journeys(false), release: { ...passedAtStart, journeysFailedAtStart: ['buy'] } }, 'continue', 'baking'],
    ['goes on when a muted alarm fires', { alarms: [alarm('5xx')], delivered: [delivered({ kind: 'alarm', source: '5xx', mutedUntil: minute(90) })] }, 'continue', 'baking'],
    ['waits on when an alarm has no data at the end', { ...baked, alarms: [quiet('5xx', { state: 'INSUFFICIENT_DATA' })] }, 'continue', 'not-quiet'],
    ['waits on when an older alarm still fires at the end', { ...baked, alarms: [older('5xx')] }, 'continue', 'not-quiet'],
    ['waits on when a journey fails at the end', { ...baked, evidence: journeys(false) }, 'continue', 'not-quiet'],
    ['waits on when the journeys did not run', { ...baked, evidence: { at: minute(62), results: [] } }, 'continue', 'journeys-unknown'],
    ['waits on until an alarm that blinked was quiet for a whole bake', { ...baked, alarms: [quiet('5xx', { since: minute(20) })] }, 'continue', 'not-quiet-long-enough'],
    ['waits on when nothing could say that the service is well', { ...baked, alarms: [] }, 'continue', 'no-alarms'],
    ['waits on when hardly anybody used it', { ...baked, traffic: used('too-little', 3) }, 'continue', 'too-little-traffic'],
    ['waits on when nobody knows whether anybody used it', { ...baked, traffic: used('unknown', null) }, 'continue', 'traffic-unknown'],
    ['gives up when nobody used it within a second bake', { now: minute(123), traffic: used('too-little', 0) }, 'ended', 'too-little-traffic'],
    ['waits for the metrics of a short bake, which may come minutes late', { now: minute(6), bakeMinutes: 1, traffic: used('unknown', null) }, 'continue', 'traffic-unknown'],
    ['calls a version good that is declared to have no measure of its traffic', { ...baked, traffic: used('not-measured', null) }, 'known-good', 'baked'],
    ['calls it good once the blinking alarm was quiet for a bake', { now: minute(81), alarms: [quiet('5xx', { since: minute(20) })] }, 'known-good', 'baked'],
    ['gives up when it is not proven within a second bake', { now: minute(123), alarms: [quiet('5xx', { state: 'INSUFFICIENT_DATA' })] }, 'ended', 'not-quiet'],
    ['ends when CodeDeploy says that the deployment failed', { release: { ...passedAtStart, id: 'd-2', origin: 'codedeploy', status: 'failed' }, deployments: [deployment({ status: 'failed' })] }, 'ended', 'release-over'],
  ])('%s', (_name, over, answer, code) => {
    const looked = look(over);
    expect(looked.answer).toBe(answer);
    expect(looked.reasons.map((reason) => reason.code)).toContain(code);
    expect(looked.waitSeconds > 0).toBe(answer === 'continue' || answer === 'signal');
  });

  describe('while or after another release goes out', () => {
    const next = (over: Partial<ReleaseFacts> = {}) => release({ id: 'r-3', version: 'v3', startedAt: minute(20), finishedAt: null, status: 'in-progress', ...over });
    const beside = (over: Partial<ReleaseFacts>, more: Partial<BakeQuestion> = {}) => look({ waitsForNext: true, releases: [next(over), release()], ...more });

    it('waits, says nothing of what fires meanwhile, and keeps what it remembers', () => {
      const memory = { ...noMemory, runs: 1, told: ['alarm/5xx'] };
      expect(beside({}, { memory, alarms: [alarm('5xx'), alarm('latency')] })).toMatchObject({ answer: 'continue', waitSeconds: expect.any(Number) as number, reasons: [{ code: 'next-in-progress' }], memory, rollback: null });
      expect(beside({}, { now: minute(400) })).toMatchObject({ answer: 'continue', reasons: [{ code: 'next-in-progress' }] });
    });

    it.each<[string, Partial<ReleaseFacts>]>([['failed', { status: 'failed' }], ['was stopped', { status: 'stopped' }], ['was undone', { status: 'finished', undoneAt: minute(25) }]])('goes on and calls its own version good when the other %s', (_how, over) => {
      const ended = { finishedAt: minute(24), ...over };
      expect(beside(ended)).toMatchObject({ answer: 'continue', reasons: [{ code: 'baking' }] });
      expect(beside(ended, { alarms: [alarm('5xx')] }).answer).toBe('signal');
      expect(beside(ended, baked)).toMatchObject({ answer: 'known-good' });
    });

    it('ends when the other is out, whatever came to nothing between them', () => {
      const between = next({ id: 'r-2b', startedAt: minute(10), status: 'failed' });
      expect(beside({ finishedAt: minute(24), status: 'finished' }, { releases: [next({ finishedAt: minute(24), status: 'finished' }), between, release()] })).toMatchObject({ answer: 'ended', reasons: [{ code: 'superseded' }] });
    });

    it('ends after a day in which the other did not say how it ended, and looks seldom enough until then', () => {
      expect(beside({}, { now: minute(24 * 60 - 1) }).answer).toBe('continue');
      expect(beside({}, { now: minute(24 * 60 + 1) })).toMatchObject({ answer: 'ended', reasons: [{ code: 'superseded' }] });
      expect(24 * 3600 / beside({}, { now: minute(21), looksLeft: 400 }).waitSeconds).toBeLessThan(400);
    });

    it('ends when a rollback of the other went back further than to this version', () => {
      const of3 = { release: { id: 'r-3', version: 'v3' }, startedAt: minute(25), endedAt: minute(26) };
      expect(beside({ status: 'failed' }, { rollbacks: [rollback({ ...of3, goodVersion: 'v1' })] })).toMatchObject({ answer: 'ended', reasons: [{ code: 'rolled-back' }] });
      for (const kept of [{ goodVersion: 'v2' }, { goodVersion: 'v1', keepsRelease: true as const }, { goodVersion: 'v1', isShadow: true as const }, { goodVersion: 'v1', release: { id: 'r-1', version: 'v1' } }])
        expect(beside({ status: 'failed' }, { rollbacks: [rollback({ ...of3, ...kept })] }).answer, JSON.stringify(kept)).toBe('continue');
    });

    it('ended at once in what was asked before that was waited for', () => {
      for (const status of ['in-progress', 'failed'] as const) expect(look({ releases: [next({ status }), release()] })).toMatchObject({ answer: 'ended', reasons: [{ code: 'superseded' }] });
    });
  });

  it('starts one execution for the same release and signals, with an input that Assess accepts and no time in it', () => {
    const [first, again] = [look({ alarms: [alarm('5xx')] }), look({ alarms: [alarm('5xx')], now: minute(31) })];
    expect(first.rollback).toEqual(again.rollback);
    expect(first.rollback?.name).toMatch(/^[0-9A-Za-z-_]{1,80}$/);
    expect(parseTrigger(first.rollback?.input)).toEqual({ service: 'checkout', trigger: { kind: 'watch', releaseId: 'r-2', alarms: ['5xx'], journeys: [] } });
    expect(look({ alarms: [alarm('latency')] }).rollback?.name).not.toBe(first.rollback?.name);
    expect(look({ alarms: [alarm('5xx')], service: 's'.repeat(40) }).rollback?.name.length).toBeLessThanOrEqual(80);
  });

  describe('at a version that was rolled back before', () => {
    it('takes it back at once, and says so to Assess', () => {
      const looked = look({ quarantined: ['v2'] });
      expect(looked).toMatchObject({ answer: 'signal', waitSeconds: 60, reasons: [{ code: 'quarantined-version' }] });
      expect(parseTrigger(looked.rollback?.input).trigger).toEqual({ kind: 'watch', releaseId: 'r-2', alarms: [], journeys: [], quarantined: true });
      expect(look({ quarantined: ['v2'], now: minute(40) }).rollback).toEqual(looked.rollback);
    });

    it('waits for a pipeline to have moved something, but stops what AWS deploys', () => {
      const underWay = { ...passedAtStart, finishedAt: null, status: 'in-progress' as const };
      expect(look({ quarantined: ['v2'], release: underWay })).toMatchObject({ answer: 'continue', waitSeconds: 30, reasons: [{ code: 'quarantined-version' }] });
      expect(look({ quarantined: ['v2'], release: { ...underWay, origin: 'codedeploy' } }).answer).toBe('signal');
    });

    it('starts one rollback for it, takes other signals as they come, and never calls it good', () => {
      const { memory = null } = look({ quarantined: ['v2'] });
      const calm = look({ quarantined: ['v2'], memory, now: minute(31) });
      expect(calm).toMatchObject({ answer: 'continue', memory: { told: ['quarantined'] } });
      expect(look({ quarantined: ['v2'], memory, alarms: [alarm('5xx')], now: minute(31) }).answer).toBe('signal');
      expect(look({ quarantined: ['v2'], memory, ...baked })).toMatchObject({ answer: 'continue', reasons: [{ code: 'quarantined' }] });
    });

    it('gives up on one that never comes out', () => {
      const underWay = { ...passedAtStart, finishedAt: null, status: 'in-progress' as const };
      expect(look({ quarantined: ['v2'], release: underWay, now: minute(24 * 60 + 1) })).toMatchObject({ answer: 'ended', reasons: [{ code: 'never-finished' }] });
    });

    it('lets another version be', () => {
      expect(look({ quarantined: ['v1', 'v2.1'] }).answer).toBe('continue');
    });

    it('leaves it to the rollback that has it already', () => {
      expect(look({ quarantined: ['v2'], rollbacks: [rollback({ release: { id: 'r-2', version: 'v2' } })] }).answer).toBe('ended');
    });
  });
});
