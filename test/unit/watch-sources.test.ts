// Releases of ECS services, Lambda aliases and pipelines, recorded against real clients and the sandbox's services: each once, and no rollback among them.
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { replayRows } from '../../bin/commands/replay-rows.ts';
import { AuditRows } from '../../lambdas/adapters/audit-rows.ts';
import { readEcsDeployments } from '../../lambdas/adapters/ecs-deployments.ts';
import { closeRollback, quarantine } from '../../lambdas/adapters/ledger-history.ts';
import { acquireLock } from '../../lambdas/adapters/ledger-lock.ts';
import { readService } from '../../lambdas/adapters/ledger.ts';
import { serviceSchema } from '../../lambdas/config/schema.ts';
import { parseTrigger } from '../../lambdas/domain/trigger.ts';
import type { JourneyRound, Watching, WatchLooked } from '../../lambdas/domain/workflow.ts';
import { watch } from '../../lambdas/runtime/watch.ts';
import { watchChain } from '../../lambdas/runtime/watch-kept.ts';
import type { RollingDeployment, RollingServiceRecord } from '../../sandbox/services/ecs/rolling.ts';
import { rig, service, serviceInput, useRig } from './assess-rig.ts';
import { rollback } from './domain/samples.ts';
import { recordRollback } from './rollback-rows.ts';

useRig('sourced');
let cart: RollingServiceRecord;
beforeAll(async () => {
  for (const build of [1, 2, 3]) rig.ecs.registerTaskDefinition('cart', `cart:${build}`);
  cart = await rig.rolling.create({ cluster: 'prod', name: 'cart', desiredCount: 1, taskDefinitionArn: rig.ecs.taskDefinition('cart:1').arn });
});
beforeEach(() => {
  const releases = { ecs: [{ cluster: 'prod', service: 'cart' }], lambda: [{ functionName: 'search', alias: 'live' }] };
  rig.catalogue(service, { name: service, service: serviceSchema.parse({ ...serviceInput, releases }) });
  rig.calm('5xx', 'latency');
});

const ledger = () => readService(rig.table, service, new Date(rig.clock.now()));
const recorded = async () => (await ledger()).releases;
const record = (event: object, watchId = 'w-1') => watch({ verb: 'record', watchId, input: { service, event } }, rig.parts) as Promise<Watching>;
const noEvidence: JourneyRound = { at: '2026-11-20T09:00:00.000Z', results: [] };
const look = (watching: Watching) => watch({ verb: 'look', watchId: 'w-1', watch: watching, look: 1, evidence: noEvidence }, rig.parts) as Promise<WatchLooked>;

/** What ECS shows of the service from now on, newest first. */
function shows(...deployments: readonly { id: string; of: number; minutes: number; rollout: RollingDeployment['rollout']; reason?: string }[]): void {
  cart.deployments = deployments.map(({ id, of, minutes, rollout, reason = 'ECS deployment in progress.' }, index) => ({
    id: `ecs-svc/${service}-${id}`, taskDefinitionArn: rig.ecs.taskDefinition(`cart:${of}`).arn, createdAt: Date.parse(rig.at(minutes)), updatedAt: Date.parse(rig.at(minutes + 1)),
    status: index === 0 ? 'PRIMARY' : 'ACTIVE', rollout, reason, running: 1, failed: 0,
  }));
}
const ecsEvent = (id: string, name: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED', of = 'prod/cart') => ({
  source: 'aws.ecs', 'detail-type': 'ECS Deployment State Change', time: rig.at(0), resources: [`arn:aws:ecs:eu-west-1:111122223333:service/${of}`],
  detail: { eventType: 'INFO', eventName: `SERVICE_DEPLOYMENT_${name}`, deploymentId: `ecs-svc/${service}-${id}`, updatedAt: rig.at(0), reason: '' },
});
const old = { id: 'a', of: 1, minutes: -600, rollout: 'COMPLETED' } as const;

describe('a release of ECS', () => {
  it('is recorded with the task definitions of both, and by nobody: ECS does not say who', async () => {
    shows({ id: 'b', of: 2, minutes: -1, rollout: 'IN_PROGRESS' }, old);
    expect(await record(ecsEvent('b', 'IN_PROGRESS'))).toMatchObject({ kind: 'started', releaseId: `ecs-svc/${service}-b` });
    expect(await recorded()).toMatchObject([{ version: 'cart:2', previousVersion: 'cart:1', origin: 'ecs', actor: 'unknown', status: 'in-progress', finishedAt: null }]);
    shows({ id: 'b', of: 2, minutes: -1, rollout: 'COMPLETED' });
    expect(await record(ecsEvent('b', 'COMPLETED'), 'w-2')).toMatchObject({ kind: 'finished' });
    expect(await recorded()).toMatchObject([{ status: 'finished', previousVersion: 'cart:1' }]);
    expect(await record(ecsEvent('b', 'IN_PROGRESS'), 'w-3')).toMatchObject({ kind: 'ignored', reason: { code: 'duplicate' } });
  });

  it('that failed starts a rollback which Assess takes for a failed deployment', async () => {
    shows({ id: 'b', of: 2, minutes: -3, rollout: 'IN_PROGRESS' }, old);
    await record(ecsEvent('b', 'IN_PROGRESS'));
    shows({ id: 'b', of: 2, minutes: -3, rollout: 'FAILED', reason: 'ECS deployment circuit breaker: tasks failed to start.' }, old);
    const watching = await record(ecsEvent('b', 'FAILED'), 'w-2');
    expect(watching).toMatchObject({ kind: 'signal', steps: [] });
    expect(parseTrigger(watching.rollback?.input).trigger).toMatchObject({ kind: 'watch', releaseId: `ecs-svc/${service}-b` });
    expect(await recorded()).toMatchObject([{ status: 'failed' }]);
    const assessed = await rig.assess(rig.input(service, watching.rollback?.input));
    expect(assessed.signals).toContainEqual(expect.objectContaining({ kind: 'deployment', status: 'firing' }));
    const rows = await new AuditRows(rig.table.client, 'audit').read(watchChain(service, 'w-2'));
    expect([rows.map(({ kind }) => kind), replayRows(rows).map(({ result }) => result)]).toEqual([['watched', 'sealed'], ['same']]);
    expect(JSON.parse(rows[0]?.data ?? '')).toMatchObject({ question: { event: { cluster: 'prod', ecsService: 'cart' }, version: 'cart:2', newest: { id: `ecs-svc/${service}-b`, version: 'cart:2' } } });
  });

  it('that failed unheard is seen by the next look, and starts the same rollback', async () => {
    shows({ id: 'b', of: 2, minutes: -3, rollout: 'IN_PROGRESS' }, old);
    const watching = await record(ecsEvent('b', 'IN_PROGRESS'));
    expect((await look(watching)).answer).toBe('continue');
    shows({ id: 'b', of: 2, minutes: -3, rollout: 'FAILED', reason: 'tasks failed to start.' }, old);
    const looked = await look(watching);
    expect(looked).toMatchObject({ answer: 'signal', reasons: [{ code: 'failed' }] });
    expect((await record(ecsEvent('b', 'FAILED'), 'w-2')).rollback).toEqual(looked.rollback);
  });

  it('that ECS took back by itself needs no rollback, and neither step is a release', async () => {
    shows({ id: 'b', of: 2, minutes: -5, rollout: 'IN_PROGRESS' }, old);
    await record(ecsEvent('b', 'IN_PROGRESS'));
    const back = 'ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/a.';
    shows({ id: 'c', of: 1, minutes: -1, rollout: 'IN_PROGRESS', reason: back }, { id: 'b', of: 2, minutes: -5, rollout: 'FAILED', reason: 'tasks failed to start.' });
    expect(await record(ecsEvent('b', 'FAILED'), 'w-2')).toMatchObject({ kind: 'ignored', reason: { code: 'already-undone' } });
    expect(await record(ecsEvent('c', 'IN_PROGRESS'), 'w-3')).toMatchObject({ kind: 'ignored', reason: { code: 'own-rollback' } });
    shows({ id: 'c', of: 1, minutes: -1, rollout: 'COMPLETED' });
    expect(await record(ecsEvent('c', 'COMPLETED'), 'w-4')).toMatchObject({ kind: 'ignored', reason: { code: 'own-rollback' } });
    expect(await recorded()).toMatchObject([{ version: 'cart:2', status: 'failed', undoneAt: expect.any(String) as string }]);
  });

  it('that ECS takes back only after its failure was told of is on record as undone when its rollback begins, or when it is whole', async () => {
    for (const rollout of ['IN_PROGRESS', 'COMPLETED'] as const) {
      const [b, c] = [`b-${rollout}`, `c-${rollout}`];
      shows({ id: b, of: 2, minutes: -5, rollout: 'IN_PROGRESS' }, old);
      await record(ecsEvent(b, 'IN_PROGRESS'), `w-${b}`);
      shows({ id: b, of: 2, minutes: -5, rollout: 'FAILED', reason: 'tasks failed to start.' }, old);
      expect((await record(ecsEvent(b, 'FAILED'), `w-${b}-2`)).kind).toBe('signal');
      expect((await recorded())[0]).not.toHaveProperty('undoneAt');
      const reason = rollout === 'COMPLETED' ? 'ECS deployment completed.' : 'ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/a.';
      shows({ id: c, of: 1, minutes: -1, rollout, reason }, ...(rollout === 'COMPLETED' ? [] : [{ id: b, of: 2, minutes: -5, rollout: 'FAILED' as const, reason: 'tasks failed to start.' }]));
      expect(await record(ecsEvent(c, rollout), `w-${c}`)).toMatchObject({ kind: 'ignored', reason: { code: 'own-rollback' } });
      expect((await recorded()).find(({ id }) => id.endsWith(b))).toMatchObject({ status: 'failed', undoneAt: expect.any(String) as string });
    }
  });

  it('that failed unheard and is undone already needs no rollback, and is on record as undone', async () => {
    shows({ id: 'b', of: 2, minutes: -5, rollout: 'IN_PROGRESS' }, old);
    const watching = await record(ecsEvent('b', 'IN_PROGRESS'));
    const back = 'ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/a.';
    shows({ id: 'c', of: 1, minutes: -1, rollout: 'IN_PROGRESS', reason: back }, { id: 'b', of: 2, minutes: -5, rollout: 'FAILED', reason: 'tasks failed to start.' });
    expect(await look(watching)).toMatchObject({ answer: 'ended', reasons: [{ code: 'release-over' }], rollback: null });
    expect(await recorded()).toMatchObject([{ version: 'cart:2', status: 'failed', undoneAt: expect.any(String) as string }]);
    const [reading] = await readEcsDeployments(rig.parts.ecs, { cluster: 'prod', service: 'cart' });
    expect(reading).toMatchObject({ nature: 'rollback', undoes: `ecs-svc/${service}-b` });
  });

  it('is none when it starts the same task definition again, is of another service, or is a rollback\'s or a pipeline\'s doing', async () => {
    shows({ id: 'b', of: 1, minutes: -1, rollout: 'IN_PROGRESS' }, old);
    expect(await record(ecsEvent('b', 'IN_PROGRESS'))).toMatchObject({ kind: 'ignored', reason: { code: 'upkeep' } });
    expect(await record(ecsEvent('b', 'IN_PROGRESS', 'prod/other'))).toMatchObject({ kind: 'ignored', reason: { code: 'not-ours' } });
    shows({ id: 'c', of: 2, minutes: 0, rollout: 'IN_PROGRESS' }, old);
    await record(pipeline('Started', -1, { releaseId: 'build-9', version: '9.0' }));
    expect(await record(ecsEvent('c', 'IN_PROGRESS'), 'w-2')).toMatchObject({ kind: 'ignored', reason: { code: 'part-of-release' } });
    await recordRollback(rig.table, rollback({ service, startedAt: rig.at(-1), endedAt: null, goodVersion: 'cart:2' }));
    shows({ id: 'd', of: 3, minutes: 0, rollout: 'IN_PROGRESS' }, old);
    expect((await record(ecsEvent('d', 'IN_PROGRESS'), 'w-3')).reason?.code).toBe('part-of-release');
  });
});

/** Of the newest release; without an end it may have died. */
async function rolledBack(rollbackId: string, from: number, to: number | null): Promise<void> {
  const row = rollback({ rollbackId, service, startedAt: rig.at(from), endedAt: null, outcome: null, release: { id: (await recorded())[0]?.id ?? '', version: '8' } });
  await recordRollback(rig.table, row);
  if (to !== null) await closeRollback(rig.table, row, { endedAt: rig.at(to), outcome: 'recovered', auditLength: 1, auditHash: '' });
}

const alias = (change: { version?: string; weights?: Record<string, number> }, minutes = 0, more: object = {}) => ({
  source: 'aws.lambda', 'detail-type': 'AWS API Call via CloudTrail', time: rig.at(minutes),
  detail: {
    eventName: 'UpdateAlias20150331', eventTime: rig.at(minutes), userIdentity: { arn: 'arn:aws:sts::111122223333:assumed-role/pipeline/build' },
    requestParameters: { functionName: 'arn:aws:lambda:eu-west-1:111122223333:function:search', name: 'live', functionVersion: change.version, routingConfig: { additionalVersionWeights: change.weights ?? {} } }, ...more,
  },
});

describe('a release of a Lambda alias', () => {
  it('is one from its first share of the traffic to all of it', async () => {
    const watching = await record(alias({ version: '7', weights: { 8: 0.1 } }, -3));
    expect(watching.kind).toBe('started');
    expect(await record(alias({ version: '7', weights: { 8: 0.5 } }, -2), 'w-2')).toMatchObject({ kind: 'ignored', reason: { code: 'duplicate' } });
    expect(await record(alias({ version: '8' }, -1), 'w-3')).toMatchObject({ kind: 'finished', releaseId: watching.releaseId });
    expect(await recorded()).toMatchObject([{ version: '8', previousVersion: '7', origin: 'lambda-alias', touched: [], status: 'finished', actor: 'arn:aws:sts::111122223333:assumed-role/pipeline/build' }]);
  });

  it('that is taken back half way is stopped, and the way back is no release', async () => {
    await record(alias({ version: '7', weights: { 8: 0.1 } }, -3));
    const back = alias({ version: '7' }, -1);
    expect(await record(back, 'w-2')).toMatchObject({ kind: 'ignored', reason: { code: 'taken-back' } });
    expect(await recorded()).toMatchObject([{ version: '8', status: 'stopped', undoneAt: back.time }]);
  });

  it('that comes out again after it was taken back is a new one', async () => {
    await record(alias({ version: '7', weights: { 8: 0.1 } }, -3));
    await record(alias({ version: '7' }, -2), 'w-2');
    expect(await record(alias({ version: '7', weights: { 8: 0.1 } }, -1), 'w-3')).toMatchObject({ kind: 'started' });
    expect(await recorded()).toMatchObject([{ version: '8', status: 'in-progress', previousVersion: '7' }, { version: '8', status: 'stopped' }]);
  });

  it('of a version that comes back after another is a new one; a rollback is none', async () => {
    await record(alias({ version: '8' }, -30));
    await rolledBack('rb-1', -20, -19);
    expect(await record(alias({ version: '7' }, -19.5, {}), 'w-2')).toMatchObject({ kind: 'started' });
    expect(await record(alias({ version: '8' }, -1), 'w-3')).toMatchObject({ reason: null, kind: 'started' });
    expect((await recorded()).map(({ version }) => version)).toEqual(['8', '7', '8']);
    await rolledBack('rb-2', -0.5, null);
    await acquireLock(rig.table, service, 'rb-2', { now: new Date(rig.clock.now()) });
    expect(await record(alias({ version: '7' }), 'w-4')).toMatchObject({ kind: 'ignored', reason: { code: 'own-rollback' } });
  });

  it('is refused when the call was, or it moved no alias', async () => {
    await expect(record(alias({ version: '8' }, 0, { errorCode: 'AccessDenied' }))).rejects.toMatchObject({ name: 'Refused' });
    await expect(record(alias({ version: '8' }, 0, { eventName: 'PublishVersion20150331' }))).rejects.toMatchObject({ name: 'Refused' });
  });
});

const pipeline = (type: 'Started' | 'Finished', minutes: number, over: object = {}) => ({
  source: 'ripcord.release', 'detail-type': `Release ${type}`, time: rig.at(minutes), detail: { service, releaseId: 'build-2', version: 'v2', previousVersion: 'v1', actor: 'pipeline', ...over },
});
const says = { approvals: [{ by: 'ada', at: '2026-11-20T08:00:00Z' }], backup: { reference: 'arn:aws:rds:eu-west-1:111122223333:snapshot:before', at: '2026-11-20T08:30:00Z' }, databaseFloor: 'v1', url: 'https://ci.example/812' };
const codeDeploy = (deploymentId: string) => ({
  source: 'aws.codedeploy', 'detail-type': 'CodeDeploy Deployment State-change Notification', time: rig.at(0), detail: { deploymentId, application: 'shop', deploymentGroup: 'prod', state: 'START' },
});

describe('what only a pipeline knows', () => {
  it('is kept with its release, from whichever event says it', async () => {
    await record(pipeline('Started', -5, { touched: ['code', 'database'] }));
    await record(pipeline('Finished', -1, says), 'w-2');
    expect(await recorded()).toMatchObject([{ id: 'build-2', touched: ['code', 'database'], manifest: { ...says, approvals: [{ by: 'ada', at: '2026-11-20T08:00:00.000Z' }], backup: { ...says.backup, at: '2026-11-20T08:30:00.000Z' } } }]);
  });

  it.each(['first', 'last'])('is added to the CodeDeploy deployment that it names, when it comes %s', async (when) => {
    const { id } = rig.deployment({ version: 8, from: -1, to: null, status: 'InProgress' });
    const [told, seen] = [pipeline('Started', 0, { releaseId: id, version: '2.4.0', touched: ['database'], ...says }), codeDeploy(id)];
    const kinds = [];
    for (const [index, event] of (when === 'first' ? [told, seen] : [seen, told]).entries()) kinds.push((await record(event, `w-${index}`)).kind);
    expect(kinds).toEqual(['started', 'ignored']);
    expect(await recorded()).toMatchObject([{ id, origin: 'codedeploy', version: '8', actor: 'user', touched: ['database'], manifest: { databaseFloor: 'v1', url: says.url } }]);
  });

  it('is added to the ECS deployment that it names', async () => {
    shows({ id: 'b', of: 2, minutes: -1, rollout: 'IN_PROGRESS' }, old);
    await record(ecsEvent('b', 'IN_PROGRESS'));
    expect(await record(pipeline('Started', 0, { releaseId: `ecs-svc/${service}-b`, databaseFloor: 'cart:1' }), 'w-2')).toMatchObject({ kind: 'ignored', reason: { code: 'manifest-added' } });
    expect(await recorded()).toMatchObject([{ origin: 'ecs', version: 'cart:2', manifest: { databaseFloor: 'cart:1' } }]);
  });

  it('is bounded', async () => {
    for (const over of [{ url: 'http://ci.example' }, { approvals: Array.from({ length: 21 }, () => says.approvals[0]) }, { databaseFloor: '' }, { backup: { reference: 'x' } }])
      await expect(record(pipeline('Started', 0, over))).rejects.toMatchObject({ name: 'Refused' });
  });
});

describe('what a release touched, where nobody said', () => {
  it('is not known, whoever told of the release', async () => {
    shows({ id: 't', of: 2, minutes: -2, rollout: 'IN_PROGRESS' }, old);
    const { id } = rig.deployment({ version: 9, from: -2, to: null, status: 'InProgress' });
    const events = [ecsEvent('t', 'IN_PROGRESS'), codeDeploy(id), pipeline('Started', -1)];
    for (const [index, event] of events.entries()) await record(event, `w-t${index}`);
    expect(Object.fromEntries((await recorded()).map(({ origin, touched }) => [origin, touched]))).toEqual({ codedeploy: [], ecs: [], event: [] });
  });
});

describe('a pipeline that sends the same id again', () => {
  it('has released again when its release was over, and only repeats itself while it is not', async () => {
    await record(pipeline('Started', -30));
    expect((await record(pipeline('Started', -29), 'w-2')).reason?.code).toBe('duplicate');
    await record(pipeline('Finished', -28), 'w-3');
    const again = await record(pipeline('Started', -10), 'w-4');
    expect(again.kind).toBe('started');
    expect((await record(pipeline('Finished', -9), 'w-5'))).toMatchObject({ kind: 'finished', releaseId: again.releaseId });
    expect((await recorded()).map(({ id, status }) => [id.replace(/@.*/, '@'), status])).toEqual([['build-2@', 'finished'], ['build-2', 'finished']]);
  });

  it('may say that it finished what was rolled back meanwhile', async () => {
    await record(pipeline('Started', -30));
    await recordRollback(rig.table, rollback({ service, startedAt: rig.at(-20), endedAt: rig.at(-15), release: { id: 'build-2', version: 'v2' } }));
    expect(await record(pipeline('Finished', -14), 'w-2')).toMatchObject({ kind: 'finished', releaseId: 'build-2' });
    expect(await recorded()).toHaveLength(1);
  });

  it('ships what was rolled back: the look after it is out starts a rollback that Assess agrees to', async () => {
    // Alone with its weights: other tests' deployments are none of this pipeline's.
    rig.catalogue(service, { name: service, service: serviceSchema.parse({ ...serviceInput, targets: { web: serviceInput.targets['web'] } }) });
    await quarantine(rig.table, service, 'v2', { rollbackId: 'rb-1', at: rig.at(-100) });
    const watching = await record(pipeline('Started', -2));
    expect(await look(watching)).toMatchObject({ answer: 'continue', waitSeconds: 30, reasons: [{ code: 'quarantined-version' }] });
    await record(pipeline('Finished', -1), 'w-2');
    const looked = await look(watching);
    expect(looked).toMatchObject({ answer: 'signal', reasons: [{ code: 'quarantined-version' }] });
    const assessed = await rig.assess(rig.input(service, looked.rollback?.input));
    expect(assessed).toMatchObject({ release: { id: 'build-2' }, signals: expect.arrayContaining([expect.objectContaining({ kind: 'quarantine', status: 'firing' })]) });
    expect(['roll-back', 'ask']).toContain(assessed.verdict);
  });
});
