// Assess and CodeDeploy's own history: what it finds there of a service that the ledger knows nothing of, and whose failures it leaves alone.
import { beforeEach, describe, expect, it } from 'vitest';
import { putKnownGood, putRelease } from '../../lambdas/adapters/ledger-history.ts';
import { serviceSchema } from '../../lambdas/config/schema.ts';
import { alarmInput, rig, service, serviceInput, useRig } from './assess-rig.ts';

useRig('history');

const codes = (reasons: readonly { readonly code: string }[]) => reasons.map(({ code }) => code);

const failure = (deploymentId: string, deploymentGroup = 'prod') => ({
  service, event: { source: 'aws.codedeploy', 'detail-type': 'CodeDeploy Deployment State-change Notification', time: rig.at(0), detail: { deploymentId, application: 'shop', deploymentGroup, state: 'FAILURE' } },
});

describe('Assess and CodeDeploy', () => {
  const alone = { signals: { ...serviceInput.signals, minimum: 1 } };

  /** A service that the ledger knows nothing of: CodeDeploy alone tells its story. */
  beforeEach(() => {
    rig.catalogue(service, { name: service, service: serviceSchema.parse({ ...serviceInput, ...alone, targets: { app: serviceInput.targets['app'] } }) });
    rig.fire('5xx', 'latency');
    for (const record of rig.codeDeploy.deployments()) Object.assign(record, { createdAt: 0, group: 'gone' });
  });

  it('finds the release and the good version in its history', async () => {
    rig.deployment({ version: 1, from: -200, to: -190 });
    const bad = rig.deployment({ version: 2, from: -8, to: -7 });
    const said = await rig.assess(rig.input(service, alarmInput(service)));
    expect(said).toMatchObject({ verdict: 'roll-back', release: { id: bad.id, version: '2', origin: 'codedeploy' }, knownGood: { version: '1', basis: 'history' } });
    expect(said.rungs[0]?.waves[0]?.[0]?.good).toEqual({ version: '1', basis: 'history', state: null });
  });

  it('does not take for good what was live for less than a bake', async () => {
    rig.deployment({ version: 1, from: -15, to: -14 });
    rig.deployment({ version: 2, from: -8, to: -7 });
    expect(await rig.assess(rig.input(service, alarmInput(service)))).toMatchObject({ verdict: 'ask', knownGood: null });
  });

  it('rolls a failed deployment back although no user came', async () => {
    rig.calm('5xx', 'latency');
    rig.deployment({ version: 1, from: -200, to: -190 });
    const bad = rig.deployment({ version: 2, from: -3, to: -1, status: 'Failed' });
    expect(await rig.assess(rig.input(service, failure(bad.id)))).toMatchObject({ verdict: 'roll-back', release: { id: bad.id, status: 'failed' } });
  });

  it.each([
    ['its own rollback', { input: { description: 'ripcord rb-1/codedeploy/app' } }, 'own-rollback'],
    ['a native rollback', { creator: 'codeDeployRollback' as const }, 'own-rollback'],
    ['upkeep', { creator: 'autoscaling' as const }, 'own-rollback'],
  ])('leaves %s alone when it fails', async (_name, over, code) => {
    const bad = rig.deployment({ version: 2, from: -3, to: -1, status: 'Failed', ...over });
    const said = await rig.assess(rig.input(service, failure(bad.id)));
    expect(said).toMatchObject({ verdict: 'leave', page: false });
    expect(codes(said.reasons)).toEqual([code]);
  });

  it.each([['of another group', 'other'], ['said to be of this group', 'prod']])('leaves a deployment %s alone', async (_name, group) => {
    const foreign = rig.deployment({ version: 2, from: -3, to: -1, status: 'Failed', group: 'other' });
    expect(codes((await rig.assess(rig.input(service, failure(foreign.id, group)))).reasons)).toEqual(['not-our-deployment']);
  });

  it('leaves an id that was made up alone', async () => {
    expect(codes((await rig.assess(rig.input(service, failure('d-MADEUP123')))).reasons)).toEqual(['not-our-deployment']);
  });

  it('reads no details of deployments whose end the ledger knows, and again the one that still ran', async () => {
    const known = rig.deployment({ version: 2, from: -8, to: -7 });
    const release = rig.release(service, { id: known.id, version: '2', origin: 'codedeploy', startedAt: new Date(known.createdAt).toISOString() });
    await putRelease(rig.table, release, 'w-1');
    await putKnownGood(rig.table, service, { version: '1', since: rig.at(-600), basis: 'baked', states: { app: { live: '1' } } });
    const details = () => rig.server.calls.list({ role: 'assess' }).filter(({ operation }) => operation === 'BatchGetDeployments').length;
    const before = details();
    expect((await rig.assess(rig.input(service, alarmInput(service)))).verdict).toBe('roll-back');
    expect(details()).toBe(before);
  });

  it('learns from CodeDeploy that a release is over, when the event was lost', async () => {
    const done = rig.deployment({ version: 2, from: -8, to: -7 });
    await putRelease(rig.table, rig.release(service, { id: done.id, version: '2', origin: 'codedeploy', status: 'in-progress', finishedAt: null, left: null }), 'w-1');
    await putKnownGood(rig.table, service, { version: '1', since: rig.at(-600), basis: 'baked', states: { app: { live: '1' } } });
    expect(await rig.assess(rig.input(service, alarmInput(service)))).toMatchObject({ release: { status: 'finished' }, rungs: [{ waves: [[{ release: { isFinished: true } }]] }] });
  });
});
