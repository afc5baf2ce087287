// The way in for a person's label: a function URL with their identity verified by IAM, so that nobody but the engine writes the audit.
import { aws_lambda as lambda, aws_ssm as ssm } from 'aws-cdk-lib';
import { Construct } from 'constructs';

export interface LabelEndpointProps {
  readonly label: lambda.Function;
  /** Where the URL is kept for `npx ripcord label`. */
  readonly urlParameterName: string;
}

export class LabelEndpoint extends Construct {
  readonly url: string;

  constructor(scope: Construct, id: string, props: LabelEndpointProps) {
    super(scope, id);
    this.url = props.label.addFunctionUrl({ authType: lambda.FunctionUrlAuthType.AWS_IAM }).url;
    new ssm.StringParameter(this, 'Url', {
      parameterName: props.urlParameterName,
      description: 'Where operators label a rollback; `npx ripcord label` signs the call',
      stringValue: this.url,
    });
  }
}
