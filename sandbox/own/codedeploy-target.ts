// A codedeploy target of the user's: application and group by name, on the platform that it names, with a past deployment to go back to.
import type { RevisionLocation } from '@aws-sdk/client-codedeploy';
import type { CodeDeploy } from '../services/codedeploy/codedeploy.ts';
import { EcsPlatform } from '../services/codedeploy/ecs-platform.ts';
import { LambdaPlatform } from '../services/codedeploy/lambda-platform.ts';
import type { Platform } from '../services/codedeploy/platform.ts';
import { ServerPlatform } from '../services/codedeploy/server-platform.ts';
import { bareName } from '../services/lambda/aliases.ts';
import { AliasFront } from '../shop/alias-front.ts';
import type { CodeDeployTarget, EcsTarget, LambdaTarget, ServerTarget } from './document.ts';
import { newVersion, oldVersion, type Ground, type OwnTarget } from './ground.ts';

const day = 86_400_000;
/** Sandbox seconds until a deployment moves its first traffic, so that whoever watches sees how it was before. */
const startSeconds = 45;
const canary = 'Rehearsal.LambdaCanary10Percent1Minute';

/** What differs between the platforms. */
interface Behind {
  readonly platform: Platform;
  readonly summary: string;
  readonly past: RevisionLocation;
  readonly next: RevisionLocation;
  /** Configuration of the group, so that the release takes as long as a Watch needs to see it; null: the platform's own default. */
  readonly config: string | null;
  url(): string;
  look(): { readonly isBack: boolean; readonly shown: string };
  stop(): Promise<void>;
}

export async function createCodeDeployTarget(ground: Ground, id: string, target: CodeDeployTarget): Promise<OwnTarget> {
  const { codedeploy } = ground;
  addConfigs(codedeploy, target);
  const behind = await behindOf(ground, id, target);
  const { application, deploymentGroup: name, platform } = target;
  if (!hasApplication(codedeploy, application)) codedeploy.createApplication(application, platform);
  codedeploy.createDeploymentGroup({ application, name, platform: behind.platform, ...(behind.config === null ? {} : { deploymentConfig: behind.config }) });
  codedeploy.recordPastDeployment({ application, group: name, revision: behind.past, completedAt: ground.sandbox.clock.now() - day });
  return new OwnDeployment({ ground, id, target, behind });
}

function behindOf(ground: Ground, id: string, target: CodeDeployTarget): Promise<Behind> {
  if (target.platform === 'Lambda') return behindLambda(ground, target);
  return target.platform === 'ECS' ? behindEcs(ground, id, target) : behindServer(ground, id, target);
}

function hasApplication(codedeploy: CodeDeploy, name: string): boolean {
  try {
    return codedeploy.application(name).name === name;
  } catch {
    return false;
  }
}

/** A configuration of the user's own account: nobody here knows its steps, so everything moves at once. */
function addConfigs(codedeploy: CodeDeploy, { deploymentConfig, platform }: CodeDeployTarget): void {
  codedeploy.configs.add({ name: canary, computePlatform: 'Lambda', traffic: { kind: 'canary', percent: 10, minutes: 1 } });
  if (deploymentConfig === undefined) return;
  try {
    codedeploy.configs.get(deploymentConfig);
  } catch {
    codedeploy.configs.add({ name: deploymentConfig, computePlatform: platform, traffic: platform === 'Server' ? { kind: 'batches', percent: 100 } : { kind: 'all-at-once' } });
  }
}

const appSpec = (resource: object): RevisionLocation => ({ revisionType: 'AppSpecContent', appSpecContent: { content: JSON.stringify({ version: '0.0', Resources: [{ TargetService: resource }] }) } });

async function behindLambda(ground: Ground, { functionName, alias }: LambdaTarget): Promise<Behind> {
  const { services } = ground.sandbox;
  const { aliases } = services;
  const name = bareName(functionName);
  ground.publishBoth(name);
  aliases.createAlias(name, alias, '1');
  const front = new AliasFront({ aliases, functionName: name, alias, releases: ground.releases, instance: ground.instance, metrics: services.cloudwatch });
  const port = await front.start();
  const spec = (CurrentVersion: string, TargetVersion: string): RevisionLocation => appSpec({ Type: 'AWS::Lambda::Function', Properties: { Name: functionName, Alias: alias, CurrentVersion, TargetVersion } });
  return {
    platform: new LambdaPlatform(aliases), past: spec('1', '1'), next: spec('1', '2'), config: canary,
    summary: `alias ${alias} of function ${name}; its version 1 is ${oldVersion}, its version 2 ${newVersion}`,
    url: () => `http://127.0.0.1:${port}`,
    look: () => {
      const { functionVersion, weights } = aliases.alias(name, alias);
      return { isBack: functionVersion === '1' && Object.keys(weights).length === 0, shown: `alias at version ${functionVersion}${Object.keys(weights).length === 0 ? '' : `, also ${JSON.stringify(weights)}`}` };
    },
    stop: () => front.stop(),
  };
}

async function behindEcs(ground: Ground, id: string, { cluster: clusterGiven, service: serviceGiven }: EcsTarget): Promise<Behind> {
  const [cluster, service] = [clusterGiven, serviceGiven].map((given) => given.split('/').at(-1) ?? given) as [string, string];
  const { ecs, releases, sandbox } = ground;
  const fleets = [ground.fleet(`${id}-one`), ground.fleet(`${id}-two`)] as const;
  await fleets[0].launch(ground.old, 1);
  const { listenerArn, url, close } = await ground.balanced(id, fleets.map(({ targetGroupArn }) => targetGroupArn));
  const [past, next] = [oldVersion, newVersion].map((version) => ecs.registerTaskDefinition(service, `registry/${service}:${version}`).arn) as [string, string];
  ecs.createService({ cluster, name: service, listenerArn, desiredCount: 1, fleets, taskDefinitionArn: past });
  const spec = (TaskDefinition: string): RevisionLocation => appSpec({ Type: 'AWS::ECS::Service', Properties: { TaskDefinition, LoadBalancerInfo: { ContainerName: service, ContainerPort: 80 } } });
  return {
    platform: new EcsPlatform({ ecs, elb: sandbox.services.loadBalancing, releases, cluster, service, startSeconds, terminationWaitMinutes: 1 }),
    past: spec(past), next: spec(next), config: null,
    summary: `service ${service} of cluster ${cluster} behind a listener of the sandbox's; task definition ${service}:1 is ${oldVersion}, ${service}:2 ${newVersion}`,
    url: () => url,
    look: () => {
      const primary = ecs.service(cluster, service).taskSets.find(({ status }) => status === 'PRIMARY');
      return { isBack: primary?.taskDefinitionArn === past && primary.trafficWeight === 100, shown: `primary task set runs ${primary?.taskDefinitionArn.split('/').at(-1) ?? 'nothing'} with ${primary?.trafficWeight ?? 0} % of its traffic` };
    },
    stop: async () => {
      await close();
      await Promise.all(fleets.map((fleet) => fleet.crash()));
    },
  };
}

async function behindServer(ground: Ground, id: string, { application }: ServerTarget): Promise<Behind> {
  const { releases, sandbox } = ground;
  const fleet = ground.fleet(`${id}-servers`);
  await fleet.launch(ground.old, 2);
  const { url, close } = await ground.balanced(id, [fleet.targetGroupArn]);
  const revision = (version: string): RevisionLocation => ({ revisionType: 'S3', s3Location: { bucket: `${application}-releases`, key: version, bundleType: 'zip', eTag: `etag-${version}` } });
  return {
    platform: new ServerPlatform({ fleet, elb: sandbox.services.loadBalancing, releases, installSeconds: startSeconds }),
    past: revision(oldVersion), next: revision(newVersion), config: 'CodeDeployDefault.HalfAtATime',
    summary: `two servers behind a listener of the sandbox's; revision s3://${application}-releases/${oldVersion}, then …/${newVersion}`,
    url: () => url,
    look: () => {
      const running = fleet.instances.map(({ version }) => version.name);
      return { isBack: running.every((name) => name === oldVersion), shown: `servers run ${running.join(', ')}` };
    },
    stop: async () => {
      await close();
      await fleet.crash();
    },
  };
}

interface OwnDeploymentParts {
  readonly ground: Ground;
  readonly id: string;
  readonly target: CodeDeployTarget;
  readonly behind: Behind;
}

export class OwnDeployment implements OwnTarget {
  readonly id: string;
  readonly summary: string;
  readonly spreadSeconds = 2;
  readonly #parts: OwnDeploymentParts;

  constructor(parts: OwnDeploymentParts) {
    const { id, target: { application, deploymentGroup, platform }, behind } = parts;
    this.#parts = parts;
    this.id = id;
    this.summary = `${application}/${deploymentGroup} (${platform}): ${behind.summary}`;
  }

  url(): string {
    return this.#parts.behind.url();
  }

  async release(): Promise<void> {
    await this.releaseAround(() => Promise.resolve());
  }

  /**
   * Deploys the new version, and calls back while the deployment runs: what else belongs to the same release.
   * @returns id of the deployment. @throws Error when it does not succeed.
   */
  async releaseAround(meanwhile: () => Promise<void>): Promise<string> {
    const { ground: { codedeploy, sandbox: { clock } }, target, behind } = this.#parts;
    const { id } = codedeploy.createDeployment({ applicationName: target.application, deploymentGroupName: target.deploymentGroup, revision: behind.next });
    await clock.sleep((startSeconds / 2) * 1000);
    await meanwhile();
    const ended = await codedeploy.settled(id);
    if (ended.status !== 'Succeeded') throw new Error(`the deployment ${id} of ${target.application}/${target.deploymentGroup} was ${ended.status}: ${ended.error?.message ?? ''}`);
    return id;
  }

  look(): { isBack: boolean; shown: string } {
    return this.#parts.behind.look();
  }

  stop(): Promise<void> {
    return this.#parts.behind.stop();
  }
}
