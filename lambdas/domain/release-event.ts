// Reads the input of a Watch execution: a release that began or ended, from CodeDeploy or from a pipeline. Anything odd is refused.
import * as z from 'zod';
import { envelope, identifier, line, objectOrRefuse, parseOrRefuse, refuse, serviceName } from './envelope.ts';
import type { Instant, Touched } from './vocabulary.ts';

export type ReleaseEvent =
  | { readonly origin: 'codedeploy'; readonly phase: 'started' | 'finished'; readonly deploymentId: string; readonly application: string; readonly deploymentGroup: string }
  | {
      readonly origin: 'event';
      readonly phase: 'started' | 'finished';
      readonly releaseId: string;
      readonly version: string;
      readonly previousVersion: string | null;
      readonly actor: string;
      readonly touched: readonly Touched[];
      readonly at: Instant;
    };

const input = z.strictObject({ service: serviceName, event: z.record(z.string(), z.unknown()) });

const deploymentDetail = z.object({ deploymentId: identifier(60), application: identifier(100), deploymentGroup: identifier(100), state: identifier(20) });

const releaseDetail = z.strictObject({
  service: serviceName, releaseId: identifier(200), version: line(200), previousVersion: line(200).optional(), actor: line(200),
  touched: z.array(z.enum(['code', 'configuration', 'infrastructure', 'database'])).max(4).default(['code']),
});

/** @throws Refusal with code `bad-input` and one clear reason. */
export function parseReleaseEvent(given: unknown): { readonly service: string; readonly event: ReleaseEvent } {
  const { service, event } = parseOrRefuse(input, objectOrRefuse(given), 'the input');
  const { source, 'detail-type': type, time, detail } = parseOrRefuse(envelope, event, 'the event');
  if (source === 'aws.codedeploy' && type === 'CodeDeploy Deployment State-change Notification') return { service, event: fromCodeDeploy(detail) };
  if (source !== 'ripcord.release' || (type !== 'Release Started' && type !== 'Release Finished'))
    throw refuse(`the event is of a kind that tells of no release: source "${source}", detail-type "${type}"`);
  const { service: named, previousVersion, ...release } = parseOrRefuse(releaseDetail, detail, 'the release\'s detail');
  if (named !== service) throw refuse(`the release is of service "${named}", the execution about "${service}"`);
  if (time === undefined) throw refuse('the event needs its `time`: a release without one cannot be suspected of anything');
  return { service, event: { origin: 'event', phase: type === 'Release Started' ? 'started' : 'finished', ...release, previousVersion: previousVersion ?? null, at: time } };
}

function fromCodeDeploy(detail: Record<string, unknown>): ReleaseEvent {
  const { state, ...named } = parseOrRefuse(deploymentDetail, detail, 'the deployment event\'s detail');
  if (state !== 'START' && state !== 'SUCCESS') throw refuse(`a deployment in state "${state}" is not watched; only START and SUCCESS are`);
  return { origin: 'codedeploy', phase: state === 'START' ? 'started' : 'finished', ...named };
}
