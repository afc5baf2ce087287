// The composition root: builds the AWS clients; nothing else does. One function a client, so that a bundle holds only those it calls.
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CodeDeployClient } from '@aws-sdk/client-codedeploy';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { Route53Client } from '@aws-sdk/client-route-53';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { SSMClient } from '@aws-sdk/client-ssm';
import { listed } from '../adapters/audit-label-list.ts';
import { AuditRecord } from '../adapters/audit-record.ts';
import { AuditStore, type Witness } from '../adapters/audit-store.ts';
import type { CatalogueStore } from '../adapters/catalogue.ts';
import type { LedgerTable } from '../adapters/ledger-table.ts';
import { Notices } from '../adapters/notices.ts';
import { read } from './environment.ts';
import { logFor } from './logger.ts';

/** Without `throwOnRequestTimeout` the SDK only logs a request that is too slow, and the rollback waits with it. */
const patience = (requestTimeout: number) => ({
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 1000, requestTimeout, throwOnRequestTimeout: true },
});

export const dynamoClient = (): DynamoDBClient => new DynamoDBClient(patience(3000));
export const loadBalancingClient = (): ElasticLoadBalancingV2Client => new ElasticLoadBalancingV2Client(patience(5000));
export const codeDeployClient = (): CodeDeployClient => new CodeDeployClient(patience(5000));
/** CreateDeployment takes no client token: a retry of the SDK's own could deploy twice. */
export const codeDeployOnceClient = (): CodeDeployClient => new CodeDeployClient({ ...patience(5000), maxAttempts: 1 });
export const ecsClient = (): ECSClient => new ECSClient(patience(5000));
export const lambdaClient = (): LambdaClient => new LambdaClient(patience(5000));
/**
 * All calls of an account share five a second, reads included, and a change that is still processed refuses the next: six attempts wait 8 s on average,
 * 16 s at most, and the workflow asks five times more. Not "adaptive": what one throttled call teaches a client would slow every later run of a warm function.
 */
export const route53Client = (): Route53Client => new Route53Client({ ...patience(5000), maxAttempts: 6 });
export const ssmClient = (): SSMClient => new SSMClient(patience(3000));
/** PutParameter has no precondition: a retry of the SDK's own could not be told from somebody else's write. */
export const ssmOnceClient = (): SSMClient => new SSMClient({ ...patience(3000), maxAttempts: 1 });
export const cloudWatchClient = (): CloudWatchClient => new CloudWatchClient(patience(4000));
/** One client a Region, made when the first control of that Region is read. A rollback waits for it: what is silent for two short tries stays unread. */
export function cloudWatchClients(): (region: string) => CloudWatchClient {
  const made = new Map<string, CloudWatchClient>();
  return (region) => {
    const client = made.get(region) ?? new CloudWatchClient({ ...patience(2000), maxAttempts: 2, region });
    made.set(region, client);
    return client;
  };
}
export const snsClient = (): SNSClient => new SNSClient(patience(4000));
export const eventBridgeClient = (): EventBridgeClient => new EventBridgeClient(patience(4000));
export const sfnClient = (): SFNClient => new SFNClient(patience(4000));
export const secretsManagerClient = (): SecretsManagerClient => new SecretsManagerClient(patience(4000));

export const ledgerTable = (client: DynamoDBClient): LedgerTable => ({ client, name: read('ledgerTable') });
/** CloudWatch Logs takes lines and gives none back to be changed: what a chain was is written there too. */
const inLog: Witness = ({ rollbackId, service, kind }, { length, hash }) => {
  logFor('Audit', { rollbackId, service }).info(`row written: ${kind}`, { auditLength: length, auditHash: hash });
};
export const auditRecord = (client: DynamoDBClient): AuditRecord => new AuditRecord(client, read('auditTable'), read('ledgerTable'), { witness: inLog });
/** Lists who labelled, beside each label of a person. */
export const labelRecord = (client: DynamoDBClient): AuditRecord => new AuditRecord(client, read('auditTable'), read('ledgerTable'), { witness: inLog, beside: listed(read('ledgerTable')) });
export const auditStore = (client: DynamoDBClient): AuditStore => new AuditStore(client, read('auditTable'), read('ledgerTable'), { witness: inLog });
export const notices = (): Notices =>
  new Notices({ sns: snsClient(), events: eventBridgeClient() }, { onCall: read('onCallTopicArn'), stakeholders: read('stakeholderTopicArn') });
export const catalogueStore = (client: SSMClient): CatalogueStore => ({ client, prefix: read('cataloguePrefix') });
