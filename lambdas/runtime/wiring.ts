// The composition root: builds the AWS clients; nothing else does. One function a client, so that a bundle holds only those it calls.
import { CodeDeployClient } from '@aws-sdk/client-codedeploy';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { Route53Client } from '@aws-sdk/client-route-53';

/** Without `throwOnRequestTimeout` the SDK only logs a request that is too slow, and the rollback waits with it. */
const patience = (requestTimeout: number) => ({
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 1000, requestTimeout, throwOnRequestTimeout: true },
});

export const dynamoClient = (): DynamoDBClient => new DynamoDBClient(patience(3000));
export const loadBalancingClient = (): ElasticLoadBalancingV2Client => new ElasticLoadBalancingV2Client(patience(5000));
export const codeDeployClient = (): CodeDeployClient => new CodeDeployClient(patience(5000));
export const ecsClient = (): ECSClient => new ECSClient(patience(5000));
export const lambdaClient = (): LambdaClient => new LambdaClient(patience(5000));
/** All calls of an account share five a second, reads included, and a change that is still processed refuses the next. */
export const route53Client = (): Route53Client => new Route53Client({ ...patience(5000), maxAttempts: 8, retryMode: 'adaptive' });
