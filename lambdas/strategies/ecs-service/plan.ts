// Plans the way back of an ECS service with rolling deployments: pure, from the task definition that is deployed and the one that was good.
import type { Reason } from '../../domain/vocabulary.ts';
import type { PlanAnswer, PlanQuestion, StateReading } from '../strategy.ts';
import type { EcsServiceTarget } from './manifest.ts';

export type EcsServiceState = {
  /** ARN of the task definition of the deployment that ECS calls PRIMARY. */
  readonly taskDefinition: string;
  /** Other task definitions whose tasks still run, and how many. */
  readonly others: { readonly [taskDefinition: string]: number };
  /** How the service deploys; absent where ECS did not say, and in what a plan leads to. */
  readonly rolling?: { readonly minimumHealthyPercent: number; readonly desired: number };
};

export type EcsServiceFacts = {
  /** ECS, CODE_DEPLOY or EXTERNAL. */
  readonly controller: string;
  /** ROLLING, or a kind whose traffic ECS shifts itself. */
  readonly deploymentKind: string;
  /** IN_PROGRESS, COMPLETED or FAILED; null for services behind a Classic Load Balancer. */
  readonly rollout: string | null;
  readonly rolloutReason: string;
  /** Task definitions that were looked up: null when they can be deployed, else why not. */
  readonly destinations: { readonly [taskDefinition: string]: string | null };
};

type Question = PlanQuestion<EcsServiceTarget, EcsServiceState>;

/** `family:revision` of an ARN, or of itself. */
export const shortName = (taskDefinition: string): string => taskDefinition.slice(taskDefinition.lastIndexOf('/') + 1);

/** Reads a state of the ledger; null where it is none. */
export function stateIn(state: object | null): EcsServiceState | null {
  const { taskDefinition, others } = (state ?? {}) as { readonly taskDefinition?: unknown; readonly others?: unknown };
  if (typeof taskDefinition !== 'string' || typeof others !== 'object' || others === null) return null;
  return { taskDefinition, others: others as EcsServiceState['others'] };
}

const isSame = (one: string, other: string): boolean => shortName(one) === shortName(other);
const mixOf = ({ others }: EcsServiceState): string => Object.keys(others).map(shortName).toSorted().join();

export const serviceStates: StateReading = {
  same: (one, other) => {
    const [first, second] = [stateIn(one), stateIn(other)];
    return first !== null && second !== null && isSame(first.taskDefinition, second.taskDefinition) && mixOf(first) === mixOf(second);
  },
  isSplit: (state) => Object.keys(stateIn(state)?.others ?? {}).length > 0,
  before: (state, { version, previousVersion }) => {
    const found = stateIn(state);
    if (found === null || shortName(found.taskDefinition) !== version) return null;
    return { taskDefinition: `${found.taskDefinition.slice(0, -version.length)}${previousVersion}`, others: {} };
  },
};

export function plan(question: Question): PlanAnswer<EcsServiceState> {
  const { live: { state: live, facts }, good } = question;
  const { controller, deploymentKind, rollout, rolloutReason, destinations } = facts as EcsServiceFacts;
  const impossible = (code: string, text: string): PlanAnswer<EcsServiceState> => ({ outcome: 'impossible', from: live, reason: { code, text } });
  if (controller !== 'ECS') return impossible('unsupported', `The service's deployments are made by ${controller}, not by ECS itself${controller === 'CODE_DEPLOY' ? ': declare it as a target of strategy `codedeploy`' : ''}.`);
  if (deploymentKind !== 'ROLLING') return impossible('unsupported', `The service's deployments are ${deploymentKind}, not ROLLING: ECS shifts their traffic itself, and can undo them by its own alarms.`);
  if (good === null) return impossible('no-known-good', 'No version is known to be good, so there is nothing to go back to.');
  const recorded = stateIn(good.state);
  if (recorded === null) return impossible('no-known-good', `The task definition of known-good version ${good.version} was not recorded.`);
  const to: EcsServiceState = { taskDefinition: recorded.taskDefinition, others: {} };
  const name = shortName(to.taskDefinition);
  if (isSame(live.taskDefinition, to.taskDefinition)) {
    if (rollout === 'FAILED') return impossible('destination-unhealthy', `The deployment of ${name} failed: ${rolloutReason || 'ECS gives no reason'}.`);
    return { outcome: 'already', from: live, to, summary: rollout === 'IN_PROGRESS' ? `${name} is being deployed already: follow it, write nothing` : `${name} is deployed already` };
  }
  const objection = objectionTo(question);
  if (objection !== null) return { outcome: 'impossible', from: live, reason: objection };
  const problem = destinations[to.taskDefinition];
  if (problem !== null) return impossible('destination-gone', `Known-good ${name} cannot be deployed: ${problem ?? 'nobody looked it up'}.`);
  return { outcome: 'change', from: live, to, summary: `deploy ${name} in place of ${shortName(live.taskDefinition)}; the number of tasks stays` };
}

/** Why what is deployed may not be replaced; null when it may. How far a deployment has come makes no difference. */
function objectionTo({ live: { state: live }, release, expectedFrom }: Question): Reason | null {
  const changed = (text: string): Reason => ({ code: 'changed-by-someone-else', text });
  const now = shortName(live.taskDefinition);
  if (expectedFrom !== null && !isSame(live.taskDefinition, expectedFrom.taskDefinition)) return changed(`The plan was made for ${shortName(expectedFrom.taskDefinition)}, but ${now} is deployed now.`);
  const left = release?.isFinished === true ? stateIn(release.left) : null;
  return left === null || isSame(live.taskDefinition, left.taskDefinition) ? null : changed(`Release ${release?.id} left ${shortName(left.taskDefinition)}, but ${now} is deployed now.`);
}
