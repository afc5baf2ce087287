// Says from what was read whether a stop, a rollback or a redeploy took hold: the deployment's end, and independently what serves.
import type { Confirmation, ConfirmQuestion } from '../strategy.ts';
import type { CodeDeployTarget } from './manifest.ts';
import { type CodeDeployState, type Deployment, isFollowUp } from './plan.ts';
import { sameVersion } from './revision.ts';

export type Question = ConfirmQuestion<CodeDeployTarget, CodeDeployState>;
export type Detailed = Deployment & {
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Number of instances by how far they are. */
  readonly overview: { readonly Succeeded?: number | undefined; readonly Failed?: number | undefined; readonly Skipped?: number | undefined } | null;
};

export type Followed = { readonly deployment: Detailed; readonly stopped: Detailed | null };

export interface Seen {
  /** Null for a step that found everything done. */
  readonly followed: Followed | null;
  /** The group's newest deployment, when it is another one. */
  readonly last: Deployment | null;
  readonly serving: { readonly live: string | null; readonly shifting: Readonly<Record<string, number>> };
}

/** How long CodeDeploy has to begin the rollback of a deployment that it stopped. */
const rollbackStartSeconds = 180;
const settlingSeconds = 60;

const codes: Readonly<Record<string, string>> = {
  AGENT_ISSUE: 'an instance\'s CodeDeploy agent does not answer',
  ALARM_ACTIVE: 'an alarm of the deployment group is active and stopped it; its alarm configuration was not overridden',
  ECS_UPDATE_ERROR: 'ECS refused the update of the service',
  HEALTH_CONSTRAINTS: 'too many instances failed, or too few were left healthy',
  HOOK_EXECUTION_FAILURE: 'a validation hook failed',
  IAM_ROLE_MISSING: 'the deployment group\'s service role does not exist',
  IAM_ROLE_PERMISSIONS: 'the deployment group\'s service role lacks a permission',
  INVALID_LAMBDA_FUNCTION: 'the function, its alias or a version does not exist, or the alias is not at the version named as current',
  MANUAL_STOP: 'a person stopped it',
  NO_INSTANCES: 'the deployment group has no instances',
  REVISION_MISSING: 'the revision does not exist any more, for example because the object was deleted from its bucket',
  THROTTLED: 'CodeDeploy was throttled by a service it calls',
  TIMEOUT: 'it ran out of time',
};

export function confirmed(question: Question, seen: Seen): Confirmation {
  const { followed, last } = seen;
  const secondsSince = (Date.parse(question.now) - Date.parse(question.appliedAt)) / 1000;
  const pollSeconds = question.target.platform === 'Server' ? 20 : 5;
  if (followed === null) return traffic(question, seen, secondsSince);
  const { deployment, stopped } = followed;
  if (last !== null && last.id !== stopped?.id && last.createdAt > deployment.createdAt && !isFollowUp(last) && last.rollsBack !== deployment.id)
    return { answer: 'changed-by-someone-else', detail: `Deployment ${last.id} (${last.creator}) was started after ${deployment.id}.`, retryAfterSeconds: 0 };
  if (stopped !== null && stopped.id === deployment.id) return stopping(stopped, secondsSince, pollSeconds);
  if (deployment.status === 'Succeeded') return traffic(question, seen, secondsSince);
  if (deployment.status === 'Failed' || deployment.status === 'Stopped')
    return { answer: 'failed', detail: `Deployment ${deployment.id} ${deployment.status.toLowerCase()}: ${whyOf(deployment)}.`, retryAfterSeconds: 0 };
  const settled = deployment.isWaitingForTermination ? traffic(question, seen, secondsSince) : null;
  return settled?.answer === 'yes' ? settled : { answer: 'not-yet', detail: `Deployment ${deployment.id} is ${deployment.status}.`, retryAfterSeconds: pollSeconds };
}

/** The deployment that was stopped, while CodeDeploy has not named its rollback. */
function stopping(stopped: Detailed, secondsSince: number, pollSeconds: number): Confirmation {
  if (stopped.status === 'Succeeded')
    return { answer: 'overtaken', detail: `Deployment ${stopped.id} finished before it could be stopped: the good version has to be redeployed.`, retryAfterSeconds: 0 };
  const hasEnded = stopped.status === 'Stopped' || stopped.status === 'Failed';
  if (hasEnded && secondsSince > rollbackStartSeconds)
    return { answer: 'failed', detail: `Deployment ${stopped.id} is ${stopped.status}, but CodeDeploy began no rollback of it.`, retryAfterSeconds: 0 };
  return { answer: 'not-yet', detail: `Deployment ${stopped.id} is ${stopped.status}; its rollback has not begun.`, retryAfterSeconds: pollSeconds };
}

function whyOf({ error }: Detailed): string {
  const code = error?.code ?? '';
  const said = [codes[code], error?.message].filter((part) => part !== undefined && part !== '').join('; ');
  return [code, said].filter((part) => part !== '').join(': ') || 'CodeDeploy gives no reason';
}

/** What serves, read apart from what CodeDeploy says of its deployment. */
function traffic(question: Question, seen: Seen, secondsSince: number): Confirmation {
  const { target: { platform }, to } = question;
  if (platform === 'Server') return fleet(seen);
  const { live, shifting } = seen.serving;
  const shares = Object.keys(shifting).length === 0 ? '' : `, and weights on ${Object.keys(shifting).join(', ')}`;
  if (sameVersion(platform, live, to.live) && shares === '') return { answer: 'yes', detail: `${live} serves all traffic.`, retryAfterSeconds: 0 };
  const detail = `${to.live ?? 'The good version'} should serve all traffic, but ${live ?? 'nothing'} does${shares}.`;
  if (to.live === null) return { answer: 'cannot-verify', detail: `The rollback succeeded, but nothing says which version it brought back; ${live ?? 'nothing'} serves.`, retryAfterSeconds: 0 };
  return secondsSince < settlingSeconds && seen.followed !== null
    ? { answer: 'not-yet', detail, retryAfterSeconds: 5 }
    : { answer: seen.followed === null ? 'changed-by-someone-else' : 'failed', detail, retryAfterSeconds: 0 };
}

/** Servers show no version of their own: every instance must have taken the revision. */
function fleet({ followed, last }: Seen): Confirmation {
  if (followed === null)
    return last !== null && last.status !== 'Succeeded'
      ? { answer: 'changed-by-someone-else', detail: `Deployment ${last.id} is ${last.status}.`, retryAfterSeconds: 0 }
      : { answer: 'yes', detail: 'The good revision is the last one that succeeded.', retryAfterSeconds: 0 };
  const { id, overview } = followed.deployment;
  if (overview === null) return { answer: 'cannot-verify', detail: `Deployment ${id} succeeded, but CodeDeploy gives no count of instances.`, retryAfterSeconds: 0 };
  const { Succeeded = 0, Failed = 0, Skipped = 0 } = overview;
  const count = `${Succeeded} of ${Succeeded + Failed + Skipped} instances took the good revision`;
  return Failed + Skipped === 0 && Succeeded > 0
    ? { answer: 'yes', detail: `Deployment ${id} succeeded: ${count}.`, retryAfterSeconds: 0 }
    : { answer: 'failed', detail: `Deployment ${id} succeeded, but only ${count}.`, retryAfterSeconds: 0 };
}
