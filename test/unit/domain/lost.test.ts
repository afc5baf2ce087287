// What the poll takes for lost, and what it leaves to whoever has it.
import { describe, expect, it } from 'vitest';
import { lookBackMinutes, lostAlarms, lostAliasMove, lostDeployment, lostEcsDeployment, type Polled } from '../../../lambdas/domain/lost.ts';
import { parseReleaseEvent } from '../../../lambdas/domain/release-event.ts';
import { parseTrigger } from '../../../lambdas/domain/trigger.ts';
import { isWeighed } from '../../../lambdas/domain/weighed.ts';
import type { ServiceLedger } from '../../../lambdas/domain/ledger.ts';
import type { Release } from '../../../lambdas/domain/vocabulary.ts';
import { alarm, delivered, deployment, minute, question, quiet, release, rollback } from './samples.ts';

const noLock = { owner: null, fence: 0, leaseUntil: null, coolDownUntil: null, lastRollbackId: null };
const kept = (over: Partial<Release> = {}): Release => ({ ...release(), left: { app: { v: 2 } }, ...over });
const polled = (ledger: Partial<ServiceLedger> = {}, over: Partial<Polled> = {}): Polled => ({
  service: 'checkout', windowMinutes: 240, now: minute(30), assessedAt: null,
  ledger: { lock: noLock, releases: [], knownGoods: [], rollbacks: [], shadowed: [], signals: [], quarantined: [], ...ledger }, ...over,
});
const group = { application: 'shop', deploymentGroup: 'prod' };
const eventIn = (input: unknown) => parseReleaseEvent(input).event;

describe('a CodeDeploy deployment', () => {
  const seen = (over: Partial<Release> = {}) => kept({ id: 'd-2', origin: 'codedeploy', ...over });

  it('that nobody recorded starts the Watch, under one name whenever it is found', () => {
    const lost = lostDeployment(group, [deployment({ id: 'd-1', startedAt: minute(-60), finishedAt: minute(-55) }), deployment()], polled());
    expect(lost?.machine).toBe('watch');
    expect(lost?.name).toMatch(/^poll-checkout-[0-9a-f]{24}$/);
    expect(eventIn(lost?.input)).toEqual({ origin: 'codedeploy', phase: 'finished', deploymentId: 'd-2', ...group });
    expect(lostDeployment(group, [deployment()], polled({}, { now: minute(35) }))?.name).toBe(lost?.name);
  });

  it.each([5, 10])('is found at any phase of the poll, one poll failing, and with a window of %i minutes', (windowMinutes) => {
    const missed = [0.5, 2, 4, 7, 15].flatMap((took) => Array.from({ length: 10 }, (_, phase) => phase / 2).filter((phase) => Array.from({ length: 8 }, (_, turn) => phase + 5 * turn).filter((now) => {
      const isOut = now > took;
      const one = deployment({ startedAt: minute(0), finishedAt: isOut ? minute(took) : null, status: isOut ? 'finished' : 'in-progress' });
      return lostDeployment(group, [one], polled({}, { windowMinutes, now: minute(now) })) !== null;
    }).length < 2).map((phase) => [took, phase]));
    expect(missed).toEqual([]);
    expect(lookBackMinutes({ windowMinutes: 240 })).toBe(240);
  });

  it('that runs is told as begun', () => {
    expect(eventIn(lostDeployment(group, [deployment({ status: 'in-progress', finishedAt: null })], polled())?.input)).toMatchObject({ phase: 'started' });
  });

  it('whose end was lost is told as finished', () => {
    const lost = lostDeployment(group, [deployment()], polled({ releases: [seen({ finishedAt: null, status: 'in-progress', left: null })] }));
    expect(eventIn(lost?.input)).toMatchObject({ phase: 'finished' });
  });

  it.each<[string, Parameters<typeof deployment>[0], Polled]>([
    ['it is on record', {}, polled({ releases: [seen()] })],
    ['its event may still come', {}, polled({}, { now: minute(5) })],
    ['it is too old to be suspected', {}, polled({}, { now: minute(300) })],
    ['it is a rollback', { nature: 'rollback' }, polled()],
    ['it runs, and the Watch knows', { status: 'in-progress', finishedAt: null }, polled({ releases: [seen({ finishedAt: null, left: null })] })],
    ['it was rolled back since', {}, polled({ releases: [seen({ left: null })], rollbacks: [rollback({ startedAt: minute(8), release: { id: 'd-2', version: 'v2' } })] })],
  ])('is left alone when %s', (_why, over, now) => {
    expect(lostDeployment(group, [deployment(over)], now)).toBeNull();
  });

  it('that was live before one that CodeDeploy undid by itself is live again, and is not lost for it; what Ripcord took back may have gone further', () => {
    const undone = deployment({ id: 'd-3', startedAt: minute(10), finishedAt: minute(12), status: 'failed' });
    const back = deployment({ id: 'd-4', startedAt: minute(12), finishedAt: minute(14), nature: 'rollback', undoes: 'd-3' });
    expect(eventIn(lostDeployment(group, [back, undone, deployment()], polled())?.input)).toMatchObject({ deploymentId: 'd-2', phase: 'finished' });
    expect(lostDeployment(group, [{ ...back, status: 'in-progress', finishedAt: null }, undone, deployment()], polled())).toBeNull();
    expect(lostDeployment(group, [back, undone, deployment()], polled({ rollbacks: [rollback({ startedAt: minute(12), release: { id: 'd-3', version: 'v3' } })] }))).toBeNull();
  });

  it('that failed unheard starts a rollback, unless a run has weighed it', () => {
    const failed = deployment({ status: 'failed', finishedAt: minute(10) });
    const lost = lostDeployment(group, [failed], polled());
    expect(lost?.machine).toBe('rollback');
    expect(parseTrigger(lost?.input).trigger).toMatchObject({ kind: 'deployment', deploymentId: 'd-2' });
    expect(lostDeployment(group, [failed], polled({}, { assessedAt: minute(9) }))).not.toBeNull();
    expect(lostDeployment(group, [failed], polled({}, { assessedAt: minute(11) }))).toBeNull();
  });
});

describe('an ECS deployment', () => {
  const source = { cluster: 'prod', service: 'checkout' };
  const ecs = (over: Parameters<typeof deployment>[0] = {}) => deployment({ id: 'ecs-svc/1', version: 'checkout:8', ...over });

  it('that nobody recorded starts the Watch; one that failed says so', () => {
    expect(eventIn(lostEcsDeployment(source, [ecs()], polled())?.input)).toEqual({ origin: 'ecs', phase: 'finished', deploymentId: 'ecs-svc/1', cluster: 'prod', ecsService: 'checkout' });
    expect(eventIn(lostEcsDeployment(source, [ecs({ status: 'failed' })], polled())?.input)).toMatchObject({ phase: 'failed' });
  });

  it.each<[string, Partial<ServiceLedger>]>([
    ['it is a pipeline\'s release', { releases: [kept({ startedAt: minute(-1), finishedAt: minute(4) })] }],
    ['a rollback put an old version back', { releases: [kept({ version: 'checkout:9', previousVersion: 'checkout:8', startedAt: minute(-30), finishedAt: minute(-25) })], rollbacks: [rollback({ startedAt: minute(-1), endedAt: minute(2) })] }],
    ['it failed and is on record so', { releases: [kept({ id: 'ecs-svc/1', origin: 'ecs', status: 'failed' })] }],
  ])('is left alone when %s', (_why, ledger) => {
    expect(lostEcsDeployment(source, [ecs({ status: 'failed' })], polled(ledger))).toBeNull();
  });

  it('of a version that was never there before is a release, even while a rollback runs', () => {
    expect(lostEcsDeployment(source, [ecs()], polled({ rollbacks: [rollback({ startedAt: minute(-1), endedAt: minute(2) })] }))).not.toBeNull();
  });
});

describe('a Lambda alias', () => {
  const source = { functionName: 'checkout', alias: 'live' };
  const at7 = { version: '7', sharedWith: null, at: minute(25) };
  const known = (over: Partial<Release> = {}) => kept({ id: `checkout:live:8@${minute(20)}`, origin: 'lambda-alias', version: '8', previousVersion: '7', startedAt: minute(20), finishedAt: minute(21), ...over });
  const move = (reading: { version: string; sharedWith: string | null }, seen: typeof at7 | null, ledger: Partial<ServiceLedger> = {}) => lostAliasMove(source, reading, { seen, polled: polled(ledger) });

  it('that points elsewhere than at the last poll was moved since then', () => {
    expect(eventIn(move({ version: '8', sharedWith: null }, at7)?.input)).toEqual({ origin: 'lambda-alias', phase: 'finished', ...source, version: '8', previousVersion: '7', actor: 'unknown', at: minute(25) });
    expect(eventIn(move({ version: '8', sharedWith: '7' }, at7)?.input)).toMatchObject({ phase: 'started', version: '8', previousVersion: '7' });
  });

  it('whose release is on record is not told again, but its end is', () => {
    expect(move({ version: '8', sharedWith: null }, at7, { releases: [known()] })).toBeNull();
    expect(move({ version: '8', sharedWith: '7' }, at7, { releases: [known({ finishedAt: null, status: 'in-progress' })] })).toBeNull();
    expect(eventIn(move({ version: '8', sharedWith: null }, at7, { releases: [known({ finishedAt: null, status: 'in-progress' })] })?.input)).toMatchObject({ phase: 'finished' });
  });

  it('that has again what was taken back before was moved since then', () => {
    const undone = known({ status: 'stopped', undoneAt: minute(10) });
    expect(eventIn(move({ version: '8', sharedWith: '7' }, at7, { releases: [undone] })?.input)).toMatchObject({ phase: 'started', version: '8', at: minute(25) });
  });

  it.each<[string, Parameters<typeof move>]>([
    ['nobody saw it before', [{ version: '8', sharedWith: null }, null]],
    ['it did not move', [{ version: '7', sharedWith: null }, at7]],
    ['a pipeline\'s release moved it', [{ version: '8', sharedWith: null }, at7, { releases: [kept({ startedAt: minute(26), finishedAt: null })] }]],
    ['a rollback moved it back', [{ version: '7', sharedWith: null }, { version: '8', sharedWith: null, at: minute(25) }, { releases: [known()], rollbacks: [rollback({ startedAt: minute(27), endedAt: minute(28), release: { id: known().id, version: '8' } })] }]],
  ])('tells of no release when %s', (_why, args) => {
    expect(move(...args)).toBeNull();
  });
});

describe('an alarm', () => {
  const heard = polled({ releases: [kept()] });

  it('that nobody weighed starts a rollback about a release that may have caused it, once', () => {
    const [lost, ...more] = lostAlarms([alarm('5xx'), quiet('latency')], heard);
    expect(more).toEqual([]);
    expect(parseTrigger(lost?.input).trigger).toEqual({ kind: 'alarm', alarm: '5xx', at: minute(8), mutedUntil: null, suppressedBy: null, evaluationState: null });
    expect(lostAlarms([alarm('5xx')], { ...heard, now: minute(60) })[0]?.name).toBe(lost?.name);
    expect(lostAlarms([alarm('5xx', { since: minute(20), fault: null })], heard)[0]?.name).not.toBe(lost?.name);
  });

  it.each<[string, Parameters<typeof alarm>[1], Polled]>([
    ['it is OK', { state: 'OK' }, heard],
    ['its event may still come', {}, { ...heard, now: minute(10) }],
    ['it is suppressed', { suppressedBy: 'Alarm' }, heard],
    ['CloudWatch could not evaluate it', { evaluationState: 'PARTIAL_DATA' }, heard],
    ['it is muted', {}, polled({ releases: [kept()], signals: [delivered({ kind: 'alarm', source: '5xx', mutedUntil: minute(90) })] })],
    ['no release explains it', {}, polled()],
    ['the release began after it', {}, polled({ releases: [kept({ startedAt: minute(20), finishedAt: null })] })],
    ['the release lies too far back', {}, polled({ releases: [kept({ startedAt: minute(-300) })] })],
    ['the release was rolled back', {}, polled({ releases: [kept()], rollbacks: [rollback({ startedAt: minute(7), endedAt: minute(7.5), release: { id: 'r-2', version: 'v2' } })] })],
    ['a run weighed it', {}, { ...heard, assessedAt: minute(9) }],
    ['a rollback ended since', {}, polled({ releases: [kept()], rollbacks: [rollback({ startedAt: minute(5), endedAt: minute(12) })] })],
    ['a run is at work', {}, polled({ releases: [kept()], lock: { ...noLock, owner: 'rb-7', leaseUntil: minute(40) } })],
  ])('is left alone when %s', (_why, over, now) => {
    expect(lostAlarms([alarm('5xx', over)], now)).toEqual([]);
  });

  it('counts as unheard when only an older one was weighed, or the lease of a dead run is over', () => {
    expect(lostAlarms([alarm('5xx')], { ...heard, assessedAt: minute(7) })).toHaveLength(1);
    expect(lostAlarms([alarm('5xx')], polled({ releases: [kept()], lock: { ...noLock, owner: 'rb-7', leaseUntil: minute(20) } }))).toHaveLength(1);
  });
});

describe('an alarm that a cool-down left', () => {
  const cooled = (now: number, over: Partial<Polled> = {}) =>
    polled({ releases: [kept()], rollbacks: [rollback({ startedAt: minute(3), endedAt: minute(7) })], lock: { ...noLock, coolDownUntil: minute(37) } }, { now: minute(now), assessedAt: minute(10), ...over });
  const found = (now: number, over: Partial<Polled> = {}) => lostAlarms([alarm('5xx')], cooled(now, over)).map(({ name }) => name);

  it('is left alone until its end, and then found once more under one name of its own', () => {
    expect([11, 20, 36].map((now) => found(now))).toEqual([[], [], []]);
    const [name] = found(37);
    expect(name).toMatch(/^poll-checkout-/);
    expect([38, 60, 120].map((now) => found(now))).toEqual([[name], [name], [name]]);
    expect(found(20, { assessedAt: null })).not.toEqual([name]);
    expect(found(42, { assessedAt: minute(37.2) })).toEqual([]);
    expect(lostAlarms([alarm('5xx')], cooled(37))[0]?.reason.text).toMatch(/and the cool-down is over\.$/);
  });

  it('is found once more also when it began before the rollback ended', () => {
    expect(lostAlarms([alarm('5xx', { since: minute(6) })], cooled(36))).toEqual([]);
    expect(lostAlarms([alarm('5xx', { since: minute(6) })], cooled(38))).toHaveLength(1);
  });

  it('has nothing to do with a cool-down that was over before it began', () => {
    const since = { since: minute(38), fault: { from: minute(36), to: minute(37) } };
    expect(lostAlarms([alarm('5xx', since)], cooled(45, { assessedAt: minute(39) }))).toEqual([]);
    const [heardNever] = lostAlarms([alarm('5xx', since)], cooled(45, { assessedAt: null }));
    expect(heardNever?.name).toBe(lostAlarms([alarm('5xx', since)], polled({ releases: [kept()] }, { now: minute(45) }))[0]?.name);
  });
});

describe('what a run has weighed', () => {
  it.each([['no-release', true], ['release-suspected', true], ['joined', false], ['muted', false], ['no-longer-firing', false], ['already-handled', false], ['cool-down', true]] as const)('with the reason %s: %s', (code, weighed) => {
    expect(isWeighed(question(), [{ code, text: '' }])).toBe(weighed);
  });
});
