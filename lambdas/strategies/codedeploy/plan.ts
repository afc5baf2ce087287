// Plans the way back of a deployment group: adopt the rollback that runs, stop the deployment that runs, or redeploy what was good.
import type { Reason } from '../../domain/vocabulary.ts';
import type { Known, PlanAnswer, PlanQuestion, StateReading } from '../strategy.ts';
import type { CodeDeployTarget } from './manifest.ts';
import { type Container, currentVersionIn, type Platform, type Revision, revisionFor, sameVersion, versionIn } from './revision.ts';

/** One deployment, as far as decisions need it. */
export type Deployment = {
  readonly id: string;
  readonly status: string;
  readonly creator: string;
  readonly description: string;
  readonly revision: Revision | null;
  readonly previousRevision: Revision | null;
  readonly createdAt: string;
  readonly completedAt: string | null;
  /** The deployment that CodeDeploy started to undo this one. */
  readonly rolledBackBy: string | null;
  /** The deployment that this one undoes. */
  readonly rollsBack: string | null;
  /** The traffic has moved; ECS keeps the tasks it moved away from for a while, up to two days. */
  readonly isWaitingForTermination: boolean;
};

export type CodeDeployState = {
  readonly platform: Platform;
  /** Version of the alias, task definition of the primary task set, or address of the servers' revision. Null: the fleet is mixed or never deployed. */
  readonly live: string | null;
  /** Versions that the alias also sends traffic to, and their share. */
  readonly shifting: { readonly [version: string]: number };
  /** The revision that brought `live`; in a plan, the one to deploy. */
  readonly revision: Revision | null;
  readonly running: Deployment | null;
  /** How the group deploys: `IN_PLACE` or `BLUE_GREEN`, and its own configuration. Absent in states that were captured before it was read. */
  readonly group?: { readonly style: string | null; readonly config: string | null };
};

export type CodeDeployFacts = {
  readonly last: Deployment | null;
  readonly succeeded: Deployment | null;
  /** Earlier successes; read only when the ledger holds no state of the good version. */
  readonly history: readonly Deployment[];
  /** Container and port that the ECS service is balanced to. */
  readonly container: Container | null;
  /** Versions that were looked up: null when they can be deployed, else why not. */
  readonly destinations: { readonly [version: string]: string | null };
};

export type Question = PlanQuestion<CodeDeployTarget, CodeDeployState>;
type Answer = PlanAnswer<CodeDeployState>;
type Good = { readonly version: string; readonly revision: Revision | null };

/** Where the description of our own redeploys begins. */
export const mark = 'ripcord ';

export const isRollback = ({ creator, rollsBack, description }: Deployment): boolean =>
  creator === 'codeDeployRollback' || creator === 'CloudFormationRollback' || rollsBack !== null || description.startsWith(mark);

/** Deployments that only bring new instances to the revision the others have: nobody released anything. */
export const isFollowUp = ({ creator }: Deployment): boolean => ['autoscaling', 'autoscalingTermination', 'CodeDeployAutoUpdate'].includes(creator);

export type Way = 'adopt' | 'stop' | 'redeploy';

/** How a planned change is made, from the state it starts at. */
export function wayFrom({ running }: CodeDeployState): Way {
  if (running === null) return 'redeploy';
  return isRollback(running) || running.rolledBackBy !== null ? 'adopt' : 'stop';
}

const changed = (text: string): Reason => ({ code: 'changed-by-someone-else', text });

/**
 * A version that an alias serves though the deployment that runs moves it neither from there nor to there: somebody set it by hand, and a stop with rollback
 * would take it away. Null where there is none, or where the revision does not say what it moves.
 */
export function setByHand({ platform, live, shifting, running }: CodeDeployState): string | null {
  const [from, to] = [currentVersionIn(running?.revision ?? null), versionIn('Lambda', running?.revision ?? null)];
  if (platform !== 'Lambda' || from === null || to === null) return null;
  return [live, ...Object.keys(shifting)].find((one) => one !== null && one !== from && one !== to) ?? null;
}

/** In words, where somebody set the alias by hand. */
export const setByHandText = (version: string, { running }: CodeDeployState): string =>
  `Deployment ${running?.id} moves the alias from ${currentVersionIn(running?.revision ?? null)} to ${versionIn('Lambda', running?.revision ?? null)}, but it serves ${version}: somebody set it by hand.`;

export function plan(question: Question): Answer {
  const { state: live } = question.live;
  const running = live.running;
  const good = goodOf(question, question.live);
  if (running !== null && wayFrom(live) === 'adopt') return adopt(live, running, good);
  const objection = running === null && good !== null && isAt(live, good) ? null : objectionTo(question);
  if (objection !== null) return { outcome: 'impossible', from: live, reason: objection };
  return running === null ? redeploy(question, good) : stop(question, running, good);
}

function adopt(live: CodeDeployState, running: Deployment, good: Good | null): Answer {
  if (running.isWaitingForTermination && good !== null && isAt(live, good))
    return { outcome: 'already', from: live, to: live, summary: `${good.version} has all traffic already; ${running.id} only keeps the other tasks for a while` };
  const undone = running.rolledBackBy === null ? running.revision : running.previousRevision;
  const to: CodeDeployState = { ...live, live: versionIn(live.platform, undone) ?? good?.version ?? null, shifting: {}, revision: undone, running: null };
  const id = running.rolledBackBy ?? running.id;
  return { outcome: 'change', from: live, to, summary: `rollback ${id} runs already (${running.creator}): follow it, write nothing` };
}

function stop({ live: { state: live, facts } }: Question, running: Deployment, good: Good | null): Answer {
  const impossible = (code: string, text: string): Answer => ({ outcome: 'impossible', from: live, reason: { code, text } });
  if (running.previousRevision === null) return impossible('no-known-good', `Deployment ${running.id} is the first of its group: there is nothing to go back to.`);
  const returnsTo = returnOf(live, running);
  if (returnsTo === null) return impossible('no-known-good', `Nothing says which version would come back when deployment ${running.id} is stopped.`);
  if (good !== null && !sameVersion(live.platform, returnsTo, good.version))
    return impossible('no-known-good', `Stopping ${running.id} would bring back ${returnsTo}, which is not known to be good; ${good.version} is. Stop it by hand, or let it finish: then the good version is redeployed.`);
  const gone = (facts as CodeDeployFacts).destinations[returnsTo] ?? null;
  if (gone !== null) return impossible('destination-gone', `${returnsTo} cannot come back: ${gone}.`);
  const to: CodeDeployState = { ...live, live: returnsTo, shifting: {}, revision: running.previousRevision, running: null };
  return { outcome: 'change', from: live, to, summary: `stop ${running.id} (${running.status}) with rollback: back to ${returnsTo}` };
}

/** Which version serves again after a stop with rollback. */
function returnOf(live: CodeDeployState, running: Deployment): string | null {
  if (live.platform === 'Lambda') return currentVersionIn(running.revision) ?? live.live;
  const previous = versionIn(live.platform, running.previousRevision);
  const isOldLive = !sameVersion(live.platform, live.live, versionIn(live.platform, running.revision));
  return previous ?? (isOldLive ? live.live : null);
}

function redeploy({ target, live: { state: live, facts: known } }: Question, good: Good | null): Answer {
  const facts = known as CodeDeployFacts;
  const impossible = (code: string, text: string): Answer => ({ outcome: 'impossible', from: live, reason: { code, text } });
  if (good === null) return impossible('no-known-good', 'Neither the ledger nor the group\'s own history holds a version to go back to.');
  const to: CodeDeployState = { ...live, live: good.version, shifting: {}, revision: good.revision, running: null };
  if (isAt(live, good)) return { outcome: 'already', from: live, to: live, summary: `${good.version} is live already` };
  if (Object.keys(live.shifting).length > 0)
    return impossible('unsupported', `The alias is left weighted on ${[live.live, ...Object.keys(live.shifting)].join(' and ')} by a deployment that was stopped without rollback, and CodeDeploy refuses the next one: clear the weights with \`aws lambda update-alias --routing-config AdditionalVersionWeights={}\`.`);
  const gone = facts.destinations[good.version] ?? null;
  if (gone !== null) return impossible('destination-gone', `Known-good ${good.version} cannot be deployed: ${gone}.`);
  const revision = revisionFor(target, good, { live: live.live ?? '', container: facts.container });
  if (revision === null) return impossible('unsupported', `Nothing tells how to deploy ${good.version}: its revision was not recorded${target.platform === 'ECS' ? ', and the service has no load balancer' : ''}.`);
  return { outcome: 'change', from: live, to: { ...to, revision }, summary: `redeploy ${good.version} in place of ${live.live ?? 'a mixed fleet'}` };
}

const isAt = (live: CodeDeployState, good: Good): boolean => sameVersion(live.platform, live.live, good.version) && Object.keys(live.shifting).length === 0;

/**
 * The version to go back to: as the ledger saw it, else from CodeDeploy's history: the success of the version that Assess found proven, and only
 * where nobody names one (a person sees the plan then) the newest that is older than the release.
 */
export function goodOf({ good, release }: Known<CodeDeployState>, live: { readonly state: CodeDeployState; readonly facts: object }): Good | null {
  const recorded = recordedGood(live.state.platform, good);
  if (recorded !== null) return recorded;
  const { history } = live.facts as CodeDeployFacts;
  const { platform } = live.state;
  const bad = versionIn(platform, history.find(({ id }) => id === release?.id)?.revision ?? null) ?? live.state.live;
  const candidates = history.flatMap((one) => {
    const version = versionIn(platform, one.revision);
    const isOlder = release === null || one.createdAt < release.startedAt;
    const isMeant = good === null || sameVersion(platform, version, good.version);
    return one.status === 'Succeeded' && !isFollowUp(one) && isOlder && isMeant && version !== null && !sameVersion(platform, version, bad) ? [{ ...one, version }] : [];
  });
  const newest = candidates.toSorted((one, other) => (other.completedAt ?? '').localeCompare(one.completedAt ?? ''))[0];
  return newest === undefined ? null : { version: newest.version, revision: newest.revision };
}

/** What the ledger's state says of the good version; null where it says nothing that can be gone back to. */
export function recordedGood(platform: Platform, good: Known<CodeDeployState>['good']): Good | null {
  const { live, revision, platform: recordedFor, running = null } = (good?.state ?? {}) as Partial<CodeDeployState>;
  if (typeof live !== 'string' || recordedFor !== platform || good === null) return null;
  // A quick deployment may have moved the traffic before its own beginning was captured: then this is what it brought, not the version before it.
  const isTooLate = running !== null && sameVersion(platform, live, versionIn(platform, running.revision)) && sameVersion(platform, good.version, versionIn(platform, running.previousRevision));
  return isTooLate ? null : { version: live, revision: revision ?? null };
}

/** Why what is live or running may not be undone; null when it may. */
function objectionTo({ live: { state: live, facts }, release, expectedFrom }: Question): Reason | null {
  if (expectedFrom !== null && !sameDeployment(live, expectedFrom)) return changed(`The plan was made for ${describe(expectedFrom)}, but now it is ${describe(live)}.`);
  const byHand = setByHand(live);
  if (byHand !== null) return changed(setByHandText(byHand, live));
  if (release === null) return null;
  const left = release.isFinished ? (release.left as CodeDeployState | null) : null;
  if (left !== null) return sameDeployment(live, left) ? null : changed(`Release ${release.id} left ${describe(left)}, but now it is ${describe(live)}.`);
  const { last, succeeded, history } = facts as CodeDeployFacts;
  const isOfThisGroup = [last, succeeded, live.running, ...history].some((one) => one?.id === release.id);
  const newest = live.running ?? succeeded;
  const isNewer = newest !== null && newest.id !== release.id && newest.createdAt > release.startedAt && !isRollback(newest) && !isFollowUp(newest);
  // A release of another group of the same service has another id; while it runs, what began with it belongs to it.
  return isNewer && (isOfThisGroup || release.isFinished) ? changed(`Deployment ${newest.id} is newer than release ${release.id}: somebody deployed since.`) : null;
}

const describe = ({ live, running }: CodeDeployState): string => `${live ?? 'a mixed fleet'}${running === null ? '' : ` with deployment ${running.id} running`}`;

/** The same thing serves, and the same deployment (or none) runs. How far a shift has come may differ. */
export const sameDeployment = (one: CodeDeployState, other: CodeDeployState): boolean =>
  (one.running?.id ?? null) === (other.running?.id ?? null) && (one.live === other.live || sameVersion(one.platform, one.live, other.live ?? null));

const shiftingIn = (state: Partial<CodeDeployState>): string => JSON.stringify(Object.entries(state.shifting ?? {}).toSorted(([one], [other]) => (one < other ? -1 : 1)));

/** What serves, and which share of it: whether the tasks before are still kept, or a deployment is named, makes no difference to users. */
export const deployedStates: StateReading = {
  same: (one: Partial<CodeDeployState>, other: Partial<CodeDeployState>) => one.platform !== undefined && one.platform === other.platform
    && sameVersion(one.platform, one.live ?? null, other.live ?? null) && shiftingIn(one) === shiftingIn(other),
  isSplit: (state: Partial<CodeDeployState>) => Object.keys(state.shifting ?? {}).length > 0,
};
