// The shop as an ECS service with rolling deployments: version 1.0.0 runs before the story begins, and ECS tells of each deployment itself.
import type { Sandbox } from '../sandbox.ts';
import { tellDeployments } from '../services/ecs/deployment-event.ts';
import { Ecs, type TaskDefinitionRecord } from '../services/ecs/ecs.ts';
import { RollingServices, type RollingServiceRecord } from '../services/ecs/rolling.ts';
import { ecsService } from '../services/ecs/service.ts';
import { loadBalancerDimension } from '../services/elbv2/records.ts';
import { Fleet } from '../shop/fleet.ts';
import { Shop } from '../shop/shop.ts';
import type { Sickness, Workload } from '../scenarios/scenario.ts';
import { MutableVersion, type DeployedRelease, type RunningWorkload, type Side } from './workload.ts';

const cluster = 'prod';
const service = 'shop';
const taskCount = 4;

export async function startEcsWorkload(sandbox: Sandbox): Promise<RunningWorkload> {
  const workload = new EcsWorkload(sandbox);
  await workload.start();
  return workload;
}

class EcsWorkload implements RunningWorkload {
  readonly announcesReleases = false;
  readonly #sandbox: Sandbox;
  readonly #shop: Shop;
  readonly #ecs: Ecs;
  readonly #rolling: RollingServices;
  readonly #versions = new Map<string, MutableVersion>();
  readonly #fleets = new Set<Fleet>();
  readonly #sickness: Record<Side, Sickness> = { blue: {}, green: {} };
  #service: RollingServiceRecord | null = null;

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
    const { clock, place, services } = sandbox;
    // Its tasks are started by ECS.
    this.#shop = new Shop({ elb: services.loadBalancing, clock, blue: this.#version('1.0.0'), instances: 0 });
    this.#ecs = new Ecs(place);
    this.#rolling = new RollingServices({ ecs: this.#ecs, place, clock });
    sandbox.register(ecsService(this.#ecs, this.#rolling));
  }

  async start(): Promise<void> {
    await this.#shop.start();
    const taskDefinitionArn = this.#ecs.registerTaskDefinition(service, `${service}:1.0.0`).arn;
    this.#service = await this.#rolling.create({ cluster, name: service, desiredCount: taskCount, taskDefinitionArn, start: (definition, count) => this.#launch(definition, count) });
    tellDeployments(this.#rolling, this.#sandbox.services.events);
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
      codedeploy: { application: '', deploymentGroup: '' },
      ecs: { cluster, service },
      metrics: { namespace: 'AWS/ApplicationELB', dimensions, requests: 'RequestCount', errors: 'HTTPCode_Target_5XX_Count', latency: 'TargetResponseTime' },
    };
  }

  readonly target = (): string => this.#shop.url;

  /** Blue is version 1.0.0, green every other. */
  sicken(side: Side, sickness: Sickness): void {
    this.#sickness[side] = sickness;
    for (const [name, version] of this.#versions) if (sideOf(name) === side) version.become(sickness);
  }

  /** Share of the tasks, percent. */
  weights(): Readonly<Record<string, number>> {
    const tasks = [...this.#fleets].flatMap(({ instances }) => instances);
    const old = tasks.filter(({ version }) => sideOf(version.name) === 'blue').length;
    return { blue: (100 * old) / Math.max(1, tasks.length), green: (100 * (tasks.length - old)) / Math.max(1, tasks.length) };
  }

  setWeights(): void {
    throw new Error('an ECS service with rolling deployments has no weights');
  }

  async deploy(version: string, { finish }: { readonly finish: boolean }): Promise<DeployedRelease> {
    if (this.#service === null) throw new Error('the service is not started');
    const { arn } = this.#ecs.registerTaskDefinition(service, `${service}:${version}`);
    this.#rolling.update(this.#service, arn);
    const { deployments: [deployment] } = this.#service;
    const isAwaited = (): boolean => finish && deployment?.rollout === 'IN_PROGRESS';
    while (isAwaited()) await this.#sandbox.clock.sleep(2000);
    return { releaseId: deployment?.id ?? '' };
  }

  async stopInstances(): Promise<void> {
    for (const fleet of this.#fleets) await fleet.crash();
  }

  async stop(): Promise<void> {
    await this.#rolling.stop();
    await this.#shop.stop();
  }

  #version(name: string): MutableVersion {
    const known = this.#versions.get(name);
    if (known !== undefined) return known;
    const version = new MutableVersion(name);
    version.become(this.#sickness[sideOf(name)]);
    this.#versions.set(name, version);
    return version;
  }

  /** The image's tag names the version. */
  async #launch({ image }: TaskDefinitionRecord, count: number): Promise<() => Promise<void>> {
    const fleet = new Fleet(this.#shop.blue.targetGroupArn, this.#sandbox.services.loadBalancing, this.#shop.instanceParts);
    this.#fleets.add(fleet);
    await fleet.launch(this.#version(image.split(':').at(-1) ?? image), count);
    return async () => {
      this.#fleets.delete(fleet);
      await fleet.terminate();
    };
  }
}

const sideOf = (version: string): Side => (version === '1.0.0' ? 'blue' : 'green');
