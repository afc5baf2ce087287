// The targets that the explored rollbacks do not have: they share one CodeDeploy and one ECS, as the services of an account do.
import type { RevisionLocation } from '@aws-sdk/client-codedeploy';
import type { Sandbox } from '../../sandbox.ts';
import type { JsonValue } from '../../scenarios/scenario.ts';
import { CodeDeploy } from '../../services/codedeploy/codedeploy.ts';
import { EcsPlatform } from '../../services/codedeploy/ecs-platform.ts';
import { LambdaPlatform } from '../../services/codedeploy/lambda-platform.ts';
import type { Platform } from '../../services/codedeploy/platform.ts';
import { codeDeployService } from '../../services/codedeploy/service.ts';
import { tellDeployments } from '../../services/ecs/deployment-event.ts';
import { Ecs } from '../../services/ecs/ecs.ts';
import { RollingServices } from '../../services/ecs/rolling.ts';
import { ecsService } from '../../services/ecs/service.ts';
import { Backend } from '../../shop/backend.ts';
import { Fleet } from '../../shop/fleet.ts';
import { Releases } from '../../shop/version.ts';

/** One target, as a pipeline sees it. */
export interface Target {
  readonly document: Record<string, JsonValue>;
  /** IAM prefix of the service that holds it. */
  readonly prefix: string;
  isTouchedBy(input: string): boolean;
  /** Its releases are announced by `ripcord.release` events; CodeDeploy and ECS send their own. */
  readonly announces: boolean;
  /** A good release that Ripcord has to have seen before. */
  firstRelease?(): void;
  release(): void;
  /** The same, but it stays in progress. */
  releaseSlowly?(): void;
  isBack(): boolean;
}

export type MakeTarget = (account: Account, name: string) => Promise<Target> | Target;

/** What the targets of one sandbox share. */
export class Account {
  readonly sandbox: Sandbox;
  readonly port: number;
  readonly codedeploy: CodeDeploy;
  readonly ecs: Ecs;
  readonly rolling: RollingServices;
  readonly fleets: Fleet[] = [];

  /** @param port of a server that answers health checks. */
  constructor(sandbox: Sandbox, port: number) {
    const { clock, place, services } = sandbox;
    this.sandbox = sandbox;
    this.port = port;
    this.codedeploy = new CodeDeploy({ clock, place, bus: services.events, alarmState: (alarm) => services.cloudwatch.alarmState(alarm), onChange: (cause) => void sandbox.calls.checkInvariants(cause) });
    this.ecs = new Ecs(place);
    this.rolling = new RollingServices({ ecs: this.ecs, place, clock });
    tellDeployments(this.rolling, services.events);
    sandbox.register(codeDeployService(this.codedeploy));
    sandbox.register(ecsService(this.ecs, this.rolling));
  }

  async stop(): Promise<void> {
    await this.rolling.stop();
    await Promise.all(this.fleets.map((fleet) => fleet.crash()));
  }
}

export const flag: MakeTarget = ({ sandbox: { services: { parameters } } }, name) => {
  const parameter = `/flags/${name}`;
  const write = (value: string): void => void parameters.put({ name: parameter, value, type: 'String', overwrite: true, by: 'arn:aws:iam::111122223333:role/pipeline' });
  write('off');
  return {
    document: { strategy: 'ssm-parameter', parameter, good: 'last-known-good', takesEffectSeconds: 30 },
    prefix: 'ssm', isTouchedBy: (input) => input.includes(`"Name":"${parameter}"`), announces: true,
    release: () => write('on'), isBack: () => parameters.get(parameter).value === 'off',
  };
};

/** An alias that a pipeline moves by itself. */
export const alias: MakeTarget = ({ sandbox: { services: { aliases } } }, name) => {
  aliases.createFunction(name);
  for (const version of ['1.0.0', '2.0.0']) aliases.publishVersion(name, version);
  aliases.createAlias(name, 'live', '1');
  return {
    document: { strategy: 'lambda-alias', functionName: name, alias: 'live', good: 'last-known-good' },
    prefix: 'lambda', isTouchedBy: (input) => input.includes(`"FunctionName":"${name}","Name":"live"`), announces: true,
    release: () => void aliases.updateAlias(name, 'live', { FunctionVersion: '2' }),
    isBack: () => aliases.alias(name, 'live').functionVersion === '1',
  };
};

/** An ECS service with rolling deployments, of which ECS tells. */
export const tasks: MakeTarget = async ({ ecs, rolling }, name) => {
  const [good, bad] = ['1', '2'].map((tag) => ecs.registerTaskDefinition(name, `${name}:${tag}`).arn) as [string, string];
  const service = await rolling.create({ cluster: 'prod', name, desiredCount: 2, taskDefinitionArn: good });
  return {
    document: { strategy: 'ecs-service', cluster: 'prod', service: name, roles: ['arn:aws:iam::111122223333:role/task'], good: 'last-known-good' },
    prefix: 'ecs', isTouchedBy: (input) => input.includes(`"service":"${name}"`), announces: false,
    // The same task definition once more: what ECS tells of is a release that bakes.
    firstRelease: () => rolling.update(service, good, true),
    release: () => rolling.update(service, bad),
    isBack: () => service.deployments.length === 1 && service.deployments[0]?.taskDefinitionArn === good,
  };
};

const aDay = 86_400_000;
const appSpec = (resource: object): RevisionLocation => ({ revisionType: 'AppSpecContent', appSpecContent: { content: JSON.stringify({ version: 0, Resources: [resource] }) } });

interface Group {
  readonly platform: Platform;
  readonly kind: 'Lambda' | 'ECS';
  readonly document: Record<string, JsonValue>;
  readonly revisions: readonly [past: RevisionLocation, good: RevisionLocation, bad: RevisionLocation];
  /** Deployment configuration that takes long. */
  readonly slow?: string;
  readonly isBack: () => boolean;
}

function group({ codedeploy, sandbox }: Account, name: string, { platform, kind, document, revisions: [past, good, bad], slow, isBack }: Group): Target {
  codedeploy.createApplication(name, kind);
  codedeploy.createDeploymentGroup({ application: name, name: 'prod', platform, deploymentConfig: `CodeDeployDefault.${kind}AllAtOnce` });
  codedeploy.recordPastDeployment({ application: name, group: 'prod', revision: past, completedAt: sandbox.clock.now() - aDay });
  const deploy = (revision: RevisionLocation, deploymentConfigName?: string): void =>
    void codedeploy.createDeployment({ applicationName: name, deploymentGroupName: 'prod', revision, ...(deploymentConfigName === undefined ? {} : { deploymentConfigName }) });
  return {
    document: { strategy: 'codedeploy', platform: kind, application: name, deploymentGroup: 'prod', good: 'last-known-good', ...document },
    prefix: 'codedeploy', isTouchedBy: (input) => input.includes(`"${name}"`) || codedeploy.deployments(name).some(({ id }) => input.includes(id)), announces: false,
    firstRelease: () => deploy(good), release: () => deploy(bad), isBack,
    ...(slow === undefined ? {} : { releaseSlowly: () => deploy(bad, slow) }),
  };
}

/** An alias that CodeDeploy shifts to version 2, which bakes, and then to 3. */
export const shifted: MakeTarget = (account, name) => {
  const { aliases } = account.sandbox.services;
  aliases.createFunction(name);
  for (const version of ['1.0.0', '2.0.0', '3.0.0']) aliases.publishVersion(name, version);
  aliases.createAlias(name, 'live', '1');
  const spec = (from: string, to: string): RevisionLocation => appSpec({ it: { Type: 'AWS::Lambda::Function', Properties: { Name: name, Alias: 'live', CurrentVersion: from, TargetVersion: to } } });
  return group(account, name, {
    platform: new LambdaPlatform(aliases), kind: 'Lambda', document: { functionName: name, alias: 'live' }, revisions: [spec('1', '1'), spec('1', '2'), spec('2', '3')],
    slow: 'CodeDeployDefault.LambdaLinear10PercentEvery10Minutes',
    isBack: () => aliases.alias(name, 'live').functionVersion === '2' && Object.keys(aliases.alias(name, 'live').weights).length === 0,
  });
};

/** An ECS service whose task sets CodeDeploy swaps behind a listener. */
export const swapped: MakeTarget = async (account, name) => {
  const { sandbox, ecs } = account;
  const elb = sandbox.services.loadBalancing;
  const releases = new Releases();
  const versions = ['1', '2', '3'].map((tag) => releases.add({ name: tag }));
  const instance = { clock: sandbox.clock, backend: new Backend(), carts: new Map(), respond: () => ({ status: 200, headers: {}, body: 'ok' }) };
  const [one, two] = ['one', 'two'].map((side) => new Fleet(elb.createTargetGroup({ name: `${name}-${side}`, healthCheck: { path: '/', intervalSeconds: 300, unhealthyThreshold: 10 } }).arn, elb, instance)) as [Fleet, Fleet];
  account.fleets.push(one, two);
  await one.launch(versions[0] ?? { name: '1' }, 1);
  const { arn: listenerArn } = elb.createListener({
    loadBalancerArn: elb.createLoadBalancer({ name }).arn,
    actions: [{ Type: 'forward', ForwardConfig: { TargetGroups: [{ TargetGroupArn: one.targetGroupArn, Weight: 100 }, { TargetGroupArn: two.targetGroupArn, Weight: 0 }] } }],
  });
  const [past, good, bad] = versions.map((version) => ecs.registerTaskDefinition(name, `registry/${name}:${version.name}`).arn) as [string, string, string];
  ecs.createService({ cluster: 'prod', name, listenerArn, desiredCount: 1, fleets: [one, two], taskDefinitionArn: past });
  const spec = (TaskDefinition: string): RevisionLocation => appSpec({ TargetService: { Type: 'AWS::ECS::Service', Properties: { TaskDefinition, LoadBalancerInfo: { ContainerName: name, ContainerPort: 80 } } } });
  return group(account, name, {
    platform: new EcsPlatform({ ecs, elb, releases, cluster: 'prod', service: name, terminationWaitMinutes: 1 }), kind: 'ECS', document: { cluster: 'prod', service: name },
    revisions: [spec(past), spec(good), spec(bad)],
    isBack: () => ecs.service('prod', name).taskSets.find(({ status }) => status === 'PRIMARY')?.taskDefinitionArn === good,
  });
};
