// What people may do, as three managed policies: look, start and stop, answer.
import { ArnFormat, aws_iam as iam, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Statement } from '../../lambdas/strategies/strategy.ts';
import type { EngineNames } from './engine-names.ts';
import { alarms, metrics } from './handler-permissions.ts';
import { allow, deny } from './statements.ts';

export interface PeopleProps {
  readonly names: EngineNames;
  readonly auditTableArn: string;
  readonly ledgerTableArn: string;
  readonly answerFunctionArn: string;
  readonly labelFunctionArn: string;
}

export class People extends Construct {
  /** Sees every rollback, its graph and its audit. */
  readonly viewer: iam.ManagedPolicy;
  /** Starts a rollback or a dry run, stops one, and labels one that has ended. Everything a viewer sees. */
  readonly operator: iam.ManagedPolicy;
  /** Answers an approval. Everything a viewer sees. */
  readonly approver: iam.ManagedPolicy;

  constructor(scope: Construct, id: string, props: PeopleProps) {
    super(scope, id);
    const { names } = props;
    const executions = [names.rollback, names.watch].map((name) => this.executionsOf(name));
    const look = [...lookingStatements(props, executions), this.dashboard(names)];
    this.viewer = this.policy('Viewer', `${names.engine}: look`, look);
    this.operator = this.policy('Operator', `${names.engine}: start and stop a rollback`, [
      ...look,
      { actions: ['states:StartExecution'], resources: [names.rollbackArn] },
      { actions: ['states:StopExecution'], resources: executions, because: namedLater },
      { actions: ['ssm:GetParameter'], resources: [names.parameterArn(names.labelUrlParameter)] },
      ...throughUrl(props.labelFunctionArn),
    ]);
    // A redriven execution would act on yesterday's verdict in today's world.
    deny(this.operator, { actions: ['states:RedriveExecution'], resources: executions });
    this.approver = this.policy('Approver', `${names.engine}: answer an approval`, [
      ...look,
      { actions: ['ssm:GetParameter'], resources: [names.parameterArn(names.approvalUrlParameter)] },
      ...throughUrl(props.answerFunctionArn),
    ]);
  }

  private policy(id: string, description: string, statements: readonly Statement[]): iam.ManagedPolicy {
    const policy = new iam.ManagedPolicy(this, id, { description });
    allow(policy, statements);
    return policy;
  }

  private executionsOf(machine: string): string {
    return Stack.of(this).formatArn({ service: 'states', resource: 'execution', resourceName: `${machine}:*`, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
  }

  private dashboard({ engine }: EngineNames): Statement {
    return { actions: ['cloudwatch:GetDashboard'], resources: [Stack.of(this).formatArn({ service: 'cloudwatch', region: '', resource: 'dashboard', resourceName: engine })] };
  }
}

const namedLater = 'An execution gets its name when it starts.';

const lookingStatements = ({ names, auditTableArn, ledgerTableArn }: PeopleProps, executions: readonly string[]): readonly Statement[] => [
  { actions: ['states:DescribeStateMachine', 'states:ListExecutions'], resources: [names.rollbackArn, names.watchArn] },
  { actions: ['states:DescribeExecution', 'states:GetExecutionHistory'], resources: executions, because: namedLater },
  { actions: ['states:ListStateMachines'], resources: ['*'], because: 'State machines are listed only all together.' },
  alarms, metrics,
  { actions: ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:Scan'], resources: [auditTableArn] },
  // Where each chain of the audit ends, and who labelled. The task token of an approval lies in the same table, under another key.
  { actions: ['dynamodb:GetItem'], resources: [ledgerTableArn], conditions: belowKey('AUDIT#*') },
  {
    actions: ['ssm:GetParameter', 'ssm:GetParameterHistory'], resources: [names.parameterArn(names.cataloguePrefix)],
    because: 'One engine serves every service of the account; each has its own catalogue entry.',
  },
  { actions: ['ssm:GetParameter'], resources: [names.auditTableParameter, names.ledgerTableParameter].map((name) => names.parameterArn(name)) },
];

/** Called directly the function would have to believe who its caller says it is. */
const throughUrl = (functionArn: string): readonly Statement[] => [
  { actions: ['lambda:InvokeFunctionUrl'], resources: [functionArn] },
  { actions: ['lambda:InvokeFunction'], resources: [functionArn], conditions: { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } } },
];

/** Without the Null condition a call that names no key would pass. */
const belowKey = (key: string) => ({ 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [key] }, Null: { 'dynamodb:LeadingKeys': 'false' } });
