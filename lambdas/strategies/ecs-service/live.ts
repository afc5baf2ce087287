// Reads an ECS service and its deployments, and deploys the task definition that was good.
import { type Deployment, DescribeServicesCommand, DescribeTaskDefinitionCommand, type ECSClient, type Service, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { AwsCallError, calling, isFault } from '../../adapters/aws-errors.ts';
import { ecsClient } from '../../runtime/wiring.ts';
import type { Capture, Change, Known, Made, Strategy } from '../strategy.ts';
import { confirmed, type Seen } from './follow.ts';
import { type EcsServiceTarget, manifest } from './manifest.ts';
import { type EcsServiceFacts, type EcsServiceState, plan, stateIn } from './plan.ts';
import { way } from './way.ts';

export interface Clients {
  readonly ecs: () => ECSClient;
}

export function createStrategy(clients: Clients): Strategy<EcsServiceTarget, EcsServiceState> {
  let client: ECSClient | undefined;
  const ecs = (): ECSClient => (client ??= clients.ecs());
  return {
    manifest,
    way,
    plan,
    capture: (target, known) => capture(ecs(), target, known),
    apply: (change) => apply(ecs(), change),
    confirm: async (question) => confirmed(question, seenIn(await readService(ecs(), question.target))),
  };
}

export const strategy = createStrategy({ ecs: ecsClient });

async function capture(ecs: ECSClient, target: EcsServiceTarget, known: Known<EcsServiceState> | null): Promise<Capture<EcsServiceState>> {
  const good = stateIn(known?.good?.state ?? null)?.taskDefinition ?? null;
  const [service, problem] = await Promise.all([readService(ecs, target), good === null ? null : problemWith(ecs, good)]);
  const primary = primaryOf(service);
  const running = (service.deployments ?? []).filter(({ taskDefinition, runningCount = 0 }) => taskDefinition !== primary.taskDefinition && runningCount > 0);
  const facts: EcsServiceFacts = {
    controller: service.deploymentController?.type ?? 'ECS',
    deploymentKind: service.deploymentConfiguration?.strategy ?? 'ROLLING',
    rollout: primary.rolloutState ?? null, rolloutReason: primary.rolloutStateReason ?? '',
    destinations: good === null ? {} : { [good]: problem },
  };
  const others = Object.fromEntries(running.map(({ taskDefinition = '', runningCount = 0 }) => [taskDefinition, runningCount]));
  return { state: { taskDefinition: primary.taskDefinition, others, ...rollingOf(service) }, facts };
}

function rollingOf({ deploymentConfiguration, desiredCount: desired }: Service): Pick<EcsServiceState, 'rolling'> {
  const minimumHealthyPercent = deploymentConfiguration?.minimumHealthyPercent;
  return minimumHealthyPercent === undefined || desired === undefined ? {} : { rolling: { minimumHealthyPercent, desired } };
}

/** Only the task definition: the number of tasks belongs to autoscaling. The same one twice makes no second deployment. */
async function apply(ecs: ECSClient, { target, to }: Change<EcsServiceTarget, EcsServiceState>): Promise<Made> {
  const { service } = await calling('ecs:UpdateService', ecs.send(new UpdateServiceCommand({ cluster: target.cluster, service: target.service, taskDefinition: to.taskDefinition })));
  return { handle: { deploymentId: service?.deployments?.find(({ status }) => status === 'PRIMARY')?.id ?? null }, confirmAfterSeconds: 10 };
}

async function readService(ecs: ECSClient, { cluster, service: name }: EcsServiceTarget): Promise<Service> {
  const { services } = await calling('ecs:DescribeServices', ecs.send(new DescribeServicesCommand({ cluster, services: [name] })));
  const service = services?.[0];
  if (service !== undefined && service.status === 'ACTIVE') return service;
  throw new AwsCallError('gone', { action: 'ecs:DescribeServices', awsCode: 'ServiceNotFound', text: `${cluster}/${name} ${service === undefined ? 'does not exist' : `is ${service.status}`}` }, null);
}

/** Services of CodeDeploy have task sets instead of deployments; what they run is told all the same. */
function primaryOf({ deployments, taskSets, taskDefinition }: Service): Deployment & { readonly taskDefinition: string } {
  const primary = deployments?.find(({ status }) => status === 'PRIMARY') ?? {};
  const running = primary.taskDefinition ?? taskSets?.find(({ status }) => status === 'PRIMARY')?.taskDefinition ?? taskDefinition;
  if (running === undefined) throw new AwsCallError('unknown', { action: 'ecs:DescribeServices', awsCode: 'Empty', text: 'answered without a task definition' }, null);
  return { ...primary, taskDefinition: running };
}

const seenIn = (service: Service): Seen => ({
  desired: service.desiredCount ?? null,
  primaryId: service.deployments?.find(({ status }) => status === 'PRIMARY')?.id ?? null,
  deployments: (service.deployments ?? []).map(({ id, taskDefinition, rolloutState, rolloutStateReason, runningCount, failedTasks }) => ({
    id: id ?? '', taskDefinition: taskDefinition ?? '', rollout: rolloutState ?? null, reason: rolloutStateReason ?? '', running: runningCount ?? 0, failed: failedTasks ?? 0,
  })),
});

/** Why a task definition cannot be deployed; null when it can. Whether its image still exists only the registry knows: a missing one fails the deployment. */
async function problemWith(ecs: ECSClient, name: string): Promise<string | null> {
  try {
    const { taskDefinition } = await calling('ecs:DescribeTaskDefinition', ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: name })));
    return taskDefinition?.status === 'ACTIVE' ? null : `it is ${taskDefinition?.status ?? 'of unknown status'}`;
  } catch (error) {
    // ECS says `ClientException` for a task definition that never was.
    if (isFault(error, 'gone', 'invalid')) return `it does not exist (${error.awsCode})`;
    throw error;
  }
}
