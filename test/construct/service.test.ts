// The constructs as people who write CDK use them: factories from L2 objects, choices that have to be made, errors that help.
import {
  type App, aws_cloudwatch as cloudwatch, aws_codedeploy as codedeploy, aws_ec2 as ec2, aws_ecs as ecs, aws_elasticloadbalancingv2 as elbv2, aws_iam as iam,
  aws_lambda as lambda, aws_route53 as route53, aws_ssm as ssm,
  Duration, Stack, Validations,
} from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { Approval, ProtectedService, RollbackEngine, RollbackTarget, Verification, type ProtectedServiceProps } from '../../lib/index.ts';
import { minimalYaml } from './config-samples.ts';
import { actionsOf, quietApp, statementsOf, templateOf } from './stack-samples.ts';

const shop = (stack: Stack) => {
  const vpc = ec2.Vpc.fromVpcAttributes(stack, 'Vpc', { vpcId: 'vpc-0123456789abcdef0', availabilityZones: ['a', 'b'], publicSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'] });
  const group = (id: string) => new elbv2.ApplicationTargetGroup(stack, id, { vpc, port: 80, targetType: elbv2.TargetType.IP });
  const blue = group('Blue');
  const green = group('Green');
  const balancer = new elbv2.ApplicationLoadBalancer(stack, 'Balancer', { vpc });
  const listener = balancer.addListener('Http', { port: 80, defaultAction: elbv2.ListenerAction.weightedForward([{ targetGroup: blue, weight: 100 }, { targetGroup: green, weight: 0 }]) });
  const alarm = new cloudwatch.Metric({ namespace: 'Shop', metricName: 'Errors' }).createAlarm(stack, 'Errors', { threshold: 1, evaluationPeriods: 1 });
  return { blue, green, listener, alarm };
};

const parts = (): { stack: Stack; engine: RollbackEngine; props: ProtectedServiceProps } => {
  const stack = new Stack(quietApp(), 'Shop');
  const engine = new RollbackEngine(stack, 'Engine');
  const { blue, green, listener, alarm } = shop(stack);
  return {
    stack, engine,
    props: {
      engine, serviceName: 'checkout',
      targets: { web: RollbackTarget.albWeights({ listener, targetGroups: { blue, green }, good: 'last-known-good' }) },
      alarms: [{ alarm }],
      signals: { minimum: 1, traffic: { none: 'a sample without requests' } },
      approval: Approval.none({ reason: 'weights are moved back in seconds' }),
      verification: Verification.none({ reason: 'has no address from outside' }),
    },
  };
};

describe('a service made of constructs', () => {
  test('has a catalogue entry whose ARNs CloudFormation fills in', () => {
    const { stack, props } = parts();
    new ProtectedService(stack, 'Checkout', props);
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::SSM::Parameter', {
      Name: '/ripcord/services/checkout',
      Value: { 'Fn::Join': ['', Match.arrayWith([Match.stringLikeRegexp('"strategy":"alb-weights","listenerArn":"'), { Ref: Match.stringLikeRegexp('BalancerHttp') }])] },
    });
  });

  test('lets the strategy change that listener only', () => {
    const { stack, props } = parts();
    new ProtectedService(stack, 'Checkout', props);
    const [modify] = statementsOf(Template.fromStack(stack), 'EngineStrategiesalbweightsRole').filter((one) => one.Action === 'elasticloadbalancing:ModifyListener');
    expect(modify?.Resource).toEqual({ Ref: expect.stringContaining('BalancerHttp') });
  });

  test('in a stack of its own keeps its permissions there: the engine depends on nobody', () => {
    const app = quietApp();
    const engineStack = new Stack(app, 'Engine');
    const engine = new RollbackEngine(engineStack, 'Engine');
    const stack = new Stack(app, 'Shop');
    const { listener, blue, green, alarm } = shop(stack);
    new ProtectedService(stack, 'Checkout', {
      ...parts().props, engine, alarms: [{ alarm }],
      targets: { web: RollbackTarget.albWeights({ listener, targetGroups: { blue, green }, good: { side: 'blue' } }) },
    });
    expect(() => app.synth()).not.toThrow();
    expect(engineStack.dependencies).toEqual([]);
    const policies = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'));
    expect(JSON.stringify(policies)).toContain('elasticloadbalancing:ModifyListener');
  });

  test('passes cdk-nag like the example does', () => {
    const { stack, props } = parts();
    const app = stack.node.root as App;
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    new ProtectedService(stack, 'Checkout', props);
    for (const id of ['Balancer', 'Vpc']) Validations.of(stack.node.findChild(id)).acknowledge({ id: 'AwsSolutions-ELB2', reason: 'a sample' }, { id: 'AwsSolutions-EC23', reason: 'a sample' });
    expect(() => app.synth()).not.toThrow();
  });

  test('asks for approval and proof in the words of the catalogue', () => {
    expect(Approval.required({ when: 'always', timeout: Duration.hours(1), onDeadline: 'stop' }).config).toEqual({ required: 'always', timeoutMinutes: 60, onDeadline: 'stop' });
    const proof = Verification.journeys({ journeys: { buy: { requests: [{ name: 'home', url: 'https://shop.example.com/' }] } }, interval: Duration.minutes(1), deadline: Duration.minutes(10), whenFewRequests: { reason: 'hardly anybody comes at night' } });
    expect(proof.config).toEqual({ intervalSeconds: 60, deadlineMinutes: 10, fewRequests: { journeys: 'hardly anybody comes at night' } });
  });
});

describe('targets from constructs', () => {
  test('DNS records', () => {
    const stack = new Stack();
    const hostedZone = route53.HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z1', zoneName: 'example.com' });
    expect(RollbackTarget.route53Weights({ hostedZone, recordName: 'a.example.com', recordType: 'A', records: { blue: 'b', green: 'g' }, good: { side: 'blue' } }))
      .toEqual({ strategy: 'route53-weights', hostedZoneId: 'Z1', recordName: 'a.example.com', recordType: 'A', records: { blue: 'b', green: 'g' }, good: { side: 'blue' } });
  });

  test('deployment groups of each platform', () => {
    const stack = new Stack();
    const server = codedeploy.ServerDeploymentGroup.fromServerDeploymentGroupAttributes(stack, 'Group', {
      application: codedeploy.ServerApplication.fromServerApplicationName(stack, 'App', 'shop'), deploymentGroupName: 'prod',
    });
    expect(RollbackTarget.codeDeployServer(server, { deploymentConfig: 'CodeDeployDefault.HalfAtATime' }))
      .toEqual({ strategy: 'codedeploy', platform: 'Server', application: 'shop', deploymentGroup: 'prod', good: 'last-known-good', deploymentConfig: 'CodeDeployDefault.HalfAtATime' });
    const fn = new lambda.Function(stack, 'Fn', { runtime: lambda.Runtime.NODEJS_24_X, handler: 'x.y', code: lambda.Code.fromInline('x') });
    const alias = new lambda.Alias(stack, 'Live', { aliasName: 'live', version: fn.currentVersion as lambda.IVersion });
    const group = new codedeploy.LambdaDeploymentGroup(stack, 'Canary', { alias });
    expect(RollbackTarget.codeDeployLambda(group, alias as lambda.IAlias)).toMatchObject({ strategy: 'codedeploy', platform: 'Lambda', alias: 'live', functionName: expect.stringContaining('Token') });
  });

  test('a flag, an alias and an ECS service, with permissions on exactly these', () => {
    const { stack, props } = parts();
    const flag = new ssm.StringParameter(stack, 'Flag', { parameterName: '/shop/flag', stringValue: 'off' });
    const fn = new lambda.Function(stack, 'Fn', { runtime: lambda.Runtime.NODEJS_24_X, handler: 'x.y', code: lambda.Code.fromInline('x') });
    const alias = new lambda.Alias(stack, 'Live', { aliasName: 'live', version: fn.currentVersion as lambda.IVersion });
    const cluster = ecs.Cluster.fromClusterAttributes(stack, 'Cluster', { clusterName: 'prod', vpc: ec2.Vpc.fromVpcAttributes(stack, 'Other', { vpcId: 'vpc-1', availabilityZones: ['a'] }) });
    const service = ecs.FargateService.fromFargateServiceAttributes(stack, 'Tasks', { cluster, serviceName: 'shop' });
    const role = iam.Role.fromRoleArn(stack, 'Task', 'arn:aws:iam::111122223333:role/shop-task');
    new ProtectedService(stack, 'Checkout', { ...props, targets: {
      flag: RollbackTarget.ssmParameter(flag, { good: { value: 'off' }, takesEffect: Duration.seconds(20) }),
      alias: RollbackTarget.lambdaAlias(alias as lambda.IAlias), tasks: RollbackTarget.ecsService(service, { roles: [role] }),
    } });
    const template = Template.fromStack(stack);
    const allowed = (strategy: string, action: string) => statementsOf(template, `EngineStrategies${strategy}Role`).find((one) => one.Action === action || (Array.isArray(one.Action) && one.Action.includes(action)));
    expect(JSON.stringify(allowed('ssmparameter', 'ssm:PutParameter'))).toMatch(/"Condition":\{"StringEquals":\{"ssm:Overwrite":"true"\}\}.*:parameter",\{"Ref":"Flag/);
    expect(JSON.stringify(allowed('lambdaalias', 'lambda:UpdateAlias')?.Resource)).toMatch(/:function:.*"Ref":"Fn/);
    expect(JSON.stringify(allowed('ecsservice', 'ecs:UpdateService')?.Resource)).toContain(':service/prod/shop');
    expect(allowed('ecsservice', 'iam:PassRole')).toMatchObject({ Resource: 'arn:aws:iam::111122223333:role/shop-task', Condition: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } } });
  });
});

const attach = (over: Partial<ProtectedServiceProps>) => (): ProtectedService => {
  const { stack, props } = parts();
  return new ProtectedService(stack, 'Checkout', { ...props, ...over });
};

describe('mistakes are told at synth', () => {
  test('what the schema refuses, with the service and the path', () => {
    expect(attach({ signals: { minimum: 9, traffic: { none: 'a sample without requests' } } })).toThrow('service "checkout" signals.minimum: Too big');
    expect(attach({ approval: Approval.none({ reason: 'why not' }) })).toThrow('service "checkout" policy.approval');
  });

  test('two services with one name', () => {
    const { stack, props } = parts();
    new ProtectedService(stack, 'One', props);
    expect(() => new ProtectedService(stack, 'Two', props)).toThrow('service "checkout" is attached twice to engine "ripcord"; give one of them another name');
  });

  test('an entry that does not fit into an SSM parameter', () => {
    const journeys = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`j${index}`, { requests: [{ name: 'home', url: `https://shop.example.com/${'x'.repeat(900)}` }] }]));
    expect(attach({ verification: Verification.journeys({ journeys }) })).toThrow(/services\.checkout: its catalogue entry has \d+ bytes, more than the 8192 of an SSM parameter; shorten its journeys/);
  });
});

describe('an engine', () => {
  test('grants what its users need, and tells their functions where', () => {
    const { stack, engine } = parts();
    const fn = new lambda.Function(stack, 'Tool', { runtime: lambda.Runtime.NODEJS_24_X, handler: 'x.y', code: lambda.Code.fromInline('x') });
    engine.grantStartRollback(fn).assertSuccess();
    engine.grantReadAudit(fn).assertSuccess();
    engine.grantApprove(new iam.Role(stack, 'Approver', { assumedBy: new iam.AccountRootPrincipal() })).assertSuccess();
    const template = Template.fromStack(stack);
    expect(actionsOf(statementsOf(template, 'ToolServiceRole'))).toEqual(expect.arrayContaining(['states:StartExecution', 'dynamodb:Query']));
    expect(actionsOf(statementsOf(template, 'Approver'))).toEqual(['lambda:InvokeFunction', 'lambda:InvokeFunctionUrl']);
    template.hasResourceProperties('AWS::Lambda::Function', { Environment: { Variables: { RIPCORD_ROLLBACK_MACHINE_ARN: Match.anyValue(), RIPCORD_AUDIT_TABLE: Match.anyValue() } }, Handler: 'x.y' });
  });

  test('has metrics of its rollbacks', () => {
    const { engine } = parts();
    expect([engine.metricRollbacksStarted(), engine.metricRollbacksFailed(), engine.metricRollbackTime()].map(({ metricName }) => metricName)).toEqual(['ExecutionsStarted', 'ExecutionsFailed', 'ExecutionTime']);
  });
});

test('many alarms are matched by several rules: a pattern has 2,048 characters at most', () => {
  const names = Array.from({ length: 30 }, (_, index) => `checkout-${'very-'.repeat(15)}long-name-${index}`);
  const template = templateOf(minimalYaml.replace('        - name: checkout-5xx\n', names.map((name) => `        - name: ${name}\n`).join('')));
  const patterns = Object.values(template.findResources('AWS::Events::Rule')).flatMap(({ Properties }) => (Properties as { EventPattern?: { detail?: { alarmName?: string[] } } }).EventPattern ?? []);
  const alarms = patterns.filter(({ detail }) => detail?.alarmName !== undefined);
  expect(alarms.length).toBeGreaterThan(1);
  expect(alarms.flatMap(({ detail }) => detail?.alarmName)).toEqual(names);
  for (const pattern of alarms) expect(JSON.stringify(pattern).length).toBeLessThan(2048);
});
