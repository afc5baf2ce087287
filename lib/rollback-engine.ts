// The engine of one account and Region: workflows, functions, tables, topics, and the alarms that watch over them.
import { Annotations, Aspects, aws_cloudwatch as cloudwatch, type aws_dynamodb as dynamodb, aws_iam as iam, aws_lambda as lambda, aws_sns as sns, aws_stepfunctions as sfn } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Neighbour, ServiceConfig } from '../lambdas/config/schema.ts';
import { EngineAlarms } from './engine/alarms.ts';
import { ApprovalEndpoint } from './engine/approval-endpoint.ts';
import { AuditTable } from './engine/audit-table.ts';
import { EngineDashboard } from './engine/dashboard.ts';
import { engineNames, type EngineNames } from './engine/engine-names.ts';
import type { HandlerFunction } from './engine/handler-function.ts';
import { HandlerFunctions } from './engine/handler-functions.ts';
import type { HandlerName } from './engine/handler-timeouts.ts';
import { LabelEndpoint } from './engine/label-endpoint.ts';
import { LedgerTable } from './engine/ledger-table.ts';
import { Messages } from './engine/messages.ts';
import { People } from './engine/people.ts';
import { brakeProblem, defaultStorm, type Storm } from './engine/storm-brake.ts';
import { StrategyFunctions } from './engine/strategy-functions.ts';
import { EventDelivery, labelRule, pollRule, watchdogRule } from './engine/triggers.ts';
import { Workflows } from './engine/workflows.ts';
import { groupsOf, neighboursOf } from './neighbours.ts';
import { ownerProblems } from './one-owner.ts';

export interface RollbackEngineProps {
  /**
   * Prefix of every name. One account and Region can hold several engines only under different names.
   * @default 'ripcord'
   */
  readonly engineName?: string;
  /**
   * E-mail addresses subscribed to the on-call topic; each has to confirm its subscription.
   * @default - nobody; subscribe other endpoints to `onCallTopic`
   */
  readonly onCall?: readonly string[];
  /**
   * E-mail addresses subscribed to the stakeholder topic.
   * @default - nobody; subscribe other endpoints to `stakeholderTopic`
   */
  readonly stakeholders?: readonly string[];
  /**
   * Roles whose sessions may answer an approval.
   * @default - nobody: whatever needs a person ends at its deadline
   */
  readonly approvers?: readonly iam.IRole[];
  /**
   * More distinct services than this with a signal inside the window are a shared cause: Ripcord stops acting and pages once.
   * @default - 5 services in 10 minutes, or 2 that have nothing to do with each other, or half of the services attached
   */
  readonly storm?: Storm;
}

/**
 * Rolls back bad releases of the services attached to it.
 *
 * @example
 * const engine = new RollbackEngine(this, 'Engine', { onCall: ['on-call@example.com'] });
 * new ProtectedService(this, 'Checkout', { engine, serviceName: 'checkout', … });
 */
export class RollbackEngine extends Construct {
  readonly names: EngineNames;
  readonly onCallTopic: sns.ITopic;
  readonly stakeholderTopic: sns.ITopic;
  /** Managed policies for people: viewer, operator, approver. */
  readonly people: People;
  /** Delivers events to the workflows; its queue holds those that could not be delivered. */
  readonly delivery: EventDelivery;
  readonly approvalUrl: string;
  readonly labelUrl: string;
  private readonly audit: AuditTable;
  private readonly handlers: HandlerFunctions;
  private readonly strategies: StrategyFunctions;
  private readonly workflows: Workflows;
  private readonly alarms: EngineAlarms;
  private readonly services = new Map<string, ServiceConfig>();

  constructor(scope: Construct, id: string, props: RollbackEngineProps = {}) {
    super(scope, id);
    const names = (this.names = engineNames(this, props.engineName ?? 'ripcord'));
    const storm = props.storm ?? defaultStorm;
    const approvers = (props.approvers ?? []).map((role) => role.roleArn);
    const ledger = new LedgerTable(this, 'Ledger', names.ledgerTableParameter);
    const audit = (this.audit = new AuditTable(this, 'Audit', names.auditTableParameter));
    const messages = new Messages(this, 'Messages', { engineName: names.engine, onCall: props.onCall ?? [], stakeholders: props.stakeholders ?? [] });
    this.onCallTopic = messages.onCall;
    this.stakeholderTopic = messages.stakeholders;
    this.handlers = new HandlerFunctions(this, 'Handlers', { names, ledger, audit, messages, approvers, storm, groups: () => new Set(groupsOf(this.services).values()).size });
    this.strategies = new StrategyFunctions(this, 'Strategies', {
      engineName: names.engine, environment: { ledgerTable: ledger.table.tableName, auditTable: audit.table.tableName },
      prepare: (made, name) => this.prepareStrategy(made, name, ledger),
    });
    this.workflows = new Workflows(this, 'Workflows', {
      names, handlers: this.handlers, strategies: () => this.strategies.arns(), services: () => [...this.services.values()],
    });
    this.delivery = new EventDelivery(this, 'Delivery', [names.rollbackArn, names.watchArn]);
    labelRule(this, this.delivery, this.handler('label').function);
    watchdogRule(this, this.delivery, { arn: names.rollbackArn, watchdog: this.handler('watchdog').function });
    pollRule(this, this.delivery, this.handler('poll').function);
    this.approvalUrl = new ApprovalEndpoint(this, 'Approval', {
      answer: this.handler('answer').function, approvers, urlParameterName: names.approvalUrlParameter,
    }).url;
    this.labelUrl = new LabelEndpoint(this, 'Label', { label: this.handler('label').function, urlParameterName: names.labelUrlParameter }).url;
    this.people = new People(this, 'People', {
      names, auditTableArn: audit.table.tableArn, ledgerTableArn: ledger.table.tableArn,
      answerFunctionArn: this.handler('answer').function.functionArn, labelFunctionArn: this.handler('label').function.functionArn,
    });
    this.alarms = this.watchedByAlarms();
    Aspects.of(this).add({ visit: (node) => { if (node === this) this.warn(storm); } });
  }

  get rollbackStateMachine(): sfn.IStateMachine {
    return this.workflows.rollback.stateMachine;
  }

  get auditTable(): dynamodb.Table {
    return this.audit.table;
  }

  get watchStateMachine(): sfn.IStateMachine {
    return this.workflows.watch.stateMachine;
  }

  /**
   * Takes note of a service; `ProtectedService` calls it.
   * @throws Error when two services have one name, as the second would take over the first one's catalogue entry, or when two targets change one thing.
   */
  attach(serviceName: string, service: ServiceConfig): void {
    if (this.services.has(serviceName)) throw new Error(`service "${serviceName}" is attached twice to engine "${this.names.engine}"; give one of them another name`);
    const [problem] = ownerProblems([...this.services, [serviceName, service]]);
    if (problem !== undefined) throw new Error(`${problem.path.join('.')} ${problem.message}`);
    this.services.set(serviceName, service);
  }

  /** The attached services around one: known whole only when all are attached, at synth. @throws Error for a dependency that is not attached. */
  neighboursOf(serviceName: string): readonly Neighbour[] {
    return neighboursOf(serviceName, this.services);
  }

  /** The name that all share whom dependencies join with this service; known whole only at synth. @throws Error as `neighboursOf`. */
  groupOf(serviceName: string): string {
    return groupsOf(this.services).get(serviceName) ?? serviceName;
  }

  /** The function that puts back targets of one strategy, made when it is first asked for. @throws Error for an unknown strategy. */
  strategy(name: string): HandlerFunction {
    return this.strategies.of(name);
  }

  handler(name: HandlerName): HandlerFunction {
    return this.handlers.all[name];
  }

  /** Lets somebody start a rollback or a dry run, and tells a function where. */
  grantStartRollback(grantee: iam.IGrantable): iam.Grant {
    if (grantee instanceof lambda.Function) grantee.addEnvironment('RIPCORD_ROLLBACK_MACHINE_ARN', this.names.rollbackArn);
    return iam.Grant.addToPrincipal({ grantee, actions: ['states:StartExecution'], resourceArns: [this.names.rollbackArn] });
  }

  /** Lets somebody call the approval URL. Their role has to be one of `approvers` too: the engine checks who answers. */
  grantApprove(grantee: iam.IGrantable): iam.Grant {
    const { functionArn } = this.handler('answer').function;
    iam.Grant.addToPrincipal({
      grantee, actions: ['lambda:InvokeFunction'], resourceArns: [functionArn], conditions: { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } },
    });
    return iam.Grant.addToPrincipal({ grantee, actions: ['lambda:InvokeFunctionUrl'], resourceArns: [functionArn] });
  }

  /** Lets somebody read the audit, and tells a function its table. */
  grantReadAudit(grantee: iam.IGrantable): iam.Grant {
    const { tableArn, tableName } = this.audit.table;
    if (grantee instanceof lambda.Function) grantee.addEnvironment('RIPCORD_AUDIT_TABLE', tableName);
    return iam.Grant.addToPrincipal({ grantee, actions: ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:Scan'], resourceArns: [tableArn] });
  }

  /** Rollbacks that began, joined and left-alone ones included. */
  metricRollbacksStarted(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.workflows.rollback.stateMachine.metricStarted(options);
  }

  /** Rollbacks that ended without a recovery, or died. */
  metricRollbacksFailed(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.workflows.rollback.stateMachine.metricFailed(options);
  }

  /** From the event to the end of the report, in milliseconds. */
  metricRollbackTime(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.workflows.rollback.stateMachine.metricTime(options);
  }

  private prepareStrategy(made: HandlerFunction, name: string, ledger: LedgerTable): void {
    made.allow([ledger.mayRenewLease(), ledger.mayAnchor()]);
    this.audit.grantAppend(made.role);
    this.workflows.rollback.mayCall(made.function);
    this.workflows.watch.mayCall(made.function);
    this.alarms.watch(`strategy-${name}`, made.function);
  }

  /** Called at synth, when every service is attached. */
  private warn(storm: Storm): void {
    const problem = brakeProblem(storm, this.services.size);
    if (problem !== null) Annotations.of(this).addWarningV2('ripcord:storm-brake', problem);
  }

  private watchedByAlarms(): EngineAlarms {
    const { rollback, watch } = this.workflows;
    const functions = Object.fromEntries(Object.entries(this.handlers.all).map(([name, one]) => [name, one.function]));
    const alarms = new EngineAlarms(this, 'Alarms', {
      engineName: this.names.engine, onCall: this.onCallTopic, deadLetters: this.delivery.deadLetters, functions,
      rollback: rollback.stateMachine, watch: watch.stateMachine,
    });
    new EngineDashboard(this, 'Dashboard', {
      engineName: this.names.engine, rollback: rollback.stateMachine, watch: watch.stateMachine, deadLetters: this.delivery.deadLetters,
      functions: Object.values(functions), alarms: alarms.alarms,
    });
    return alarms;
  }
}
