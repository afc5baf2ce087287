// Elastic Load Balancing on the wire: which operations are served.
import * as schemas from '@aws-sdk/client-elastic-load-balancing-v2';
import type { AwsService } from '../../aws/world.ts';
import { describeListeners, describeLoadBalancers, describeRules, describeTargetGroupAttributes, describeTargetGroups, describeTargetHealth } from './describe-operations.ts';
import type { LoadBalancing } from './load-balancing.ts';
import { deregisterTargets, modifyListener, modifyRule, registerTargets } from './modify-operations.ts';

export const loadBalancingService = (elb: LoadBalancing): AwsService => ({
  signingName: 'elasticloadbalancing',
  iamPrefix: 'elasticloadbalancing',
  schemas,
  operations: {
    DescribeLoadBalancers: describeLoadBalancers(elb),
    DescribeListeners: describeListeners(elb),
    DescribeRules: describeRules(elb),
    DescribeTargetGroups: describeTargetGroups(elb),
    DescribeTargetGroupAttributes: describeTargetGroupAttributes(elb),
    DescribeTargetHealth: describeTargetHealth(elb),
    ModifyListener: modifyListener(elb),
    ModifyRule: modifyRule(elb),
    RegisterTargets: registerTargets(elb),
    DeregisterTargets: deregisterTargets(elb),
  },
});
