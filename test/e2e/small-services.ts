// Small services in the sandbox: a target, two alarms that a test switches, and a pipeline that releases; no load.
import type { RevisionLocation } from '@aws-sdk/client-codedeploy';
import type { JsonValue, ServiceDocument } from '../../sandbox/scenarios/scenario.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { CodeDeploy } from '../../sandbox/services/codedeploy/codedeploy.ts';
import { LambdaPlatform } from '../../sandbox/services/codedeploy/lambda-platform.ts';
import { codeDeployService } from '../../sandbox/services/codedeploy/service.ts';
import { Ecs } from '../../sandbox/services/ecs/ecs.ts';
import { RollingServices } from '../../sandbox/services/ecs/rolling.ts';
import { ecsService } from '../../sandbox/services/ecs/service.ts';

/** One target, as a pipeline sees it. */
export interface SmallTarget {
  readonly document: Record<string, JsonValue>;
  /** Whether a call with this input changes the target. */
  isTouchedBy(input: string): boolean;
  /** True: its releases are announced by `ripcord.release` events; CodeDeploy sends its own. */
  readonly announces: boolean;
  /** Puts the new version live. */
  release(): Promise<void>;
  /** What is live: `blue` is the good side, whatever it is made of. */
  live(): 'blue' | 'green' | 'mixed';
}

export type TargetKind = (sandbox: Sandbox, name: string, port: number) => SmallTarget;

export const albTarget: TargetKind = (sandbox, name, port) => onBalancer(sandbox, { name, port });

/** The weights of a rule on the listener of another target. */
export const ruleBeside = (other: () => SmallTarget): TargetKind => (sandbox, name, port) => onBalancer(sandbox, { name, port, beside: other().document['listenerArn'] as string });

interface Place {
  readonly name: string;
  readonly port: number;
  /** Listener that gets a rule; absent: a listener of its own. */
  readonly beside?: string;
}

function onBalancer({ services: { loadBalancing: elb } }: Sandbox, { name, port, beside }: Place): SmallTarget {
  // The server answers from this process, which also synthesizes: it may be busy for seconds.
  const group = (side: string) => {
    const made = elb.createTargetGroup({ name: `${name}-${side}`, healthCheck: { path: '/', intervalSeconds: 60, unhealthyThreshold: 1000 } });
    elb.registerTargets(made.arn, [{ Id: '127.0.0.1', Port: port }]);
    return made.arn;
  };
  const [blue, green] = [group('blue'), group('green')];
  const forward = (blueWeight: number, greenWeight: number) => [{
    Type: 'forward' as const,
    ForwardConfig: { TargetGroups: [{ TargetGroupArn: blue, Weight: blueWeight }, { TargetGroupArn: green, Weight: greenWeight }], TargetGroupStickinessConfig: { Enabled: false } },
  }];
  const listenerArn = beside ?? elb.createListener({ loadBalancerArn: elb.createLoadBalancer({ name }).arn, actions: forward(100, 0) }).arn;
  const ruleArn = beside === undefined ? null : elb.createRule({ listenerArn, priority: 10, conditions: [{ Field: 'path-pattern', Values: [`/${name}/*`] }], actions: forward(100, 0) }).arn;
  return {
    document: { strategy: 'alb-weights', listenerArn, ...(ruleArn === null ? {} : { ruleArn }), targetGroups: { blue, green }, good: 'last-known-good' },
    isTouchedBy: (input) => input.includes(ruleArn ?? listenerArn),
    announces: true,
    release: async () => void (ruleArn === null ? elb.modifyListener(listenerArn, forward(0, 100)) : elb.modifyRule(ruleArn, forward(0, 100))),
    live: () => {
      const groups = (ruleArn === null ? elb.listener(listenerArn) : elb.rule(ruleArn)).actions.current[0]?.ForwardConfig?.TargetGroups ?? [];
      const weightOf = (arn: string): number => groups.find(({ TargetGroupArn }) => TargetGroupArn === arn)?.Weight ?? 0;
      return weightOf(green) === 0 ? 'blue' : weightOf(blue) === 0 ? 'green' : 'mixed';
    },
  };
}

export const dnsTarget: TargetKind = ({ services: { route53 } }, name) => {
  const recordName = `www.${name}.example`;
  const records = (blue: number, green: number) => ([['blue', blue, '192.0.2.10'], ['green', green, '192.0.2.20']] as const).map(([side, Weight, Value]) => ({
    Name: recordName, Type: 'A' as const, SetIdentifier: side, Weight, TTL: 60, ResourceRecords: [{ Value }], HealthCheckId: `${name}-${side}`,
  }));
  for (const side of ['blue', 'green']) route53.health.create({ id: `${name}-${side}` });
  const { id } = route53.createHostedZone({ name: `${name}.example`, records: records(100, 0) });
  return {
    document: { strategy: 'route53-weights', hostedZoneId: id, recordName, recordType: 'A', records: { blue: 'blue', green: 'green' }, good: 'last-known-good' },
    isTouchedBy: (input) => input.includes(id),
    announces: true,
    release: async () => void route53.change(id, records(0, 100).map((record) => ({ Action: 'UPSERT', ResourceRecordSet: record }))),
    live: () => {
      const weight = new Map([...route53.zone(id).records.values()].map(({ SetIdentifier, Weight }) => [SetIdentifier, Weight ?? 0]));
      return weight.get('green') === 0 ? 'blue' : weight.get('blue') === 0 ? 'green' : 'mixed';
    },
  };
};

const lambdaSpec = (functionName: string, from: string, to: string): RevisionLocation => ({
  revisionType: 'AppSpecContent',
  appSpecContent: { content: JSON.stringify({ version: 0, Resources: [{ it: { Type: 'AWS::Lambda::Function', Properties: { Name: functionName, Alias: 'live', CurrentVersion: from, TargetVersion: to } } }] }) },
});

const codeDeploys = new WeakMap<Sandbox, CodeDeploy>();

/** The sandbox's CodeDeploy, made with the first target that needs it. */
export function codeDeployOf(sandbox: Sandbox): CodeDeploy {
  const known = codeDeploys.get(sandbox);
  if (known !== undefined) return known;
  const { clock, place, services } = sandbox;
  const made = new CodeDeploy({ clock, place, bus: services.events, alarmState: (name) => services.cloudwatch.alarmState(name), onChange: (cause) => void sandbox.calls.checkInvariants(cause) });
  codeDeploys.set(sandbox, made);
  sandbox.register(codeDeployService(made));
  return made;
}

/** An alias that CodeDeploy shifts; `stays` leaves the release in progress. Each release goes to the next version. */
export const lambdaTarget = (stays: 'finished' | 'in-progress'): TargetKind => (sandbox, name) => {
  const { aliases } = sandbox.services;
  const codedeploy = codeDeployOf(sandbox);
  let [good, newest] = [1, 1];
  aliases.createFunction(name);
  aliases.publishVersion(name, '1.0.0');
  aliases.createAlias(name, 'live', '1');
  codedeploy.createApplication(name, 'Lambda');
  codedeploy.createDeploymentGroup({ application: name, name: 'prod', platform: new LambdaPlatform(aliases), deploymentConfig: stays === 'finished' ? 'CodeDeployDefault.LambdaAllAtOnce' : 'CodeDeployDefault.LambdaLinear10PercentEvery10Minutes' });
  codedeploy.recordPastDeployment({ application: name, group: 'prod', revision: lambdaSpec(name, '1', '1'), completedAt: sandbox.clock.now() - 86_400_000 });
  return {
    document: { strategy: 'codedeploy', platform: 'Lambda', application: name, deploymentGroup: 'prod', functionName: name, alias: 'live', good: 'last-known-good' },
    isTouchedBy: (input) => input.includes(`"${name}"`) || codedeploy.deployments(name).some(({ id }) => input.includes(id)),
    announces: false,
    release: async () => {
      good = newest;
      newest = Number(aliases.publishVersion(name, `release ${newest + 1}`).version);
      const { id } = codedeploy.createDeployment({ applicationName: name, deploymentGroupName: 'prod', revision: lambdaSpec(name, String(good), String(newest)) });
      if (stays === 'finished') await codedeploy.settled(id);
    },
    live: () => {
      const { functionVersion, weights } = aliases.alias(name, 'live');
      if (Object.keys(weights).length > 0) return 'mixed';
      return functionVersion === String(good) ? 'blue' : 'green';
    },
  };
};

/** A feature flag: each release turns it on. */
export const flagTarget = (good: JsonValue = 'last-known-good'): TargetKind => ({ services: { parameters } }, name) => {
  const parameter = `/flags/${name}`;
  const write = (value: string): void => void parameters.put({ name: parameter, value, type: 'String', overwrite: true, by: 'arn:aws:iam::111122223333:role/pipeline' });
  write('off');
  return {
    document: { strategy: 'ssm-parameter', parameter, good, takesEffectSeconds: 30 },
    isTouchedBy: (input) => input.includes(`"Name":"${parameter}"`),
    announces: true,
    release: async () => write('on'),
    live: () => {
      const { value } = parameters.get(parameter);
      return value === 'off' ? 'blue' : value === 'on' ? 'green' : 'mixed';
    },
  };
};

/** An alias that a pipeline moves by itself; each release goes to the next version. */
export const aliasTarget: TargetKind = ({ services: { aliases } }, name) => {
  let [good, newest] = ['1', '1'];
  aliases.createFunction(name);
  aliases.publishVersion(name, 'release 1');
  aliases.createAlias(name, 'live', '1');
  return {
    document: { strategy: 'lambda-alias', functionName: name, alias: 'live', good: 'last-known-good' },
    isTouchedBy: (input) => input.includes(`"FunctionName":"${name}","Name":"live"`),
    announces: true,
    release: async () => {
      good = newest;
      newest = aliases.publishVersion(name, `release ${Number(newest) + 1}`).version;
      aliases.updateAlias(name, 'live', { FunctionVersion: newest });
    },
    live: () => {
      const { functionVersion, weights } = aliases.alias(name, 'live');
      if (Object.keys(weights).length > 0 || ![good, newest].includes(functionVersion)) return 'mixed';
      return functionVersion === good ? 'blue' : 'green';
    },
  };
};

interface Cluster {
  readonly ecs: Ecs;
  readonly rolling: RollingServices;
}

const clusters = new WeakMap<Sandbox, Cluster>();

/** The sandbox's ECS, made with the first target that needs it. */
export function clusterOf(sandbox: Sandbox): Cluster {
  const known = clusters.get(sandbox);
  if (known !== undefined) return known;
  const { clock, place } = sandbox;
  const ecs = new Ecs(place);
  const made = { ecs, rolling: new RollingServices({ ecs, place, clock }) };
  clusters.set(sandbox, made);
  sandbox.register(ecsService(made.ecs, made.rolling));
  return made;
}

/** Three tasks; each release deploys the next task definition, and is over when all of them run it. */
export const tasksTarget: TargetKind = (sandbox, name) => {
  const { ecs, rolling } = clusterOf(sandbox);
  let [good, newest] = ['', ecs.registerTaskDefinition(name, `${name}:1`).arn];
  const created = rolling.create({ cluster: 'prod', name, desiredCount: 3, taskDefinitionArn: newest });
  return {
    document: { strategy: 'ecs-service', cluster: 'prod', service: name, good: 'last-known-good' },
    isTouchedBy: (input) => input.includes(`"service":"${name}"`),
    announces: true,
    release: async () => {
      const service = await created;
      good = newest;
      newest = ecs.registerTaskDefinition(name, `${name}:next`).arn;
      rolling.update(service, newest);
      while (service.deployments[0]?.rollout === 'IN_PROGRESS') await sandbox.clock.sleep(5000);
    },
    live: () => {
      const [primary, ...others] = rolling.find('prod', name)?.deployments ?? [];
      if (primary === undefined || others.length > 0 || ![good, newest].includes(primary.taskDefinitionArn)) return 'mixed';
      return primary.taskDefinitionArn === good ? 'blue' : 'green';
    },
  };
};

export const alarmsOf = (service: string): readonly string[] => [`${service}-errors`, `${service}-latency`];

/** The catalogue entry; `changes` replaces top-level keys. */
export const smallService = (name: string, target: SmallTarget, changes: ServiceDocument): ServiceDocument => ({
  owner: `team-${name}`,
  targets: { it: target.document },
  signals: { alarms: alarmsOf(name).map((alarm) => ({ name: alarm })), minimum: 2, holdSeconds: 240, traffic: { none: 'nobody sends it requests here' } },
  verification: { none: 'no request can be made of it' },
  policy: policyWith({ none: 'nobody has to be asked in this test' }),
  ...changes,
});

export const policyWith = (approval: JsonValue, changes: Record<string, JsonValue> = {}): JsonValue => ({
  approval, bakeMinutes: 1, releaseWindowMinutes: 240, coolDownMinutes: 0, dailyBudget: 3, ...changes,
});
