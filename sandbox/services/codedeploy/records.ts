// What the sandbox keeps of applications, deployment groups, revisions and deployments.
import type {
  AlarmConfiguration, AutoRollbackConfiguration, ComputePlatform, CreateDeploymentInput, DeploymentCreator, DeploymentStatus, DeploymentTarget, ErrorInformation, RevisionLocation, RollbackInfo,
} from '@aws-sdk/client-codedeploy';
import type { Platform } from './platform.ts';

export interface RevisionRecord {
  readonly location: RevisionLocation;
  readonly description: string | undefined;
  readonly registeredAt: number;
  firstUsedAt: number | null;
  lastUsedAt: number | null;
  readonly groups: Set<string>;
}

export interface ApplicationRecord {
  readonly name: string;
  readonly computePlatform: ComputePlatform;
  readonly revisions: Map<string, RevisionRecord>;
}

export interface GroupRecord {
  readonly id: string;
  readonly application: string;
  readonly name: string;
  readonly platform: Platform;
  readonly deploymentConfig: string;
  alarmConfiguration: AlarmConfiguration;
  autoRollbackConfiguration: AutoRollbackConfiguration;
}

/** Why a deployment was asked to stop. */
export interface StopRequest {
  readonly error: ErrorInformation;
  readonly rollback: boolean;
}

export interface DeploymentRecord {
  readonly id: string;
  readonly application: string;
  readonly group: string;
  readonly revision: RevisionLocation;
  readonly previousRevision: RevisionLocation | null;
  readonly config: string;
  readonly creator: DeploymentCreator;
  readonly input: Partial<CreateDeploymentInput>;
  readonly createdAt: number;
  startedAt: number | null;
  completedAt: number | null;
  status: DeploymentStatus;
  error: ErrorInformation | null;
  rollbackInfo: RollbackInfo;
  stop: StopRequest | null;
  /** ECS only: the original tasks are kept for a while after the traffic moved. */
  waitsForTermination: boolean;
  targets: DeploymentTarget[];
}

export const endStatuses: readonly DeploymentStatus[] = ['Succeeded', 'Failed', 'Stopped'];

export const isOver = ({ status }: DeploymentRecord): boolean => endStatuses.includes(status);
