// The targets of the explored services: small, under names that are the same in every sandbox, and with a person who may change them too.
import type { RevisionLocation } from '@aws-sdk/client-codedeploy';
import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import type { Sandbox } from '../sandbox.ts';
import type { JsonValue } from '../scenarios/scenario.ts';
import { CodeDeploy } from '../services/codedeploy/codedeploy.ts';
import { LambdaPlatform } from '../services/codedeploy/lambda-platform.ts';
import { codeDeployService } from '../services/codedeploy/service.ts';

/** `blue` is the good side, whatever it is made of; `shifting`: the release has come to a part of the users; `person`: what `meddle` left; `mixed`: anything else. */
export type Live = 'blue' | 'green' | 'shifting' | 'person' | 'mixed';

export interface ExploredTarget {
  readonly document: Record<string, JsonValue>;
  /** IAM prefix of the service that holds it. */
  readonly prefix: string;
  /** Whether a call with this input is about this target. */
  isTouchedBy(input: string): boolean;
  /** Its releases are announced by `ripcord.release` events; CodeDeploy sends its own. */
  readonly announces: boolean;
  /** A good release that Ripcord has to have seen before: where no history of before it counts. */
  firstRelease?(): void;
  /** The release that goes bad. */
  release(): void;
  live(): Live;
  /** What is live at this moment if nobody changed anything since the release began. */
  untouched(): 'green' | 'shifting';
  /** Whether a person could change it at this moment. */
  isOpen(): boolean;
  /** A person changes it to something that is neither side: `person` is live, now or as soon as a deployment of theirs is through. */
  meddle(): void;
  /** Ids that AWS makes up, in order of their making: they differ from sandbox to sandbox. */
  madeUpIds(): readonly string[];
}

export type TargetKind = (sandbox: Sandbox, name: string, port: number) => ExploredTarget;

type Weights = readonly [blue: number, green: number];
const persons: Weights = [30, 70];

const liveOf = ([blue, green]: Weights): Live => {
  if (blue === persons[0] && green === persons[1]) return 'person';
  return green === 0 && blue > 0 ? 'blue' : blue === 0 && green > 0 ? 'green' : 'mixed';
};

const place = 'eu-west-1:111122223333';

/** @param byRule the weights stand in a rule of the listener, not in its default action. */
export const albTarget = (byRule = false): TargetKind => ({ services: { loadBalancing: elb } }, name, port) => {
  const arn = (resource: string): string => `arn:aws:elasticloadbalancing:${place}:${resource}`;
  const [blue, green] = (['blue', 'green'] as const).map((side) => {
    const made = elb.createTargetGroup({ name: `${name}-${side}`, arn: arn(`targetgroup/${name}-${side}/00000000000000aa`), healthCheck: { path: '/', intervalSeconds: 300, unhealthyThreshold: 1000 } });
    elb.registerTargets(made.arn, [{ Id: '127.0.0.1', Port: port }]);
    // As after the first check, which takes real time while sandbox time goes in steps.
    for (const target of made.targets.values()) target.health = { State: 'healthy' };
    return made.arn;
  }) as [string, string];
  const forward = ([blueWeight, greenWeight]: Weights): Action[] => [{
    Type: 'forward', ForwardConfig: { TargetGroups: [{ TargetGroupArn: blue, Weight: blueWeight }, { TargetGroupArn: green, Weight: greenWeight }], TargetGroupStickinessConfig: { Enabled: false } },
  }];
  const balancer = elb.createLoadBalancer({ name, arn: arn(`loadbalancer/app/${name}/00000000000000bb`) });
  const listener = elb.createListener({ loadBalancerArn: balancer.arn, arn: arn(`listener/app/${name}/00000000000000bb/00000000000000cc`), actions: forward([100, 0]) });
  const ruleArn = arn(`listener-rule/app/${name}/00000000000000bb/00000000000000cc/00000000000000dd`);
  const rule = byRule ? elb.createRule({ listenerArn: listener.arn, arn: ruleArn, priority: 10, conditions: [{ Field: 'path-pattern', Values: ['/*'] }], actions: forward([100, 0]) }) : null;
  const set = (weights: Weights): void => void (rule === null ? elb.modifyListener(listener.arn, forward(weights)) : elb.modifyRule(rule.arn, forward(weights)));
  return {
    document: { strategy: 'alb-weights', listenerArn: listener.arn, ...(rule === null ? {} : { ruleArn }), targetGroups: { blue, green }, good: 'last-known-good' },
    prefix: 'elasticloadbalancing',
    isTouchedBy: (input) => input.includes(byRule ? ruleArn : listener.arn),
    announces: true,
    release: () => set([0, 100]),
    live: () => {
      const groups = (rule === null ? elb.listener(listener.arn) : elb.rule(rule.arn)).actions.current[0]?.ForwardConfig?.TargetGroups ?? [];
      const weightOf = (group: string): number => groups.find(({ TargetGroupArn }) => TargetGroupArn === group)?.Weight ?? 0;
      return liveOf([weightOf(blue), weightOf(green)]);
    },
    untouched: () => 'green',
    isOpen: () => true,
    meddle: () => set(persons),
    madeUpIds: () => [],
  };
};

export const dnsTarget: TargetKind = ({ services: { route53 } }, name) => {
  const recordName = `www.${name}.example`;
  const records = (weights: Weights): ResourceRecordSet[] => (['blue', 'green'] as const).map((side, index) => ({
    Name: recordName, Type: 'A' as const, SetIdentifier: side, Weight: weights[index] ?? 0, TTL: 5, ResourceRecords: [{ Value: `192.0.2.1${index}` }], HealthCheckId: `${name}-${side}`,
  }));
  for (const side of ['blue', 'green']) route53.health.create({ id: `${name}-${side}` });
  const { id } = route53.createHostedZone({ name: `${name}.example`, id: `Z0EXPLORE${name.replaceAll('-', '').toUpperCase()}`, records: records([100, 0]) });
  const set = (weights: Weights): void => void route53.change(id, records(weights).map((record) => ({ Action: 'UPSERT', ResourceRecordSet: record })));
  return {
    document: { strategy: 'route53-weights', hostedZoneId: id, recordName, recordType: 'A', records: { blue: 'blue', green: 'green' }, good: 'last-known-good' },
    prefix: 'route53',
    isTouchedBy: (input) => input.includes(id),
    announces: true,
    release: () => set([0, 100]),
    live: () => {
      const weight = new Map([...route53.zone(id).records.values()].map(({ SetIdentifier, Weight }) => [SetIdentifier, Weight ?? 0]));
      return liveOf([weight.get('blue') ?? 0, weight.get('green') ?? 0]);
    },
    untouched: () => 'green',
    isOpen: () => true,
    meddle: () => set(persons),
    madeUpIds: () => [],
  };
};

const lambdaSpec = (functionName: string, from: string, to: string): RevisionLocation => ({
  revisionType: 'AppSpecContent',
  appSpecContent: { content: JSON.stringify({ version: 0, Resources: [{ it: { Type: 'AWS::Lambda::Function', Properties: { Name: functionName, Alias: 'live', CurrentVersion: from, TargetVersion: to } } }] }) },
});

const aDay = 86_400_000;

/** An alias that CodeDeploy shifted to version 2, which baked, and then to 3; `in-progress` leaves that shift running. A person deploys version 4; while the release's own shift runs, for which CodeDeploy refuses that, they set the alias to it by hand. */
export const lambdaTarget = (release: 'finished' | 'in-progress'): TargetKind => (sandbox, name) => {
  const { clock, ids, place: where, services: { aliases, cloudwatch, events } } = sandbox;
  const codedeploy = new CodeDeploy({ clock, ids, place: where, bus: events, alarmState: (alarm) => cloudwatch.alarmState(alarm), onChange: (cause) => void sandbox.calls.checkInvariants(cause) });
  sandbox.register(codeDeployService(codedeploy));
  aliases.createFunction(name);
  for (const version of ['1.0.0', '2.0.0', '3.0.0', '4.0.0']) aliases.publishVersion(name, version);
  aliases.createAlias(name, 'live', '1');
  codedeploy.createApplication(name, 'Lambda');
  codedeploy.createDeploymentGroup({ application: name, name: 'prod', platform: new LambdaPlatform(aliases), deploymentConfig: 'CodeDeployDefault.LambdaAllAtOnce' });
  codedeploy.recordPastDeployment({ application: name, group: 'prod', revision: lambdaSpec(name, '1', '1'), completedAt: clock.now() - aDay });
  const isShifting = (): boolean => release === 'in-progress' && codedeploy.find(released)?.completedAt === null;
  const deploy = (from: string, to: string, pace = 'LambdaAllAtOnce'): string =>
    codedeploy.createDeployment({ applicationName: name, deploymentGroupName: 'prod', revision: lambdaSpec(name, from, to), deploymentConfigName: `CodeDeployDefault.${pace}` }).id;
  let released = '';
  return {
    document: { strategy: 'codedeploy', platform: 'Lambda', application: name, deploymentGroup: 'prod', functionName: name, alias: 'live', good: 'last-known-good' },
    prefix: 'codedeploy',
    isTouchedBy: (input) => input.includes(`"${name}"`) || codedeploy.deployments(name).some(({ id }) => input.includes(id)),
    announces: false,
    firstRelease: () => void deploy('1', '2'),
    release: () => {
      released = deploy('2', '3', release === 'finished' ? undefined : 'LambdaLinear10PercentEvery10Minutes');
    },
    live: () => {
      const { functionVersion, weights } = aliases.alias(name, 'live');
      const shared = Object.keys(weights);
      if (shared.length > 0) return functionVersion === '2' && shared.join() === '3' && isShifting() ? 'shifting' : 'mixed';
      return functionVersion === '2' ? 'blue' : functionVersion === '3' ? 'green' : functionVersion === '4' ? 'person' : 'mixed';
    },
    untouched: () => (isShifting() ? 'shifting' : 'green'),
    isOpen: () => {
      // One deployment at a time: while Ripcord's own runs, CodeDeploy refuses a person's.
      const running = codedeploy.deployments(name).find(({ completedAt }) => completedAt === null);
      // Whoever sets the alias after a stop was asked for loses that to CodeDeploy, which was asked before.
      return release === 'finished' ? running === undefined : running?.id === released && running.stop === null;
    },
    meddle: () => {
      if (release === 'finished') deploy(aliases.alias(name, 'live').functionVersion, '4');
      else aliases.updateAlias(name, 'live', { FunctionVersion: '4', RoutingConfig: { AdditionalVersionWeights: {} } });
    },
    madeUpIds: () => codedeploy.deployments(name).map(({ id }) => id),
  };
};
