// The traffic services through the real SDK clients and the sandbox's server: shapes, dates, errors by name.
import {
  CloudWatchClient, DescribeAlarmHistoryCommand, DescribeAlarmsCommand, DisableAlarmActionsCommand, GetAlarmMuteRuleCommand, GetMetricDataCommand, GetMetricStatisticsCommand, ListAlarmMuteRulesCommand, ListMetricsCommand, PutAlarmMuteRuleCommand,
  PutCompositeAlarmCommand, PutMetricAlarmCommand, PutMetricDataCommand, SetAlarmStateCommand, DeleteAlarmsCommand,
} from '@aws-sdk/client-cloudwatch';
import {
  BatchGetDeploymentsCommand, BatchGetDeploymentTargetsCommand, CodeDeployClient, CreateDeploymentCommand, GetApplicationRevisionCommand, GetDeploymentCommand, GetDeploymentConfigCommand, GetDeploymentGroupCommand, ListDeploymentsCommand, ListDeploymentTargetsCommand,
  RegisterApplicationRevisionCommand, StopDeploymentCommand,
} from '@aws-sdk/client-codedeploy';
import { DescribeServicesCommand, DescribeTaskDefinitionCommand, ECSClient } from '@aws-sdk/client-ecs';
import {
  DeregisterTargetsCommand, DescribeListenersCommand, DescribeLoadBalancersCommand, DescribeRulesCommand, DescribeTargetGroupsCommand, DescribeTargetHealthCommand, ElasticLoadBalancingV2Client, ModifyListenerCommand, ModifyRuleCommand, RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { ChangeResourceRecordSetsCommand, GetChangeCommand, GetHealthCheckStatusCommand, ListHostedZonesCommand, ListResourceRecordSetsCommand, Route53Client, TestDNSAnswerCommand } from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SandboxServer } from '../../../sandbox/aws/server.ts';
import type { SpedUpClock } from '../../../sandbox/clock.ts';
import { cloudWatchService } from '../../../sandbox/services/cloudwatch/service.ts';
import { ServerPlatform } from '../../../sandbox/services/codedeploy/server-platform.ts';
import { codeDeployService } from '../../../sandbox/services/codedeploy/service.ts';
import { ecsService } from '../../../sandbox/services/ecs/service.ts';
import { loadBalancingService } from '../../../sandbox/services/elbv2/service.ts';
import { route53Service } from '../../../sandbox/services/route53/service.ts';
import { Shop } from '../../../sandbox/shop/shop.ts';
import { place, rigAtSpeed, type Rig } from './rig.ts';

let rig: Rig<SpedUpClock>;
let server: SandboxServer;
let shop: Shop;
let options: { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string }; maxAttempts: number };

const cloudwatch = (): CloudWatchClient => new CloudWatchClient(options);
const balancing = (): ElasticLoadBalancingV2Client => new ElasticLoadBalancingV2Client(options);
const record = (SetIdentifier: string, Weight: number) => ({ Name: 'shop.example.com', Type: 'A' as const, SetIdentifier, Weight, TTL: 60, ResourceRecords: [{ Value: SetIdentifier === 'blue' ? '10.0.0.1' : '10.0.0.2' }] });
const revision = (version: string) => ({ revisionType: 'S3' as const, s3Location: { bucket: 'releases', key: `${version}.zip`, bundleType: 'zip' as const } });

beforeAll(async () => {
  rig = rigAtSpeed(100);
  server = new SandboxServer({ services: [cloudWatchService(rig.cloudwatch), loadBalancingService(rig.elb), route53Service(rig.route53), codeDeployService(rig.codedeploy), ecsService(rig.ecs)], place, clock: rig.clock });
  const endpoint = await server.listen();
  options = { endpoint, region: place.region, credentials: { accessKeyId: 'anyone', secretAccessKey: 'anything' }, maxAttempts: 1 };
  shop = new Shop({ elb: rig.elb, clock: rig.clock, blue: { name: 'shop-1' }, green: { name: 'shop-2' }, withRule: true });
  await shop.start();
});

afterAll(async () => {
  await shop.stop();
  await server.close();
  rig.elb.stop();
  rig.clock.stop();
});

describe('CloudWatch', () => {
  const Metric = { Namespace: 'Shop', MetricName: 'Errors', Dimensions: [{ Name: 'Service', Value: 'checkout' }] };

  it('stores and computes metrics', async () => {
    const at = new Date(Math.floor(rig.clock.now() / 60_000) * 60_000 - 120_000);
    await cloudwatch().send(new PutMetricDataCommand({ Namespace: 'Shop', MetricData: [{ ...Metric, Timestamp: at, Values: [1, 3], Counts: [2, 1] }, { ...Metric, Timestamp: at, StatisticValues: { SampleCount: 1, Sum: 5, Minimum: 5, Maximum: 5 } }] }));
    const { MetricDataResults, NextToken } = await cloudwatch().send(new GetMetricDataCommand({
      StartTime: at, EndTime: new Date(at.getTime() + 120_000), ScanBy: 'TimestampAscending',
      MetricDataQueries: [{ Id: 'm1', MetricStat: { Metric, Period: 60, Stat: 'Sum' }, ReturnData: false }, { Id: 'e1', Expression: 'FILL(m1,0)*2', Label: 'doubled' }],
    }));
    expect(MetricDataResults).toEqual([{ Id: 'e1', Label: 'doubled', Timestamps: [at, new Date(at.getTime() + 60_000)], Values: [20, 0], StatusCode: 'Complete' }]);
    expect(NextToken).toBeUndefined();
    const statistics = await cloudwatch().send(new GetMetricStatisticsCommand({ ...Metric, StartTime: at, EndTime: new Date(at.getTime() + 60_000), Period: 60, Statistics: ['Average', 'SampleCount'] }));
    expect(statistics.Datapoints).toEqual([{ Timestamp: at, Average: 2.5, SampleCount: 4 }]);
    expect((await cloudwatch().send(new ListMetricsCommand({ Namespace: 'Shop' }))).Metrics).toEqual([Metric]);
  });

  it('puts, sets, describes and deletes alarms', async () => {
    await cloudwatch().send(new PutMetricAlarmCommand({ AlarmName: 'wire', ...Metric, Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: 'GreaterThanThreshold', Tags: [{ Key: 'service', Value: 'checkout' }] }));
    await cloudwatch().send(new PutCompositeAlarmCommand({ AlarmName: 'wire-all', AlarmRule: 'ALARM(wire)' }));
    await cloudwatch().send(new SetAlarmStateCommand({ AlarmName: 'wire', StateValue: 'ALARM', StateReason: 'drill' }));
    const metricOnly = await cloudwatch().send(new DescribeAlarmsCommand({ AlarmNames: ['wire', 'wire-all'] }));
    expect([metricOnly.MetricAlarms?.length, metricOnly.CompositeAlarms?.length ?? 0]).toEqual([1, 0]);
    expect(metricOnly.MetricAlarms?.[0]).toMatchObject({ AlarmName: 'wire', StateValue: 'ALARM', StateReason: 'drill', StateTransitionedTimestamp: expect.any(Date) as unknown });
    const both = await cloudwatch().send(new DescribeAlarmsCommand({ AlarmTypes: ['MetricAlarm', 'CompositeAlarm'], AlarmNamePrefix: 'wire', StateValue: 'ALARM' }));
    expect(both.CompositeAlarms?.[0]).toMatchObject({ AlarmName: 'wire-all', AlarmRule: 'ALARM(wire)' });
    expect((await cloudwatch().send(new DescribeAlarmsCommand({ ChildrenOfAlarmName: 'wire-all' }))).MetricAlarms?.map(({ AlarmName }) => AlarmName)).toEqual(['wire']);
    const history = await cloudwatch().send(new DescribeAlarmHistoryCommand({ AlarmName: 'wire', HistoryItemType: 'StateUpdate' }));
    expect(history.AlarmHistoryItems?.[0]?.HistorySummary).toBe('Alarm updated from INSUFFICIENT_DATA to ALARM');
    await cloudwatch().send(new DisableAlarmActionsCommand({ AlarmNames: ['wire'] }));
    expect((await cloudwatch().send(new DescribeAlarmsCommand({ AlarmNames: ['wire'] }))).MetricAlarms?.[0]?.ActionsEnabled).toBe(false);
    await cloudwatch().send(new DeleteAlarmsCommand({ AlarmNames: ['wire-all', 'wire'] }));
    await expect(cloudwatch().send(new SetAlarmStateCommand({ AlarmName: 'wire', StateValue: 'OK', StateReason: 'x' }))).rejects.toMatchObject({ name: 'ResourceNotFound' });
    await expect(cloudwatch().send(new DescribeAlarmsCommand({ AlarmNames: Array.from({ length: 101 }, (_, index) => `a${index}`) }))).rejects.toThrow(/less than or equal to 100/);
  });

  it('keeps mute rules', async () => {
    await cloudwatch().send(new PutAlarmMuteRuleCommand({ Name: 'night', Rule: { Schedule: { Expression: 'cron(* * * * *)', Duration: 'PT1H' } }, MuteTargets: { AlarmNames: ['wire'] } }));
    expect(await cloudwatch().send(new GetAlarmMuteRuleCommand({ AlarmMuteRuleName: 'night' }))).toMatchObject({ Name: 'night', Status: 'ACTIVE' });
    expect((await cloudwatch().send(new ListAlarmMuteRulesCommand({ AlarmName: 'wire' }))).AlarmMuteRuleSummaries).toHaveLength(1);
  });
});

describe('Elastic Load Balancing', () => {
  it('describes what it has', async () => {
    expect((await balancing().send(new DescribeLoadBalancersCommand({}))).LoadBalancers?.[0]).toMatchObject({ LoadBalancerArn: shop.loadBalancerArn, State: { Code: 'active' } });
    const { Listeners } = await balancing().send(new DescribeListenersCommand({ LoadBalancerArn: shop.loadBalancerArn }));
    expect(Listeners?.[0]?.DefaultActions?.[0]?.ForwardConfig?.TargetGroups).toEqual([{ TargetGroupArn: shop.blue.targetGroupArn, Weight: 100 }, { TargetGroupArn: shop.green.targetGroupArn, Weight: 0 }]);
    expect((await balancing().send(new DescribeRulesCommand({ ListenerArn: shop.listenerArn }))).Rules?.map(({ Priority, IsDefault }) => [Priority, IsDefault])).toEqual([['10', false], ['default', true]]);
    expect((await balancing().send(new DescribeTargetGroupsCommand({ Names: ['shop-blue'] }))).TargetGroups?.[0]?.HealthCheckPath).toBe('/health');
    expect((await balancing().send(new DescribeTargetHealthCommand({ TargetGroupArn: shop.blue.targetGroupArn }))).TargetHealthDescriptions).toHaveLength(1);
  });

  it('changes listeners, rules and targets, and names its errors as the SDK does', async () => {
    const forward = (blue: number, green: number) => [{ Type: 'forward' as const, ForwardConfig: { TargetGroups: [{ TargetGroupArn: shop.blue.targetGroupArn, Weight: blue }, { TargetGroupArn: shop.green.targetGroupArn, Weight: green }] } }];
    const { Rules } = await balancing().send(new ModifyRuleCommand({ RuleArn: shop.ruleArn ?? '', Actions: forward(10, 90) }));
    expect(Rules?.[0]?.Actions?.[0]?.ForwardConfig?.TargetGroups?.map(({ Weight }) => Weight)).toEqual([10, 90]);
    const { Listeners } = await balancing().send(new ModifyListenerCommand({ ListenerArn: shop.listenerArn, DefaultActions: forward(0, 1) }));
    expect(Listeners?.[0]?.DefaultActions?.[0]?.ForwardConfig?.TargetGroupStickinessConfig).toEqual({ Enabled: false });
    const target = { TargetGroupArn: shop.blue.targetGroupArn, Targets: [{ Id: '127.0.0.1', Port: 9 }] };
    await balancing().send(new RegisterTargetsCommand(target));
    await balancing().send(new DeregisterTargetsCommand(target));
    await expect(balancing().send(new ModifyRuleCommand({ RuleArn: `${shop.ruleArn ?? ''}0`, Actions: forward(1, 1) }))).rejects.toMatchObject({ name: 'RuleNotFoundException' });
    await expect(balancing().send(new ModifyListenerCommand({ ListenerArn: shop.listenerArn, DefaultActions: [{ Type: 'forward', TargetGroupArn: 'arn:x' }] }))).rejects.toMatchObject({ name: 'TargetGroupNotFoundException' });
    await expect(balancing().send(new ModifyRuleCommand({ RuleArn: `${shop.listenerArn.replace(':listener/', ':listener-rule/')}/default`, Actions: forward(1, 1) }))).rejects.toMatchObject({ name: 'OperationNotPermittedException' });
  });
});

describe('Route 53', () => {
  it('changes a weighted group in one batch and tells when it is in sync', async () => {
    const client = new Route53Client(options);
    rig.route53.health.create({ id: 'hc-1' });
    rig.route53.createHostedZone({ id: 'Z1', name: 'example.com', records: [{ ...record('blue', 0), HealthCheckId: 'hc-1' }, record('green', 100)] });
    expect((await client.send(new ListHostedZonesCommand({}))).HostedZones?.[0]).toMatchObject({ Id: '/hostedzone/Z1', Name: 'example.com.' });
    const { ResourceRecordSets } = await client.send(new ListResourceRecordSetsCommand({ HostedZoneId: 'Z1', StartRecordName: 'shop.example.com', StartRecordType: 'A' }));
    expect(ResourceRecordSets).toEqual([{ ...record('blue', 0), Name: 'shop.example.com.', HealthCheckId: 'hc-1' }, { ...record('green', 100), Name: 'shop.example.com.' }]);
    const changes = (ResourceRecordSets ?? []).map((set) => ({ Action: 'UPSERT' as const, ResourceRecordSet: { ...set, Weight: 100 - (set.Weight ?? 0) } }));
    const { ChangeInfo } = await client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: 'Z1', ChangeBatch: { Comment: 'back to blue', Changes: changes } }));
    expect(ChangeInfo).toMatchObject({ Status: 'PENDING', Comment: 'back to blue' });
    await rig.clock.sleep(21_000);
    expect((await client.send(new GetChangeCommand({ Id: ChangeInfo?.Id }))).ChangeInfo?.Status).toBe('INSYNC');
    expect(await client.send(new TestDNSAnswerCommand({ HostedZoneId: 'Z1', RecordName: 'shop.example.com', RecordType: 'A' }))).toMatchObject({ RecordData: ['10.0.0.1'], ResponseCode: 'NOERROR' });
    expect((await client.send(new GetHealthCheckStatusCommand({ HealthCheckId: 'hc-1' }))).HealthCheckObservations?.[0]?.StatusReport?.Status).toContain('Success');
    const broken = [{ Action: 'UPSERT' as const, ResourceRecordSet: record('blue', 999) }];
    await expect(client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: 'Z1', ChangeBatch: { Changes: broken } }))).rejects.toMatchObject({ name: 'InvalidChangeBatch', messages: [expect.stringContaining('weight 999') as unknown] });
    await expect(client.send(new ListResourceRecordSetsCommand({ HostedZoneId: 'Z9' }))).rejects.toMatchObject({ name: 'NoSuchHostedZone' });
  });
});

describe('CodeDeploy and ECS', () => {
  const group = { applicationName: 'shop', deploymentGroupName: 'prod' };

  it('runs a deployment that the API can follow', async () => {
    const client = new CodeDeployClient(options);
    rig.codedeploy.createApplication('shop', 'Server');
    rig.codedeploy.createDeploymentGroup({ application: 'shop', name: 'prod', platform: new ServerPlatform({ fleet: shop.green, elb: rig.elb, releases: shop.releases, installSeconds: 150 }) });
    const past = rig.codedeploy.recordPastDeployment({ application: 'shop', group: 'prod', revision: revision('shop-1') });
    await client.send(new RegisterApplicationRevisionCommand({ applicationName: 'shop', revision: revision('shop-2'), description: 'two' }));
    const { deploymentId } = await client.send(new CreateDeploymentCommand({ ...group, revision: revision('shop-2'), deploymentConfigName: 'CodeDeployDefault.AllAtOnce', description: 'rollback key', overrideAlarmConfiguration: { enabled: false } }));
    await rig.clock.sleep(3000);
    const { deploymentInfo } = await client.send(new GetDeploymentCommand({ deploymentId }));
    expect(deploymentInfo).toMatchObject({ status: 'InProgress', creator: 'user', description: 'rollback key', previousRevision: revision('shop-1'), revision: revision('shop-2'), overrideAlarmConfiguration: { enabled: false } });
    const { targetIds } = await client.send(new ListDeploymentTargetsCommand({ deploymentId }));
    expect((await client.send(new BatchGetDeploymentTargetsCommand({ deploymentId, targetIds }))).deploymentTargets?.[0]?.instanceTarget?.status).toBe('InProgress');
    await expect(client.send(new CreateDeploymentCommand({ ...group, revision: revision('shop-2') }))).rejects.toMatchObject({ name: 'DeploymentLimitExceededException', message: expect.stringContaining(deploymentId ?? '') as unknown });
    await rig.codedeploy.settled(deploymentId ?? '');
    expect(new Set((await client.send(new ListDeploymentsCommand({ ...group, includeOnlyStatuses: ['Succeeded'] }))).deployments)).toEqual(new Set([past.id, deploymentId]));
    expect((await client.send(new BatchGetDeploymentsCommand({ deploymentIds: [past.id, 'd-NOWHERE00'] }))).deploymentsInfo?.map(({ deploymentId: id }) => id)).toEqual([past.id]);
    expect((await client.send(new GetDeploymentGroupCommand(group))).deploymentGroupInfo).toMatchObject({ computePlatform: 'Server', lastSuccessfulDeployment: { deploymentId } });
    expect((await client.send(new GetApplicationRevisionCommand({ applicationName: 'shop', revision: revision('shop-2') }))).revisionInfo).toMatchObject({ description: 'two', deploymentGroups: ['prod'] });
    expect((await client.send(new GetDeploymentConfigCommand({ deploymentConfigName: 'CodeDeployDefault.ECSCanary10Percent5Minutes' }))).deploymentConfigInfo?.trafficRoutingConfig).toMatchObject({ timeBasedCanary: { canaryPercentage: 10, canaryInterval: 5 } });
    await expect(client.send(new StopDeploymentCommand({ deploymentId, autoRollbackEnabled: true }))).rejects.toMatchObject({ name: 'DeploymentAlreadyCompletedException' });
    await expect(client.send(new GetDeploymentCommand({ deploymentId: 'd-NOWHERE00' }))).rejects.toMatchObject({ name: 'DeploymentDoesNotExistException' });
    await expect(client.send(new ListDeploymentsCommand({ applicationName: 'shop' }))).rejects.toMatchObject({ name: 'DeploymentGroupNameRequiredException' });
    await expect(client.send(new BatchGetDeploymentsCommand({ deploymentIds: Array.from({ length: 26 }, (_, index) => `d-${index}`) }))).rejects.toMatchObject({ name: 'BatchLimitExceededException' });
  });

  it('describes services and task definitions', async () => {
    const client = new ECSClient(options);
    const { arn } = rig.ecs.registerTaskDefinition('shop', 'registry/shop:shop-1');
    rig.ecs.createService({ cluster: 'main', name: 'shop', listenerArn: shop.listenerArn, desiredCount: 1, fleets: [shop.blue, shop.green], taskDefinitionArn: arn });
    const { services, failures } = await client.send(new DescribeServicesCommand({ cluster: 'main', services: ['shop', 'gone'] }));
    expect(services?.[0]).toMatchObject({ serviceName: 'shop', taskDefinition: arn, deploymentController: { type: 'CODE_DEPLOY' }, taskSets: [{ status: 'PRIMARY' }] });
    expect(failures?.map(({ reason }) => reason)).toEqual(['MISSING']);
    expect((await client.send(new DescribeTaskDefinitionCommand({ taskDefinition: 'shop:1' }))).taskDefinition).toMatchObject({ status: 'ACTIVE', revision: 1 });
    await expect(client.send(new DescribeTaskDefinitionCommand({ taskDefinition: 'shop:9' }))).rejects.toMatchObject({ name: 'ClientException' });
  });
});
