// What a storm needs of Ripcord itself: a stack with more services than one CloudFormation stack takes, and a release in the ledger.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { putRelease } from '../lambdas/adapters/ledger-history.ts';
import { buildApp } from '../lib/app.ts';

/** As `synthesize`, without CloudFormation's limit of 500 resources a stack: about 130 services in one stack would be over it. */
export const synthesizeMany = (configPath: string, outdir: string): void =>
  void buildApp(configPath, { outdir, builtinCloudFormationValidation: false, context: { '@aws-cdk/core:stackResourceLimit': 0 } }).synth();

/** A release of ten minutes ago, as the Watch writes it: two hundred pipelines at once would only cost time. */
export async function seedRelease({ endpoint, table, service, now }: { readonly endpoint: string; readonly table: string; readonly service: string; readonly now: number }): Promise<void> {
  const client = new DynamoDBClient({ endpoint, region: 'eu-west-1', credentials: { accessKeyId: 'me', secretAccessKey: 'anything' } });
  const at = new Date(now - 10 * 60_000).toISOString();
  await putRelease({ client, name: table }, {
    id: `${service}-2`, service, version: '2.0.0', previousVersion: '1.0.0', startedAt: at, finishedAt: at, status: 'finished', origin: 'event', actor: 'pipeline',
    touched: ['code'], left: null, alarmsAtStart: [],
  }, 'seeded');
  client.destroy();
}
