// alb-weights: shifts a listener's or rule's weighted target groups back to the good side.
import * as z from 'zod';
import type { Manifest } from '../strategy.ts';
import { arn, goodSide, sides } from '../target-fields.ts';
import { weightedStates } from '../weights.ts';

export const target = z.strictObject({
  strategy: z.literal('alb-weights'),
  /** The listener whose default action forwards, or that owns the rule. */
  listenerArn: arn('elasticloadbalancing', 'listener/'),
  /** Absent: the listener's default action is the target. */
  ruleArn: arn('elasticloadbalancing', 'listener-rule/').optional(),
  /** Side name to target group ARN; every group the action may forward to. */
  targetGroups: sides(arn('elasticloadbalancing', 'targetgroup/')),
  good: goodSide,
  /** Healthy targets the good side must have before traffic is sent to it. */
  minimumHealthyTargets: z.int().min(1).max(1000).default(1),
});

export type AlbWeightsTarget = z.output<typeof target>;

export const manifest: Manifest<AlbWeightsTarget> = {
  name: 'alb-weights',
  summary: 'Shift an ALB or NLB listener (or rule) back to the good target group.',
  target,
  states: weightedStates,
};
