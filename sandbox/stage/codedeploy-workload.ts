// The shop on a fleet that CodeDeploy deploys to in place: version 1.0.0 is there before the story begins.
import type { RevisionLocation } from '@aws-sdk/client-codedeploy';
import type { Sandbox } from '../sandbox.ts';
import { loadBalancerDimension } from '../services/elbv2/records.ts';
import { CodeDeploy } from '../services/codedeploy/codedeploy.ts';
import { ServerPlatform } from '../services/codedeploy/server-platform.ts';
import { codeDeployService } from '../services/codedeploy/service.ts';
import { Shop } from '../shop/shop.ts';
import type { Sickness, Workload } from '../scenarios/scenario.ts';
import { alarms } from '../scenarios/shop-service.ts';
import { MutableVersion, type DeployedRelease, type RunningWorkload, type Side } from './workload.ts';

const application = 'shop';
const deploymentGroup = 'prod';
const day = 86_400_000;

const revisionOf = (version: string): RevisionLocation => ({
  revisionType: 'S3', s3Location: { bucket: 'shop-releases', key: version, bundleType: 'zip', eTag: `etag-${version}` },
});

export async function startCodeDeployWorkload(sandbox: Sandbox): Promise<RunningWorkload> {
  const workload = new CodeDeployWorkload(sandbox);
  await workload.start();
  return workload;
}

class CodeDeployWorkload implements RunningWorkload {
  readonly announcesReleases = false;
  readonly #sandbox: Sandbox;
  readonly #shop: Shop;
  readonly #codedeploy: CodeDeploy;
  readonly #old = new MutableVersion('1.0.0');
  readonly #sickness: Record<Side, Sickness> = { blue: {}, green: {} };
  #new: MutableVersion | null = null;

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
    const { clock, place, services } = sandbox;
    this.#shop = new Shop({ elb: services.loadBalancing, clock, blue: this.#old, instances: 4 });
    this.#codedeploy = new CodeDeploy({ clock, place, bus: services.events, alarmState: (name) => services.cloudwatch.alarmState(name), onChange: (cause) => void sandbox.calls.checkInvariants(cause) });
    this.#codedeploy.createApplication(application, 'Server');
    this.#codedeploy.createDeploymentGroup({
      application, name: deploymentGroup, deploymentConfig: 'CodeDeployDefault.HalfAtATime',
      platform: new ServerPlatform({ fleet: this.#shop.blue, elb: services.loadBalancing, releases: this.#shop.releases, installSeconds: 60 }),
      // The very alarm that starts the rollback would stop the redeploy that mends it.
      alarmConfiguration: { enabled: true, alarms: [{ name: alarms.errors }], ignorePollAlarmFailure: false },
    });
    sandbox.register(codeDeployService(this.#codedeploy));
  }

  async start(): Promise<void> {
    await this.#shop.start();
    this.#codedeploy.recordPastDeployment({ application, group: deploymentGroup, revision: revisionOf('1.0.0'), completedAt: this.#sandbox.clock.now() - day });
  }

  get names(): Workload {
    const { url, listenerArn, loadBalancerArn, blue, green } = this.#shop;
    const dimensions = { LoadBalancer: loadBalancerDimension(loadBalancerArn) };
    return {
      url,
      host: new URL(url).host,
      listenerArn,
      loadBalancer: dimensions.LoadBalancer,
      targetGroups: { blue: blue.targetGroupArn, green: green.targetGroupArn },
      hostedZoneId: '',
      recordName: '',
      codedeploy: { application, deploymentGroup },
      metrics: { namespace: 'AWS/ApplicationELB', dimensions, requests: 'RequestCount', errors: 'HTTPCode_Target_5XX_Count', latency: 'TargetResponseTime' },
    };
  }

  readonly target = (): string => this.#shop.url;

  sicken(side: Side, sickness: Sickness): void {
    this.#sickness[side] = sickness;
    (side === 'blue' ? this.#old : this.#new)?.become(sickness);
  }

  /** Share of the fleet on the old version (blue) and on any newer one (green), percent. */
  weights(): Readonly<Record<string, number>> {
    const { instances } = this.#shop.blue;
    const old = instances.filter((instance) => instance.version.name === this.#old.name).length;
    return { blue: (100 * old) / instances.length, green: (100 * (instances.length - old)) / instances.length };
  }

  setWeights(): void {
    throw new Error('a fleet deployed in place has no weights');
  }

  async deploy(version: string, { finish }: { readonly finish: boolean }): Promise<DeployedRelease> {
    this.#new = new MutableVersion(version);
    this.#new.become(this.#sickness.green);
    this.#shop.releases.add(this.#new);
    // A deployment that is to be caught in the act is slow, and nothing of CodeDeploy's own stops it first.
    const pace = finish ? { deploymentConfigName: 'CodeDeployDefault.AllAtOnce' } : { deploymentConfigName: 'CodeDeployDefault.OneAtATime', overrideAlarmConfiguration: { enabled: false } };
    const deployment = this.#codedeploy.createDeployment({ applicationName: application, deploymentGroupName: deploymentGroup, revision: revisionOf(version), ...pace });
    if (finish) await this.#codedeploy.settled(deployment.id);
    return { releaseId: deployment.id };
  }

  async stopInstances(side: Side): Promise<void> {
    await this.#shop[side].crash();
  }

  stop(): Promise<void> {
    return this.#shop.stop();
  }
}
