// Elastic Load Balancing operations that change something.
import type {
  DeregisterTargetsInput, ModifyListenerInput, ModifyListenerOutput, ModifyRuleInput, ModifyRuleOutput, RegisterTargetsInput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { AwsError, type Operation } from '../../aws/world.ts';
import { defaultRuleArn, listenerShown, ruleShown } from './describe-operations.ts';
import type { LoadBalancing } from './load-balancing.ts';

export const modifyListener = (elb: LoadBalancing): Operation<ModifyListenerInput, ModifyListenerOutput> => ({
  mutating: true,
  authorize: ({ ListenerArn }) => [{ action: 'elasticloadbalancing:ModifyListener', resources: [ListenerArn ?? ''] }],
  run: ({ ListenerArn = '', DefaultActions, Port, Protocol, Certificates, SslPolicy }) => {
    if (Port !== undefined || (Protocol !== undefined && Protocol !== 'HTTP') || Certificates !== undefined || SslPolicy !== undefined) throw new AwsError('InvalidConfigurationRequest', 'The sandbox only modifies the default actions of HTTP listeners');
    return { Listeners: [listenerShown(DefaultActions === undefined ? elb.listener(ListenerArn) : elb.modifyListener(ListenerArn, DefaultActions))] };
  },
});

export const modifyRule = (elb: LoadBalancing): Operation<ModifyRuleInput, ModifyRuleOutput> => ({
  mutating: true,
  authorize: ({ RuleArn }) => [{ action: 'elasticloadbalancing:ModifyRule', resources: [RuleArn ?? ''] }],
  run: ({ RuleArn = '', Actions, Conditions }) => {
    if ([...elb.listeners.keys()].some((arn) => defaultRuleArn(arn) === RuleArn)) throw new AwsError('OperationNotPermitted', `Default rule '${RuleArn}' cannot be modified`);
    if (Conditions !== undefined) throw new AwsError('InvalidConfigurationRequest', 'The sandbox does not modify the conditions of a rule');
    return { Rules: [ruleShown(Actions === undefined ? elb.rule(RuleArn) : elb.modifyRule(RuleArn, Actions))] };
  },
});

export const registerTargets = (elb: LoadBalancing): Operation<RegisterTargetsInput, object> => ({
  mutating: true,
  authorize: ({ TargetGroupArn }) => [{ action: 'elasticloadbalancing:RegisterTargets', resources: [TargetGroupArn ?? ''] }],
  run: ({ TargetGroupArn = '', Targets = [] }) => {
    elb.registerTargets(TargetGroupArn, Targets);
    return {};
  },
});

export const deregisterTargets = (elb: LoadBalancing): Operation<DeregisterTargetsInput, object> => ({
  mutating: true,
  authorize: ({ TargetGroupArn }) => [{ action: 'elasticloadbalancing:DeregisterTargets', resources: [TargetGroupArn ?? ''] }],
  run: ({ TargetGroupArn = '', Targets = [] }) => {
    elb.deregisterTargets(TargetGroupArn, Targets);
    return {};
  },
});
