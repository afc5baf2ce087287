// ECS of the sandbox, as much as blue/green deployments need: services with task sets, and task definitions.
import { randomBytes } from 'node:crypto';
import { AwsError, type Place } from '../../aws/world.ts';
import type { Fleet } from '../../shop/fleet.ts';

export interface TaskDefinitionRecord {
  readonly arn: string;
  readonly family: string;
  readonly revision: number;
  /** The tag names the release, for example `shop:checkout-2.0.0`. */
  readonly image: string;
  status: 'ACTIVE' | 'INACTIVE';
}

export interface TaskSetRecord {
  readonly id: string;
  readonly taskDefinitionArn: string;
  /** Its tasks, in the target group of its side. */
  readonly fleet: Fleet;
  status: 'PRIMARY' | 'ACTIVE' | 'DRAINING';
  /** Percent of the production traffic. */
  trafficWeight: number;
}

export interface EcsServiceRecord {
  readonly arn: string;
  readonly cluster: string;
  readonly name: string;
  readonly listenerArn: string;
  readonly desiredCount: number;
  /** The two sides between which deployments go. */
  readonly fleets: readonly [Fleet, Fleet];
  taskSets: TaskSetRecord[];
}

export const newTaskSetId = (): string => `ecs-svc/${BigInt(`0x${randomBytes(8).toString('hex')}`).toString().slice(0, 19)}`;

export class Ecs {
  readonly #place: Place;
  readonly #definitions = new Map<string, TaskDefinitionRecord>();
  readonly #services = new Map<string, EcsServiceRecord>();

  constructor(place: Place) {
    this.#place = place;
  }

  registerTaskDefinition(family: string, image: string): TaskDefinitionRecord {
    const revision = [...this.#definitions.values()].filter((definition) => definition.family === family).length + 1;
    const definition: TaskDefinitionRecord = { arn: this.#arn(`task-definition/${family}:${revision}`), family, revision, image, status: 'ACTIVE' };
    this.#definitions.set(definition.arn, definition);
    return definition;
  }

  /** It stays visible as INACTIVE; new tasks cannot be started from it. */
  deregisterTaskDefinition(arn: string): void {
    this.taskDefinition(arn).status = 'INACTIVE';
  }

  /** By ARN or `family:revision`. @throws AwsError `ClientException`. */
  taskDefinition(reference: string): TaskDefinitionRecord {
    const found = this.#definitions.get(reference) ?? this.#definitions.get(this.#arn(`task-definition/${reference}`));
    if (found === undefined) throw new AwsError('ClientException', 'Unable to describe task definition.');
    return found;
  }

  /** A service under CodeDeploy's control; `fleet` of the first side already runs the task definition. */
  createService(service: { cluster: string; name: string; listenerArn: string; desiredCount: number; fleets: readonly [Fleet, Fleet]; taskDefinitionArn: string }): EcsServiceRecord {
    const { cluster, name, listenerArn, desiredCount, fleets, taskDefinitionArn } = service;
    const record: EcsServiceRecord = {
      arn: this.#arn(`service/${cluster}/${name}`), cluster, name, listenerArn, desiredCount, fleets,
      taskSets: [{ id: newTaskSetId(), taskDefinitionArn, fleet: fleets[0], status: 'PRIMARY', trafficWeight: 100 }],
    };
    this.#services.set(`${cluster}/${name}`, record);
    return record;
  }

  find(cluster: string, service: string): EcsServiceRecord | undefined {
    return this.#services.get(`${cluster.split('/').at(-1) ?? ''}/${service.split('/').at(-1) ?? ''}`);
  }

  /** @throws AwsError `ServiceNotFoundException`. */
  service(cluster: string, service: string): EcsServiceRecord {
    const found = this.find(cluster, service);
    if (found === undefined) throw new AwsError('ServiceNotFoundException', 'Service not found.');
    return found;
  }

  serviceArn(cluster: string, service: string): string {
    return service.startsWith('arn:') ? service : this.#arn(`service/${cluster.split('/').at(-1) ?? ''}/${service}`);
  }

  #arn(resource: string): string {
    return `arn:aws:ecs:${this.#place.region}:${this.#place.account}:${resource}`;
  }
}
