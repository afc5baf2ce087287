// Elastic Load Balancing operations that only read.
import type {
  DescribeListenersInput, DescribeListenersOutput, DescribeLoadBalancersInput, DescribeLoadBalancersOutput, DescribeRulesInput, DescribeRulesOutput,
  DescribeTargetGroupAttributesInput, DescribeTargetGroupAttributesOutput, DescribeTargetGroupsInput, DescribeTargetGroupsOutput, DescribeTargetHealthInput, DescribeTargetHealthOutput, Listener, Rule, TargetGroup, TargetHealth,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { AwsError, type Authorization, type Operation } from '../../aws/world.ts';
import { withoutSecret } from './actions.ts';
import { unused } from './health-checks.ts';
import type { LoadBalancing } from './load-balancing.ts';
import { targetKey, type ListenerRecord, type RuleRecord, type TargetGroupRecord, type TargetRecord } from './records.ts';

const read = (action: string) => (): Authorization[] => [{ action: `elasticloadbalancing:${action}`, resources: ['*'] }];

function page<Item>(items: readonly Item[], { Marker, PageSize = 400 }: { Marker?: string | undefined; PageSize?: number | undefined }): { shown: Item[]; next: { NextMarker?: string } } {
  const from = Number(Marker ?? 0);
  if (!Number.isInteger(from)) throw new AwsError('ValidationError', `The marker '${String(Marker)}' is not valid`);
  return { shown: items.slice(from, from + PageSize), next: from + PageSize < items.length ? { NextMarker: String(from + PageSize) } : {} };
}

export const describeLoadBalancers = (elb: LoadBalancing): Operation<DescribeLoadBalancersInput, DescribeLoadBalancersOutput> => ({
  mutating: false,
  authorize: read('DescribeLoadBalancers'),
  run: (input) => {
    const all = [...elb.loadBalancers.values()];
    const missing = [...(input.LoadBalancerArns ?? []), ...(input.Names ?? [])].filter((wanted) => !all.some(({ arn, name }) => arn === wanted || name === wanted));
    if (missing.length > 0) throw new AwsError('LoadBalancerNotFound', `Load balancers '[${missing.join(', ')}]' not found`);
    const { shown, next } = page(all.filter(({ arn, name }) => (input.LoadBalancerArns?.includes(arn) ?? true) && (input.Names?.includes(name) ?? true)), input);
    return {
      LoadBalancers: shown.map(({ arn, name, kind, createdAt }) => ({
        LoadBalancerArn: arn, LoadBalancerName: name, Type: kind, Scheme: 'internet-facing', State: { Code: 'active' }, CreatedTime: new Date(createdAt), DNSName: `${name}.${elb.parts.place.region}.elb.amazonaws.com`, IpAddressType: 'ipv4',
      })),
      ...next,
    };
  },
});

export const listenerShown = ({ arn, loadBalancerArn, port, actions }: ListenerRecord): Listener => ({ ListenerArn: arn, LoadBalancerArn: loadBalancerArn, Port: port, Protocol: 'HTTP', DefaultActions: actions.current.map(withoutSecret) });

export const describeListeners = (elb: LoadBalancing): Operation<DescribeListenersInput, DescribeListenersOutput> => ({
  mutating: false,
  authorize: read('DescribeListeners'),
  run: (input) => {
    const { LoadBalancerArn, ListenerArns } = input;
    if (LoadBalancerArn === undefined && ListenerArns === undefined) throw new AwsError('ValidationError', 'You must specify either listener ARNs or a load balancer ARN');
    if (LoadBalancerArn !== undefined && !elb.loadBalancers.has(LoadBalancerArn)) throw new AwsError('LoadBalancerNotFound', `Load balancers '[${LoadBalancerArn}]' not found`);
    const found = ListenerArns === undefined ? [...elb.listeners.values()].filter((listener) => listener.loadBalancerArn === LoadBalancerArn) : ListenerArns.map((arn) => elb.listener(arn));
    const { shown, next } = page(found, input);
    return { Listeners: shown.map(listenerShown), ...next };
  },
});

export const ruleShown = ({ arn, priority, conditions, actions }: RuleRecord): Rule => ({ RuleArn: arn, Priority: String(priority), Conditions: [...conditions], Actions: actions.current.map(withoutSecret), IsDefault: false });

const defaultRule = ({ arn, actions }: ListenerRecord): Rule => ({ RuleArn: defaultRuleArn(arn), Priority: 'default', Conditions: [], Actions: actions.current.map(withoutSecret), IsDefault: true });

/** The listener's default action is also a rule, which cannot be modified as one. */
export const defaultRuleArn = (listenerArn: string): string => `${listenerArn.replace(':listener/', ':listener-rule/')}/default`;

export const describeRules = (elb: LoadBalancing): Operation<DescribeRulesInput, DescribeRulesOutput> => ({
  mutating: false,
  authorize: read('DescribeRules'),
  run: (input) => {
    const { ListenerArn, RuleArns } = input;
    if ((ListenerArn === undefined) === (RuleArns === undefined)) throw new AwsError('ValidationError', 'You must specify either listener ARN or rule ARNs');
    const found = ListenerArn === undefined ? (RuleArns ?? []).map((arn) => ruleShown(elb.rule(arn))) : [...elb.rulesOf(elb.listener(ListenerArn).arn).map(ruleShown), defaultRule(elb.listener(ListenerArn))];
    const { shown, next } = page(found, input);
    return { Rules: shown, ...next };
  },
});

const groupShown = (elb: LoadBalancing) => ({ arn, name, port, healthCheck }: TargetGroupRecord): TargetGroup => ({
  TargetGroupArn: arn, TargetGroupName: name, Protocol: 'HTTP', ProtocolVersion: 'HTTP1', Port: port, TargetType: 'ip', HealthCheckEnabled: true, HealthCheckProtocol: 'HTTP', HealthCheckPort: 'traffic-port',
  HealthCheckPath: healthCheck.path, HealthCheckIntervalSeconds: healthCheck.intervalSeconds, HealthCheckTimeoutSeconds: healthCheck.timeoutSeconds,
  HealthyThresholdCount: healthCheck.healthyThreshold, UnhealthyThresholdCount: healthCheck.unhealthyThreshold, Matcher: { HttpCode: healthCheck.matcher }, LoadBalancerArns: elb.loadBalancersOf(arn),
});

export const describeTargetGroups = (elb: LoadBalancing): Operation<DescribeTargetGroupsInput, DescribeTargetGroupsOutput> => ({
  mutating: false,
  authorize: read('DescribeTargetGroups'),
  run: (input) => {
    const { LoadBalancerArn, TargetGroupArns, Names } = input;
    for (const arn of TargetGroupArns ?? []) elb.targetGroup(arn);
    const found = [...elb.targetGroups.values()].filter(({ arn, name }) => (TargetGroupArns?.includes(arn) ?? true) && (Names?.includes(name) ?? true) && (LoadBalancerArn === undefined || elb.loadBalancersOf(arn).includes(LoadBalancerArn)));
    if (Names !== undefined && found.length === 0) throw new AwsError('TargetGroupNotFound', 'One or more target groups not found');
    const { shown, next } = page(found, input);
    return { TargetGroups: shown.map(groupShown(elb)), ...next };
  },
});

export const describeTargetHealth = (elb: LoadBalancing): Operation<DescribeTargetHealthInput, DescribeTargetHealthOutput> => ({
  mutating: false,
  authorize: read('DescribeTargetHealth'),
  run: ({ TargetGroupArn = '', Targets }) => {
    const { targets, port } = elb.targetGroup(TargetGroupArn);
    const shown = ({ health, drainingUntil }: TargetRecord): TargetHealth => (drainingUntil === null && !elb.isInUse(TargetGroupArn) ? unused : health);
    const wanted = Targets?.map(({ Id = '', Port = port }) => targetKey(Id, Port)) ?? [...targets.keys()];
    return {
      TargetHealthDescriptions: wanted.map((key) => {
        const target = targets.get(key);
        const [id = '', atPort = ''] = key.split(':');
        if (target === undefined) return { Target: { Id: id, Port: Number(atPort) }, TargetHealth: { State: 'unused', Reason: 'Target.NotRegistered', Description: 'Target is not registered to the target group' } };
        return { Target: { Id: target.id, Port: target.port }, HealthCheckPort: String(target.port), TargetHealth: shown(target) };
      }),
    };
  },
});

/** Target groups here have no stickiness of their own; stickiness between groups is an action's affair. */
export const describeTargetGroupAttributes = (elb: LoadBalancing): Operation<DescribeTargetGroupAttributesInput, DescribeTargetGroupAttributesOutput> => ({
  mutating: false,
  authorize: read('DescribeTargetGroupAttributes'),
  run: ({ TargetGroupArn = '' }) => {
    const { deregistrationDelaySeconds } = elb.targetGroup(TargetGroupArn);
    const attributes = {
      'deregistration_delay.timeout_seconds': String(deregistrationDelaySeconds), 'stickiness.enabled': 'false', 'stickiness.type': 'lb_cookie',
      'stickiness.lb_cookie.duration_seconds': '86400', 'load_balancing.algorithm.type': 'round_robin', 'slow_start.duration_seconds': '0',
    };
    return { Attributes: Object.entries(attributes).map(([Key, Value]) => ({ Key, Value })) };
  },
});
