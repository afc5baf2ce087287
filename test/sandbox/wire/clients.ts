// Every SDK client whose service the sandbox serves, by signing name.
import * as cloudwatch from '@aws-sdk/client-cloudwatch';
import * as codedeploy from '@aws-sdk/client-codedeploy';
import * as dynamodb from '@aws-sdk/client-dynamodb';
import * as ecs from '@aws-sdk/client-ecs';
import * as elb from '@aws-sdk/client-elastic-load-balancing-v2';
import * as events from '@aws-sdk/client-eventbridge';
import * as lambda from '@aws-sdk/client-lambda';
import * as route53 from '@aws-sdk/client-route-53';
import * as secrets from '@aws-sdk/client-secrets-manager';
import * as states from '@aws-sdk/client-sfn';
import * as sns from '@aws-sdk/client-sns';
import * as sqs from '@aws-sdk/client-sqs';
import * as ssm from '@aws-sdk/client-ssm';
import * as sts from '@aws-sdk/client-sts';

type Exports = Readonly<Record<string, unknown>>;

export const clients: Readonly<Record<string, { readonly schemas: Exports; readonly iamPrefix: string }>> = {
  monitoring: { schemas: cloudwatch, iamPrefix: 'cloudwatch' },
  codedeploy: { schemas: codedeploy, iamPrefix: 'codedeploy' },
  dynamodb: { schemas: dynamodb, iamPrefix: 'dynamodb' },
  ecs: { schemas: ecs, iamPrefix: 'ecs' },
  elasticloadbalancing: { schemas: elb, iamPrefix: 'elasticloadbalancing' },
  events: { schemas: events, iamPrefix: 'events' },
  lambda: { schemas: lambda, iamPrefix: 'lambda' },
  route53: { schemas: route53, iamPrefix: 'route53' },
  secretsmanager: { schemas: secrets, iamPrefix: 'secretsmanager' },
  states: { schemas: states, iamPrefix: 'states' },
  sns: { schemas: sns, iamPrefix: 'sns' },
  sqs: { schemas: sqs, iamPrefix: 'sqs' },
  ssm: { schemas: ssm, iamPrefix: 'ssm' },
  sts: { schemas: sts, iamPrefix: 'sts' },
};

interface AnyClient {
  send(command: object): Promise<unknown>;
  destroy(): void;
}

export function clientOf(schemas: Exports, options: object): AnyClient {
  const name = Object.keys(schemas).find((key) => key.endsWith('Client') && key !== '__Client') ?? '';
  const Client = schemas[name] as new (options: object) => AnyClient;
  // Custom endpoints keep their host; the digests that SQS adds to its answers are not part of an example.
  return new Client({ ...options, disableHostPrefix: true, md5: false });
}

export function commandOf(schemas: Exports, operation: string, input: unknown): object {
  const Command = schemas[`${operation}Command`] as new (input: unknown) => object;
  return new Command(input);
}
