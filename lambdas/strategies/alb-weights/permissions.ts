// What the role of alb-weights may do: exactly its calls, on exactly its target.
import type { Changed, Permissions } from '../strategy.ts';
import type { AlbWeightsTarget } from './manifest.ts';

const because = 'Elastic Load Balancing Describe actions have no resource-level permissions.';

export const permissions: Permissions<AlbWeightsTarget> = ({ listenerArn, ruleArn }) => [
  ruleArn === undefined
    ? { actions: ['elasticloadbalancing:ModifyListener'], resources: [listenerArn] }
    : { actions: ['elasticloadbalancing:ModifyRule'], resources: [ruleArn] },
  { actions: [ruleArn === undefined ? 'elasticloadbalancing:DescribeListeners' : 'elasticloadbalancing:DescribeRules'], resources: ['*'], because },
  // Apart, so that a listener and a rule share it.
  { actions: ['elasticloadbalancing:DescribeTargetGroupAttributes', 'elasticloadbalancing:DescribeTargetHealth'], resources: ['*'], because },
];

export const changed: Changed<AlbWeightsTarget> = ({ listenerArn, ruleArn }) => [ruleArn === undefined ? `default action of listener ${listenerArn}` : `rule ${ruleArn}`];
