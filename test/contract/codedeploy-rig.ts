// A CodeDeploy group on each of its platforms, with a bad release in it.
import { CodeDeployClient, type RevisionLocation } from '@aws-sdk/client-codedeploy';
import { ECSClient } from '@aws-sdk/client-ecs';
import * as lambdaSchemas from '@aws-sdk/client-lambda';
import { expect } from 'vitest';
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
import type { Subject } from './strategy.contract.ts';

export const group = { applicationName: 'shop', deploymentGroupName: 'prod' };

/** How one platform's world is built, and what its revisions look like. */
export interface Stage {
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
  /** Somebody moves the traffic to release 3 without CodeDeploy, where that is possible. */
  readonly setByHand?: () => void;
  stop(): Promise<void> | void;
}

type Build = (account: Account) => Stage | Promise<Stage>;

const appSpec = (content: object): RevisionLocation => ({ revisionType: 'AppSpecContent', appSpecContent: { content: JSON.stringify(content) } });

export const onLambda: Build = (account) => {
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
    setByHand: () => aliases.updateAlias('shop', 'live', { FunctionVersion: '3', RoutingConfig: { AdditionalVersionWeights: {} } }),
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

export const onEcs: Build = async (account) => {
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

export const onServers: Build = async (account) => {
  const { elb, releases, versions, fleets: [fleet], stop } = shop(account);
  if (versions[0] !== undefined) await fleet.launch(versions[0], 2);
  return {
    platform: new ServerPlatform({ fleet, elb, releases, installSeconds: 60 }), target: { platform: 'Server' }, services: [], stop, forget: (release) => releases.remove(`checkout-${release}`),
    revision: (release) => ({ revisionType: 'S3', s3Location: { bucket: 'builds', key: `shop/checkout-${release}.zip`, bundleType: 'zip', eTag: `tag-${release}` } }),
    version: (release) => `s3://builds/shop/checkout-${release}.zip#tag-${release}`,
    serving: () => fleet.instances.map((instance) => instance.version.name),
  };
};

export interface Rig extends Subject {
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

/** A group with release 1 in its history and release 2 finished, or still running. */
export async function start(build: Build, { isRunning = false, isRecorded, config, alarm = false }: Given): Promise<Rig> {
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
      if (bad.completedAt === null && stage.setByHand !== undefined) return stage.setByHand();
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
export async function until(account: Account, isSo: () => boolean): Promise<void> {
  for (let look = 0; look < 1000 && !isSo(); look += 1) await account.clock.sleep(1000);
  expect(isSo()).toBe(true);
}

/** Waits until nothing runs in the group. */
export async function idle(codedeploy: CodeDeploy, account: Account): Promise<void> {
  for (const one of codedeploy.deployments('shop', 'prod')) await codedeploy.settled(one.id);
  await account.clock.sleep(1000);
}
