// The contract of a compute platform: how one deployment really moves its targets and its traffic.
import type { ComputePlatform, DeploymentTarget, ErrorInformation, LifecycleEvent, RevisionLocation } from '@aws-sdk/client-codedeploy';
import type { TrafficPlan } from './deployment-configs.ts';

export interface DeploymentRun {
  readonly deploymentId: string;
  readonly revision: RevisionLocation;
  readonly config: string;
  readonly traffic: TrafficPlan;
  /** For a rollback: the deployment that is undone. */
  readonly undoes: string | null;
  readonly now: () => number;
  /** Waits so many sandbox milliseconds. @throws DeploymentStopped as soon as the deployment is asked to stop. */
  wait(milliseconds: number): Promise<void>;
  /** Replaces the list of targets that the API shows. */
  show(targets: readonly DeploymentTarget[]): void;
  /** From now on the original tasks only wait to be terminated. */
  startTerminationWait(): void;
}

export interface Platform {
  readonly computePlatform: ComputePlatform;
  /** Does the whole deployment. @throws DeploymentFailed with the error that the API shows, DeploymentStopped when asked to stop. */
  deploy(run: DeploymentRun): Promise<void>;
}

export class DeploymentFailed extends Error {
  readonly information: ErrorInformation;
  constructor(code: NonNullable<ErrorInformation['code']>, message: string) {
    super(message);
    this.name = 'DeploymentFailed';
    this.information = { code, message };
  }
}

export class DeploymentStopped extends Error {
  constructor() {
    super('the deployment was asked to stop');
    this.name = 'DeploymentStopped';
  }
}

/** Lifecycle events by name, done so far and still to come. */
export function lifecycle(names: readonly string[], done: number, state: 'InProgress' | 'Succeeded' | 'Failed' | 'Skipped'): LifecycleEvent[] {
  return names.map((lifecycleEventName, index) => ({ lifecycleEventName, status: index < done ? 'Succeeded' : index === done ? state : 'Pending' }));
}
