// CodeDeploy of the sandbox: applications, groups, and deployments that take time and really shift the shop's traffic.
import type { AlarmConfiguration, AutoRollbackConfiguration, ComputePlatform, CreateDeploymentInput, DeploymentCreator, RevisionLocation, StopDeploymentOutput } from '@aws-sdk/client-codedeploy';
import { AwsError } from '../../aws/world.ts';
import { byChance, uuid, type Ids } from '../../ids.ts';
import { DeploymentConfigs } from './deployment-configs.ts';
import type { Platform } from './platform.ts';
import { isOver, type ApplicationRecord, type DeploymentRecord, type GroupRecord, type RevisionRecord } from './records.ts';
import { acceptedRevision, revisionKey } from './revisions.ts';
import { rollsBackOn, runDeployment, type RunParts } from './run-deployment.ts';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const newDeploymentId = (ids: Ids): string => `d-${[...ids.bytes('deployment', 9)].map((byte) => alphabet[byte % alphabet.length]).join('')}`;

interface NewDeployment {
  readonly group: GroupRecord;
  readonly revision: RevisionLocation;
  readonly creator: DeploymentCreator;
  readonly input: Partial<CreateDeploymentInput>;
  /** Default now. */
  readonly createdAt?: number;
}

/** Deployments in progress in one account (CodeDeploy user guide, "CodeDeploy limits"). */
const concurrentDeployments = 1000;

export interface CodeDeployParts extends RunParts {
  /** How many deployments may be in progress; default as AWS lets an account. */
  readonly atOnce?: number;
}

export class CodeDeploy {
  readonly configs = new DeploymentConfigs();
  readonly parts: CodeDeployParts;
  readonly #applications = new Map<string, ApplicationRecord>();
  readonly #groups = new Map<string, GroupRecord>();
  readonly #deployments = new Map<string, DeploymentRecord>();
  readonly #running = new Map<string, Promise<void>>();

  constructor(parts: CodeDeployParts) {
    this.parts = parts;
  }

  createApplication(name: string, computePlatform: ComputePlatform): void {
    this.#applications.set(name, { name, computePlatform, revisions: new Map() });
  }

  /** @throws AwsError when the application does not exist, or is of another platform. */
  createDeploymentGroup(group: {
    application: string; name: string; platform: Platform; deploymentConfig?: string; alarmConfiguration?: AlarmConfiguration; autoRollbackConfiguration?: AutoRollbackConfiguration;
  }): void {
    const { application, name, platform, deploymentConfig, alarmConfiguration = { enabled: false, alarms: [] }, autoRollbackConfiguration = { enabled: false, events: [] } } = group;
    if (this.application(application).computePlatform !== platform.computePlatform) throw new AwsError('InvalidInputException', `The application ${application} is for ${this.application(application).computePlatform}`);
    const config = this.configs.get(deploymentConfig ?? DeploymentConfigs.defaultFor(platform.computePlatform)).name;
    this.#groups.set(`${application}/${name}`, { id: uuid(this.parts.ids ?? byChance, 'deployment group'), application, name, platform, deploymentConfig: config, alarmConfiguration, autoRollbackConfiguration });
  }

  /** @throws AwsError `ApplicationDoesNotExistException`. */
  application(name: string): ApplicationRecord {
    const found = this.#applications.get(name);
    if (found === undefined) throw new AwsError('ApplicationDoesNotExistException', `No application found for name: ${name}`);
    return found;
  }

  /** @throws AwsError `ApplicationDoesNotExistException`, `DeploymentGroupDoesNotExistException`. */
  group(application: string, name: string): GroupRecord {
    this.application(application);
    const found = this.#groups.get(`${application}/${name}`);
    if (found === undefined) throw new AwsError('DeploymentGroupDoesNotExistException', `No Deployment Group found for name: ${name}`);
    return found;
  }

  /** @throws AwsError `DeploymentDoesNotExistException`. */
  deployment(id: string): DeploymentRecord {
    const found = this.#deployments.get(id);
    if (found === undefined) throw new AwsError('DeploymentDoesNotExistException', `The deployment ${id} could not be found`);
    return found;
  }

  find(id: string): DeploymentRecord | undefined {
    return this.#deployments.get(id);
  }

  /** In the order in which they were created; everything without a group given. */
  deployments(application?: string, group?: string): DeploymentRecord[] {
    return [...this.#deployments.values()].filter((each) => (application === undefined || each.application === application) && (group === undefined || each.group === group));
  }

  /** The group's newest successful deployment, or null. */
  lastSuccessful(application: string, group: string): DeploymentRecord | null {
    return this.deployments(application, group).filter(({ status }) => status === 'Succeeded').toSorted((a, b) => (a.completedAt ?? 0) - (b.completedAt ?? 0)).at(-1) ?? null;
  }

  registerRevision(application: string, revision: RevisionLocation, description?: string): RevisionRecord {
    const { revisions } = this.application(application);
    const location = acceptedRevision(revision);
    const known = revisions.get(revisionKey(location));
    if (known !== undefined) return known;
    const record: RevisionRecord = { location, description, registeredAt: this.parts.clock.now(), firstUsedAt: null, lastUsedAt: null, groups: new Set() };
    revisions.set(revisionKey(location), record);
    return record;
  }

  /** Writes a successful deployment into the history without running it: what was there before the story begins. */
  recordPastDeployment({ application, group, revision, completedAt = this.parts.clock.now() }: { application: string; group: string; revision: RevisionLocation; completedAt?: number }): DeploymentRecord {
    const deployment = this.#new({ group: this.group(application, group), revision: this.#use(application, group, revision), creator: 'user', input: {}, createdAt: completedAt });
    deployment.startedAt = completedAt;
    deployment.completedAt = completedAt;
    deployment.status = 'Succeeded';
    return deployment;
  }

  /** @throws AwsError `DeploymentLimitExceededException` while another one runs in the group or too many in the account, and for bad input. */
  createDeployment(input: CreateDeploymentInput, creator: DeploymentCreator = 'user'): DeploymentRecord {
    const { applicationName = '', deploymentGroupName } = input;
    if (deploymentGroupName === undefined) throw new AwsError('DeploymentGroupNameRequiredException', 'The deployment group name was not specified.');
    const group = this.group(applicationName, deploymentGroupName);
    if (input.deploymentMode === 'RESTART') throw new AwsError('InvalidInputException', 'deploymentMode RESTART is not supported by the sandbox');
    if (input.deploymentConfigName !== undefined) this.configs.get(input.deploymentConfigName);
    const running = this.deployments(applicationName, deploymentGroupName).find((deployment) => !isOver(deployment));
    if (running !== undefined) throw new AwsError('DeploymentLimitExceededException', `Deployment Group '${deploymentGroupName}' is already deploying deployment '${running.id}'`);
    const atOnce = this.parts.atOnce ?? concurrentDeployments;
    if (this.deployments().filter((deployment) => !isOver(deployment)).length >= atOnce) throw new AwsError('DeploymentLimitExceededException', `The account has ${atOnce} deployments in progress already`);
    const deployment = this.#new({ group, revision: this.#use(applicationName, deploymentGroupName, input.revision), creator, input });
    this.#run(deployment, group);
    return deployment;
  }

  /** `autoRollback` undefined: as the deployment's or the group's settings say. @throws AwsError `DeploymentAlreadyCompletedException`. */
  stopDeployment(id: string, autoRollback?: boolean): StopDeploymentOutput {
    const deployment = this.deployment(id);
    if (isOver(deployment)) throw new AwsError('DeploymentAlreadyCompletedException', `The deployment ${id} has already completed`);
    if (deployment.stop !== null) return { status: 'Succeeded', statusMessage: 'The deployment is already being stopped' };
    const group = this.group(deployment.application, deployment.group);
    deployment.stop = { error: { code: 'MANUAL_STOP', message: 'The deployment was stopped by a user' }, rollback: autoRollback ?? rollsBackOn(deployment, group, 'DEPLOYMENT_STOP_ON_REQUEST') };
    return { status: 'Pending', statusMessage: 'Stopping deployment' };
  }

  /** Resolves when the deployment is over, not waiting for a rollback that follows it. */
  async settled(id: string): Promise<DeploymentRecord> {
    await this.#running.get(id);
    return this.deployment(id);
  }

  #use(application: string, group: string, revision: RevisionLocation | undefined): RevisionLocation {
    const record = this.registerRevision(application, acceptedRevision(revision));
    record.firstUsedAt ??= this.parts.clock.now();
    record.lastUsedAt = this.parts.clock.now();
    record.groups.add(group);
    return record.location;
  }

  #new({ group, revision, creator, input, createdAt = this.parts.clock.now() }: NewDeployment): DeploymentRecord {
    const deployment: DeploymentRecord = {
      id: newDeploymentId(this.parts.ids ?? byChance), application: group.application, group: group.name, revision, creator, input,
      previousRevision: this.lastSuccessful(group.application, group.name)?.revision ?? null,
      config: input.deploymentConfigName ?? group.deploymentConfig, createdAt,
      startedAt: null, completedAt: null, status: 'Created', error: null, rollbackInfo: {}, stop: null, waitsForTermination: false, targets: [],
    };
    this.#deployments.set(deployment.id, deployment);
    return deployment;
  }

  #run(deployment: DeploymentRecord, group: GroupRecord): void {
    const { traffic } = this.configs.get(deployment.config);
    const run = runDeployment(deployment, group, { parts: this.parts, traffic }).then((rollsBack) => {
      if (rollsBack) this.#rollBack(deployment, group);
      return undefined;
    });
    this.#running.set(deployment.id, run);
  }

  #rollBack(undone: DeploymentRecord, group: GroupRecord): void {
    if (undone.previousRevision === null) {
      undone.rollbackInfo = { rollbackMessage: 'There is no previous successful deployment to roll back to.' };
      return;
    }
    const config = group.platform.computePlatform === 'Server' ? group.deploymentConfig : DeploymentConfigs.defaultFor(group.platform.computePlatform);
    const rollback = this.#new({ group, revision: undone.previousRevision, creator: 'codeDeployRollback', input: { deploymentConfigName: config, description: `Rollback of ${undone.id}` } });
    rollback.rollbackInfo = { rollbackTriggeringDeploymentId: undone.id, rollbackMessage: `Deployment ${undone.id} is rolled back` };
    undone.rollbackInfo = { rollbackDeploymentId: rollback.id, rollbackMessage: `Deployment ${rollback.id} rolls it back` };
    this.#run(rollback, group);
  }
}
