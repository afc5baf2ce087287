// A good event of every kind that tells a Watch of a release of the service `shop`.
const envelope = (source: string, type: string, detail: object, resources: readonly string[] = []): object =>
  ({ version: '0', id: 'e-1', source, 'detail-type': type, time: '2026-11-20T09:14:07Z', account: '111122223333', region: 'eu-west-1', resources, detail });

const pipeline = (phase: string, detail: object = {}): object => envelope('ripcord.release', `Release ${phase}`, { service: 'shop', releaseId: 'r-2', version: '2', actor: 'pipeline', ...detail });
const ecs = (eventName: string): object => envelope('aws.ecs', 'ECS Deployment State Change', {
  eventType: 'INFO', eventName: `SERVICE_DEPLOYMENT_${eventName}`, deploymentId: 'ecs-svc/4711', updatedAt: '2026-11-20T09:14:07Z', reason: 'ECS deployment circuit breaker: task failed to start.',
}, ['arn:aws:ecs:eu-west-1:111122223333:service/prod/cart']);
const alias = (parameters: object, response: object | null, more: object = {}): object => envelope('aws.lambda', 'AWS API Call via CloudTrail', {
  eventVersion: '1.11', eventName: 'UpdateAlias20150331', eventSource: 'lambda.amazonaws.com', eventTime: '2026-11-20T09:14:05Z', userIdentity: { type: 'AssumedRole', arn: 'arn:aws:sts::111122223333:assumed-role/deploy/ci' },
  requestParameters: { functionName: 'search', name: 'live', ...parameters }, responseElements: response, ...more,
});
const found = (detail: object): object => envelope('ripcord.poll', 'Release Found', detail);

/** What a pipeline says itself. */
export const pipelineEvents: readonly object[] = [
  pipeline('Started', { previousVersion: '1', touched: ['code'] }),
  pipeline('Finished'),
  pipeline('Finished', { approvals: [{ by: 'ada', at: '2026-11-20T09:00:00Z' }], backup: { reference: 'snap-1', at: '2026-11-20T08:00:00Z' }, databaseFloor: '1', url: 'https://ci.example/7' }),
];

/** What AWS says, and what the poll says in its place. */
export const releaseEvents: readonly object[] = [
  envelope('aws.codedeploy', 'CodeDeploy Deployment State-change Notification', { deploymentId: 'd-ABC123', application: 'shop', deploymentGroup: 'prod', state: 'START', instanceGroupId: 'i', region: 'eu-west-1' }),
  ecs('IN_PROGRESS'), ecs('COMPLETED'), ecs('FAILED'),
  alias({ functionVersion: '7' }, { functionVersion: '7', name: 'live' }),
  alias({ functionVersion: '6', routingConfig: { additionalVersionWeights: { 7: 0.1 } } }, { functionVersion: '6', routingConfig: { additionalVersionWeights: { 7: 0.1 } } }),
  alias({ functionVersion: '7', routingConfig: null }, null),
  found({ origin: 'codedeploy', phase: 'started', deploymentId: 'd-ABC123', application: 'shop', deploymentGroup: 'prod' }),
  found({ origin: 'ecs', phase: 'failed', deploymentId: 'ecs-svc/4711', cluster: 'prod', ecsService: 'cart' }),
  found({ origin: 'lambda-alias', phase: 'finished', functionName: 'search', alias: 'live', version: '7', previousVersion: '6', actor: 'unknown', at: '2026-11-20T09:14:05Z' }),
];
