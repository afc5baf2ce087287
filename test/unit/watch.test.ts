// The Watch against real clients and the sandbox's services: what it records, when, and what it never takes for a release.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { joinSignal, quarantine, recordRollback } from '../../lambdas/adapters/ledger-history.ts';
import { acquireLock } from '../../lambdas/adapters/ledger-lock.ts';
import { readService } from '../../lambdas/adapters/ledger.ts';
import { serviceSchema } from '../../lambdas/config/schema.ts';
import type { Reason, Release } from '../../lambdas/domain/vocabulary.ts';
import type { JourneyRound, StepCaptured, Watching, WatchLooked } from '../../lambdas/domain/workflow.ts';
import type { WatchMemory } from '../../lambdas/domain/bake-memory.ts';
import { watch } from '../../lambdas/runtime/watch.ts';
import { Rig, serviceInput } from './assess-rig.ts';
import { delivered, rollback } from './domain/samples.ts';

let rig: Rig;
let service = '';
let count = 0;
beforeAll(async () => {
  rig = new Rig();
  await rig.start();
});
afterAll(async () => { await rig.stop(); });
beforeEach(() => {
  service = `watched-${(count += 1)}`;
  attach();
  rig.calm('5xx', 'latency');
});

const attach = (bakeMinutes = 10): void => rig.catalogue(service, { name: service, service: serviceSchema.parse({ ...serviceInput, policy: { ...serviceInput.policy, bakeMinutes } }) });
const ledger = () => readService(rig.table, service, new Date(rig.clock.now()));
const release = async (): Promise<Release | undefined> => (await ledger()).releases[0];

const pipeline = (type: 'Started' | 'Finished', minutes: number, over: object = {}) => ({
  service, event: { source: 'ripcord.release', 'detail-type': `Release ${type}`, time: rig.at(minutes), detail: { service, releaseId: 'build-2', version: 'v2', previousVersion: 'v1', actor: 'pipeline', ...over } },
});
const codeDeploy = (deploymentId: string, state: 'START' | 'SUCCESS', deploymentGroup = 'prod') => ({
  service, event: { source: 'aws.codedeploy', 'detail-type': 'CodeDeploy Deployment State-change Notification', time: rig.at(0), detail: { deploymentId, application: 'shop', deploymentGroup, state } },
});
const record = (input: unknown, watchId = 'w-1') => watch({ verb: 'record', watchId, input }, rig.parts) as Promise<Watching>;
const captured = (state: string): StepCaptured[] => [
  { targetId: 'web', status: 'captured', state: { weights: { [state]: 100 } }, reason: null, at: rig.at(0) },
  { targetId: 'app', status: 'failed', state: null, reason: { code: 'denied', text: 'not allowed' } },
];
const ran = (ok: boolean): JourneyRound => ({ at: rig.at(0), results: [{ journey: 'buy', ok, durationMs: 3, failedAt: ok ? null : 'home', reason: ok ? null : 'status 500' }] });
const start = (watching: Watching, evidence = ran(true)) => watch({ verb: 'start', watchId: 'w-1', watch: watching, captured: captured('blue'), evidence }, rig.parts) as Promise<WatchLooked>;
const look = (watching: Watching, evidence = ran(true), memory: WatchMemory | null = null) =>
  watch({ verb: 'look', watchId: 'w-1', watch: watching, look: 1, looksLeft: 1400, memory, evidence }, rig.parts) as Promise<WatchLooked>;
const codes = ({ reasons }: WatchLooked) => reasons.map(({ code }) => code);

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

/** The same account some minutes on: alarms that became OK just now have been quiet for so long then. */
const later = (minutes: number) => ({ ...rig.parts, clock: { now: () => new Date(rig.clock.now() + minutes * 60_000) } });

const startLater = (watching: Watching, minutes: number, evidence = ran(true)) =>
  watch({ verb: 'start', watchId: 'w-1', watch: watching, captured: captured('blue'), evidence }, later(minutes)) as Promise<WatchLooked>;

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
    service = `${service}-b`;
    attach();
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

/** A look so many minutes on. */
const lookLater = (watching: Watching, minutes: number) =>
  watch({ verb: 'look', watchId: 'w-1', watch: watching, look: 1, evidence: ran(true) }, later(minutes)) as Promise<WatchLooked>;

describe('the end of a bake', () => {
  /** Metrics of one service alone: what other tests counted is not its traffic. */
  const own = (namespace: string) => {
    const metric = { namespace, name: 'Requests', dimensions: {}, statistic: 'Sum' as const };
    rig.catalogue(service, { name: service, service: serviceSchema.parse({ ...serviceInput, signals: { ...serviceInput.signals, traffic: { metric, minimumRequests: 50, minutes: 5 } } }) });
    return (value: number, minutes: number) => rig.cloudWatch.record({ namespace, name: 'Requests', dimensions: {}, value, at: rig.clock.now() + minutes * 60_000 });
  };
  const finished = async (): Promise<Watching> => {
    const watching = await record(pipeline('Started', -1));
    await record(pipeline('Finished', 0), 'w-2');
    return watching;
  };

  it('calls a version good that was used, also when its requests came early in the bake', async () => {
    const requests = own('Used');
    const watching = await finished();
    requests(60, 2);
    expect(await lookLater(watching, 11)).toMatchObject({ answer: 'known-good' });
  });

  it('never does without a request, and ends after a second bake', async () => {
    own('Unused');
    const watching = await finished();
    expect(await lookLater(watching, 11)).toMatchObject({ answer: 'continue', reasons: [{ code: 'traffic-unknown' }] });
    expect(await lookLater(watching, 22)).toMatchObject({ answer: 'ended', reasons: [{ code: 'traffic-unknown' }] });
  });

  it('does not for fewer requests than prove something, nor for those before the release', async () => {
    const requests = own('Hardly');
    const watching = await finished();
    requests(500, -2);
    requests(20, 2);
    requests(20, 8);
    expect(await lookLater(watching, 11)).toMatchObject({ answer: 'continue', reasons: [{ code: 'too-little-traffic', text: expect.stringMatching(/^Only 40 requests in 1[01] minutes; below 50 /) as string }] });
  });

  it('does not call the version before good when nobody used that', async () => {
    own('Before');
    expect(codes(await startLater(await record(pipeline('Started', 0)), 11))).toEqual(expect.arrayContaining(['not-observed-good', 'traffic-unknown']));
    expect((await ledger()).knownGoods).toEqual([]);
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

  it('ends for a release that the ledger does not know', async () => {
    expect(codes(await look({ service, releaseId: 'ghost', kind: 'started', reason: null, steps: [], hasJourneys: false }))).toEqual(['unknown-release']);
  });
});

const settle = (watching: Watching, reasons: Reason[] = []) => watch({ verb: 'settle', watchId: 'w-1', watch: watching, captured: captured('green'), reasons }, rig.parts) as Promise<WatchLooked>;

describe('settling', () => {
  it('calls the version good, as it looks now, since the release finished', async () => {
    await record(pipeline('Started', -20));
    const watching = await record(pipeline('Finished', -15), 'w-2');
    await watch({ verb: 'left', watchId: 'w-2', watch: watching, captured: captured('green') }, rig.parts);
    expect(codes(await settle(watching))).toEqual(['known-good', 'not-captured']);
    expect((await ledger()).knownGoods[0]).not.toHaveProperty('unjudged');
    expect((await ledger()).knownGoods).toMatchObject([{ version: 'v2', basis: 'baked', since: (await release())?.finishedAt, states: { web: { weights: { green: 100 } } } }]);
  });

  it('keeps with the version that its metrics had no say at the end', async () => {
    await record(pipeline('Started', -20));
    const watching = await record(pipeline('Finished', -15), 'w-2');
    await watch({ verb: 'left', watchId: 'w-2', watch: watching, captured: captured('green') }, rig.parts);
    const reasons = [{ code: 'baked', text: 'Quiet.' }, { code: 'metrics-not-judged', text: 'Its metrics never had a say.' }];
    expect(codes(await settle(watching, reasons))).toEqual(['known-good', 'metrics-not-judged', 'not-captured']);
    expect((await ledger()).knownGoods).toMatchObject([{ version: 'v2', unjudged: 'Its metrics never had a say.' }]);
  });

  it('does not when another release or a rollback came between', async () => {
    const watching = await record(pipeline('Started', -20));
    await recordRollback(rig.table, rollback({ service, release: { id: 'build-2', version: 'v2' } }));
    expect(codes(await settle(watching))).toEqual(['rolled-back']);
    await record(pipeline('Started', -1, { releaseId: 'build-3', version: 'v3' }), 'w-3');
    expect(codes(await settle(watching))).toEqual(['superseded']);
    expect((await ledger()).knownGoods).toEqual([]);
  });
});
