// Attaches one service to an engine: its catalogue entry, its rules, and exactly the permissions its targets need.
import { aws_cloudwatch as cloudwatch, aws_iam as iam, aws_ssm as ssm, Lazy, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { describeIssues, serviceSchema, type CatalogueEntry, type ServiceConfig, type ServiceInput, type TargetConfig } from '../lambdas/config/schema.ts';
import { releaseSources } from '../lambdas/config/release-sources.ts';
import { permissionsOf } from '../lambdas/strategies/permissions.ts';
import type { Statement } from '../lambdas/strategies/strategy.ts';
import type { Approval } from './approval.ts';
import { allow } from './engine/statements.ts';
import { aliasFunctionArn, ecsServiceArn, ServiceRules, type CodeDeployGroup } from './engine/triggers.ts';
import type { RollbackEngine } from './rollback-engine.ts';
import type { TargetInput } from './rollback-target.ts';
import { ServiceAlarms } from './service-alarms.ts';
import { serviceProblems } from './service-problems.ts';
import type { Verification } from './verification.ts';

type SignalsInput = ServiceInput['signals'];
type PolicyInput = Omit<ServiceInput['policy'], 'approval'>;

export interface AlarmSignal {
  readonly alarm: cloudwatch.IAlarm;
  /** Alarms of one group watch the same thing and count once. @default - a group of its own */
  readonly group?: string;
}

export interface ProtectedServiceProps {
  readonly engine: RollbackEngine;
  /** Lower-case letters, digits and hyphens; the name people type in the console. */
  readonly serviceName: string;
  /** Id to target; make them with `RollbackTarget`. */
  readonly targets: Readonly<Record<string, TargetInput>>;
  /** Ways back in order: each a list of waves, each wave a list of target ids. @default - one rung a strategy, fastest first */
  readonly rungs?: ServiceInput['rungs'];
  /** Alarms of yours that say the service is sick; none are needed with `signals.slo`. */
  readonly alarms: readonly AlarmSignal[];
  /** The other signals: external tools, how many it takes, the metric that counts requests (or why there is none), `metrics` to judge, and `slo`: alarms to make of them. */
  readonly signals: Omit<SignalsInput, 'alarms'>;
  readonly approval: Approval;
  readonly verification: Verification;
  /** Other attached services that it calls; `critical: false` for those it gets on without. @default - none */
  readonly dependencies?: ServiceInput['dependencies'];
  /** Windows, budgets and cool-downs. @default - as `lambdas/config/schema.ts` says */
  readonly policy?: PolicyInput;
  /** @default '' */
  readonly description?: string;
  /** ECS services and Lambda aliases whose changes are releases, besides the targets. @default - none */
  readonly releases?: ServiceInput['releases'];
  /** Who answers for the service; shown in messages. @default '' */
  readonly owner?: string;
  /** Link to the service's own runbook; shown in messages. @default - none */
  readonly runbook?: string;
}

/** As the catalogue's schema has it. */
const mostAlarms = 50;
/** An SSM parameter holds 8 kB at most. */
const catalogueLimitBytes = 8192;

/**
 * One protected service.
 *
 * @example
 * new ProtectedService(this, 'Checkout', {
 *   engine,
 *   serviceName: 'checkout',
 *   targets: { web: RollbackTarget.albWeights({ listener, targetGroups: { blue, green }, good: 'last-known-good' }) },
 *   alarms: [{ alarm: errorRate }, { alarm: latency }],
 *   signals: { traffic: { none: 'a batch service without requests' } },
 *   approval: Approval.none({ reason: 'weights are moved back in seconds' }),
 *   verification: Verification.none({ reason: 'has no address from outside' }),
 * });
 */
export class ProtectedService extends Construct {
  readonly serviceName: string;
  readonly catalogueEntry: ssm.CfnParameter;

  /** From a service that was read and checked already, as in `services.yaml`. */
  static fromConfig(scope: Construct, id: string, from: { readonly engine: RollbackEngine; readonly serviceName: string; readonly service: ServiceConfig }): ProtectedService {
    return new ProtectedService(scope, id, from);
  }

  constructor(scope: Construct, id: string, props: ProtectedServiceProps | { readonly engine: RollbackEngine; readonly serviceName: string; readonly service: ServiceConfig }) {
    super(scope, id);
    const { engine, serviceName } = props;
    const service = this.withAlarms(engine, serviceName, 'service' in props ? props.service : checked(props));
    this.serviceName = serviceName;
    engine.attach(serviceName, service);
    this.catalogueEntry = this.catalogue(engine, { name: serviceName, service });
    new ServiceRules(this, 'Rules', {
      service: serviceName,
      alarms: service.signals.alarms.map(({ name }) => name),
      tools: service.signals.external,
      deployments: codeDeployGroups(service),
      sources: releaseSources(service),
      delivery: engine.delivery,
      rollback: engine.rollbackStateMachine,
      watch: engine.watchStateMachine,
    });
    this.permissions(engine, service);
  }

  /** What the objective asks for is made here and counts like the alarms that were there; who decides sees alarms only. */
  private withAlarms({ names }: RollbackEngine, serviceName: string, service: ServiceConfig): ServiceConfig {
    const { slo, ...signals } = service.signals;
    if (slo === undefined) return service;
    const made = new ServiceAlarms(this, 'Alarms', { prefix: `${names.engine}-${serviceName}`, objective: slo, metrics: signals.metrics ?? [] });
    const alarms = [...signals.alarms, ...made.signals];
    const twice = alarms.find(({ name }, index) => alarms.findIndex((other) => other.name === name) < index);
    if (twice !== undefined) throw new Error(`services.${serviceName}: alarm ${twice.name} is made by \`signals.slo\`; leave it out of \`signals.alarms\``);
    if (alarms.length > mostAlarms) throw new Error(`services.${serviceName}: has ${alarms.length} alarms with those of \`signals.slo\`, more than ${mostAlarms}`);
    return { ...service, signals: { ...signals, alarms } };
  }

  private catalogue(engine: RollbackEngine, entry: CatalogueEntry): ssm.CfnParameter {
    checkSize(entry);
    // Services that are attached later can depend on this one: who is around it is known at synth.
    const around = Lazy.any({ produce: () => {
      const found = engine.neighboursOf(entry.name);
      if (found.length === 0) return undefined;
      checkSize({ ...entry, around: found, group: engine.groupOf(entry.name) });
      return found;
    } });
    const group = Lazy.any({ produce: () => {
      const found = engine.groupOf(entry.name);
      return found === entry.name ? undefined : found;
    } });
    return new ssm.CfnParameter(this, 'Catalogue', {
      name: `${engine.names.cataloguePrefix}${entry.name}`,
      description: `What Ripcord knows about ${entry.name}`,
      type: 'String',
      // Advanced (up to 8 kB) when it has to be. A parameter that once was advanced can never be made standard again by name.
      tier: 'Intelligent-Tiering',
      value: Stack.of(this).toJsonString({ ...entry, around, group }),
    });
  }

  private permissions(engine: RollbackEngine, service: ServiceConfig): void {
    const { partition, account, region } = Stack.of(this);
    for (const target of Object.values(service.targets))
      this.allow(engine.strategy(target.strategy).role, permissionsOf(target.strategy)(target, { partition, account, region }));
    const deployments = codeDeployGroups(service).map(({ application, deploymentGroup }) =>
      `arn:${partition}:codedeploy:${region}:${account}:deploymentgroup:${application}/${deploymentGroup}`);
    if (deployments.length > 0) {
      const read: Statement = { actions: ['codedeploy:BatchGetDeployments', 'codedeploy:ListDeployments'], resources: deployments };
      for (const name of ['assess', 'poll'] as const) this.allow(engine.handler(name).role, [read]);
      // A Watch was told which deployment it watches.
      this.allow(engine.handler('watch').role, [{ actions: ['codedeploy:BatchGetDeployments'], resources: deployments }]);
    }
    const { ecs, lambda } = releaseSources(service);
    const services: Statement = { actions: ['ecs:DescribeServices'], resources: ecs.map((source) => ecsServiceArn(this, source)) };
    if (ecs.length > 0) for (const name of ['watch', 'poll'] as const) this.allow(engine.handler(name).role, [services]);
    if (lambda.length > 0) this.allow(engine.handler('poll').role, [{ actions: ['lambda:GetAlias'], resources: lambda.map((source) => aliasFunctionArn(this, source)) }]);
    const secrets = Object.values(service.journeys).flatMap((journey) => Object.values(journey.secrets).map(({ arn }) => arn));
    if (secrets.length > 0) this.allow(engine.handler('verify').role, [{ actions: ['secretsmanager:GetSecretValue'], resources: [...new Set(secrets)] }]);
  }

  /** In another stack than the engine's the policy stays here: the engine must not depend on the services it protects. */
  private allow(role: iam.Role, statements: readonly Statement[]): void {
    const isNear = Stack.of(role) === Stack.of(this);
    const id = `Into${role.node.addr}`;
    const here = isNear ? role : (this.node.tryFindChild(id) as iam.IRole | undefined) ?? iam.Role.fromRoleArn(this, id, role.roleArn);
    allow(here, statements);
  }
}

function checkSize(entry: CatalogueEntry): void {
  const bytes = Buffer.byteLength(JSON.stringify(entry));
  if (bytes > catalogueLimitBytes)
    throw new Error(`services.${entry.name}: its catalogue entry has ${bytes} bytes, more than the ${catalogueLimitBytes} of an SSM parameter; shorten its journeys, or protect it as two services`);
}

/** @throws Error with one line a problem. */
function checked(props: ProtectedServiceProps): ServiceConfig {
  const { signals, verification, approval } = props;
  const parsed = serviceSchema.safeParse({
    description: props.description, owner: props.owner, runbook: props.runbook, dependencies: props.dependencies, targets: props.targets, rungs: props.rungs, releases: props.releases,
    signals: { ...signals, alarms: props.alarms.map(({ alarm, group }) => ({ name: alarm.alarmName, ...(group === undefined ? {} : { group }) })) },
    journeys: verification.journeyInputs,
    verification: verification.config,
    policy: { ...props.policy, approval: approval.config },
  });
  const problems = parsed.success ? serviceProblems(parsed.data, []).map(({ path, message }) => `${path.map(String).join('.')}: ${message}`) : describeIssues(parsed.error);
  if (!parsed.success || problems.length > 0) throw new Error(problems.map((line) => `service "${props.serviceName}" ${line}`).join('\n'));
  return parsed.data;
}

function codeDeployGroups({ targets }: ServiceConfig): readonly CodeDeployGroup[] {
  const groups = Object.values(targets).flatMap((target: TargetConfig) =>
    target.strategy === 'codedeploy' ? [{ application: target.application, deploymentGroup: target.deploymentGroup }] : []);
  return groups.filter(({ application, deploymentGroup }, index) =>
    groups.findIndex((other) => other.application === application && other.deploymentGroup === deploymentGroup) === index);
}
