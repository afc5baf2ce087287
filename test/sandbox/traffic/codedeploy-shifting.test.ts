// Deployments that shift traffic: Lambda aliases and ECS task sets, the way forward, stops with rollback, and what blocks the next one.
import type { RevisionLocation } from '@aws-sdk/client-codedeploy';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SpedUpClock } from '../../../sandbox/clock.ts';
import type { CodeDeploy } from '../../../sandbox/services/codedeploy/codedeploy.ts';
import { EcsPlatform } from '../../../sandbox/services/codedeploy/ecs-platform.ts';
import { LambdaPlatform } from '../../../sandbox/services/codedeploy/lambda-platform.ts';
import type { DeploymentRecord } from '../../../sandbox/services/codedeploy/records.ts';
import { AliasFront } from '../../../sandbox/shop/alias-front.ts';
import { Shop } from '../../../sandbox/shop/shop.ts';
import { rigAtSpeed, until, type Rig } from './rig.ts';

const appSpec = (resource: object): RevisionLocation => ({ revisionType: 'AppSpecContent', appSpecContent: { content: JSON.stringify({ version: 0, Resources: [{ it: resource }] }) } });
const lambdaSpec = (CurrentVersion: string, TargetVersion: string): RevisionLocation => appSpec({ Type: 'AWS::Lambda::Function', Properties: { Name: 'shop', Alias: 'live', CurrentVersion, TargetVersion } });
const ecsSpec = (TaskDefinition: string): RevisionLocation => appSpec({ Type: 'AWS::ECS::Service', Properties: { TaskDefinition, LoadBalancerInfo: { ContainerName: 'shop', ContainerPort: 80 } } });

let rig: Rig<SpedUpClock>;
let deploy: CodeDeploy;
let shop: Shop;
let front: AliasFront | null;

const group = { applicationName: 'shop', deploymentGroupName: 'prod' };
const versionServed = async (): Promise<string> => {
  const response = await fetch(`${shop.url}/catalogue`);
  await response.text();
  return response.headers.get('x-shop-version') ?? `none (${response.status})`;
};
const ended = async ({ id }: DeploymentRecord): Promise<string> => (await deploy.settled(id)).status;

const createLambdaGroup = async (deploymentConfig = 'CodeDeployDefault.LambdaCanary10Percent5Minutes'): Promise<void> => {
  rig.aliases.createFunction('shop');
  for (const name of ['shop-1', 'shop-2', 'shop-3']) rig.aliases.publishVersion('shop', name);
  rig.aliases.createAlias('shop', 'live', '1');
  front = new AliasFront({ aliases: rig.aliases, functionName: 'shop', alias: 'live', releases: shop.releases, instance: shop.instanceParts, metrics: rig.cloudwatch });
  const port = await front.start();
  rig.elb.registerTargets(shop.green.targetGroupArn, [{ Id: '127.0.0.1', Port: port }]);
  shop.shift({ blue: 0, green: 100 });
  await rig.clock.sleep(2000);
  deploy.createApplication('shop', 'Lambda');
  deploy.createDeploymentGroup({ application: 'shop', name: 'prod', platform: new LambdaPlatform(rig.aliases), deploymentConfig });
  deploy.recordPastDeployment({ application: 'shop', group: 'prod', revision: lambdaSpec('1', '1') });
};
const alias = () => {
  const { functionVersion, weights } = rig.aliases.alias('shop', 'live');
  return { functionVersion, weights };
};
const createEcsGroup = (): string[] => {
  const arns = ['shop-1', 'shop-2', 'shop-3'].map((version) => rig.ecs.registerTaskDefinition('shop', `registry/shop:${version}`).arn);
  rig.ecs.createService({ cluster: 'main', name: 'shop', listenerArn: shop.listenerArn, desiredCount: 1, fleets: [shop.blue, shop.green], taskDefinitionArn: arns[0] ?? '' });
  deploy.createApplication('shop', 'ECS');
  deploy.createDeploymentGroup({ application: 'shop', name: 'prod', platform: new EcsPlatform({ ecs: rig.ecs, elb: rig.elb, releases: shop.releases, cluster: 'main', service: 'shop' }) });
  deploy.recordPastDeployment({ application: 'shop', group: 'prod', revision: ecsSpec(arns[0] ?? '') });
  return arns;
};
const taskSets = (): string[] => rig.ecs.service('main', 'shop').taskSets.map(({ taskDefinitionArn, status, trafficWeight }) => `${taskDefinitionArn.split('/')[1] ?? ''} ${status} ${trafficWeight}`);
const weights = (): (number | undefined)[] | undefined => rig.elb.listener(shop.listenerArn).actions.current.at(-1)?.ForwardConfig?.TargetGroups?.map(({ Weight }) => Weight);

beforeEach(async () => {
  rig = rigAtSpeed(200);
  deploy = rig.codedeploy;
  front = null;
  shop = new Shop({ elb: rig.elb, clock: rig.clock, blue: { name: 'shop-1' }, instances: 2 });
  await shop.start();
  for (const name of ['shop-2', 'shop-3']) shop.releases.add({ name });
});

afterEach(async () => {
  await front?.stop();
  await shop.stop();
  rig.elb.stop();
  rig.clock.stop();
});

describe('a Lambda deployment', () => {
  it('shifts a canary, waits, then all, and real requests follow', async () => {
    await createLambdaGroup();
    expect(await versionServed()).toBe('shop-1');
    const deployment = deploy.createDeployment({ ...group, revision: lambdaSpec('1', '2') });
    await until(() => '2' in alias().weights, 'the canary runs');
    expect(alias()).toEqual({ functionVersion: '1', weights: { 2: 0.1 } });
    expect(deployment.targets[0]?.lambdaTarget?.lambdaFunctionInfo).toMatchObject({ currentVersion: '1', targetVersion: '2', targetVersionWeight: 0.1 });
    const startedAt = rig.clock.now();
    expect(await ended(deployment)).toBe('Succeeded');
    expect(rig.clock.now() - startedAt).toBeGreaterThan(4 * 60_000);
    expect(alias()).toEqual({ functionVersion: '2', weights: {} });
    expect(await versionServed()).toBe('shop-2');
  });

  it('goes back to the original version when it is stopped with rollback', async () => {
    await createLambdaGroup();
    const deployment = deploy.createDeployment({ ...group, revision: lambdaSpec('1', '2') });
    await until(() => '2' in alias().weights, 'the canary runs');
    deploy.stopDeployment(deployment.id, true);
    expect(await ended(deployment)).toBe('Stopped');
    expect(await ended(deploy.deployment(deployment.rollbackInfo.rollbackDeploymentId ?? ''))).toBe('Succeeded');
    expect(alias()).toEqual({ functionVersion: '1', weights: {} });
  });

  it('leaves the alias on two versions when it is stopped without rollback, and every later deployment fails', async () => {
    await createLambdaGroup();
    const deployment = deploy.createDeployment({ ...group, revision: lambdaSpec('1', '2') });
    await until(() => '2' in alias().weights, 'the canary runs');
    deploy.stopDeployment(deployment.id, false);
    await deploy.settled(deployment.id);
    expect(alias()).toEqual({ functionVersion: '1', weights: { 2: 0.1 } });
    const next = deploy.createDeployment({ ...group, revision: lambdaSpec('1', '3') });
    expect(await ended(next)).toBe('Failed');
    expect(next.error?.code).toBe('INVALID_LAMBDA_CONFIGURATION');
  });

  it.each([
    ['an old CurrentVersion', lambdaSpec('2', '3'), 'INVALID_LAMBDA_CONFIGURATION'],
    ['a version that does not exist', lambdaSpec('1', '9'), 'INVALID_LAMBDA_FUNCTION'],
  ])('fails with %s', async (_, revision, code) => {
    await createLambdaGroup('CodeDeployDefault.LambdaAllAtOnce');
    const deployment = deploy.createDeployment({ ...group, revision });
    expect(await ended(deployment)).toBe('Failed');
    expect(deployment.error?.code).toBe(code);
    expect(alias()).toEqual({ functionVersion: '1', weights: {} });
  });
});

describe('an ECS deployment', () => {
  it('starts a replacement, moves the traffic, keeps the original for a while, then ends it', async () => {
    const [, second = ''] = createEcsGroup();
    const deployment = deploy.createDeployment({ ...group, revision: ecsSpec(second) });
    await until(() => deployment.waitsForTermination, 'the traffic moved');
    expect(taskSets()).toEqual(['shop:1 ACTIVE 0', 'shop:2 PRIMARY 100']);
    expect(weights()).toEqual([0, 100]);
    expect(deployment.status).toBe('InProgress');
    expect(shop.blue.instances).toHaveLength(2);
    await until(() => rig.elb.listener(shop.listenerArn).actions.applied.at(-1)?.ForwardConfig?.TargetGroups?.at(-1)?.Weight === 100, 'the data plane follows');
    expect(await versionServed()).toBe('shop-2');
    expect(await ended(deployment)).toBe('Succeeded');
    expect(taskSets()).toEqual(['shop:2 PRIMARY 100']);
    expect(shop.blue.instances).toHaveLength(0);
  });

  it('sends the traffic back to the original while it lives, when it is stopped with rollback', async () => {
    const [, second = ''] = createEcsGroup();
    const deployment = deploy.createDeployment({ ...group, revision: ecsSpec(second) });
    await until(() => deployment.waitsForTermination, 'the traffic moved');
    deploy.stopDeployment(deployment.id, true);
    expect(await ended(deployment)).toBe('Stopped');
    const startedAt = rig.clock.now();
    expect(await ended(deploy.deployment(deployment.rollbackInfo.rollbackDeploymentId ?? ''))).toBe('Succeeded');
    expect(rig.clock.now() - startedAt).toBeLessThan(30_000);
    expect(taskSets()).toEqual(['shop:1 PRIMARY 100']);
    expect(shop.green.instances).toHaveLength(0);
    expect(await versionServed()).toBe('shop-1');
  });

  it('refuses an inactive task definition', async () => {
    const [, second = ''] = createEcsGroup();
    rig.ecs.deregisterTaskDefinition(second);
    const deployment = deploy.createDeployment({ ...group, revision: ecsSpec(second) });
    expect(await ended(deployment)).toBe('Failed');
    expect(deployment.error).toMatchObject({ code: 'ECS_UPDATE_ERROR' });
    expect(taskSets()).toEqual(['shop:1 PRIMARY 100']);
  });
});
