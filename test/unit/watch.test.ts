// The Watch against real clients and the sandbox's services: what it records, when, and what it never takes for a release.
import { describe, expect, it } from 'vitest';
import { joinSignal, quarantine } from '../../lambdas/adapters/ledger-history.ts';
import { acquireLock, releaseLock } from '../../lambdas/adapters/ledger-lock.ts';
import { watch } from '../../lambdas/runtime/watch.ts';
import { delivered, rollback } from './domain/samples.ts';
import { another, captured, codeDeploy, codes, later, ledger, look, lookLater, pipeline, ran, record, release, rig, service, start, startLater } from './watch-rig.ts';
import { recordRollback } from './rollback-rows.ts';

describe('recording', () => {
  it('keeps a release that began, the alarms that fire already, and asks for a capture of each target', async () => {
    rig.fire('latency');
    const watching = await record(pipeline('Started', 0));
    expect(watching).toMatchObject({ service, releaseId: 'build-2', kind: 'started', reason: null, hasJourneys: true });
    expect(watching.steps.map(({ id }) => id)).toEqual(['capture/web', 'capture/app']);
    expect(await release()).toMatchObject({ id: 'build-2', version: 'v2', previousVersion: 'v1', status: 'in-progress', finishedAt: null, alarmsAtStart: ['latency'] });
  });

  it('takes the same event again for a duplicate, but not the same call', async () => {
    const event = pipeline('Started', 0);
    expect((await record(event)).kind).toBe('started');
    expect((await record(event)).kind).toBe('started');
    expect(await record(event, 'w-2')).toMatchObject({ kind: 'ignored', reason: { code: 'duplicate' }, steps: [] });
    expect((await ledger()).releases).toHaveLength(1);
  });

  it('reads from CodeDeploy what was deployed, and from what', async () => {
    rig.deployment({ version: 7, from: -90, to: -80 });
    const { id } = rig.deployment({ version: 8, from: -1, to: null, status: 'InProgress' });
    expect((await record(codeDeploy(id, 'START'))).kind).toBe('started');
    expect(await release()).toMatchObject({ id, version: '8', previousVersion: '7', origin: 'codedeploy', status: 'in-progress', actor: 'user' });
  });

  it('keeps the end of a release, and what it left', async () => {
    await record(pipeline('Started', -5));
    const watching = await record(pipeline('Finished', 0), 'w-2');
    expect(watching.kind).toBe('finished');
    await watch({ verb: 'left', watchId: 'w-2', watch: watching, captured: captured('green') }, rig.parts);
    expect(await release()).toMatchObject({ status: 'finished', left: { web: { weights: { green: 100 } } } });
    expect((await release())?.left).not.toHaveProperty('app');
    expect(await record(pipeline('Finished', 1), 'w-3')).toMatchObject({ kind: 'ignored', reason: { code: 'duplicate' } });
  });

  it('watches a release whose start was never told, and keeps what it left as what it left', async () => {
    const event = pipeline('Finished', -1);
    const watching = await record(event);
    expect(watching.kind).toBe('started');
    expect((await record(event)).kind).toBe('started');
    expect((await start(watching)).answer).toBe('continue');
    expect(await ledger()).toMatchObject({ knownGoods: [], releases: [{ status: 'finished', left: { web: { weights: { blue: 100 } } } }] });
  });

  it('takes a start that comes after its end for a duplicate', async () => {
    const { id } = rig.deployment({ version: 9, from: -3, to: -1 });
    await record(codeDeploy(id, 'SUCCESS'));
    expect(await record(codeDeploy(id, 'START'), 'w-2')).toMatchObject({ kind: 'ignored', reason: { code: 'duplicate' } });
    expect(await release()).toMatchObject({ status: 'finished' });
  });

  it.each([
    ['Ripcord\'s own redeploy', { input: { description: 'ripcord rb-1/codedeploy/app' } }, 'own-rollback'],
    ['a native rollback', { creator: 'codeDeployRollback' as const }, 'own-rollback'],
    ['a rollback of CloudFormation', { creator: 'CloudFormationRollback' as const }, 'own-rollback'],
    ['upkeep', { creator: 'CodeDeployAutoUpdate' as const }, 'upkeep'],
  ])('takes %s for no release', async (_name, over, code) => {
    const { id } = rig.deployment({ version: 8, from: -1, to: null, status: 'InProgress', ...over });
    expect(await record(codeDeploy(id, 'START'))).toMatchObject({ kind: 'ignored', reason: { code } });
    expect((await ledger()).releases).toEqual([]);
  });

  it('ignores a deployment of another group, and one that does not exist', async () => {
    const { id } = rig.deployment({ version: 8, from: -1, to: 0, group: 'other' });
    for (const event of [codeDeploy(id, 'START', 'other'), codeDeploy(id, 'START'), codeDeploy('d-MADEUP123', 'START')])
      expect(await record(event)).toMatchObject({ kind: 'ignored', reason: { code: 'not-ours' } });
  });

  it('refuses what tells of no release', async () => {
    await expect(record({ service, event: { source: 'aws.ec2' } })).rejects.toMatchObject({ name: 'Refused' });
    await expect(record({ ...pipeline('Started', 0), service: 'nobody' })).rejects.toMatchObject({ name: 'Refused' });
  });
});

describe('the start of a watch', () => {
  it('calls the version before good when everything was quiet for a bake', async () => {
    const watching = await record(pipeline('Started', 0));
    const said = await startLater(watching, 11);
    expect(said).toMatchObject({ answer: 'continue', waitSeconds: 60 });
    expect(codes(said)).toEqual(['not-captured', 'observed-good']);
    const [good] = (await ledger()).knownGoods;
    expect(good).toMatchObject({ version: 'v1', basis: 'observed', states: { web: { weights: { blue: 100 } } } });
    expect(Date.parse(good?.since ?? '')).toBeLessThan(Date.parse((await release())?.startedAt ?? ''));
  });

  it.each<[string, () => Promise<unknown> | void, string]>([
    ['an alarm fires', () => { rig.fire('5xx'); }, 'not-quiet'],
    ['a version was released less than a bake ago', () => record(pipeline('Started', -4, { releaseId: 'build-1', version: 'v1' }), 'w-0'), 'too-young'],
    ['a rollback ended less than a bake ago', () => recordRollback(rig.table, rollback({ service, startedAt: rig.at(-5), endedAt: null })), 'too-young'],
    ['the version was rolled back once', () => quarantine(rig.table, service, 'v1', { rollbackId: 'rb-0', at: rig.at(-900) }), 'quarantined'],
  ])('does not when %s', async (_name, before, code) => {
    await before();
    const said = await startLater(await record(pipeline('Started', 0)), 11);
    expect(codes(said)).toEqual(expect.arrayContaining(['not-observed-good', code]));
    expect((await ledger()).knownGoods).toEqual([]);
  });

  it('does not when the alarms are quiet for less than a bake, the journeys fail or did not run, or nobody named the version', async () => {
    const watching = await record(pipeline('Started', 0));
    expect(codes(await start(watching))).toContain('not-quiet-long-enough');
    expect(codes(await startLater(watching, 11, ran(false)))).toContain('not-quiet');
    expect(codes(await startLater(watching, 11, { at: rig.at(0), results: [] }))).toContain('journeys-unknown');
    another();
    expect(codes(await startLater(await record(pipeline('Started', 0, { previousVersion: undefined })), 11))).toContain('nothing-before');
    expect((await ledger()).knownGoods).toEqual([]);
  });

  it('keeps which journeys failed then, and nothing where none ran', async () => {
    const watching = await record(pipeline('Started', 0));
    await start(watching, { at: rig.at(0), results: [] });
    expect(await release()).not.toHaveProperty('journeysFailedAtStart');
    await start(watching, ran(false));
    expect((await release())?.journeysFailedAtStart).toEqual(['buy']);
  });
});

describe('a look', () => {
  it('starts a rollback for an alarm that fires since the release began', async () => {
    const watching = await record(pipeline('Started', -1));
    rig.fire('5xx');
    expect(await look(watching)).toMatchObject({ answer: 'signal', rollback: { input: { service, event: { detail: { releaseId: 'build-2', alarms: ['5xx'] } } } } });
  });

  it('starts one for an alarm that fired before, when a journey that passed then fails now', async () => {
    rig.fire('5xx');
    const watching = await record(pipeline('Started', 1));
    await start(watching, ran(true));
    expect((await look(watching)).answer).toBe('continue');
    expect(await look(watching, ran(false))).toMatchObject({ answer: 'signal', rollback: { input: { event: { detail: { alarms: ['5xx'], journeys: ['buy'] } } } } });
  });

  it('goes on after a rollback that left the release alone, and starts one for what comes later', async () => {
    const watching = await record(pipeline('Started', -1));
    rig.fire('5xx');
    const first = await look(watching);
    expect(first).toMatchObject({ answer: 'signal', waitSeconds: 60 });
    // A run that is left writes nothing into the ledger.
    const again = await look(watching, ran(true), first.memory);
    expect(again.answer).toBe('continue');
    rig.calm('5xx');
    const calm = await look(watching, ran(true), again.memory);
    expect(calm).toMatchObject({ answer: 'continue', memory: { runs: 1, told: [] } });
    rig.fire('5xx');
    const second = await look(watching, ran(true), calm.memory);
    expect(second.answer).toBe('signal');
    expect(second.rollback?.name).not.toBe(first.rollback?.name);
    await recordRollback(rig.table, rollback({ service, startedAt: rig.at(0), endedAt: null, release: { id: 'build-2', version: 'v2' } }));
    expect(await look(watching, ran(true), second.memory)).toMatchObject({ answer: 'ended', reasons: [{ code: 'rolled-back' }] });
  });

  it('starts one more for what fires still when a cool-down is over, in which none could do anything', async () => {
    const watching = await record(pipeline('Started', -1));
    const lock = await acquireLock(rig.table, service, 'rb-7', { now: new Date(rig.clock.now()) });
    if (!lock.held) throw new Error('the lock was free');
    await releaseLock(rig.table, { service, owner: 'rb-7', fence: lock.fence }, new Date(rig.clock.now() + 4 * 60_000));
    rig.fire('5xx');
    const first = await look(watching);
    const within = await look(watching, ran(true), first.memory);
    expect([first.answer, within.answer]).toEqual(['signal', 'continue']);
    const after = await watch({ verb: 'look', watchId: 'w-1', watch: watching, look: 3, looksLeft: 1400, memory: within.memory ?? null, evidence: ran(true) }, later(5)) as typeof within;
    expect(after.answer).toBe('signal');
    expect(after.rollback?.name).not.toBe(first.rollback?.name);
  });

  it('takes a rollback that holds the lock for undecided at the end of the bake', async () => {
    const watching = await record(pipeline('Started', -1));
    await record(pipeline('Finished', 0), 'w-2');
    await acquireLock(rig.table, service, 'rb-7', { now: new Date(rig.clock.now()) });
    expect(codes(await lookLater(watching, 11))).toContain('rollback-undecided');
  });

  it('does not for a muted alarm', async () => {
    const watching = await record(pipeline('Started', -1));
    rig.fire('5xx');
    await joinSignal(rig.table, service, delivered({ at: rig.at(-1), kind: 'alarm', source: '5xx', mutedUntil: rig.at(60) }));
    expect((await look(watching)).answer).toBe('continue');
  });

  it('learns from CodeDeploy how the release ended, when no event said so', async () => {
    const deployment = rig.deployment({ version: 8, from: -1, to: null, status: 'InProgress' });
    const watching = await record(codeDeploy(deployment.id, 'START'));
    expect((await look(watching)).answer).toBe('continue');
    Object.assign(deployment, { status: 'Failed', completedAt: rig.clock.now() });
    expect(await look(watching)).toMatchObject({ answer: 'ended', reasons: [{ code: 'release-over' }] });
    expect((await release())?.status).toBe('failed');
  });

  it('waits while CodeDeploy makes a later deployment, and goes on once that one failed', async () => {
    const first = rig.deployment({ version: 8, from: -5, to: -4, status: 'Succeeded' });
    const watching = await record(codeDeploy(first.id, 'SUCCESS'));
    const second = rig.deployment({ version: 9, from: -1, to: null, status: 'InProgress' });
    const other = await record(codeDeploy(second.id, 'START'), 'w-2');
    rig.fire('5xx');
    expect(codes(await look(watching))).toEqual(['next-in-progress']);
    Object.assign(second, { status: 'Failed', completedAt: rig.clock.now() });
    expect(codes(await look(other))).toEqual(['release-over']);
    expect(await look(watching)).toMatchObject({ answer: 'signal', rollback: { input: { event: { detail: { releaseId: first.id } } } } });
  });

  it('ends for a release that the ledger does not know', async () => {
    expect(codes(await look({ service, releaseId: 'ghost', kind: 'started', reason: null, steps: [], hasJourneys: false }))).toEqual(['unknown-release']);
  });
});
