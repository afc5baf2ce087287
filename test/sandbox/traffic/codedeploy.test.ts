// Deployments on each platform: the way forward, alarms, stops with rollback, and what blocks the next one.
import type { RevisionLocation } from '@aws-sdk/client-codedeploy';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SpedUpClock } from '../../../sandbox/clock.ts';
import type { CodeDeploy } from '../../../sandbox/services/codedeploy/codedeploy.ts';
import { deploymentShown } from '../../../sandbox/services/codedeploy/deployment-shown.ts';
import { EcsPlatform } from '../../../sandbox/services/codedeploy/ecs-platform.ts';
import { LambdaPlatform } from '../../../sandbox/services/codedeploy/lambda-platform.ts';
import type { DeploymentRecord } from '../../../sandbox/services/codedeploy/records.ts';
import { ServerPlatform } from '../../../sandbox/services/codedeploy/server-platform.ts';
import { AliasFront } from '../../../sandbox/shop/alias-front.ts';
import { Shop } from '../../../sandbox/shop/shop.ts';
import { refusal, rigAtSpeed, until, type Rig } from './rig.ts';

const alarm = { AlarmName: 'shop-5xx', Namespace: 'Shop', MetricName: 'Errors', Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 0, ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'ignore' } as const;
const s3 = (version: string): RevisionLocation => ({ revisionType: 'S3', s3Location: { bucket: 'releases', key: `shop/${version}.zip`, bundleType: 'zip' } });
const appSpec = (resource: object): RevisionLocation => ({ revisionType: 'AppSpecContent', appSpecContent: { content: JSON.stringify({ version: 0, Resources: [{ it: resource }] }) } });
const lambdaSpec = (CurrentVersion: string, TargetVersion: string): RevisionLocation => appSpec({ Type: 'AWS::Lambda::Function', Properties: { Name: 'shop', Alias: 'live', CurrentVersion, TargetVersion } });
const ecsSpec = (TaskDefinition: string): RevisionLocation => appSpec({ Type: 'AWS::ECS::Service', Properties: { TaskDefinition, LoadBalancerInfo: { ContainerName: 'shop', ContainerPort: 80 } } });

let rig: Rig<SpedUpClock>;
let deploy: CodeDeploy;
let shop: Shop;
let front: AliasFront | null;

const group = { applicationName: 'shop', deploymentGroupName: 'prod' };
const events = (id: string): unknown[] => rig.bus.events.filter(({ detail }) => detail['deploymentId'] === id).map(({ detail }) => detail['state']);
const versionServed = async (): Promise<string> => {
  const response = await fetch(`${shop.url}/catalogue`);
  await response.text();
  return response.headers.get('x-shop-version') ?? `none (${response.status})`;
};
const ended = async ({ id }: DeploymentRecord): Promise<string> => (await deploy.settled(id)).status;

const createServerGroup = (over: Partial<Parameters<CodeDeploy['createDeploymentGroup']>[0]> = {}): void => {
  deploy.createApplication('shop', 'Server');
  deploy.createDeploymentGroup({ application: 'shop', name: 'prod', platform: new ServerPlatform({ fleet: shop.blue, elb: rig.elb, releases: shop.releases, installSeconds: 20 }), ...over });
  deploy.recordPastDeployment({ application: 'shop', group: 'prod', revision: s3('shop-1') });
};
const versions = (): string[] => shop.blue.instances.map(({ version }) => version.name);
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
  rig.cloudwatch.putMetricAlarm(alarm);
});

afterEach(async () => {
  await front?.stop();
  await shop.stop();
  rig.elb.stop();
  rig.clock.stop();
});

describe('a Server deployment', () => {
  it('installs the version on each instance in turn, takes time, and sends its events', async () => {
    createServerGroup();
    const before = rig.clock.now();
    const deployment = deploy.createDeployment({ ...group, revision: s3('shop-2') });
    expect(deployment.status).toBe('Created');
    await until(() => versions().join() === 'shop-2,shop-1', 'the first instance has it alone');
    expect(await ended(deployment)).toBe('Succeeded');
    expect(versions()).toEqual(['shop-2', 'shop-2']);
    expect(await versionServed()).toBe('shop-2');
    expect(rig.clock.now() - before).toBeGreaterThan(20_000);
    expect(events(deployment.id)).toEqual(['START', 'SUCCESS']);
    expect(rig.bus.events[0]).toMatchObject({
      source: 'aws.codedeploy', 'detail-type': 'CodeDeploy Deployment State-change Notification',
      resources: ['arn:aws:codedeploy:eu-west-1:111122223333:application:shop', 'arn:aws:codedeploy:eu-west-1:111122223333:deploymentgroup:shop/prod'],
      detail: { region: 'eu-west-1', application: 'shop', deploymentGroup: 'prod', state: 'START' },
    });
    expect(deployment.previousRevision).toEqual(s3('shop-1'));
    expect(deployment.targets.map(({ instanceTarget }) => instanceTarget?.status)).toEqual(['Succeeded', 'Succeeded']);
  });

  it('runs alone in its group, and says which one runs', async () => {
    createServerGroup();
    const { id } = deploy.createDeployment({ ...group, revision: s3('shop-2') });
    const error = refusal(() => deploy.createDeployment({ ...group, revision: s3('shop-3') }));
    expect(error.code).toBe('DeploymentLimitExceededException');
    expect(error.message).toContain(id);
    await deploy.settled(id);
  });

  it('is stopped with rollback: the whole fleet gets the last good revision in a deployment of its own', async () => {
    createServerGroup();
    const deployment = deploy.createDeployment({ ...group, revision: s3('shop-2') });
    await until(() => versions()[0] === 'shop-2', 'the first instance has it');
    expect(deploy.stopDeployment(deployment.id, true).status).toBe('Pending');
    expect(deploy.stopDeployment(deployment.id, true).status).toBe('Succeeded');
    expect(await ended(deployment)).toBe('Stopped');
    const rollback = deploy.deployment(deployment.rollbackInfo.rollbackDeploymentId ?? '');
    expect(rollback).toMatchObject({ creator: 'codeDeployRollback', revision: s3('shop-1'), rollbackInfo: { rollbackTriggeringDeploymentId: deployment.id } });
    expect(await ended(rollback)).toBe('Succeeded');
    expect(versions()).toEqual(['shop-1', 'shop-1']);
    expect([events(deployment.id), events(rollback.id)]).toEqual([['START', 'STOP'], ['START', 'SUCCESS']]);
    expect(refusal(() => deploy.stopDeployment(deployment.id)).code).toBe('DeploymentAlreadyCompletedException');
  });

  it('is stopped without rollback: the fleet stays mixed', async () => {
    createServerGroup();
    const deployment = deploy.createDeployment({ ...group, revision: s3('shop-2') });
    await until(() => versions()[0] === 'shop-2', 'the first instance has it');
    deploy.stopDeployment(deployment.id, false);
    expect(await ended(deployment)).toBe('Stopped');
    expect(deployment.error?.code).toBe('MANUAL_STOP');
    expect(deployment.rollbackInfo).toEqual({});
    expect(versions()).toEqual(['shop-2', 'shop-1']);
  });

  it('fails when the artefact is gone, and goes back by itself when the group says so', async () => {
    createServerGroup({ autoRollbackConfiguration: { enabled: true, events: ['DEPLOYMENT_FAILURE'] } });
    const deployment = deploy.createDeployment({ ...group, revision: s3('shop-9') });
    expect(await ended(deployment)).toBe('Failed');
    expect(deployment.error?.code).toBe('REVISION_MISSING');
    expect(events(deployment.id)).toEqual(['START', 'FAILURE']);
    expect(await ended(deploy.deployment(deployment.rollbackInfo.rollbackDeploymentId ?? ''))).toBe('Succeeded');
  });

  it('fails when the new version does not answer its health check', async () => {
    createServerGroup();
    shop.releases.add({ name: 'shop-2', sickness: { health: 'fails' } });
    const deployment = deploy.createDeployment({ ...group, revision: s3('shop-2') });
    expect(await ended(deployment)).toBe('Failed');
    expect(deployment.error?.code).toBe('HEALTH_CONSTRAINTS');
    expect(versions()[1]).toBe('shop-1');
  });

  it('is stopped while the alarm of its group is in ALARM, unless it overrides the alarm', async () => {
    createServerGroup({ alarmConfiguration: { enabled: true, alarms: [{ name: 'shop-5xx' }] } });
    rig.cloudwatch.setAlarmState('shop-5xx', 'ALARM', 'too many errors');
    const blocked = deploy.createDeployment({ ...group, revision: s3('shop-2') });
    expect(await ended(blocked)).toBe('Stopped');
    expect(blocked.error).toMatchObject({ code: 'ALARM_ACTIVE' });
    expect(blocked.error?.message).toContain('<shop-5xx>');
    expect(versions()).toEqual(['shop-1', 'shop-1']);
    const through = deploy.createDeployment({ ...group, revision: s3('shop-2'), overrideAlarmConfiguration: { enabled: false } });
    expect(await ended(through)).toBe('Succeeded');
    expect(versions()).toEqual(['shop-2', 'shop-2']);
  });

  it('is stopped halfway by an alarm, and rolled back although the alarm is still active', async () => {
    createServerGroup({ alarmConfiguration: { enabled: true, alarms: [{ name: 'shop-5xx' }] }, autoRollbackConfiguration: { enabled: true, events: ['DEPLOYMENT_STOP_ON_ALARM'] } });
    const deployment = deploy.createDeployment({ ...group, revision: s3('shop-2') });
    await until(() => versions()[0] === 'shop-2', 'the first instance has it');
    rig.cloudwatch.setAlarmState('shop-5xx', 'ALARM', 'too many errors');
    expect(await ended(deployment)).toBe('Stopped');
    expect(await ended(deploy.deployment(deployment.rollbackInfo.rollbackDeploymentId ?? ''))).toBe('Succeeded');
    expect(versions()).toEqual(['shop-1', 'shop-1']);
  });

  it('fails when its alarm does not exist', async () => {
    createServerGroup({ alarmConfiguration: { enabled: true, alarms: [{ name: 'gone' }] } });
    const deployment = deploy.createDeployment({ ...group, revision: s3('shop-2') });
    expect(await ended(deployment)).toBe('Failed');
    expect(deployment.error?.code).toBe('CODEDEPLOY_RESOURCE_CANNOT_BE_FOUND');
  });
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

describe('what the API refuses', () => {
  it.each([
    ['an unknown application', { applicationName: 'nope', deploymentGroupName: 'prod', revision: s3('shop-2') }, 'ApplicationDoesNotExistException'],
    ['an unknown group', { applicationName: 'shop', deploymentGroupName: 'nope', revision: s3('shop-2') }, 'DeploymentGroupDoesNotExistException'],
    ['no revision', { ...group }, 'RevisionRequiredException'],
    ['an unknown configuration', { ...group, revision: s3('shop-2'), deploymentConfigName: 'Fast' }, 'DeploymentConfigDoesNotExistException'],
    ['a wrong hash', { ...group, revision: { revisionType: 'AppSpecContent' as const, appSpecContent: { content: '{}', sha256: '00' } } }, 'InvalidRevisionException'],
  ])('%s', (_, input, code) => {
    deploy.createApplication('shop', 'Server');
    deploy.createDeploymentGroup({ application: 'shop', name: 'prod', platform: new ServerPlatform({ fleet: shop.blue, elb: rig.elb, releases: shop.releases }) });
    expect(refusal(() => deploy.createDeployment(input)).code).toBe(code);
  });

  it('shows no previous revision for a first deployment, and rolls nothing back', async () => {
    deploy.createApplication('shop', 'Server');
    deploy.createDeploymentGroup({ application: 'shop', name: 'prod', platform: new ServerPlatform({ fleet: shop.blue, elb: rig.elb, releases: shop.releases }) });
    const deployment = deploy.createDeployment({ ...group, revision: s3('shop-2') });
    deploy.stopDeployment(deployment.id, true);
    await deploy.settled(deployment.id);
    expect(deploymentShown(deployment, deploy.group('shop', 'prod'))).not.toHaveProperty('previousRevision');
    expect(deployment.rollbackInfo.rollbackDeploymentId).toBeUndefined();
  });
});
