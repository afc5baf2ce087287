// ECS blue/green deployments: a replacement task set in the other target group, traffic moved by the listener, the original kept for a while.
import type { ECSTaskSet } from '@aws-sdk/client-codedeploy';
import { AwsError } from '../../aws/world.ts';
import type { Fleet } from '../../shop/fleet.ts';
import type { Releases } from '../../shop/version.ts';
import { newTaskSetId, type Ecs, type EcsServiceRecord, type TaskSetRecord } from '../ecs/ecs.ts';
import type { LoadBalancing } from '../elbv2/load-balancing.ts';
import { shiftSteps } from './deployment-configs.ts';
import { DeploymentFailed, lifecycle, type DeploymentRun, type Platform } from './platform.ts';
import { ecsAppSpec } from './revisions.ts';

export interface EcsPlatformParts {
  readonly ecs: Ecs;
  readonly elb: LoadBalancing;
  readonly releases: Releases;
  readonly cluster: string;
  readonly service: string;
  /** Sandbox minutes that the original tasks are kept after the traffic moved; default 5. */
  readonly terminationWaitMinutes?: number;
  /** Sandbox seconds that a task takes to start; default 20. */
  readonly startSeconds?: number;
}

const events = ['BeforeInstall', 'Install', 'AfterInstall', 'BeforeAllowTraffic', 'AllowTraffic', 'AfterAllowTraffic'];

export class EcsPlatform implements Platform {
  readonly computePlatform = 'ECS';
  readonly #parts: EcsPlatformParts;
  /** Deployment to the task set that it found in service: where its rollback goes back to. */
  readonly #originals = new Map<string, TaskSetRecord>();

  constructor(parts: EcsPlatformParts) {
    this.#parts = parts;
  }

  async deploy(run: DeploymentRun): Promise<void> {
    const service = this.#parts.ecs.service(this.#parts.cluster, this.#parts.service);
    const original = (run.undoes === null ? undefined : this.#originals.get(run.undoes)) ?? primaryOf(service);
    this.#originals.set(run.deploymentId, original);
    // A stopped deployment leaves both task sets: the rollback sends the traffic back to the original and drops the replacement.
    const leftover = service.taskSets.find((set) => set !== original);
    if (run.undoes !== null && leftover !== undefined) return await this.#goBack(run, { service, original, replacement: leftover });
    if (leftover !== undefined) await this.#drop(service, leftover);
    const replacement = await this.#start(run, service, original);
    await this.#shift(run, { service, original, replacement });
    // PRIMARY is the task set that serves production traffic, from the moment when it does.
    serve(replacement, original);
    run.startTerminationWait();
    await run.wait((this.#parts.terminationWaitMinutes ?? 5) * 60_000);
    await this.#drop(service, original);
    this.#show(run, { service, done: events.length });
  }

  async #start(run: DeploymentRun, service: EcsServiceRecord, original: TaskSetRecord): Promise<TaskSetRecord> {
    const definition = this.#definition(ecsAppSpec(run.revision).taskDefinition);
    const version = this.#parts.releases.find(definition.image.split(':').at(-1) ?? '');
    if (version === undefined) throw new DeploymentFailed('ECS_UPDATE_ERROR', `CannotPullContainerError: the image ${definition.image} does not exist`);
    const fleet = otherFleet(service, original);
    const replacement: TaskSetRecord = { id: newTaskSetId(), taskDefinitionArn: definition.arn, fleet, status: 'ACTIVE', trafficWeight: 0 };
    service.taskSets = [...service.taskSets, replacement];
    this.#show(run, { service, done: 1 });
    await run.wait((this.#parts.startSeconds ?? 20) * 1000);
    await fleet.launch(version, service.desiredCount);
    return replacement;
  }

  #definition(reference: string): { arn: string; image: string } {
    try {
      const definition = this.#parts.ecs.taskDefinition(reference);
      if (definition.status === 'ACTIVE') return definition;
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
    }
    throw new DeploymentFailed('ECS_UPDATE_ERROR', `The ECS service cannot be updated due to an unexpected error: TaskDefinition ${reference} is inactive or does not exist (Error code: ClientException)`);
  }

  async #shift(run: DeploymentRun, { service, original, replacement }: Move): Promise<void> {
    for (const { percent, waitMilliseconds } of shiftSteps(run.traffic)) {
      this.#route(service, { original, replacement, percent });
      this.#show(run, { service, done: 4 });
      await run.wait(Math.max(1000, waitMilliseconds));
    }
  }

  async #goBack(run: DeploymentRun, { service, original, replacement }: Move): Promise<void> {
    await run.wait(1000);
    this.#route(service, { original, replacement, percent: 0 });
    serve(original, replacement);
    await run.wait(2000);
    await this.#drop(service, replacement);
    this.#show(run, { service, done: events.length });
  }

  // Both groups stay in the forward action, one with weight 0, so that both are health-checked. Everything else in the list is kept.
  #route({ listenerArn }: EcsServiceRecord, { original, replacement, percent }: { original: TaskSetRecord; replacement: TaskSetRecord; percent: number }): void {
    const { elb } = this.#parts;
    original.trafficWeight = 100 - percent;
    replacement.trafficWeight = percent;
    const TargetGroups = [original, replacement].map(({ fleet, trafficWeight }) => ({ TargetGroupArn: fleet.targetGroupArn, Weight: trafficWeight }));
    elb.modifyListener(listenerArn, elb.listener(listenerArn).actions.current.map((action) => (action.Type === 'forward' ? { Type: 'forward', Order: action.Order, ForwardConfig: { ...action.ForwardConfig, TargetGroups } } : action)));
  }

  async #drop(service: EcsServiceRecord, set: TaskSetRecord): Promise<void> {
    set.status = 'DRAINING';
    service.taskSets = service.taskSets.filter((each) => each !== set);
    await set.fleet.terminate();
  }

  #show(run: DeploymentRun, { service, done }: { service: EcsServiceRecord; done: number }): void {
    run.show([{
      deploymentTargetType: 'ECSTarget',
      ecsTarget: {
        deploymentId: run.deploymentId, targetId: `${service.cluster}:${service.name}`, targetArn: service.arn, status: done === events.length ? 'Succeeded' : 'InProgress', lastUpdatedAt: new Date(run.now()),
        lifecycleEvents: lifecycle(events, done, 'InProgress'), taskSetsInfo: service.taskSets.map((set) => taskSetShown(set, service)),
      },
    }]);
  }
}

interface Move {
  readonly service: EcsServiceRecord;
  readonly original: TaskSetRecord;
  readonly replacement: TaskSetRecord;
}

function primaryOf({ name, taskSets }: EcsServiceRecord): TaskSetRecord {
  const primary = taskSets.find(({ status }) => status === 'PRIMARY');
  if (primary === undefined) throw new DeploymentFailed('INVALID_ECS_SERVICE', `The service ${name} has no primary task set.`);
  return primary;
}

function serve(primary: TaskSetRecord, other: TaskSetRecord): void {
  primary.status = 'PRIMARY';
  other.status = 'ACTIVE';
}

const otherFleet = ({ fleets }: EcsServiceRecord, { fleet }: TaskSetRecord): Fleet => (fleets[0] === fleet ? fleets[1] : fleets[0]);

const taskSetShown = ({ id, fleet, status, trafficWeight }: TaskSetRecord, { desiredCount, fleets }: EcsServiceRecord): ECSTaskSet => ({
  identifer: id, desiredCount, pendingCount: 0, runningCount: fleet.instances.filter(({ isRunning }) => isRunning).length, status, trafficWeight,
  targetGroup: { name: fleet.targetGroupArn.split('/')[1] }, taskSetLabel: fleet === fleets[0] ? 'Blue' : 'Green',
});
