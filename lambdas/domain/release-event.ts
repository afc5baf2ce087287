// Reads the input of a Watch execution: a release that began, ended or failed, from AWS, from a pipeline or from the poll. Anything odd is refused.
import * as z from 'zod';
import { envelope, identifier, line, objectOrRefuse, parseOrRefuse, refuse, serviceName } from './envelope.ts';
import { instant } from './instant-field.ts';
import type { Instant, ReleaseManifest, Touched } from './vocabulary.ts';

export type ReleasePhase = 'started' | 'finished' | 'failed';

export type ReleaseEvent =
  | { readonly origin: 'codedeploy'; readonly phase: 'started' | 'finished'; readonly deploymentId: string; readonly application: string; readonly deploymentGroup: string }
  | { readonly origin: 'ecs'; readonly phase: ReleasePhase; readonly deploymentId: string; readonly cluster: string; readonly ecsService: string }
  | {
      readonly origin: 'lambda-alias';
      /** `started` while two versions share the traffic. */
      readonly phase: 'started' | 'finished';
      readonly functionName: string;
      readonly alias: string;
      /** The version that is new: of two, the one that is not the alias's own. */
      readonly version: string;
      /** Null where nobody says; the ledger may know. */
      readonly previousVersion: string | null;
      readonly actor: string;
      readonly at: Instant;
    }
  | {
      readonly origin: 'event';
      readonly phase: 'started' | 'finished';
      readonly releaseId: string;
      readonly version: string;
      readonly previousVersion: string | null;
      readonly actor: string;
      /** Null when the pipeline did not say: code, or what another event of this release said. */
      readonly touched: readonly Touched[] | null;
      /** Null when the event carries none of its fields. */
      readonly manifest: ReleaseManifest | null;
      readonly at: Instant;
    };

type Of<Origin extends ReleaseEvent['origin']> = Extract<ReleaseEvent, { readonly origin: Origin }>;

const input = z.strictObject({ service: serviceName, event: z.record(z.string(), z.unknown()) });

const deploymentDetail = z.object({ deploymentId: identifier(60), application: identifier(100), deploymentGroup: identifier(100), state: identifier(20) });

const ecsDetail = z.object({ deploymentId: identifier(100), eventName: identifier(60) });
/** `arn:aws:ecs:eu-west-1:111122223333:service/<cluster>/<service>`; the oldest ARNs have no cluster, and cannot be told apart. */
const ecsArn = z.object({ resources: z.tuple([z.string().max(2048).regex(/:service\/[^/]+\/[^/]+$/, { error: 'needs the ARN of an ECS service with its cluster' })]).rest(z.unknown()) });

const aliasConfiguration = z.object({
  functionVersion: identifier(20).optional(), routingConfig: z.object({ additionalVersionWeights: z.record(z.string().max(20), z.number()).nullish() }).nullish(),
});
const aliasDetail = z.object({
  eventName: identifier(60), errorCode: z.unknown().optional(), eventTime: instant.optional(),
  userIdentity: z.object({ arn: identifier(2048).optional() }).optional(),
  requestParameters: aliasConfiguration.extend({ functionName: identifier(200), name: identifier(128) }),
  responseElements: aliasConfiguration.nullish(),
});

const releaseDetail = z.strictObject({
  // 180, so that the mark of a second attempt fits in behind it.
  service: serviceName, releaseId: identifier(180), version: line(200), previousVersion: line(200).optional(), actor: line(200),
  touched: z.array(z.enum(['code', 'configuration', 'infrastructure', 'database'])).max(4).optional(),
  approvals: z.array(z.strictObject({ by: line(200), at: instant })).max(20).optional(),
  backup: z.strictObject({ reference: line(300), at: instant }).optional(),
  databaseFloor: line(200).optional(),
  url: z.url({ protocol: /^https$/, error: 'needs an https:// URL' }).max(2000).optional(),
});

const found = z.discriminatedUnion('origin', [
  z.strictObject({ origin: z.literal('codedeploy'), phase: z.enum(['started', 'finished']), deploymentId: identifier(60), application: identifier(100), deploymentGroup: identifier(100) }),
  z.strictObject({ origin: z.literal('ecs'), phase: z.enum(['started', 'finished', 'failed']), deploymentId: identifier(100), cluster: identifier(200), ecsService: identifier(200) }),
  z.strictObject({
    origin: z.literal('lambda-alias'), phase: z.enum(['started', 'finished']), functionName: identifier(200), alias: identifier(128), version: identifier(20),
    previousVersion: identifier(20).nullable(), actor: line(200), at: instant,
  }),
]);

/** @throws Refusal with code `bad-input` and one clear reason. */
export function parseReleaseEvent(given: unknown): { readonly service: string; readonly event: ReleaseEvent } {
  const { service, event } = parseOrRefuse(input, objectOrRefuse(given), 'the input');
  const { source, 'detail-type': type, time, detail } = parseOrRefuse(envelope, event, 'the event');
  if (source === 'aws.codedeploy' && type === 'CodeDeploy Deployment State-change Notification') return { service, event: fromCodeDeploy(detail) };
  if (source === 'aws.ecs' && type === 'ECS Deployment State Change') return { service, event: fromEcs(event, detail) };
  if (source === 'aws.lambda' && type === 'AWS API Call via CloudTrail') return { service, event: fromCloudTrail(detail, time) };
  if (source === 'ripcord.poll' && type === 'Release Found') return { service, event: parseOrRefuse(found, detail, 'the event\'s detail') };
  if (source !== 'ripcord.release' || (type !== 'Release Started' && type !== 'Release Finished'))
    throw refuse(`the event is of a kind that tells of no release: source "${source}", detail-type "${type}"`);
  return { service, event: fromPipeline(service, { phase: type === 'Release Started' ? 'started' : 'finished', detail, time }) };
}

function fromCodeDeploy(detail: Record<string, unknown>): Of<'codedeploy'> {
  const { state, ...named } = parseOrRefuse(deploymentDetail, detail, 'the deployment event\'s detail');
  if (state !== 'START' && state !== 'SUCCESS') throw refuse(`a deployment in state "${state}" is not watched; only START and SUCCESS are`);
  return { origin: 'codedeploy', phase: state === 'START' ? 'started' : 'finished', ...named };
}

const ecsPhases: Readonly<Record<string, ReleasePhase>> = {
  SERVICE_DEPLOYMENT_IN_PROGRESS: 'started', SERVICE_DEPLOYMENT_COMPLETED: 'finished', SERVICE_DEPLOYMENT_FAILED: 'failed',
};

function fromEcs(event: Record<string, unknown>, detail: Record<string, unknown>): Of<'ecs'> {
  const { eventName, deploymentId } = parseOrRefuse(ecsDetail, detail, 'the deployment event\'s detail');
  const phase = Object.hasOwn(ecsPhases, eventName) ? ecsPhases[eventName] : undefined;
  if (phase === undefined) throw refuse(`an ECS event "${eventName}" tells of no release`);
  const [serviceArn] = parseOrRefuse(ecsArn, event, 'the event').resources;
  const [cluster = '', ecsService = ''] = serviceArn.split('/').slice(-2);
  return { origin: 'ecs', phase, deploymentId, cluster, ecsService };
}

/** What the answer says of the alias counts more than what was asked for: weights that a call leaves out stay as they were. */
function fromCloudTrail(detail: Record<string, unknown>, time: Instant | undefined): Of<'lambda-alias'> {
  const { eventName, errorCode, eventTime, userIdentity, requestParameters, responseElements } = parseOrRefuse(aliasDetail, detail, 'the CloudTrail event\'s detail');
  if (!eventName.startsWith('UpdateAlias') || errorCode !== undefined) throw refuse(`"${eventName}"${errorCode === undefined ? '' : ', which was refused,'} moves no alias`);
  const version = responseElements?.functionVersion ?? requestParameters.functionVersion;
  const weights = Object.keys((responseElements?.routingConfig ?? requestParameters.routingConfig)?.additionalVersionWeights ?? {});
  const [shared] = weights;
  const released = shared ?? version;
  const at = eventTime ?? time;
  if (released === undefined || at === undefined) throw refuse('the CloudTrail event does not say which version the alias points to, or when it was moved');
  return {
    origin: 'lambda-alias', phase: shared === undefined ? 'finished' : 'started', functionName: requestParameters.functionName, alias: requestParameters.name,
    version: released, previousVersion: shared === undefined ? null : version ?? null, actor: userIdentity?.arn ?? 'unknown', at,
  };
}

function fromPipeline(service: string, { phase, detail, time }: { readonly phase: 'started' | 'finished'; readonly detail: Record<string, unknown>; readonly time: Instant | undefined }): Of<'event'> {
  const { service: named, previousVersion, touched, approvals, backup, databaseFloor, url, ...release } = parseOrRefuse(releaseDetail, detail, 'the release\'s detail');
  if (named !== service) throw refuse(`the release is of service "${named}", the execution about "${service}"`);
  if (time === undefined) throw refuse('the event needs its `time`: a release without one cannot be suspected of anything');
  const says = [approvals, backup, databaseFloor, url].some((field) => field !== undefined);
  return {
    origin: 'event', phase, ...release, previousVersion: previousVersion ?? null, touched: touched ?? null, at: time,
    manifest: says ? { approvals: approvals ?? [], backup: backup ?? null, databaseFloor: databaseFloor ?? null, url: url ?? null } : null,
  };
}
