// Reads and writes the weighted action of a listener or rule, and reads the health of its target groups.
import {
  type Action, DescribeListenersCommand, DescribeRulesCommand, DescribeTargetGroupAttributesCommand, DescribeTargetHealthCommand,
  type ElasticLoadBalancingV2Client, ModifyListenerCommand, ModifyRuleCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { AwsCallError, calling, isFault } from '../../adapters/aws-errors.ts';
import type { JsonObject } from '../../domain/vocabulary.ts';
import { loadBalancingClient } from '../../runtime/wiring.ts';
import type { Confirmation, ConfirmQuestion, Strategy } from '../strategy.ts';
import { describeShares } from '../weights.ts';
import { type AlbWeightsTarget, manifest } from './manifest.ts';
import { type AlbWeightsState, plan, sameState, type SideFacts, stateOf } from './plan.ts';
import { way } from './way.ts';

export interface Clients {
  readonly loadBalancing: () => ElasticLoadBalancingV2Client;
}

/** A read may lag behind the write for a moment; after this many seconds the old weights are somebody's doing. */
const settlingSeconds = 30;

export function createStrategy(clients: Clients): Strategy<AlbWeightsTarget, AlbWeightsState> {
  let client: ElasticLoadBalancingV2Client | undefined;
  const elb = (): ElasticLoadBalancingV2Client => (client ??= clients.loadBalancing());
  return {
    manifest,
    way,
    plan,
    capture: async (target) => {
      const [actions, sides] = await Promise.all([
        readActions(elb(), target),
        Promise.all(Object.entries(target.targetGroups).map(async ([side, groupArn]) => [side, await readSide(elb(), groupArn)] as const)),
      ]);
      return { state: stateOf(target, actions), facts: { sides: Object.fromEntries(sides) } };
    },
    apply: async ({ target, to }) => {
      const actions = to.actions as unknown as Action[];
      await (target.ruleArn === undefined
        ? calling('elasticloadbalancing:ModifyListener', elb().send(new ModifyListenerCommand({ ListenerArn: target.listenerArn, DefaultActions: actions })))
        : calling('elasticloadbalancing:ModifyRule', elb().send(new ModifyRuleCommand({ RuleArn: target.ruleArn, Actions: actions }))));
      return { handle: null, confirmAfterSeconds: 2 };
    },
    confirm: async (question) => confirmed(question, stateOf(question.target, await readActions(elb(), question.target))),
  };
}

export const strategy = createStrategy({ loadBalancing: loadBalancingClient });

function confirmed({ from, to, appliedAt, now }: ConfirmQuestion<AlbWeightsTarget, AlbWeightsState>, live: AlbWeightsState): Confirmation {
  const shares = describeShares({ ...live.weights, ...live.strangers });
  if (sameState(live, to)) return { answer: 'yes', detail: `Live weights are ${shares}.`, retryAfterSeconds: 0 };
  const age = (Date.parse(now) - Date.parse(appliedAt)) / 1000;
  if (sameState(live, from) && age < settlingSeconds) return { answer: 'not-yet', detail: `Live weights are still ${shares}.`, retryAfterSeconds: 2 };
  return { answer: 'changed-by-someone-else', detail: `Wrote ${describeShares(to.weights)}, but the live weights are ${shares}.`, retryAfterSeconds: 0 };
}

async function readActions(elb: ElasticLoadBalancingV2Client, { ruleArn, listenerArn }: AlbWeightsTarget): Promise<JsonObject[]> {
  const actions = ruleArn === undefined
    ? (await calling('elasticloadbalancing:DescribeListeners', elb.send(new DescribeListenersCommand({ ListenerArns: [listenerArn] })))).Listeners?.[0]?.DefaultActions
    : (await calling('elasticloadbalancing:DescribeRules', elb.send(new DescribeRulesCommand({ RuleArns: [ruleArn] })))).Rules?.[0]?.Actions;
  if (actions === undefined) {
    const [action, missing] = ruleArn === undefined ? ['DescribeListeners', listenerArn] : ['DescribeRules', ruleArn];
    throw new AwsCallError('gone', { action: `elasticloadbalancing:${action}`, awsCode: 'Empty', text: `answered without ${missing}` }, null);
  }
  return actions.map(sendable);
}

/** A described action as it can be sent back: AWS takes either one target group or a forward configuration, and keeps a client secret to itself. */
function sendable(action: Action): JsonObject {
  const { TargetGroupArn: single, ...rest } = action;
  const oidc = action.AuthenticateOidcConfig;
  return JSON.parse(JSON.stringify({
    ...rest,
    ...(single !== undefined && action.ForwardConfig === undefined ? { TargetGroupArn: single } : {}),
    ...(oidc === undefined ? {} : { AuthenticateOidcConfig: { ...oidc, ClientSecret: undefined, UseExistingClientSecret: true } }),
  })) as JsonObject;
}

async function readSide(elb: ElasticLoadBalancingV2Client, TargetGroupArn: string): Promise<SideFacts> {
  try {
    const [health, attributes] = await Promise.all([
      calling('elasticloadbalancing:DescribeTargetHealth', elb.send(new DescribeTargetHealthCommand({ TargetGroupArn }))),
      calling('elasticloadbalancing:DescribeTargetGroupAttributes', elb.send(new DescribeTargetGroupAttributesCommand({ TargetGroupArn }))),
    ]);
    const targets: Record<string, number> = {};
    for (const { TargetHealth } of health.TargetHealthDescriptions ?? []) {
      const state = TargetHealth?.State ?? 'unknown';
      targets[state] = (targets[state] ?? 0) + 1;
    }
    return { targets, isSticky: attributes.Attributes?.some(({ Key, Value }) => Key === 'stickiness.enabled' && Value === 'true') ?? false };
  } catch (error) {
    if (isFault(error, 'gone')) return { targets: null, isSticky: false };
    throw error;
  }
}
