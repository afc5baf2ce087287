// Reads and writes a CodeDeploy deployment group, and what serves behind it: an alias, or an ECS service.
import {
  BatchGetDeploymentsCommand, type CodeDeployClient, CreateDeploymentCommand, type DeploymentInfo, type DeploymentStatus, GetDeploymentCommand,
  GetDeploymentGroupCommand, ListDeploymentsCommand, type ListDeploymentsCommandInput, type ListDeploymentsCommandOutput, type RevisionLocation, StopDeploymentCommand,
} from '@aws-sdk/client-codedeploy';
import { DescribeServicesCommand, DescribeTaskDefinitionCommand, type ECSClient } from '@aws-sdk/client-ecs';
import { GetAliasCommand, GetFunctionConfigurationCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { AwsCallError, calling, isFault } from '../../adapters/aws-errors.ts';
import { codeDeployClient, codeDeployOnceClient, ecsClient, lambdaClient } from '../../runtime/wiring.ts';
import type { Capture, Change, Known, Made, Strategy } from '../strategy.ts';
import { confirmed, type Detailed, type Followed, type Question } from './follow.ts';
import { type CodeDeployTarget, manifest } from './manifest.ts';
import { type CodeDeployFacts, type CodeDeployState, type Deployment, goodOf, isFollowUp, mark, plan, recordedGood, setByHand, setByHandText, wayFrom } from './plan.ts';
import { type Container, type Revision, versionIn } from './revision.ts';
import { way } from './way.ts';

export interface Clients {
  readonly codeDeploy: () => CodeDeployClient;
  /** Makes one attempt and no more: for CreateDeployment, which must not be repeated blindly. */
  readonly codeDeployOnce: () => CodeDeployClient;
  readonly lambda: () => LambdaClient;
  readonly ecs: () => ECSClient;
}

type Lazy = { readonly codeDeploy: CodeDeployClient; readonly codeDeployOnce: CodeDeployClient; readonly lambda: LambdaClient; readonly ecs: ECSClient };
type Group = { readonly last: string | null; readonly succeeded: string | null; readonly succeededAt: { readonly created: string; readonly completed: string | null }; readonly deploys: NonNullable<CodeDeployState['group']> };
type Serving = { readonly live: string | null; readonly shifting: Readonly<Record<string, number>>; readonly container: Container | null };

const activeStatuses: DeploymentStatus[] = ['Created', 'Queued', 'InProgress', 'Baking', 'Ready'];
/** BatchGetDeployments takes 25 ids. */
const batchSize = 25;
/** A deployment of ours cannot be older than the step that made it, and a step is given up after an hour. */
const recentMilliseconds = 2 * 60 * 60 * 1000;

export function createStrategy(clients: Clients): Strategy<CodeDeployTarget, CodeDeployState> {
  const built: { -readonly [Name in keyof Lazy]?: Lazy[Name] } = {};
  // Only the clients that the target's platform needs are ever built.
  const aws: Lazy = {
    get codeDeploy() { return (built.codeDeploy ??= clients.codeDeploy()); },
    get codeDeployOnce() { return (built.codeDeployOnce ??= clients.codeDeployOnce()); },
    get lambda() { return (built.lambda ??= clients.lambda()); },
    get ecs() { return (built.ecs ??= clients.ecs()); },
  };
  return {
    manifest,
    way,
    plan,
    capture: (target, known) => capture(aws, target, known),
    recheck: async ({ target, from }) => { if (wayFrom(from) === 'stop') await assertNotSetByHand(aws, target, from); },
    apply: (change) => apply(aws, change),
    confirm: async (question) => {
      const [followed, group, serving] = await Promise.all([follow(aws, question), readGroup(aws, question.target), readServing(aws, question.target)]);
      const last = group.last === null || group.last === followed?.deployment.id ? null : await readDeployment(aws, group.last);
      return confirmed(question, { followed, last, serving });
    },
  };
}

export const strategy = createStrategy({ codeDeploy: codeDeployClient, codeDeployOnce: codeDeployOnceClient, lambda: lambdaClient, ecs: ecsClient });

type Seen = { readonly group: Group; readonly serving: Serving; readonly active: readonly string[]; readonly history: readonly string[]; readonly deployments: ReadonlyMap<string, Deployment> };

const isActive = (one: Deployment | undefined): boolean => activeStatuses.some((status) => status === one?.status);

interface Looking {
  readonly needsHistory: boolean;
  /** The deployment that the lists will most likely name: read beside them, it costs no time of its own. */
  readonly likely: string | null;
}

/** A deployment that ends while we read would show us its list and its traffic from one moment, but its status from another: read again. */
async function look(aws: Lazy, target: CodeDeployTarget, { needsHistory, likely }: Looking): Promise<Seen> {
  for (let attempt = 1; ; attempt += 1) {
    const [group, active, history, serving, guessed] = await Promise.all([
      readGroup(aws, target), listIds(aws, target, { includeOnlyStatuses: activeStatuses }),
      needsHistory ? listIds(aws, target, { includeOnlyStatuses: ['Succeeded'] }) : [], readServing(aws, target),
      attempt === 1 && likely !== null ? readLikely(aws, likely) : [],
    ]);
    const deployments = new Map(guessed.flatMap((one) => [[one.id, one], ...successBefore(group, one)]));
    const wanted = new Set([...active, ...history, ...[group.last, group.succeeded].filter((id) => id !== null)]);
    for (const one of await readDeployments(aws, [...wanted].filter((id) => !deployments.has(id)))) deployments.set(one.id, one);
    const isOneMoment = [...wanted].every((id) => isActive(deployments.get(id)) === active.includes(id));
    if (attempt === 3 || isOneMoment) return { group, serving, active, history, deployments };
  }
}

/** The release's own deployment; nothing when its id is no deployment, or one of another group. */
async function readLikely(aws: Lazy, id: string): Promise<Deployment[]> {
  try {
    return await readDeployments(aws, [id]);
  } catch (error) {
    if (isFault(error, 'gone', 'invalid', 'denied')) return [];
    throw error;
  }
}

/** A group deploys one revision at a time, so the one that runs tells which had succeeded before it. */
function successBefore({ succeeded, succeededAt: { created, completed } }: Group, running: Deployment): [string, Deployment][] {
  if (succeeded === null || succeeded === running.id || !isActive(running) || running.previousRevision === null || created >= running.createdAt) return [];
  return [[succeeded, {
    id: succeeded, status: 'Succeeded', creator: 'unknown', description: '', revision: running.previousRevision, previousRevision: null,
    createdAt: created, completedAt: completed, rolledBackBy: null, rollsBack: null, isWaitingForTermination: false,
  }]];
}

/** As CodeDeploy makes ids; a pipeline may call its release anything. */
const idShape = /^d-[A-Z0-9]+$/;

async function capture(aws: Lazy, target: CodeDeployTarget, known: Known<CodeDeployState> | null): Promise<Capture<CodeDeployState>> {
  const recorded = known === null ? null : (recordedGood(target.platform, known.good)?.version ?? null);
  const needsHistory = known !== null && recorded === null;
  const likely = known?.release?.id ?? '';
  const looking = { needsHistory, likely: idShape.test(likely) ? likely : null };
  const [seen, recordedProblem] = await Promise.all([look(aws, target, looking), recorded === null ? null : problemWith(aws, target, recorded)]);
  const found = (id: string | null): Deployment | null => (id === null ? null : (seen.deployments.get(id) ?? null));
  const [last, succeeded] = [found(seen.group.last), found(seen.group.succeeded)];
  // Deployments that only bring up new instances are nobody's release.
  const running = seen.active.map(found).find((one) => one !== null && isActive(one) && !isFollowUp(one)) ?? null;
  const isMixed = running === null && last !== null && last.id !== succeeded?.id && last.status !== 'Succeeded';
  const live = target.platform === 'Server' ? (isMixed ? null : versionIn('Server', succeeded?.revision ?? null)) : seen.serving.live;
  const state: CodeDeployState = { platform: target.platform, live, shifting: seen.serving.shifting, revision: succeeded?.revision ?? null, running, group: seen.group.deploys };
  const facts: CodeDeployFacts = {
    last, succeeded, container: seen.serving.container,
    history: seen.history.map(found).filter((one) => one !== null),
    destinations: recorded === null ? {} : { [recorded]: recordedProblem },
  };
  const fromHistory = needsHistory ? goodOf(known, { state, facts }) : null;
  if (fromHistory === null) return { state, facts };
  return { state, facts: { ...facts, destinations: { [fromHistory.version]: await problemWith(aws, target, fromHistory.version) } } };
}

async function apply(aws: Lazy, change: Change<CodeDeployTarget, CodeDeployState>): Promise<Made> {
  const { target, from } = change;
  const confirmAfterSeconds = target.platform === 'Server' ? 15 : 5;
  const running = from.running;
  if (running === null || wayFrom(from) === 'redeploy') return { handle: { deploymentId: await redeploy(aws, change), stoppedId: null }, confirmAfterSeconds };
  if (wayFrom(from) === 'adopt') return { handle: { deploymentId: running.rolledBackBy ?? running.id, stoppedId: null }, confirmAfterSeconds };
  await calling('codedeploy:StopDeployment', aws.codeDeploy.send(new StopDeploymentCommand({ deploymentId: running.id, autoRollbackEnabled: true })));
  return { handle: { deploymentId: null, stoppedId: running.id }, confirmAfterSeconds };
}

/** CodeDeploy puts the version before back, whatever the alias serves by then. @throws AwsCallError `conflicting` where somebody has set it by hand. */
async function assertNotSetByHand(aws: Lazy, target: CodeDeployTarget, from: CodeDeployState): Promise<void> {
  if (target.platform !== 'Lambda') return;
  const { live, shifting } = await readServing(aws, target);
  const byHand = setByHand({ ...from, live, shifting });
  if (byHand !== null) throw new AwsCallError('conflicting', { action: 'codedeploy:StopDeployment', awsCode: 'NotSent', text: setByHandText(byHand, from) }, null);
}

const allAtOnce = { Server: 'CodeDeployDefault.AllAtOnce', Lambda: 'CodeDeployDefault.LambdaAllAtOnce', ECS: 'CodeDeployDefault.ECSAllAtOnce' } as const;

/**
 * CreateDeployment takes no client token, so nobody but us may repeat it: before each further try we look whether the last one worked.
 * The client given for it must not retry by itself.
 */
async function redeploy(aws: Lazy, change: Change<CodeDeployTarget, CodeDeployState>): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await createOnce(aws, change);
    } catch (error) {
      if (isFault(error, 'conflicting', 'unavailable')) {
        const own = await findOwn(aws, change);
        if (own !== null) return own;
      }
      if (attempt === 3 || !isFault(error, 'throttled', 'unavailable')) throw error;
      await new Promise((resolve) => { setTimeout(resolve, 150 * 2 ** attempt); });
    }
  }
}

const descriptionOf = (key: string): string => `${mark}${key}`.slice(0, 256);

async function createOnce(aws: Lazy, { key, target, to }: Change<CodeDeployTarget, CodeDeployState>): Promise<string> {
  const { deploymentId } = await calling('codedeploy:CreateDeployment', aws.codeDeployOnce.send(new CreateDeploymentCommand({
    applicationName: target.application,
    deploymentGroupName: target.deploymentGroup,
    deploymentConfigName: target.deploymentConfig ?? allAtOnce[target.platform],
    revision: to.revision as unknown as RevisionLocation,
    description: descriptionOf(key),
    // The alarm that started this rollback is still in ALARM: it would stop the redeploy, or roll the rollback back.
    autoRollbackConfiguration: { enabled: false },
    overrideAlarmConfiguration: { enabled: false },
    // The stop script that runs is the bad revision's own.
    ...(target.platform === 'Server' ? { ignoreApplicationStopFailures: true, fileExistsBehavior: 'OVERWRITE' as const } : {}),
  })));
  if (deploymentId !== undefined) return deploymentId;
  throw new AwsCallError('unknown', { action: 'codedeploy:CreateDeployment', awsCode: 'Empty', text: 'answered without a deployment id' }, null);
}

/** Our own deployment of this very step, running or over already: its description tells. */
async function findOwn(aws: Lazy, { key, target }: Change<CodeDeployTarget, CodeDeployState>): Promise<string | null> {
  const recent = await listIds(aws, target, { createTimeRange: { start: new Date(Date.now() - recentMilliseconds) } });
  return (await readDeployments(aws, recent)).find(({ description }) => description === descriptionOf(key))?.id ?? null;
}

/** The deployment whose end decides: the rollback of the one that was stopped, or the one that was created or adopted. */
async function follow(aws: Lazy, { handle }: Question): Promise<Followed | null> {
  const { stoppedId, deploymentId } = (handle ?? {}) as { stoppedId?: string | null; deploymentId?: string | null };
  if (typeof deploymentId === 'string') return { deployment: await readDeployment(aws, deploymentId), stopped: null };
  if (typeof stoppedId !== 'string') return null;
  const stopped = await readDeployment(aws, stoppedId);
  return { deployment: stopped.rolledBackBy === null ? stopped : await readDeployment(aws, stopped.rolledBackBy), stopped };
}

async function readGroup(aws: Lazy, target: CodeDeployTarget): Promise<Group> {
  const { deploymentGroupInfo: group } = await calling('codedeploy:GetDeploymentGroup', aws.codeDeploy.send(
    new GetDeploymentGroupCommand({ applicationName: target.application, deploymentGroupName: target.deploymentGroup })));
  const success = group?.lastSuccessfulDeployment;
  return {
    last: group?.lastAttemptedDeployment?.deploymentId ?? null, succeeded: success?.deploymentId ?? null,
    succeededAt: { created: success?.createTime?.toISOString() ?? '', completed: success?.endTime?.toISOString() ?? null },
    deploys: { style: group?.deploymentStyle?.deploymentType ?? null, config: group?.deploymentConfigName ?? null },
  };
}

async function listIds(aws: Lazy, target: CodeDeployTarget, filter: Pick<ListDeploymentsCommandInput, 'includeOnlyStatuses' | 'createTimeRange'>): Promise<string[]> {
  const ids: string[] = [];
  let nextToken: string | undefined;
  do {
    const page: ListDeploymentsCommandOutput = await calling('codedeploy:ListDeployments', aws.codeDeploy.send(new ListDeploymentsCommand({
      applicationName: target.application, deploymentGroupName: target.deploymentGroup, ...filter, ...(nextToken === undefined ? {} : { nextToken }),
    })));
    ids.push(...(page.deployments ?? []));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return ids;
}

async function readDeployments(aws: Lazy, ids: readonly string[]): Promise<Deployment[]> {
  const batches = Array.from({ length: Math.ceil(ids.length / batchSize) }, (_, index) => ids.slice(index * batchSize, (index + 1) * batchSize));
  const answers = await Promise.all(batches.map((deploymentIds) =>
    calling('codedeploy:BatchGetDeployments', aws.codeDeploy.send(new BatchGetDeploymentsCommand({ deploymentIds })))));
  return answers.flatMap(({ deploymentsInfo }) => deploymentsInfo ?? []).map(deploymentOf);
}

async function readDeployment(aws: Lazy, deploymentId: string): Promise<Detailed> {
  const { deploymentInfo: info = {} } = await calling('codedeploy:GetDeployment', aws.codeDeploy.send(new GetDeploymentCommand({ deploymentId })));
  const { errorInformation: error, deploymentOverview: overview } = info;
  return {
    ...deploymentOf({ ...info, deploymentId }),
    error: error === undefined ? null : { code: error.code ?? '', message: error.message ?? '' },
    overview: overview ?? null,
  };
}

const revisionOf = (revision: RevisionLocation | undefined): Revision | null => (revision === undefined ? null : JSON.parse(JSON.stringify(revision)) as Revision);

function deploymentOf(info: DeploymentInfo): Deployment {
  return {
    id: info.deploymentId ?? '', status: info.status ?? 'unknown', creator: info.creator ?? 'unknown', description: info.description ?? '',
    revision: revisionOf(info.revision), previousRevision: revisionOf(info.previousRevision),
    createdAt: info.createTime?.toISOString() ?? '', completedAt: info.completeTime?.toISOString() ?? null,
    rolledBackBy: info.rollbackInfo?.rollbackDeploymentId ?? null, rollsBack: info.rollbackInfo?.rollbackTriggeringDeploymentId ?? null,
    isWaitingForTermination: info.instanceTerminationWaitTimeStarted === true,
  };
}

async function readServing(aws: Lazy, target: CodeDeployTarget): Promise<Serving> {
  if (target.platform === 'Lambda') {
    const alias = await calling('lambda:GetAlias', aws.lambda.send(new GetAliasCommand({ FunctionName: target.functionName, Name: target.alias })));
    return { live: alias.FunctionVersion ?? null, shifting: alias.RoutingConfig?.AdditionalVersionWeights ?? {}, container: null };
  }
  if (target.platform === 'Server') return { live: null, shifting: {}, container: null };
  const { services } = await calling('ecs:DescribeServices', aws.ecs.send(new DescribeServicesCommand({ cluster: target.cluster, services: [target.service] })));
  const service = services?.[0];
  if (service === undefined || service.status === 'INACTIVE')
    throw new AwsCallError('gone', { action: 'ecs:DescribeServices', awsCode: 'ServiceNotFound', text: `${target.cluster}/${target.service} does not exist` }, null);
  const primary = service.taskSets?.find(({ status }) => status === 'PRIMARY');
  const balanced = [...(primary?.loadBalancers ?? []), ...(service.loadBalancers ?? [])].find(({ containerName, containerPort }) => containerName !== undefined && containerPort !== undefined);
  const container = balanced === undefined ? null : { name: balanced.containerName ?? '', port: balanced.containerPort ?? 0 };
  return { live: primary?.taskDefinition ?? service.taskDefinition ?? null, shifting: {}, container };
}

/** Why a version cannot be deployed any more; null when it can. Servers' revisions are looked up by CodeDeploy itself. */
async function problemWith(aws: Lazy, target: CodeDeployTarget, version: string): Promise<string | null> {
  try {
    if (target.platform === 'Lambda') {
      const { State } = await calling('lambda:GetFunctionConfiguration', aws.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: target.functionName, Qualifier: version })));
      // A version that nobody called for weeks is Inactive and wakes with its first request.
      return State === undefined || State === 'Active' || State === 'Inactive' ? null : `version ${version} of function ${target.functionName} is ${State}`;
    }
    if (target.platform === 'Server') return null;
    const { taskDefinition } = await calling('ecs:DescribeTaskDefinition', aws.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: version })));
    return taskDefinition?.status === 'ACTIVE' ? null : `task definition ${version} is ${taskDefinition?.status ?? 'unknown'}`;
  } catch (error) {
    // ECS says `ClientException` for a task definition that never was.
    if (isFault(error, 'gone', 'invalid')) return `${version} does not exist any more (${error.awsCode})`;
    throw error;
  }
}
