// Reads the input of a Rollback execution: what is said to be wrong, and by whom. A hint, never the truth; anything odd is refused.
import * as z from 'zod';
import { type Envelope, envelope, identifier, line, objectOrRefuse, parseOrRefuse, refuse, serviceName } from './envelope.ts';
import { instant } from './instant-field.ts';
import { later } from './instants.ts';
import type { Instant, RollbackMode } from './vocabulary.ts';

export type Trigger =
  | {
      readonly kind: 'alarm';
      readonly alarm: string;
      readonly at: Instant;
      /** End of the mute window; the alarm goes on sending events inside it. Null when it is not muted. */
      readonly mutedUntil: Instant | null;
      readonly suppressedBy: string | null;
      /** `PARTIAL_DATA`, `EVALUATION_ERROR`, `EVALUATION_FAILURE`: CloudWatch itself could not judge. */
      readonly evaluationState: string | null;
    }
  | { readonly kind: 'deployment'; readonly deploymentId: string; readonly application: string; readonly deploymentGroup: string; readonly at: Instant | null }
  | {
      readonly kind: 'external';
      readonly tool: string;
      readonly id: string;
      readonly status: 'firing' | 'quiet';
      readonly summary: string;
      readonly since: Instant | null;
      readonly at: Instant | null;
    }
  | { readonly kind: 'watch'; readonly releaseId: string; readonly alarms: readonly string[]; readonly journeys: readonly string[]; readonly metrics?: true | undefined; /** The version was rolled back before, and is out again. */ readonly quarantined?: true | undefined }
  | { readonly kind: 'person'; readonly reason: string; readonly requestedBy: string; readonly mode: Exclude<RollbackMode, 'shadow'> };

export interface Admitted {
  readonly service: string;
  readonly trigger: Trigger;
}

const manual = z.strictObject({
  service: serviceName, reason: line(500), requestedBy: line(100), mode: z.enum(['roll-back', 'dry-run']).default('roll-back'),
});
const automatic = z.strictObject({ service: serviceName, event: z.record(z.string(), z.unknown()) });

const alarmDetail = z.object({
  alarmName: identifier(255),
  state: z.object({
    value: z.enum(['ALARM', 'OK', 'INSUFFICIENT_DATA']),
    timestamp: instant,
    actionsSuppressedBy: identifier(50).optional(),
    evaluationState: identifier(50).optional(),
  }),
  muteDetail: z.object({ mutedByArn: identifier(2048), muteWindowEnd: instant.optional() }).optional(),
});

const deploymentDetail = z.object({
  deploymentId: identifier(60), application: identifier(100), deploymentGroup: identifier(100), state: identifier(20),
});

const signalDetail = z.strictObject({
  service: serviceName, tool: serviceName, id: identifier(200), status: z.enum(['firing', 'quiet']), summary: line(500),
  since: instant.optional(), url: z.url({ protocol: /^https$/, error: 'needs an https:// URL' }).max(2000).optional(),
});

const watchDetail = z.strictObject({ releaseId: identifier(500), alarms: z.array(identifier(255)).max(50), journeys: z.array(identifier(60)).max(50), metrics: z.literal(true).optional(), quarantined: z.literal(true).optional() });

/**
 * Reads what started the execution.
 * @throws Refusal with code `bad-input` and one clear reason.
 */
export function parseTrigger(input: unknown): Admitted {
  const given = objectOrRefuse(input);
  if ('event' in given) {
    const { service, event } = parseOrRefuse(automatic, given, 'the input');
    return { service, trigger: fromEvent(service, event) };
  }
  if (!('reason' in given) && !('requestedBy' in given)) throw refuse('the input needs either an `event`, or a `reason` and `requestedBy`');
  const { service, ...person } = parseOrRefuse(manual, given, 'the input');
  return { service, trigger: { kind: 'person', ...person } };
}

function fromEvent(service: string, event: Record<string, unknown>): Trigger {
  // An alarm that invokes a function directly sends another shape, without `detail`.
  if (event['source'] === 'aws.cloudwatch' && 'alarmData' in event) return alarm(event['alarmData']);
  const { source, 'detail-type': type, time, detail } = parseOrRefuse(envelope, event, 'the event');
  if (source === 'aws.cloudwatch' && (type === 'CloudWatch Alarm State Change' || type === 'CloudWatch Alarm Contributor State Change')) return alarm(detail);
  if (source === 'aws.codedeploy' && type === 'CodeDeploy Deployment State-change Notification') return deployment(detail, time);
  if (source === 'ripcord.signal' && type === 'Signal') return external(service, detail, time);
  if (source === 'ripcord.watch' && type === 'Watch Signal') return { kind: 'watch', ...parseOrRefuse(watchDetail, detail, 'the event\'s detail') };
  throw refuse(`the event is of a kind that starts no rollback: source "${source}", detail-type "${type}"`);
}

function alarm(detail: unknown): Trigger {
  const { alarmName, state, muteDetail } = parseOrRefuse(alarmDetail, detail, 'the alarm event\'s detail');
  return {
    kind: 'alarm',
    alarm: alarmName,
    at: state.timestamp,
    // A mute without an end is taken to last an hour: the rule's longest unannounced silence must not outlive that here.
    mutedUntil: muteDetail === undefined ? null : muteDetail.muteWindowEnd ?? later(state.timestamp, 3600),
    suppressedBy: state.actionsSuppressedBy ?? null,
    evaluationState: state.evaluationState ?? null,
  };
}

function deployment(detail: Envelope['detail'], time: Instant | undefined): Trigger {
  const { state, ...named } = parseOrRefuse(deploymentDetail, detail, 'the deployment event\'s detail');
  if (state !== 'FAILURE' && state !== 'STOP') throw refuse(`a deployment in state "${state}" starts no rollback; only FAILURE and STOP do`);
  return { kind: 'deployment', ...named, at: time ?? null };
}

function external(service: string, detail: Envelope['detail'], time: Instant | undefined): Trigger {
  const { service: named, since, url, ...signal } = parseOrRefuse(signalDetail, detail, 'the signal\'s detail');
  if (named !== service) throw refuse(`the signal is about service "${named}", the execution about "${service}"`);
  return { kind: 'external', ...signal, summary: url === undefined ? signal.summary : `${signal.summary} (${url})`, since: since ?? null, at: time ?? null };
}
