// The life of one deployment: start, alarms watched while the platform works, end, and whether a rollback follows.
import type { AutoRollbackEvent, DeploymentTarget, ErrorInformation } from '@aws-sdk/client-codedeploy';
import { AwsError, type EventBusPort, type Place, type SandboxClock } from '../../aws/world.ts';
import { ClockStopped } from '../../clock.ts';
import type { Ids } from '../../ids.ts';
import { deploymentEvent, type EventState } from './deployment-event.ts';
import type { TrafficPlan } from './deployment-configs.ts';
import { DeploymentFailed, DeploymentStopped, type DeploymentRun } from './platform.ts';
import type { DeploymentRecord, GroupRecord } from './records.ts';

export interface RunParts {
  readonly place: Place;
  readonly clock: SandboxClock;
  readonly bus: EventBusPort;
  /** State of a CloudWatch alarm; null when there is none of the name. */
  readonly alarmState: (name: string) => 'OK' | 'ALARM' | 'INSUFFICIENT_DATA' | null;
  /** Default: by chance. */
  readonly ids?: Ids;
  /** Hears of each change that a deployment made as time went by: no AWS call tells of it, and the invariants must hold all the same. */
  readonly onChange?: (cause: string) => void;
}

const startsAfter = 1000;
const slice = 1000;
const alarmPoll = 10_000;

/** Runs to the end; resolves to whether an automatic rollback is due. Rejects only with a bug. */
export async function runDeployment(deployment: DeploymentRecord, group: GroupRecord, { parts, traffic }: { parts: RunParts; traffic: TrafficPlan }): Promise<boolean> {
  const emit = (state: EventState): void => void parts.bus.put(deploymentEvent(deployment, group, { place: parts.place, state }));
  const watch = new Watch(deployment, group, parts);
  try {
    await watch.wait(startsAfter);
    deployment.status = 'InProgress';
    deployment.startedAt = parts.clock.now();
    emit('START');
    watch.checkAlarms();
    await group.platform.deploy(runOf(deployment, { watch, parts, traffic }));
    end(deployment, 'Succeeded', parts);
    emit('SUCCESS');
    return false;
  } catch (error) {
    if (error instanceof ClockStopped) return false;
    if (error instanceof DeploymentStopped) {
      deployment.error = deployment.stop?.error ?? null;
      end(deployment, 'Stopped', parts);
      emit('STOP');
      return deployment.stop?.rollback === true;
    }
    deployment.error = informationOf(error);
    end(deployment, 'Failed', parts);
    emit('FAILURE');
    return rollsBackOn(deployment, group, 'DEPLOYMENT_FAILURE');
  }
}

/** Whether the deployment's (or else the group's) settings roll back on this event; a rollback never does. */
export function rollsBackOn({ input, creator }: DeploymentRecord, group: GroupRecord, event: AutoRollbackEvent): boolean {
  const { enabled, events = [] } = input.autoRollbackConfiguration ?? group.autoRollbackConfiguration;
  return creator !== 'codeDeployRollback' && enabled === true && events.includes(event);
}

function informationOf(error: unknown): ErrorInformation {
  if (error instanceof DeploymentFailed) return error.information;
  if (error instanceof AwsError) return { code: 'INVALID_REVISION', message: error.message };
  throw error;
}

function end(deployment: DeploymentRecord, status: 'Succeeded' | 'Failed' | 'Stopped', { clock }: RunParts): void {
  deployment.status = status;
  deployment.completedAt = clock.now();
  deployment.waitsForTermination = false;
}

const runOf = (deployment: DeploymentRecord, { watch, parts, traffic }: { watch: Watch; parts: RunParts; traffic: TrafficPlan }): DeploymentRun => ({
  deploymentId: deployment.id,
  revision: deployment.revision,
  config: deployment.config,
  traffic,
  undoes: deployment.rollbackInfo.rollbackTriggeringDeploymentId ?? null,
  now: () => parts.clock.now(),
  wait: (milliseconds) => watch.wait(milliseconds),
  show: (targets: readonly DeploymentTarget[]) => {
    deployment.targets = [...targets];
    parts.onChange?.(`deployment ${deployment.id} of ${deployment.application}/${deployment.group}`);
  },
  startTerminationWait: () => {
    deployment.waitsForTermination = true;
  },
});

/** Waits in slices, so that a stop or an alarm ends the wait soon. */
class Watch {
  readonly #deployment: DeploymentRecord;
  readonly #group: GroupRecord;
  readonly #parts: RunParts;
  #nextPoll = 0;

  constructor(deployment: DeploymentRecord, group: GroupRecord, parts: RunParts) {
    this.#deployment = deployment;
    this.#group = group;
    this.#parts = parts;
  }

  async wait(milliseconds: number): Promise<void> {
    const until = this.#parts.clock.now() + milliseconds;
    for (let left = milliseconds; left > 0; left = until - this.#parts.clock.now()) {
      this.#check();
      await this.#parts.clock.sleep(Math.min(slice, left));
    }
    this.#check();
  }

  // A rollback goes on under an active alarm: it is the answer to the alarm.
  checkAlarms(): void {
    const { enabled, ignorePollAlarmFailure, alarms = [] } = this.#deployment.input.overrideAlarmConfiguration ?? this.#group.alarmConfiguration;
    if (enabled !== true || this.#deployment.creator === 'codeDeployRollback') return;
    const states = alarms.map(({ name = '' }) => ({ name, state: this.#parts.alarmState(name) }));
    const unknown = states.filter(({ state }) => state === null).map(({ name }) => name);
    if (unknown.length > 0 && ignorePollAlarmFailure !== true) throw new DeploymentFailed('CODEDEPLOY_RESOURCE_CANNOT_BE_FOUND', `The status of the alarms could not be read: ${unknown.join(', ')}`);
    const active = states.filter(({ state }) => state === 'ALARM').map(({ name }) => name);
    if (active.length === 0 || this.#deployment.stop !== null) return;
    this.#deployment.stop = {
      error: { code: 'ALARM_ACTIVE', message: `One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the affected deployments have been stopped. Activated alarms: <${active.join('>, <')}>` },
      rollback: rollsBackOn(this.#deployment, this.#group, 'DEPLOYMENT_STOP_ON_ALARM'),
    };
  }

  #check(): void {
    const now = this.#parts.clock.now();
    if (this.#deployment.status === 'InProgress' && now >= this.#nextPoll) {
      this.#nextPoll = now + alarmPoll;
      this.checkAlarms();
    }
    if (this.#deployment.stop !== null) throw new DeploymentStopped();
  }
}
