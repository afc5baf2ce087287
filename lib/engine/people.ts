// What people may do, as three managed policies: look, start and stop, answer.
import { ArnFormat, aws_iam as iam, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { EngineNames } from './engine-names.ts';
import { acknowledgeWildcards } from './statements.ts';

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
  private readonly wildcards: readonly string[];

  constructor(scope: Construct, id: string, props: PeopleProps) {
    super(scope, id);
    const { names } = props;
    const executions = [names.rollback, names.watch].map((name) => this.executionsOf(name));
    this.wildcards = [...executions, names.parameterArn(names.cataloguePrefix), '*'];
    const look = lookingStatements(props, executions);
    this.viewer = this.policy('Viewer', `${names.engine}: look`, look);
    this.operator = this.policy('Operator', `${names.engine}: start and stop a rollback`, [
      ...look,
      new iam.PolicyStatement({ actions: ['states:StartExecution'], resources: [names.rollbackArn] }),
      new iam.PolicyStatement({ actions: ['states:StopExecution'], resources: executions }),
      new iam.PolicyStatement({ actions: ['ssm:GetParameter'], resources: [names.parameterArn(names.labelUrlParameter)] }),
      ...throughUrl(props.labelFunctionArn),
      // A redriven execution would act on yesterday's verdict in today's world.
      new iam.PolicyStatement({ effect: iam.Effect.DENY, actions: ['states:RedriveExecution'], resources: executions }),
    ]);
    this.approver = this.policy('Approver', `${names.engine}: answer an approval`, [
      ...look,
      new iam.PolicyStatement({ actions: ['ssm:GetParameter'], resources: [names.parameterArn(names.approvalUrlParameter)] }),
      ...throughUrl(props.answerFunctionArn),
    ]);
  }

  private policy(id: string, description: string, statements: iam.PolicyStatement[]): iam.ManagedPolicy {
    const policy = new iam.ManagedPolicy(this, id, { description, statements });
    acknowledgeWildcards(policy, this.wildcards, 'Executions and catalogue entries get their names later; ListStateMachines, DescribeAlarms and GetMetricData have no narrower resource.');
    return policy;
  }

  private executionsOf(machine: string): string {
    return Stack.of(this).formatArn({ service: 'states', resource: 'execution', resourceName: `${machine}:*`, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
  }
}

const lookingStatements = (props: PeopleProps, executions: string[]): iam.PolicyStatement[] => [
  new iam.PolicyStatement({ actions: ['states:DescribeStateMachine', 'states:ListExecutions'], resources: [props.names.rollbackArn, props.names.watchArn] }),
  new iam.PolicyStatement({ actions: ['states:DescribeExecution', 'states:GetExecutionHistory'], resources: executions }),
  new iam.PolicyStatement({ actions: ['states:ListStateMachines', 'cloudwatch:DescribeAlarms', 'cloudwatch:GetDashboard', 'cloudwatch:GetMetricData'], resources: ['*'] }),
  new iam.PolicyStatement({ actions: ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:Scan'], resources: [props.auditTableArn] }),
  // Where each chain of the audit ends. The task token of an approval lies in the same table, under another key.
  new iam.PolicyStatement({ actions: ['dynamodb:GetItem'], resources: [props.ledgerTableArn], conditions: belowKey('AUDIT#*') }),
  new iam.PolicyStatement({ actions: ['ssm:GetParameter', 'ssm:GetParameterHistory'], resources: [props.names.parameterArn(props.names.cataloguePrefix)] }),
  new iam.PolicyStatement({
    actions: ['ssm:GetParameter'], resources: [props.names.auditTableParameter, props.names.ledgerTableParameter].map((name) => props.names.parameterArn(name)),
  }),
];

/** Called directly the function would have to believe who its caller says it is. */
const throughUrl = (functionArn: string): iam.PolicyStatement[] => [
  new iam.PolicyStatement({ actions: ['lambda:InvokeFunctionUrl'], resources: [functionArn] }),
  new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [functionArn], conditions: { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } } }),
];

/** Without the Null condition a call that names no key would pass. */
const belowKey = (key: string) => ({ 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [key] }, Null: { 'dynamodb:LeadingKeys': 'false' } });
