// House defaults of a function: runtime, logs, tracing, environment, and a role that holds nothing but what is added to it.
import { aws_iam as iam, aws_lambda as lambda, aws_logs as logs, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { variables, type Variable } from '../../lambdas/runtime/environment.ts';
import type { Statement } from '../../lambdas/strategies/strategy.ts';
import { bundleOf } from './bundle.ts';
import { acknowledgeWildcards, allow, explain } from './statements.ts';

export interface HandlerFunctionProps {
  /** Name of the bundle: a handler, or `strategy-<name>`. */
  readonly bundle: string;
  readonly functionName: string;
  readonly description: string;
  readonly timeoutSeconds: number;
  readonly environment: Readonly<Partial<Record<Variable, string>>>;
}

const logging = ['logs:CreateLogStream', 'logs:PutLogEvents'] as const;
const tracing = ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'] as const;
const tracesAreWide = 'X-Ray has no resource-level permissions for trace segments.';

/**
 * One Lambda function of the engine.
 *
 * No concurrency is reserved: an account's pool is shared, a new account has only 10, and reserving for a dozen functions
 * could itself make a deployment fail. The alarm on throttles says when an account needs it.
 */
export class HandlerFunction extends Construct {
  readonly function: lambda.Function;
  readonly role: iam.Role;

  constructor(scope: Construct, id: string, props: HandlerFunctionProps) {
    super(scope, id);
    const bundle = bundleOf(props.bundle);
    this.role = new iam.Role(this, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'), description: `Role of ${props.functionName}` });
    const logGroup = new logs.LogGroup(this, 'Logs', {
      logGroupName: `/aws/lambda/${props.functionName}`,
      retention: logs.RetentionDays.SIX_MONTHS,
      // What a rollback did is kept in the audit table; a log group left behind would block the next deployment by its name.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    logGroup.grantWrite(this.role);
    this.function = new lambda.Function(this, 'Function', {
      functionName: props.functionName,
      description: props.description,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      memorySize: 1024,
      timeout: Duration.seconds(props.timeoutSeconds),
      handler: 'index.handler',
      code: lambda.Code.fromAsset(bundle.directory),
      role: this.role,
      logGroup,
      tracing: lambda.Tracing.ACTIVE,
      environment: environmentOf({ ...props.environment, codeVersion: bundle.digest }),
    });
    acknowledgeWildcards(this.role, ['*'], tracesAreWide);
    explain(this.role, {
      wide: {
        ...Object.fromEntries(logging.map((action) => [action, 'The streams of this one log group: Lambda makes up their names.'])),
        ...Object.fromEntries(tracing.map((action) => [action, tracesAreWide])),
      },
      uncalled: {
        ...Object.fromEntries(logging.map((action) => [action, 'Lambda writes the log in the name of the function\'s role; no code of ours does.'])),
        ...Object.fromEntries(tracing.map((action) => [action, 'Lambda sends the traces of active tracing in the name of the function\'s role; no code of ours does.'])),
      },
    });
  }

  /** Adds IAM statements to the function's role. @throws Error for a wildcard without a reason. */
  allow(statements: readonly Statement[]): void {
    allow(this.role, statements);
  }
}

function environmentOf(values: Readonly<Partial<Record<Variable, string>>>): Record<string, string> {
  const entries = Object.entries(values).map(([name, value]) => [variables[name as Variable], value] as const);
  return Object.fromEntries(entries);
}
