// codedeploy against the sandbox's CodeDeploy, on its three platforms: deployments that take time and really move traffic.
import { CodeDeployClient, type RevisionLocation } from '@aws-sdk/client-codedeploy';
import { ECSClient } from '@aws-sdk/client-ecs';
import * as lambdaSchemas from '@aws-sdk/client-lambda';
import { afterEach, describe, expect, it } from 'vitest';
import type { JsonObject, StepRequest } from '../../lambdas/domain/vocabulary.ts';
import { createStrategy } from '../../lambdas/strategies/codedeploy/live.ts';
import type { Strategy } from '../../lambdas/strategies/strategy.ts';
import type { AwsService } from '../../sandbox/aws/world.ts';
import { CodeDeploy } from '../../sandbox/services/codedeploy/codedeploy.ts';
import { EcsPlatform } from '../../sandbox/services/codedeploy/ecs-platform.ts';
import { LambdaPlatform } from '../../sandbox/services/codedeploy/lambda-platform.ts';
import type { Platform } from '../../sandbox/services/codedeploy/platform.ts';
import type { DeploymentRecord } from '../../sandbox/services/codedeploy/records.ts';
import { ServerPlatform } from '../../sandbox/services/codedeploy/server-platform.ts';
import { codeDeployService } from '../../sandbox/services/codedeploy/service.ts';
import { Ecs } from '../../sandbox/services/ecs/ecs.ts';
import { ecsService } from '../../sandbox/services/ecs/service.ts';
import { LoadBalancing } from '../../sandbox/services/elbv2/load-balancing.ts';
import { aliasOperations } from '../../sandbox/services/lambda/alias-operations.ts';
import { LambdaAliases } from '../../sandbox/services/lambda/aliases.ts';
import { Backend } from '../../sandbox/shop/backend.ts';
import { Fleet } from '../../sandbox/shop/fleet.ts';
import { Releases } from '../../sandbox/shop/version.ts';
import { Account, Bench, place } from './bench.ts';
import { keepsTheContract, type Subject } from './strategy.contract.ts';

const group = { applicationName: 'shop', deploymentGroupName: 'prod' };

/** How one platform's world is built, and what its revisions look like. */
interface Stage {
  readonly platform: Platform;
  readonly target: JsonObject;
  readonly services: readonly AwsService[];
  /** Revision that brings release 1, 2 or 3; `live` is what the world has then. */
  revision(release: number, current: number): RevisionLocation;
  version(release: number): string;
  /** The artefact of a release is deleted. */
  readonly forget: (release: number) => void;
  /** What serves users now. */
  serving(): unknown;
  stop(): Promise<void> | void;
}

type Build = (account: Account) => Stage | Promise<Stage>;

const appSpec = (content: object): RevisionLocation => ({ revisionType: 'AppSpecContent', appSpecContent: { content: JSON.stringify(content) } });

const onLambda: Build = (account) => {
  const aliases = new LambdaAliases({ place, clock: account.clock });
  aliases.createFunction('shop');
  for (const release of [1, 2, 3]) aliases.publishVersion('shop', `checkout-${release}`);
  aliases.createAlias('shop', 'live', '1');
  return {
    platform: new LambdaPlatform(aliases), target: { platform: 'Lambda', functionName: 'shop', alias: 'live' },
    services: [{ signingName: 'lambda', iamPrefix: 'lambda', schemas: lambdaSchemas, operations: aliasOperations(aliases) }],
    revision: (release, current) => appSpec({ version: '0.0', Resources: [{ shop: { Type: 'AWS::Lambda::Function', Properties: { Name: 'shop', Alias: 'live', CurrentVersion: String(current), TargetVersion: String(release) } } }] }),
    version: String,
    serving: () => { const { functionVersion, weights } = aliases.alias('shop', 'live'); return { functionVersion, weights }; },
    forget: (release) => aliases.deleteVersion('shop', String(release)), stop: () => undefined,
  };
};

const shop = (account: Account) => {
  const elb = new LoadBalancing({ place, clock: account.clock, metrics: { record: () => undefined } });
  const releases = new Releases();
  const versions = [1, 2, 3].map((release) => releases.add({ name: `checkout-${release}` }));
  const parts = { clock: account.clock, backend: new Backend(), carts: new Map() };
  const fleets = ['blue', 'green'].map((name) => new Fleet(elb.createTargetGroup({ name, deregistrationDelaySeconds: 5 }).arn, elb, parts)) as [Fleet, Fleet];
  const listener = elb.createListener({
    loadBalancerArn: elb.createLoadBalancer({ name: 'shop' }).arn,
    actions: [{ Type: 'forward', Order: 1, ForwardConfig: { TargetGroups: fleets.map(({ targetGroupArn }, index) => ({ TargetGroupArn: targetGroupArn, Weight: index === 0 ? 100 : 0 })) } }],
  });
  const stop = async (): Promise<void> => { elb.stop(); await Promise.all(fleets.map((fleet) => fleet.crash())); };
  return { elb, releases, versions, fleets, listener, stop };
};

const onEcs: Build = async (account) => {
  const { elb, releases, versions, fleets, listener, stop } = shop(account);
  const ecs = new Ecs(place);
  const definitions = [1, 2, 3].map((release) => ecs.registerTaskDefinition('shop', `shop:checkout-${release}`).arn);
  if (versions[0] !== undefined) await fleets[0].launch(versions[0], 1);
  const service = ecs.createService({ cluster: 'prod', name: 'shop', listenerArn: listener.arn, desiredCount: 1, fleets, taskDefinitionArn: definitions[0] ?? '' });
  const version = (release: number): string => definitions[release - 1] ?? '';
  return {
    platform: new EcsPlatform({ ecs, elb, releases, cluster: 'prod', service: 'shop', terminationWaitMinutes: 1, startSeconds: 5 }),
    target: { platform: 'ECS', cluster: 'prod', service: 'shop' }, services: [ecsService(ecs)], version, stop, forget: (release) => ecs.deregisterTaskDefinition(version(release)),
    revision: (release) => appSpec({ version: '0.0', Resources: [{ TargetService: { Type: 'AWS::ECS::Service', Properties: { TaskDefinition: version(release), LoadBalancerInfo: { ContainerName: 'shop', ContainerPort: 80 } } } }] }),
    serving: () => service.taskSets.map(({ taskDefinitionArn, trafficWeight }) => ({ taskDefinitionArn, trafficWeight })).filter(({ trafficWeight }) => trafficWeight > 0),
  };
};

const onServers: Build = async (account) => {
  const { elb, releases, versions, fleets: [fleet], stop } = shop(account);
  if (versions[0] !== undefined) await fleet.launch(versions[0], 2);
  return {
    platform: new ServerPlatform({ fleet, elb, releases, installSeconds: 60 }), target: { platform: 'Server' }, services: [], stop, forget: (release) => releases.remove(`checkout-${release}`),
    revision: (release) => ({ revisionType: 'S3', s3Location: { bucket: 'builds', key: `shop/checkout-${release}.zip`, bundleType: 'zip', eTag: `tag-${release}` } }),
    version: (release) => `s3://builds/shop/checkout-${release}.zip#tag-${release}`,
    serving: () => fleet.instances.map((instance) => instance.version.name),
  };
};

interface Rig extends Subject {
  readonly codedeploy: CodeDeploy;
  readonly stage: Stage;
  readonly bad: DeploymentRecord;
}

interface Given {
  /** The release still runs. */
  readonly isRunning?: boolean;
  /** What the ledger knows of release 1: everything, or nothing, so that CodeDeploy's history is read. */
  readonly isRecorded: boolean;
  readonly config?: string;
  /** An alarm of the group that is in ALARM for as long as the test lasts. */
  readonly alarm?: boolean;
}

async function start(build: Build, { isRunning = false, isRecorded, config, alarm = false }: Given): Promise<Rig> {
  const account = new Account(200);
  const stage = await build(account);
  let alarmState: 'OK' | 'ALARM' = 'OK';
  const codedeploy = new CodeDeploy({
    place, clock: account.clock, alarmState: () => alarmState,
    bus: { put: (event) => ({ version: '0', id: 'id', account: place.account, region: place.region, time: '', ...event, resources: event.resources ?? [] }) },
  });
  account.onClose(() => stage.stop());
  const { platform, target } = stage;
  codedeploy.createApplication('shop', platform.computePlatform);
  codedeploy.createDeploymentGroup({
    application: 'shop', name: 'prod', platform, ...(config === undefined ? {} : { deploymentConfig: config }),
    autoRollbackConfiguration: { enabled: false, events: [] }, alarmConfiguration: { enabled: alarm, alarms: [{ name: 'errors' }] },
  });
  codedeploy.recordPastDeployment({ application: 'shop', group: 'prod', revision: stage.revision(1, 0) });
  await account.clock.sleep(5000);
  const bad = codedeploy.createDeployment({ ...group, revision: stage.revision(2, 1) });
  if (isRunning) await until(account, () => bad.status === 'InProgress' && (platform.computePlatform !== 'Lambda' || JSON.stringify(stage.serving()).includes('0.1')));
  else await codedeploy.settled(bad.id);
  if (alarm) alarmState = 'ALARM';
  await account.serve([codeDeployService(codedeploy), ...stage.services]);
  const options = account.client();
  const strategy = createStrategy({
    codeDeploy: () => new CodeDeployClient(options), codeDeployOnce: () => new CodeDeployClient({ ...options, maxAttempts: 1 }), lambda: () => new lambdaSchemas.LambdaClient(options), ecs: () => new ECSClient(options),
  }) as unknown as Strategy;
  const state = (release: number): JsonObject => ({ platform: platform.computePlatform, live: stage.version(release), shifting: {}, revision: JSON.parse(JSON.stringify(stage.revision(release, release - 1))) as JsonObject, running: null });
  const step: StepRequest = {
    id: 'first/deploy', service: 'shop', strategy: 'codedeploy', targetId: 'deploy',
    target: { strategy: 'codedeploy', application: 'shop', deploymentGroup: 'prod', good: 'last-known-good', ...target },
    good: isRecorded ? { version: '1', basis: 'baked', state: state(1) } : null,
    release: { id: bad.id, version: '2', startedAt: new Date(bad.createdAt).toISOString(), isFinished: !isRunning, left: isRunning ? null : state(2) },
  };
  const first = JSON.stringify(stage.version(1));
  const implied = 'CreateDeployment demands it';
  const onlyRunning = 'needed only while a deployment runs';
  return {
    bench: new Bench(account, strategy, step), codedeploy, stage, bad,
    read: 'codedeploy:GetDeploymentGroup', write: isRunning ? 'codedeploy:StopDeployment' : 'codedeploy:CreateDeployment',
    world: () => stage.serving(),
    isBack: () => {
      const serving = JSON.stringify(stage.serving());
      return platform.computePlatform === 'Server' ? serving === JSON.stringify(['checkout-1', 'checkout-1']) : serving.includes(first) && !serving.includes(JSON.stringify(stage.version(2)));
    },
    somebodyElse: async () => {
      const live = codedeploy.deployments('shop', 'prod').some((one) => one.input.description?.startsWith('ripcord') === true || one.creator === 'codeDeployRollback') ? 1 : 2;
      await idle(codedeploy, account);
      await codedeploy.settled(codedeploy.createDeployment({ ...group, revision: stage.revision(3, live) }).id);
    },
    crowd: () => {
      for (let index = 0; index < 250; index += 1) codedeploy.recordPastDeployment({ application: 'shop', group: 'prod', revision: stage.revision(2, 1), completedAt: account.clock.now() - 1_000_000 - index });
    },
    unused: isRunning
      ? Object.fromEntries(['codedeploy:CreateDeployment', 'codedeploy:GetApplicationRevision', 'codedeploy:GetDeploymentConfig', 'codedeploy:RegisterApplicationRevision', 'codedeploy:UpdateDeploymentGroup'].map((action) => [action, implied]))
      : { 'codedeploy:StopDeployment': onlyRunning },
    breaches: () => [],
  };
}

/** Looks again each sandbox second, a thousand times. */
async function until(account: Account, isSo: () => boolean): Promise<void> {
  for (let look = 0; look < 1000 && !isSo(); look += 1) await account.clock.sleep(1000);
  expect(isSo()).toBe(true);
}

/** Waits until nothing runs in the group. */
async function idle(codedeploy: CodeDeploy, account: Account): Promise<void> {
  for (const one of codedeploy.deployments('shop', 'prod')) await codedeploy.settled(one.id);
  await account.clock.sleep(1000);
}

const oneAtATime = 'a group runs one deployment at a time, so while the release runs nobody else can deploy; the finished releases check it';
const recorded = 'the known-good version is recorded, so no list has more than one entry; the first of these subjects reads the history';

keepsTheContract({ name: 'codedeploy for Lambda, release finished, good version from the history', start: () => start(onLambda, { isRecorded: false }) });
keepsTheContract({
  name: 'codedeploy for Lambda, release still running', start: () => start(onLambda, { isRecorded: true, isRunning: true, config: 'CodeDeployDefault.LambdaCanary10Percent30Minutes' }),
  skips: { someoneElse: oneAtATime, pages: recorded },
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
