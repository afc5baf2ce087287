// Brings one event to one target: at least once, retried while that can help, then to the dead-letter queue.
import { AwsError, type AwsEvent, type MetricsPort, type Principal, type SandboxClock } from '../../aws/world.ts';
import { byChance, uuid, type Ids } from '../../ids.ts';
import type { Rule, RuleTarget } from './rule.ts';
import { targetPayload } from './transformer.ts';

export interface DeliveryParts {
  readonly clock: SandboxClock;
  /** One AWS call in somebody's name, with IAM, faults and the call log. */
  readonly call: (caller: Principal, signingName: string, asked: { operation: string; input: unknown }) => Promise<unknown>;
  /** @throws AwsError when the role does not trust the service. */
  readonly assume: (roleArn: string, service: string, sourceArn: string) => Principal;
  readonly queueUrl: (queueArn: string) => string;
  readonly metrics: MetricsPort | null;
  /** Default: by chance. */
  readonly ids?: Ids;
}

const service = 'events.amazonaws.com';
// Codes of errors that a retry cannot mend; AWS sends such events to the dead-letter queue at once.
const noPermission = /AccessDenied|NotAuthorized|UnauthorizedOperation|AuthorizationError|SandboxUnsupported/;
const noResource = /DoesNotExist|NotFound|NonExistentQueue/;

/** Resolves when the event is delivered, parked in the dead-letter queue, or lost. */
export async function deliver(parts: DeliveryParts, rule: Rule, target: RuleTarget, event: AwsEvent): Promise<void> {
  const { clock, metrics } = parts;
  const count = (name: string): void => metrics?.record({ namespace: 'AWS/Events', name, dimensions: { RuleName: rule.name }, value: 1, unit: 'Count' });
  const ingestedAt = clock.now();
  const { MaximumEventAgeInSeconds: maximumAge = 86_400, MaximumRetryAttempts: maximumRetries = 185 } = target.RetryPolicy ?? {};
  const payload = targetPayload(target, { event, rule, ingestedAt: new Date(ingestedAt).toISOString() });
  for (let retries = 0; ; retries += 1) {
    try {
      count('Invocations');
      return await send(parts, rule, target, { payload, event });
    } catch (thrown) {
      const error = thrown instanceof AwsError ? thrown : new AwsError('InternalError', String(thrown), { status: 500 });
      const code = codeOf(error);
      // 1, 2, 4 … 64 s: AWS backs off exponentially but does not say how.
      const delay = Math.min(64, 2 ** retries) * 1000;
      const exhausted = retries >= maximumRetries ? 'MaximumRetryAttempts' : clock.now() + delay - ingestedAt > maximumAge * 1000 ? 'MaximumEventAgeInSeconds' : null;
      if (code === 'NO_PERMISSIONS' || code === 'NO_RESOURCE' || exhausted !== null) {
        count('FailedInvocations');
        return bury(parts, rule, target, { payload: JSON.stringify(event), error, code, exhausted, retries, count });
      }
      await clock.sleep(delay);
    }
  }
}

function codeOf(error: AwsError): string {
  if (noPermission.test(error.code)) return 'NO_PERMISSIONS';
  if (noResource.test(error.code)) return 'NO_RESOURCE';
  if (/AlreadyExists/.test(error.code)) return 'RESOURCE_ALREADY_EXISTS';
  if (/Throttl|TooManyRequests|LimitExceeded/.test(error.code)) return 'THROTTLING';
  return 'SDK_CLIENT_ERROR';
}

async function send(parts: DeliveryParts, rule: Rule, target: RuleTarget, { payload, event }: { payload: string; event: AwsEvent }): Promise<void> {
  const caller: Principal = target.RoleArn === undefined ? { kind: 'service', arn: service, service, sourceArn: rule.arn } : parts.assume(target.RoleArn, service, rule.arn);
  const kind = target.Arn.split(':')[2];
  if (kind === 'states') {
    const input = { stateMachineArn: target.Arn, input: payload, name: `${event.id}_${uuid(parts.ids ?? byChance, 'delivery')}` };
    await parts.call(caller, 'states', { operation: 'StartExecution', input });
  } else if (kind === 'lambda') {
    const input = { FunctionName: target.Arn, InvocationType: 'Event', Payload: Buffer.from(payload) };
    await parts.call(caller, 'lambda', { operation: 'Invoke', input });
  } else if (kind === 'sns') await parts.call(caller, 'sns', { operation: 'Publish', input: { TopicArn: target.Arn, Message: payload } });
  else await parts.call(caller, 'sqs', { operation: 'SendMessage', input: { QueueUrl: parts.queueUrl(target.Arn), MessageBody: payload } });
}

interface Lost {
  readonly payload: string;
  readonly error: AwsError;
  readonly code: string;
  readonly exhausted: string | null;
  readonly retries: number;
  readonly count: (metric: string) => void;
}

async function bury(parts: DeliveryParts, rule: Rule, target: RuleTarget, { payload, error, code, exhausted, retries, count }: Lost): Promise<void> {
  const queueArn = target.DeadLetterConfig?.Arn;
  if (queueArn === undefined) return;
  const attributes: Record<string, string> = {
    RULE_ARN: rule.arn,
    TARGET_ARN: target.Arn,
    ERROR_CODE: code,
    ERROR_MESSAGE: error.message,
    RETRY_ATTEMPTS: String(retries),
    ...(exhausted === null ? {} : { EXHAUSTED_RETRY_CONDITION: exhausted }),
  };
  const MessageAttributes = Object.fromEntries(Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]));
  const caller: Principal = { kind: 'service', arn: service, service, sourceArn: rule.arn };
  try {
    await parts.call(caller, 'sqs', { operation: 'SendMessage', input: { QueueUrl: parts.queueUrl(queueArn), MessageBody: payload, MessageAttributes } });
    count('InvocationsSentToDlq');
  } catch {
    count('InvocationsFailedToBeSentToDlq');
  }
}
