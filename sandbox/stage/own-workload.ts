// A service of the user's as a workload: every target of its catalogue entry, one of which carries the users' traffic, behind one local front.
import type { MetricsPort } from '../aws/world.ts';
import { AlbTargets } from '../own/alb-target.ts';
import { createAliasTarget } from '../own/alias-target.ts';
import { namespace } from '../own/alarms.ts';
import { createCodeDeployTarget, OwnDeployment } from '../own/codedeploy-target.ts';
import { createDnsTargets } from '../own/dns-target.ts';
import { rungsOf, type AlbTarget, type DnsTarget, type Service, type Target } from '../own/document.ts';
import type { Ground, OwnTarget } from '../own/ground.ts';
import { createParameterTarget } from '../own/parameter-target.ts';
import { createTasksTarget } from '../own/tasks-target.ts';
import type { Sickness, Workload } from '../scenarios/scenario.ts';
import { DnsFront } from '../shop/dns-front.ts';
import type { DeployedRelease, RunningWorkload, Side } from './workload.ts';

/** Sandbox milliseconds from the announcement of a release to its first change, so that whoever watches sees how it was before. */
const announcedMilliseconds = 60_000;

export async function startOwnWorkload(ground: Ground, service: Service, metrics: MetricsPort): Promise<OwnWorkload> {
  const primary = rungsOf(service)[0]?.[0]?.[0] ?? Object.keys(service.targets)[0] ?? '';
  const albs = new AlbTargets(ground);
  const targets: OwnTarget[] = [];
  const workload = new OwnWorkload({ ground, targets, albs, primary, metrics });
  try {
    const dns = await createDnsTargets(ground, ofStrategy<DnsTarget>(service, 'route53-weights'));
    targets.push(...dns);
    const balanced = ofStrategy<AlbTarget>(service, 'alb-weights');
    const defaultOf = (listenerArn: string): AlbTarget | undefined => Object.values(balanced).find((one) => one.listenerArn === listenerArn && one.ruleArn === undefined);
    for (const [id, target] of Object.entries(balanced)) targets.push(await albs.create(id, target, { isPrimary: id === primary, defaultOf }));
    for (const [id, target] of Object.entries(service.targets)) {
      const made = await createOther(ground, id, target);
      if (made !== null) targets.push(made);
    }
    const missing = Object.keys(service.targets).filter((id) => !targets.some((target) => target.id === id));
    if (missing.length > 0) throw new Error(`the sandbox cannot rehearse ${missing.map((id) => `target "${id}" of strategy ${service.targets[id]?.strategy ?? '?'}`).join(', ')}: nothing here can stand for it`);
    const order = Object.keys(service.targets);
    targets.sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
    await workload.start();
    return workload;
  } catch (error) {
    await workload.stop();
    throw error;
  }
}

/** Every target that shares nothing with others; null for one that does, or that nothing can stand for. */
async function createOther(ground: Ground, id: string, target: Target): Promise<OwnTarget | null> {
  switch (target.strategy) {
    case 'codedeploy': return await createCodeDeployTarget(ground, id, target);
    case 'ssm-parameter': return await createParameterTarget(ground, id, target);
    case 'lambda-alias': return await createAliasTarget(ground, id, target);
    case 'ecs-service': return await createTasksTarget(ground, id, target);
    default: return null;
  }
}

const ofStrategy = <Kind extends AlbTarget | DnsTarget>({ targets }: Service, strategy: Kind['strategy']): Record<string, Kind> =>
  Object.fromEntries(Object.entries(targets).filter((entry): entry is [string, Kind] => entry[1].strategy === strategy));

interface OwnWorkloadParts {
  readonly ground: Ground;
  readonly targets: readonly OwnTarget[];
  readonly albs: AlbTargets;
  /** Id of the target that carries the traffic. */
  readonly primary: string;
  readonly metrics: MetricsPort;
}

export class OwnWorkload implements RunningWorkload {
  readonly primary: string;
  readonly targets: readonly OwnTarget[];
  readonly #parts: OwnWorkloadParts;
  readonly #front: DnsFront;
  #isStarted = false;

  constructor(parts: OwnWorkloadParts) {
    const { targets, primary, metrics } = parts;
    this.#parts = parts;
    this.targets = targets;
    this.primary = primary;
    // Where the next request goes is asked of the primary target each time, as a client asks DNS.
    const resolver = { resolve: (): string => this.#carrier().url() };
    this.#front = new DnsFront({ resolver, metrics, namespace, urlOf: (url) => url });
  }

  async start(): Promise<void> {
    await this.#front.start();
    this.#isStarted = true;
  }

  /** CodeDeploy sends its own events; otherwise the pipeline does. */
  get announcesReleases(): boolean {
    return this.#deployments().length === 0;
  }

  get names(): Workload {
    const url = this.#front.url;
    return {
      url, host: new URL(url).host, listenerArn: '', loadBalancer: '', targetGroups: { blue: '', green: '' }, hostedZoneId: '', recordName: '', codedeploy: { application: '', deploymentGroup: '' },
      metrics: { namespace, dimensions: {}, requests: 'Requests', errors: 'Errors', latency: 'Latency' },
    };
  }

  readonly target = (): string => this.#front.url;

  sicken(side: Side, sickness: Sickness): void {
    const { ground } = this.#parts;
    (side === 'blue' ? ground.old : ground.fresh).become(sickness);
  }

  /** 1 for a target on which the old version has everything. */
  weights(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.targets.map((target) => [target.id, Number(target.look().isBack)]));
  }

  setWeights(): void {
    throw new Error('the weights of a rehearsed service belong to its targets');
  }

  stopInstances(): Promise<void> {
    throw new Error('the instances of a rehearsed service belong to its targets');
  }

  /** One release of all targets; the weights move while the last deployment runs, so that it is one change for whoever watches. */
  async deploy(version: string): Promise<DeployedRelease> {
    const { clock } = this.#parts.ground.sandbox;
    const deployments = this.#deployments();
    const weighted = this.targets.filter((target) => !(target instanceof OwnDeployment));
    const shift = async (): Promise<void> => {
      for (const target of weighted) await target.release();
    };
    let releaseId = `release-${version}`;
    if (deployments.length === 0) {
      await clock.sleep(announcedMilliseconds);
      await shift();
    }
    for (const [index, deployment] of deployments.entries()) releaseId = await deployment.releaseAround(index === deployments.length - 1 ? shift : () => Promise.resolve());
    await clock.sleep(Math.max(...this.targets.map(({ spreadSeconds }) => spreadSeconds)) * 1000);
    return { releaseId };
  }

  async stop(): Promise<void> {
    if (this.#isStarted) await this.#front.stop();
    this.#isStarted = false;
    for (const target of this.targets) await target.stop();
    await this.#parts.albs.stop();
  }

  #carrier(): OwnTarget {
    const found = this.targets.find(({ id }) => id === this.primary);
    if (found === undefined) throw new Error(`there is no target ${this.primary}`);
    return found;
  }

  #deployments(): OwnDeployment[] {
    return this.targets.filter((target) => target instanceof OwnDeployment);
  }
}
