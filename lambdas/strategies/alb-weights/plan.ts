// Plans the way back of a weighted listener or rule: pure, from the live actions and the health of each side.
import type { JsonObject, Reason } from '../../domain/vocabulary.ts';
import type { PlanAnswer, PlanQuestion } from '../strategy.ts';
import { describeShift, goodWeights, isAsLeft, objectionTo, objectionToStrangers, sameShares, type Weights } from '../weights.ts';
import type { AlbWeightsTarget } from './manifest.ts';

/** Names and types are the API's own. A type alias, because an interface is not a JsonObject. */
export type Forward = {
  readonly Type: 'forward';
  readonly TargetGroupArn?: string;
  readonly ForwardConfig?: {
    readonly TargetGroups?: readonly { readonly TargetGroupArn: string; readonly Weight?: number }[];
    readonly TargetGroupStickinessConfig?: { readonly Enabled?: boolean; readonly DurationSeconds?: number };
  };
};

export type AlbWeightsState = {
  readonly weights: Weights;
  /** Target groups in the action that the catalogue does not name, by ARN. */
  readonly strangers: Weights;
  readonly stickiness: { readonly enabled: boolean; readonly durationSeconds: number | null };
  /** All actions as they go back to AWS: every one has to be sent again, or it is lost. */
  readonly actions: readonly JsonObject[];
};

export type SideFacts = {
  /** Health state to number of targets; null when the target group does not exist. */
  readonly targets: { readonly [state: string]: number } | null;
  /** The target group has stickiness of its own. */
  readonly isSticky: boolean;
};

export type AlbWeightsFacts = { readonly sides: { readonly [side: string]: SideFacts } };

const isForward = (action: JsonObject): boolean => action['Type'] === 'forward';

/** Weight of each target group that the actions forward to, by ARN, in the order of the action. */
export function forwardedTo(actions: readonly JsonObject[]): Weights {
  const forward = actions.find(isForward) as Forward | undefined;
  const groups = forward?.ForwardConfig?.TargetGroups;
  if (groups !== undefined && groups.length > 0) return Object.fromEntries(groups.map((group) => [group.TargetGroupArn, group.Weight ?? 1]));
  return forward?.TargetGroupArn === undefined ? {} : { [forward.TargetGroupArn]: 1 };
}

/** Reads the live actions in the catalogue's words. */
export function stateOf(target: AlbWeightsTarget, actions: readonly JsonObject[]): AlbWeightsState {
  const groups = forwardedTo(actions);
  const declared = Object.entries(target.targetGroups);
  const sticky = (actions.find(isForward) as Forward | undefined)?.ForwardConfig?.TargetGroupStickinessConfig;
  return {
    weights: Object.fromEntries(declared.map(([side, groupArn]) => [side, groups[groupArn] ?? 0])),
    strangers: Object.fromEntries(Object.entries(groups).filter(([groupArn]) => !declared.some(([, one]) => one === groupArn))),
    stickiness: { enabled: sticky?.Enabled ?? false, durationSeconds: sticky?.DurationSeconds ?? null },
    actions,
  };
}

/** True when both states send the same shares to the same places and hold on to clients alike. */
export const sameState = (one: AlbWeightsState, other: AlbWeightsState): boolean =>
  sameShares({ ...one.weights, ...one.strangers }, { ...other.weights, ...other.strangers }) && one.stickiness.enabled === other.stickiness.enabled;

export function plan(question: PlanQuestion<AlbWeightsTarget, AlbWeightsState>): PlanAnswer<AlbWeightsState> {
  const { target, release, expectedFrom } = question;
  const { state: live } = question.live;
  const impossible = (reason: Reason): PlanAnswer<AlbWeightsState> => ({ outcome: 'impossible', from: live, reason });
  const good = goodWeights(target.good, Object.keys(target.targetGroups), question.good);
  if ('reason' in good) return impossible(good.reason);
  if (!live.actions.some(isForward)) return impossible({ code: 'changed-by-someone-else', text: 'The live actions forward to no target group at all: somebody put another action in their place.' });
  const strangers = objectionToStrangers(live, release, 'target group');
  if (strangers !== null) return impossible(strangers);
  const facts = question.live.facts as AlbWeightsFacts;
  const to = destination(target, live, { weights: good.weights, facts });
  const summary = describe(question, to);
  const isThere = sameShares(live.weights, to.weights);
  if (isThere && (sameState(live, to) || isAsLeft(live, release))) return { outcome: 'already', from: live, to: { ...to, stickiness: live.stickiness, actions: live.actions }, summary };
  const objection = isThere ? null : objectionTo({ live, release, expectedFrom });
  const reason = objection ?? unhealthy(target, to.weights, facts);
  return reason === null ? { outcome: 'change', from: live, to, summary } : impossible(reason);
}

/** Enough healthy targets on each side that will get traffic? Only `healthy` counts: nothing else is proof. */
function unhealthy(target: AlbWeightsTarget, weights: Weights, facts: AlbWeightsFacts): Reason | null {
  for (const side of Object.keys(weights).filter((name) => (weights[name] ?? 0) > 0)) {
    const targets = facts.sides[side]?.targets ?? null;
    if (targets === null) return { code: 'destination-gone', text: `Target group of ${side} (${target.targetGroups[side]}) does not exist.` };
    const healthy = targets['healthy'] ?? 0;
    if (healthy >= target.minimumHealthyTargets) continue;
    const others = Object.entries(targets).filter(([state]) => state !== 'healthy').map(([state, count]) => `${count} ${state}`);
    const unused = targets['unused'] === undefined ? '' : ' Targets are `unused` while their group is attached to no action: keep it attached at weight 0, so that its health is checked.';
    return {
      code: 'destination-unhealthy',
      text: `${side} has ${healthy} healthy targets of the ${target.minimumHealthyTargets} it needs (${others.join(', ') || 'no other targets'}).${unused}`,
    };
  }
  return null;
}

type Aim = { readonly weights: Weights; readonly facts: AlbWeightsFacts };

function destination(target: AlbWeightsTarget, live: AlbWeightsState, { weights, facts }: Aim): AlbWeightsState {
  const attached = forwardedTo(live.actions);
  const wanted = Object.entries(target.targetGroups).filter(([side, groupArn]) => groupArn in attached || (weights[side] ?? 0) > 0);
  // A multi-group forward must keep group stickiness while one of its groups has target stickiness: AWS refuses it otherwise.
  const mustStick = wanted.length > 1 && wanted.some(([side]) => facts.sides[side]?.isSticky === true);
  const stickiness = { ...live.stickiness, enabled: live.stickiness.enabled && mustStick };
  const byArn = new Map(wanted.map(([side, groupArn]) => [groupArn, weights[side] ?? 0]));
  const order = [...Object.keys(attached), ...[...byArn.keys()].filter((groupArn) => !(groupArn in attached))];
  const groups = order.map((groupArn) => ({ TargetGroupArn: groupArn, Weight: byArn.get(groupArn) ?? 0 }));
  return { weights, strangers: {}, stickiness, actions: live.actions.map((action) => (isForward(action) ? forwardTo(action, groups, stickiness) : action)) };
}

function forwardTo(action: JsonObject, groups: readonly JsonObject[], stickiness: AlbWeightsState['stickiness']): JsonObject {
  const { TargetGroupArn: _single, ForwardConfig: before, ...rest } = action;
  const duration = stickiness.durationSeconds === null || !stickiness.enabled ? {} : { DurationSeconds: stickiness.durationSeconds };
  const hasConfig = (before as Forward['ForwardConfig'])?.TargetGroupStickinessConfig !== undefined;
  return { ...rest, ForwardConfig: { TargetGroups: groups, ...(hasConfig ? { TargetGroupStickinessConfig: { Enabled: stickiness.enabled, ...duration } } : {}) } };
}

function describe({ target, live: { state: live } }: PlanQuestion<AlbWeightsTarget, AlbWeightsState>, to: AlbWeightsState): string {
  const notes: string[] = [];
  if (live.stickiness.enabled && !to.stickiness.enabled) notes.push('group stickiness off, so that clients with a cookie move too');
  if (to.stickiness.enabled)
    notes.push(`group stickiness stays on, because a target group has stickiness of its own: clients with a cookie may stay for up to ${to.stickiness.durationSeconds ?? '?'} s`);
  if (/:listener(-rule)?\/net\//.test(target.ruleArn ?? target.listenerArn)) notes.push('open connections stay where they are');
  return [describeShift(live.weights, to.weights), ...notes].join('; ');
}
