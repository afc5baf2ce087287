// The way in for a person's answer: a function URL that only the approvers' roles may call, with their identity verified by IAM.
import { aws_iam as iam, aws_lambda as lambda, aws_ssm as ssm } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { explain } from './statements.ts';

export interface ApprovalEndpointProps {
  readonly answer: lambda.Function;
  readonly approvers: readonly string[];
  /** Where the URL is kept for the messages that ask. */
  readonly urlParameterName: string;
}

const refusedAtTheDoor = 'Lambda turns the approver away before any code of ours runs: the person reads 403, and on-call is paged at the deadline, when nobody has answered.';

export class ApprovalEndpoint extends Construct {
  readonly url: string;

  constructor(scope: Construct, id: string, props: ApprovalEndpointProps) {
    super(scope, id);
    this.url = props.answer.addFunctionUrl({ authType: lambda.FunctionUrlAuthType.AWS_IAM }).url;
    new ssm.StringParameter(this, 'Url', {
      parameterName: props.urlParameterName,
      description: 'Where approvers answer; `npx ripcord approve|reject` signs the call',
      stringValue: this.url,
    });
    explain(props.answer, { quiet: { 'lambda:InvokeFunctionUrl': refusedAtTheDoor, 'lambda:InvokeFunction': refusedAtTheDoor } });
    if (props.answer.role !== undefined) explain(props.answer.role, { quiet: { 'sts:AssumeRole': 'Lambda cannot begin, so no record of ours can name it: the person reads 502, and on-call is paged at the deadline, when nobody has answered.' } });
    for (const [index, approver] of props.approvers.entries()) {
      const principal = new iam.ArnPrincipal(approver);
      props.answer.addPermission(`ApproverUrl${index + 1}`, {
        principal, action: 'lambda:InvokeFunctionUrl', functionUrlAuthType: lambda.FunctionUrlAuthType.AWS_IAM,
      });
      // Since October 2025 a call through a function URL needs both permissions.
      props.answer.addPermission(`ApproverInvoke${index + 1}`, { principal, action: 'lambda:InvokeFunction', invokedViaFunctionUrl: true });
    }
  }
}
