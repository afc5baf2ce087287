// Says from a service's deployments whether the good task definition took hold: its rollout, and independently the tasks that run.
import type { Confirmation, ConfirmQuestion } from '../strategy.ts';
import type { EcsServiceTarget } from './manifest.ts';
import { type EcsServiceState, shortName } from './plan.ts';

export interface SeenDeployment {
  readonly id: string;
  readonly taskDefinition: string;
  /** IN_PROGRESS, COMPLETED or FAILED; null for services behind a Classic Load Balancer. */
  readonly rollout: string | null;
  readonly reason: string;
  readonly running: number;
  readonly failed: number;
}

export interface Seen {
  readonly desired: number | null;
  readonly primaryId: string | null;
  readonly deployments: readonly SeenDeployment[];
}

type Question = ConfirmQuestion<EcsServiceTarget, EcsServiceState>;

/** A read may lag behind the write for a moment; after this many seconds the old deployment is somebody's doing. */
const settlingSeconds = 30;
const pollSeconds = 10;

const final = (answer: Confirmation['answer'], detail: string): Confirmation => ({ answer, detail, retryAfterSeconds: 0 });
const notYet = (detail: string): Confirmation => ({ answer: 'not-yet', detail, retryAfterSeconds: pollSeconds });
const isOf = (one: string, other: string): boolean => shortName(one) === shortName(other);

export function confirmed(question: Question, seen: Seen): Confirmation {
  const { to } = question;
  const primary = seen.deployments.find(({ id }) => id === seen.primaryId);
  if (primary === undefined) return final('cannot-verify', 'ECS names no primary deployment of the service.');
  if (!isOf(primary.taskDefinition, to.taskDefinition)) return replaced(question, seen, primary);
  const name = shortName(to.taskDefinition);
  if (primary.rollout === 'FAILED') return final('failed', `The deployment of ${name} failed: ${primary.reason || 'ECS gives no reason'}.`);
  if (seen.desired === null) return final('cannot-verify', 'ECS does not say how many tasks the service should have.');
  const count = `${primary.running} of ${seen.desired} tasks run ${name}`;
  const others = seen.deployments.filter(({ id, running, taskDefinition }) => id !== primary.id && running > 0 && !isOf(taskDefinition, to.taskDefinition));
  if (others.length > 0) return notYet(`${count}; ${others.map(({ running, taskDefinition }) => `${running} still run ${shortName(taskDefinition)}`).join(', ')}.`);
  if (primary.running < seen.desired) return notYet(`${count}${primary.failed > 0 ? `; ${primary.failed} failed to start` : ''}.`);
  return primary.rollout === 'IN_PROGRESS' ? notYet(`${count}; ECS still waits for them to be healthy.`) : final('yes', `${count}.`);
}

/** Another task definition is the primary one: not yet ours, undone by ECS itself, or somebody's deployment. */
function replaced({ from, to, handle, appliedAt, now }: Question, { deployments }: Seen, primary: SeenDeployment): Confirmation {
  const [live, wanted] = [shortName(primary.taskDefinition), shortName(to.taskDefinition)];
  const age = (Date.parse(now) - Date.parse(appliedAt)) / 1000;
  const own = deployments.find(({ id }) => id === handle?.['deploymentId']);
  // The circuit breaker marks the deployment as failed and makes a new primary one of the task definition that was last completed.
  // A failed deployment leaves the list when its tasks are gone: then nothing but the text of the new one says who made it.
  const isUndone = own?.rollout === 'FAILED' || (own === undefined && /circuit breaker|rolling back/i.test(primary.reason));
  if (isUndone && own?.id !== primary.id) return final('failed', `ECS gave up the deployment of ${wanted} (${own?.reason || primary.reason || 'no reason given'}) and went back to ${live} by itself.`);
  if (handle !== null && own === undefined && isOf(live, from.taskDefinition) && age < settlingSeconds) return notYet(`${live} is still the primary deployment.`);
  return final('changed-by-someone-else', `Deployed ${wanted}, but ${live} is the primary deployment now${primary.reason === '' ? '' : `: ${primary.reason}`}.`);
}
