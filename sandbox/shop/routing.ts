// Decides, for one request, which rule of a listener applies, which target group gets it, and which target of the group.
import type { Action, RuleCondition } from '@aws-sdk/client-elastic-load-balancing-v2';
import { groupsOf } from '../services/elbv2/actions.ts';
import type { LoadBalancing } from '../services/elbv2/load-balancing.ts';
import type { TargetGroupRecord, TargetRecord } from '../services/elbv2/records.ts';

/** The actions that the data plane follows for this request. */
export function actionsFor(elb: LoadBalancing, listenerArn: string, request: { host: string; path: string }): readonly Action[] {
  const rule = elb.rulesOf(listenerArn).find(({ conditions }) => conditions.every((condition) => holds(condition, request)));
  return (rule ?? elb.listener(listenerArn)).actions.applied;
}

// An unknown kind of condition never holds: the request then meets the next rule, as it would not by accident.
function holds({ Field, Values, PathPatternConfig, HostHeaderConfig }: RuleCondition, { host, path }: { host: string; path: string }): boolean {
  if (Field === 'path-pattern') return (PathPatternConfig?.Values ?? Values ?? []).some((pattern) => wildcard(pattern, 's').test(path));
  if (Field === 'host-header') return (HostHeaderConfig?.Values ?? Values ?? []).some((pattern) => wildcard(pattern, 'si').test(host));
  return false;
}

const wildcard = (pattern: string, flags: string): RegExp =>
  new RegExp(`^${pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`).replaceAll('*', '.*').replaceAll('?', '.')}$`, flags);

/**
 * The target group for a forward action, or null when all weights are zero. `stuckTo` is the group of the client's AWSALBTG cookie:
 * whether weight 0 ends it is not documented; the sandbox takes the harder case and lets the cookie win.
 */
export function chooseGroup(action: Action, stuckTo: string | null, random: () => number): string | null {
  const groups = groupsOf(action).flatMap(({ TargetGroupArn, Weight = 1 }) => (TargetGroupArn === undefined ? [] : [{ arn: TargetGroupArn, weight: Weight }]));
  const isSticky = action.ForwardConfig?.TargetGroupStickinessConfig?.Enabled === true;
  if (isSticky && groups.some(({ arn }) => arn === stuckTo)) return stuckTo;
  const total = groups.reduce((sum, { weight }) => sum + weight, 0);
  let at = random() * total;
  for (const { arn, weight } of groups) {
    if (weight > 0 && at < weight) return arn;
    at -= weight;
  }
  return null;
}

/** Healthy targets take turns; without a single healthy one the group fails open and every registered target takes its turn. */
export function chooseTarget(group: TargetGroupRecord, turn: number): TargetRecord | null {
  const registered = [...group.targets.values()].filter(({ drainingUntil }) => drainingUntil === null);
  const healthy = registered.filter(({ health }) => health.State === 'healthy');
  const candidates = healthy.length > 0 ? healthy : registered;
  return candidates[turn % Math.max(1, candidates.length)] ?? null;
}
