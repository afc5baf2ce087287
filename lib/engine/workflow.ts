// A state machine of the engine: its definition is read when the stack is synthesized, after every service was attached.
import { aws_lambda as lambda, aws_logs as logs, aws_stepfunctions as sfn, Lazy, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Statement } from '../../lambdas/strategies/strategy.ts';
import type { Definition } from './asl.ts';
import { acknowledgeWildcards, allow, explain } from './statements.ts';

/** As the Step Functions guide lists them under "Logging using CloudWatch Logs". */
const logDelivery = [
  'logs:CreateLogDelivery', 'logs:DeleteLogDelivery', 'logs:DescribeLogGroups', 'logs:DescribeResourcePolicies', 'logs:GetLogDelivery', 'logs:ListLogDeliveries',
  'logs:PutResourcePolicy', 'logs:UpdateLogDelivery',
] as const;
/** As the same guide lists them under "X-Ray and Step Functions". */
const tracing = ['xray:GetSamplingRules', 'xray:GetSamplingTargets', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments'] as const;
const deliveriesAreWide = 'Log deliveries and X-Ray have no resource-level permissions.';

export interface WorkflowProps {
  readonly stateMachineName: string;
  readonly comment: string;
  readonly definition: () => Definition;
  readonly functions: readonly lambda.IFunction[];
}

export class Workflow extends Construct {
  readonly stateMachine: sfn.StateMachine;

  constructor(scope: Construct, id: string, props: WorkflowProps) {
    super(scope, id);
    this.stateMachine = new sfn.StateMachine(this, 'StateMachine', {
      stateMachineName: props.stateMachineName,
      stateMachineType: sfn.StateMachineType.STANDARD,
      comment: props.comment,
      definitionBody: sfn.DefinitionBody.fromString(Lazy.string({ produce: () => Stack.of(this).toJsonString(props.definition()) })),
      tracingEnabled: true,
      logs: {
        destination: new logs.LogGroup(this, 'Logs', {
          // Step Functions shares one resource policy of 5,120 characters among all log groups, except those with this prefix.
          logGroupName: `/aws/vendedlogs/states/${props.stateMachineName}`,
          retention: logs.RetentionDays.SIX_MONTHS,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
        level: sfn.LogLevel.ALL,
        // The data holds task tokens, which are as good as an approval.
        includeExecutionData: false,
      },
    });
    acknowledgeWildcards(this.stateMachine.role, ['*'], deliveriesAreWide);
    explain(this.stateMachine.role, {
      wide: Object.fromEntries([...logDelivery, ...tracing].map((action) => [action, deliveriesAreWide])),
      uncalled: {
        ...Object.fromEntries(logDelivery.map((action) => [action, 'Step Functions demands it of the role of a workflow that logs, when the workflow is made and while it writes.'])),
        ...Object.fromEntries(tracing.map((action) => [action, 'Step Functions sends the traces of a workflow in the name of its role.'])),
      },
    });
    for (const one of props.functions) this.mayCall(one);
  }

  /** Lets the workflow call one more function, at its latest version only. */
  mayCall(called: lambda.IFunction): void {
    this.allow([{ actions: ['lambda:InvokeFunction'], resources: [called.functionArn] }]);
  }

  allow(statements: readonly Statement[]): void {
    allow(this.stateMachine.role, statements);
  }
}
