// codedeploy against the sandbox's CodeDeploy, on its three platforms: deployments that take time and really move traffic.
import { afterEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../lambdas/domain/vocabulary.ts';
import { keepsTheContract } from './strategy.contract.ts';
import { group, onEcs, onLambda, onServers, type Rig, start, until } from './codedeploy-rig.ts';

const recorded = 'the known-good version is recorded, so no list has more than one entry; the first of these subjects reads the history';

keepsTheContract({ name: 'codedeploy for Lambda, release finished, good version from the history', start: () => start(onLambda, { isRecorded: false }) });
keepsTheContract({
  name: 'codedeploy for Lambda, release still running', start: () => start(onLambda, { isRecorded: true, isRunning: true, config: 'CodeDeployDefault.LambdaCanary10Percent30Minutes' }),
  skips: { pages: recorded },
});
keepsTheContract({ name: 'codedeploy for ECS, release finished', start: () => start(onEcs, { isRecorded: true }), skips: { pages: recorded } });
keepsTheContract({ name: 'codedeploy for servers, release finished', start: () => start(onServers, { isRecorded: true }), skips: { pages: recorded } });

describe('codedeploy on a live group', () => {
  let rig: Rig | undefined;
  afterEach(async () => { await rig?.bench.account.close(); });
  const created = (): JsonObject => rig?.bench.changes()[0]?.input as JsonObject;

  it('stops a running release with rollback, follows the rollback, and leaves no weight behind', async () => {
    rig = await start(onLambda, { isRecorded: true, isRunning: true, config: 'CodeDeployDefault.LambdaCanary10Percent5Minutes' });
    expect(rig.stage.serving()).toEqual({ functionVersion: '1', weights: { '2': 0.1 } });
    const applied = await rig.bench.apply();
    expect(applied.handle).toEqual({ deploymentId: null, stoppedId: rig.bad.id });
    expect(created()).toMatchObject({ deploymentId: rig.bad.id, autoRollbackEnabled: true });
    expect(await rig.bench.confirm(applied)).toMatchObject({ answer: 'yes' });
    expect(rig.stage.serving()).toEqual({ functionVersion: '1', weights: {} });
  });

  it('stops an ECS release that has all the traffic already, while its old tasks are kept', async () => {
    rig = await start(onEcs, { isRecorded: true, isRunning: true });
    const { bad, stage } = rig;
    await until(rig.bench.account, () => bad.waitsForTermination);
    expect(JSON.stringify(stage.serving())).toContain(stage.version(2));
    const applied = await rig.bench.apply();
    expect(applied).toMatchObject({ status: 'changed', to: { live: rig.stage.version(1) }, handle: { stoppedId: rig.bad.id } });
    expect(await rig.bench.confirm(applied)).toMatchObject({ answer: 'yes' });
    expect(rig.isBack()).toBe(true);
  });

  it('calls an ECS redeploy done when the traffic is back, not when the bad tasks are gone', async () => {
    rig = await start(onEcs, { isRecorded: true });
    const applied = await rig.bench.apply();
    expect(await rig.bench.confirm(applied)).toMatchObject({ answer: 'yes' });
    expect(rig.codedeploy.deployments('shop', 'prod').at(-1)).toMatchObject({ status: 'InProgress', waitsForTermination: true });
    expect(rig.isBack()).toBe(true);
  });

  it('redeploys under an alarm that would stop it, and lets no second rollback follow', async () => {
    rig = await start(onLambda, { isRecorded: true, alarm: true });
    const applied = await rig.bench.apply();
    expect(created()).toMatchObject({ autoRollbackConfiguration: { enabled: false }, overrideAlarmConfiguration: { enabled: false }, description: 'ripcord run-1/first/deploy', deploymentConfigName: 'CodeDeployDefault.LambdaAllAtOnce' });
    expect(await rig.bench.confirm(applied)).toMatchObject({ answer: 'yes' });
  });

  it('says what stopped a deployment of somebody else under that alarm', async () => {
    rig = await start(onLambda, { isRecorded: true, alarm: true });
    const applied = { ...(await rig.bench.plan()), status: 'changed' as const, at: new Date(rig.bench.account.clock.now()).toISOString(), confirmAfterSeconds: 1, handle: { deploymentId: rig.codedeploy.createDeployment({ ...group, revision: rig.stage.revision(1, 2) }).id, stoppedId: null } };
    expect(await rig.bench.confirm(applied)).toMatchObject({ answer: 'failed', detail: expect.stringContaining('ALARM_ACTIVE') as string });
  });

  it('adopts the rollback that CodeDeploy has begun itself', async () => {
    rig = await start(onServers, { isRecorded: true, isRunning: true, config: 'CodeDeployDefault.AllAtOnce' });
    rig.codedeploy.stopDeployment(rig.bad.id, true);
    await rig.codedeploy.settled(rig.bad.id);
    const { codedeploy } = rig;
    await until(rig.bench.account, () => codedeploy.deployments('shop', 'prod').at(-1)?.creator === 'codeDeployRollback');
    const native = codedeploy.deployments('shop', 'prod').at(-1);
    const applied = await rig.bench.apply();
    expect(applied).toMatchObject({ status: 'changed', handle: { deploymentId: native?.id } });
    expect(rig.bench.changes()).toEqual([]);
    expect(await rig.bench.confirm(applied)).toMatchObject({ answer: 'yes' });
    expect(rig.isBack()).toBe(true);
  });

  it('redeploys a release that ended between the read and the stop', async () => {
    rig = await start(onLambda, { isRecorded: true, isRunning: true, config: 'CodeDeployDefault.LambdaCanary10Percent5Minutes' });
    const { bench, codedeploy, bad } = rig;
    bench.account.server.faults.add({ name: 'late', service: 'codedeploy', operation: 'StopDeployment', effect: { kind: 'before', run: async () => { await codedeploy.settled(bad.id); } } });
    const applied = await bench.apply();
    expect(applied).toMatchObject({ status: 'changed', summary: expect.stringContaining('redeploy 1') as string });
    expect(bench.rows.map((row) => row.kind)).toEqual(['change-intended', 'change-failed', 'change-intended', 'change-made']);
    expect(await bench.confirm(applied)).toMatchObject({ answer: 'yes' });
  });

  it('does not stop a release whose alias somebody set by hand between the read and the stop: CodeDeploy would take that away', async () => {
    rig = await start(onLambda, { isRecorded: true, isRunning: true, config: 'CodeDeployDefault.LambdaCanary10Percent30Minutes' });
    const { bench, stage } = rig;
    bench.account.server.faults.add({ name: 'by hand', service: 'lambda', operation: 'GetAlias', calls: [2], effect: { kind: 'before', run: () => stage.setByHand?.() } });
    const applied = await bench.apply();
    expect(applied).toMatchObject({ status: 'changed-by-someone-else', summary: expect.stringContaining('moves the alias from 1 to 2, but it serves 3') as string });
    expect(bench.rows.map((row) => row.kind)).toEqual(['change-intended', 'change-failed', 'change-failed']);
    expect([bench.changes(), stage.serving()]).toEqual([[], { functionVersion: '3', weights: {} }]);
  });

  it('finds its own deployment when the answer to CreateDeployment was lost', async () => {
    rig = await start(onLambda, { isRecorded: true });
    rig.bench.account.server.faults.add({ name: 'lost', service: 'codedeploy', operation: 'CreateDeployment', calls: [1], effect: { kind: 'reset', after: true } });
    const applied = await rig.bench.apply();
    const own = rig.codedeploy.deployments('shop', 'prod').filter((one) => one.input.description === 'ripcord run-1/first/deploy');
    expect(own).toHaveLength(1);
    expect(applied).toMatchObject({ status: 'changed', handle: { deploymentId: own[0]?.id } });
  });

  it.each([['a deleted Lambda version', onLambda, '1 does not exist'], ['a deregistered task definition', onEcs, 'is INACTIVE']])('refuses %s, and starts nothing', async (_, build, words) => {
    rig = await start(build, { isRecorded: true });
    rig.stage.forget(1);
    expect(await rig.bench.apply()).toMatchObject({ status: 'failed', reason: { code: 'destination-gone', text: expect.stringContaining(words) as string } });
    expect(rig.bench.changes()).toEqual([]);
  });

  it('says that the revision is gone when CodeDeploy cannot find it', async () => {
    rig = await start(onServers, { isRecorded: true });
    rig.stage.forget(1);
    const applied = await rig.bench.apply();
    expect(await rig.bench.confirm(applied)).toMatchObject({ answer: 'failed', detail: expect.stringContaining('REVISION_MISSING: the revision does not exist any more') as string });
  });

  it('says that an alias was left on two versions, and how to clear it', async () => {
    rig = await start(onLambda, { isRecorded: true, isRunning: true, config: 'CodeDeployDefault.LambdaCanary10Percent5Minutes' });
    rig.codedeploy.stopDeployment(rig.bad.id, false);
    await rig.codedeploy.settled(rig.bad.id);
    expect(await rig.bench.apply()).toMatchObject({ status: 'failed', reason: { code: 'unsupported', text: expect.stringContaining('aws lambda update-alias') as string } });
  });

  it('says of servers in place that all of them restart at once, from what the group is', async () => {
    rig = await start(onServers, { isRecorded: true });
    expect((await rig.bench.capture()).state).toMatchObject({ group: { style: 'IN_PLACE', config: expect.stringMatching(/^CodeDeployDefault\./) as string } });
    expect(await rig.bench.plan()).toMatchObject({ outcome: 'change', effect: { downtime: 'interruption', text: 'all servers are restarted at once' } });
  });

  it('deploys the good revision again to servers that a stopped release left mixed', async () => {
    rig = await start(onServers, { isRecorded: true, isRunning: true, config: 'CodeDeployDefault.OneAtATime' });
    const { stage } = rig;
    await until(rig.bench.account, () => JSON.stringify(stage.serving()) === JSON.stringify(['checkout-2', 'checkout-1']));
    rig.codedeploy.stopDeployment(rig.bad.id, false);
    await rig.codedeploy.settled(rig.bad.id);
    const applied = await rig.bench.apply();
    expect(applied).toMatchObject({ status: 'changed', summary: expect.stringContaining('mixed fleet') as string });
    expect(created()).toMatchObject({ ignoreApplicationStopFailures: true, fileExistsBehavior: 'OVERWRITE', deploymentConfigName: 'CodeDeployDefault.AllAtOnce' });
    expect(await rig.bench.confirm(applied)).toMatchObject({ answer: 'yes', detail: expect.stringContaining('2 of 2') as string });
    expect(rig.isBack()).toBe(true);
  });
});
