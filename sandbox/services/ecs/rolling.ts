// ECS services with rolling deployments: new tasks beside the old ones, the old ones stopped afterwards, and the circuit breaker.
import { AwsError, type Place, type SandboxClock } from '../../aws/world.ts';
import { newTaskSetId, type Ecs, type TaskDefinitionRecord } from './ecs.ts';

export type EndOfDeployment = 'COMPLETED' | 'FAILED';

export interface RollingDeployment {
  readonly id: string;
  readonly taskDefinitionArn: string;
  readonly createdAt: number;
  updatedAt: number;
  status: 'PRIMARY' | 'ACTIVE';
  rollout: 'IN_PROGRESS' | EndOfDeployment;
  reason: string;
  running: number;
  failed: number;
}

/** Starts so many tasks, and gives back how to stop them. @throws Error when they cannot start, for example because the image is gone. */
export type StartTasks = (definition: TaskDefinitionRecord, count: number) => Promise<() => Promise<void>>;

export interface NewRollingService {
  readonly cluster: string;
  readonly name: string;
  readonly desiredCount: number;
  readonly taskDefinitionArn: string;
  /** Default: tasks are only counted. */
  readonly start?: StartTasks;
  /** Fails a deployment whose tasks do not start, and goes back to the last one that was completed; default true. */
  readonly circuitBreaker?: boolean;
  /** Sandbox seconds that tasks take to start, and as long to stop; default 20. */
  readonly taskSeconds?: number;
}

export interface RollingServiceRecord extends Required<Omit<NewRollingService, 'taskDefinitionArn'>> {
  readonly arn: string;
  /** The primary one first. */
  deployments: RollingDeployment[];
}

/** What a listener hears: as the events `SERVICE_DEPLOYMENT_IN_PROGRESS`, `…_COMPLETED` and `…_FAILED` tell it. */
export type OnDeployment = (service: RollingServiceRecord, deployment: RollingDeployment) => void;

/** Tasks that may fail to start before the circuit breaker gives up: its least threshold. */
const mostFailures = 3;

export class RollingServices {
  readonly #parts: { readonly ecs: Ecs; readonly place: Place; readonly clock: SandboxClock };
  readonly #services = new Map<string, RollingServiceRecord>();
  readonly #stops = new Map<string, () => Promise<void>>();
  readonly #lastCompleted = new Map<RollingServiceRecord, string>();
  readonly #listeners: OnDeployment[] = [];

  constructor(parts: { ecs: Ecs; place: Place; clock: SandboxClock }) {
    this.#parts = parts;
  }

  /** Resolves when its tasks run. */
  async create(given: NewRollingService): Promise<RollingServiceRecord> {
    const { ecs } = this.#parts;
    const service: RollingServiceRecord = {
      start: () => Promise.resolve(() => Promise.resolve()), circuitBreaker: true, taskSeconds: 20, ...given, arn: ecs.serviceArn(given.cluster, given.name), deployments: [],
    };
    const first = this.#primary(service, given.taskDefinitionArn, 'ECS deployment created.');
    await this.#launch(service, first);
    this.#end(service, first, 'COMPLETED');
    this.#services.set(`${given.cluster}/${given.name}`, service);
    return service;
  }

  /** Every later change of a deployment. */
  onDeployment(listener: OnDeployment): void {
    this.#listeners.push(listener);
  }

  find(cluster: string, service: string): RollingServiceRecord | undefined {
    return this.#services.get(`${cluster.split('/').at(-1) ?? ''}/${service.split('/').at(-1) ?? ''}`);
  }

  /** The same task definition makes no new deployment, unless forced. @throws AwsError `ClientException` for one that is not ACTIVE. */
  update(service: RollingServiceRecord, taskDefinition: string | undefined, isForced = false): void {
    const { ecs } = this.#parts;
    const current = service.deployments[0]?.taskDefinitionArn ?? '';
    const { arn, status } = taskDefinition === undefined ? ecs.taskDefinition(current) : ecs.taskDefinition(taskDefinition);
    if (status !== 'ACTIVE') throw new AwsError('ClientException', 'TaskDefinition is inactive');
    if (arn === current && !isForced) return;
    const deployment = this.#primary(service, arn, `ECS deployment in progress.`);
    void this.#roll(service, deployment).catch((error: unknown) => {
      if ((error as Error).name !== 'ClockStopped') throw error;
    });
  }

  /** Stops every task. */
  async stop(): Promise<void> {
    for (const stop of this.#stops.values()) await stop();
    this.#stops.clear();
  }

  #primary(service: RollingServiceRecord, taskDefinitionArn: string, reason: string): RollingDeployment {
    const now = this.#parts.clock.now();
    for (const other of service.deployments) other.status = 'ACTIVE';
    const deployment: RollingDeployment = { id: newTaskSetId(), taskDefinitionArn, createdAt: now, updatedAt: now, status: 'PRIMARY', rollout: 'IN_PROGRESS', reason, running: 0, failed: 0 };
    service.deployments = [deployment, ...service.deployments];
    this.#tell(service, deployment);
    return deployment;
  }

  async #roll(service: RollingServiceRecord, deployment: RollingDeployment): Promise<void> {
    const { clock } = this.#parts;
    while (deployment.running < service.desiredCount) {
      await clock.sleep(service.taskSeconds * 1000);
      if (deployment.status !== 'PRIMARY') return;
      await this.#launch(service, deployment);
      if (service.circuitBreaker && deployment.failed >= mostFailures) return this.#giveUp(service, deployment);
    }
    await clock.sleep(service.taskSeconds * 1000);
    if (deployment.status !== 'PRIMARY') return;
    await this.#stopOthers(service, deployment);
    if (deployment.status === 'PRIMARY') this.#end(service, deployment, 'COMPLETED');
  }

  async #launch(service: RollingServiceRecord, deployment: RollingDeployment): Promise<void> {
    try {
      this.#stops.set(deployment.id, await service.start(this.#parts.ecs.taskDefinition(deployment.taskDefinitionArn), service.desiredCount));
      deployment.running = service.desiredCount;
    } catch {
      deployment.failed += 1;
    }
    deployment.updatedAt = this.#parts.clock.now();
  }

  /** Marks the deployment as failed and deploys what was completed last, as the circuit breaker does with its rollback switched on. */
  #giveUp(service: RollingServiceRecord, deployment: RollingDeployment): void {
    deployment.reason = 'ECS deployment circuit breaker: tasks failed to start.';
    this.#end(service, deployment, 'FAILED');
    const last = this.#lastCompleted.get(service);
    if (last === undefined || last === deployment.taskDefinitionArn) return;
    const back = this.#primary(service, last, `ECS deployment circuit breaker: rolling back to deploymentId ${service.deployments.find(({ taskDefinitionArn }) => taskDefinitionArn === last)?.id ?? ''}.`);
    void this.#roll(service, back).catch((error: unknown) => {
      if ((error as Error).name !== 'ClockStopped') throw error;
    });
  }

  async #stopOthers(service: RollingServiceRecord, deployment: RollingDeployment): Promise<void> {
    for (const other of service.deployments.filter((one) => one !== deployment)) {
      await this.#stops.get(other.id)?.();
      this.#stops.delete(other.id);
      other.running = 0;
    }
    service.deployments = service.deployments.filter(({ id, running, status }) => id === deployment.id || status === 'PRIMARY' || running > 0);
  }

  #end(service: RollingServiceRecord, deployment: RollingDeployment, rollout: EndOfDeployment): void {
    deployment.rollout = rollout;
    deployment.updatedAt = this.#parts.clock.now();
    if (rollout === 'COMPLETED') {
      deployment.reason = `ECS deployment ${deployment.id} completed.`;
      this.#lastCompleted.set(service, deployment.taskDefinitionArn);
    }
    this.#tell(service, deployment);
  }

  #tell(service: RollingServiceRecord, deployment: RollingDeployment): void {
    for (const listener of this.#listeners) listener(service, deployment);
  }
}
