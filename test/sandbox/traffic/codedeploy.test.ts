// Deployments of CodeDeploy in general, on a fleet of servers: the way forward, alarms, stops with rollback, what is refused.
import type { RevisionLocation } from '@aws-sdk/client-codedeploy';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SpedUpClock } from '../../../sandbox/clock.ts';
import { CodeDeploy } from '../../../sandbox/services/codedeploy/codedeploy.ts';
import { deploymentShown } from '../../../sandbox/services/codedeploy/deployment-shown.ts';
import type { DeploymentRecord } from '../../../sandbox/services/codedeploy/records.ts';
import { ServerPlatform } from '../../../sandbox/services/codedeploy/server-platform.ts';
import { Shop } from '../../../sandbox/shop/shop.ts';
import { refusal, rigAtSpeed, until, type Rig } from './rig.ts';

const alarm = { AlarmName: 'shop-5xx', Namespace: 'Shop', MetricName: 'Errors', Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 0, ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'ignore' } as const;
const s3 = (version: string): RevisionLocation => ({ revisionType: 'S3', s3Location: { bucket: 'releases', key: `shop/${version}.zip`, bundleType: 'zip' } });

let rig: Rig<SpedUpClock>;
let deploy: CodeDeploy;
let shop: Shop;

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

beforeEach(async () => {
  rig = rigAtSpeed(200);
  deploy = rig.codedeploy;
  shop = new Shop({ elb: rig.elb, clock: rig.clock, blue: { name: 'shop-1' }, instances: 2 });
  await shop.start();
  for (const name of ['shop-2', 'shop-3']) shop.releases.add({ name });
  rig.cloudwatch.putMetricAlarm(alarm);
});

afterEach(async () => {
  await shop.stop();
  rig.elb.stop();
  rig.clock.stop();
});

it('an account has so many deployments in progress, whatever their groups', async () => {
  deploy = new CodeDeploy({ ...rig.codedeploy.parts, atOnce: 1 });
  createServerGroup();
  deploy.createDeploymentGroup({ application: 'shop', name: 'canary', platform: new ServerPlatform({ fleet: shop.blue, elb: rig.elb, releases: shop.releases, installSeconds: 20 }) });
  const first = deploy.createDeployment({ ...group, revision: s3('shop-2') });
  const second = { applicationName: 'shop', deploymentGroupName: 'canary', revision: s3('shop-3') };
  expect(refusal(() => deploy.createDeployment(second))).toMatchObject({ code: 'DeploymentLimitExceededException' });
  await ended(first);
  expect(await ended(deploy.createDeployment(second))).toBe('Succeeded');
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

describe('the history', () => {
  it('shows a past deployment at its own time', () => {
    createServerGroup();
    const completedAt = rig.clock.now() - 86_400_000;
    const past = deploy.recordPastDeployment({ application: 'shop', group: 'prod', revision: s3('shop-2'), completedAt });
    expect(deploymentShown(past, deploy.group('shop', 'prod'))).toMatchObject({ status: 'Succeeded', createTime: new Date(completedAt), completeTime: new Date(completedAt) });
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
