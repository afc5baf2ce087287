// The shop behind a load balancer: a release installs the new version on green and shifts the listener's weights to it.
import type { Sandbox } from '../sandbox.ts';
import { LoadBalancing } from '../services/elbv2/load-balancing.ts';
import { loadBalancerDimension } from '../services/elbv2/records.ts';
import { Shop } from '../shop/shop.ts';
import type { Sickness, Workload } from '../scenarios/scenario.ts';
import { MutableVersion, type DeployedRelease, type RunningWorkload, type Side } from './workload.ts';

/** Sandbox time a new fleet takes to start, so that whoever announces a release first is heard first. */
const fleetStartMilliseconds = 60_000;

/** Each name is a service behind a load balancer of its own; in another Region it is measured there, and unknown to the sandbox's own. */
export async function startLoadBalancerWorkload(sandbox: Sandbox, name = 'shop', region = sandbox.place.region): Promise<RunningWorkload> {
  const workload = new LoadBalancerWorkload(sandbox, name, loadBalancingIn(sandbox, region));
  await workload.start();
  return workload;
}

function loadBalancingIn(sandbox: Sandbox, region: string): LoadBalancing {
  const { services, place, clock } = sandbox;
  if (region === place.region) return services.loadBalancing;
  const elsewhere = new LoadBalancing({ place: { ...place, region }, clock, metrics: services.cloudwatch.portIn(region) });
  sandbox.onStop(() => elsewhere.stop());
  return elsewhere;
}

class LoadBalancerWorkload implements RunningWorkload {
  readonly announcesReleases = true;
  readonly #sandbox: Sandbox;
  readonly #elb: LoadBalancing;
  readonly #shop: Shop;
  readonly #versions: Record<Side, MutableVersion> = { blue: new MutableVersion('1.0.0'), green: new MutableVersion('0.9.0') };
  readonly #sickness: Record<Side, Sickness> = { blue: {}, green: {} };

  constructor(sandbox: Sandbox, name: string, elb: LoadBalancing) {
    this.#sandbox = sandbox;
    this.#elb = elb;
    this.#shop = new Shop({
      name, elb, clock: sandbox.clock, blue: this.#versions.blue, green: this.#versions.green, instances: 2,
    });
  }

  start(): Promise<void> {
    return this.#shop.start();
  }

  get names(): Workload {
    const { url, listenerArn, loadBalancerArn, blue, green } = this.#shop;
    return {
      url,
      host: new URL(url).host,
      listenerArn,
      loadBalancer: loadBalancerDimension(loadBalancerArn),
      targetGroups: { blue: blue.targetGroupArn, green: green.targetGroupArn },
      hostedZoneId: '',
      recordName: '',
      codedeploy: { application: '', deploymentGroup: '' },
      metrics: { namespace: 'AWS/ApplicationELB', dimensions: { LoadBalancer: loadBalancerDimension(loadBalancerArn) }, requests: 'RequestCount', errors: 'HTTPCode_Target_5XX_Count', latency: 'TargetResponseTime' },
    };
  }

  readonly target = (): string => this.#shop.url;

  callsTo(url: () => string): void {
    this.#shop.backend.callsTo(url);
  }

  sicken(side: Side, sickness: Sickness): void {
    this.#sickness[side] = sickness;
    this.#versions[side].become(sickness);
  }

  weights(): Readonly<Record<string, number>> {
    const forward = this.#elb.listener(this.#shop.listenerArn).actions.current.find((action) => action.Type === 'forward');
    const weightOf = (arn: string): number => forward?.ForwardConfig?.TargetGroups?.find((group) => group.TargetGroupArn === arn)?.Weight ?? 0;
    return { blue: weightOf(this.#shop.blue.targetGroupArn), green: weightOf(this.#shop.green.targetGroupArn) };
  }

  setWeights(weights: Readonly<Record<Side, number>>): void {
    this.#shop.shift(weights);
  }

  deploy(version: string): Promise<DeployedRelease> {
    return this.canary(version, 100);
  }

  async canary(version: string, percent: number): Promise<DeployedRelease> {
    this.#versions.green = new MutableVersion(version);
    this.#versions.green.become(this.#sickness.green);
    await Promise.all(this.#shop.green.instances.map((instance) => instance.install(this.#versions.green)));
    await this.#sandbox.clock.sleep(fleetStartMilliseconds);
    this.#shop.shift({ blue: 100 - percent, green: percent });
    await this.#sandbox.clock.sleep(2000);
    return { releaseId: `release-${version}` };
  }

  async stopInstances(side: Side): Promise<void> {
    await this.#shop[side].crash();
  }

  stop(): Promise<void> {
    return this.#shop.stop();
  }
}
