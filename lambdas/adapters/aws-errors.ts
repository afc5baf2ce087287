// The only translator of what an AWS client throws into the kinds of failure that Ripcord tells apart.
import { RipcordError } from '../domain/errors.ts';

export const awsFaults = ['throttled', 'denied', 'gone', 'conflicting', 'invalid', 'unavailable', 'unknown'] as const;
/**
 * `throttled`, `unavailable`: the same call may work in a moment. `denied`: the role lacks the permission. `gone`: what the call names does
 * not exist. `conflicting`: the world is not as the caller thought. `invalid`: AWS will never take this call. `unknown`: none of these.
 */
export type AwsFault = (typeof awsFaults)[number];

/** One failed AWS call. The original error is kept as `cause`; `kind` is `retry` for throttled and unavailable, else `stop`. */
export class AwsCallError extends RipcordError {
  readonly fault: AwsFault;
  /** IAM action of the call that failed, for example `elasticloadbalancing:ModifyRule`. */
  readonly action: string;
  /** Wire code without the `Exception` suffix, for example `RuleNotFound`. */
  readonly awsCode: string;

  constructor(fault: AwsFault, call: { readonly action: string; readonly awsCode: string; readonly text: string }, cause: unknown) {
    super(fault === 'throttled' || fault === 'unavailable' ? 'retry' : 'stop', fault, `${call.action} ${sayings[fault]}: ${call.awsCode}: ${call.text}`, { cause });
    this.fault = fault;
    this.action = call.action;
    this.awsCode = call.awsCode;
  }
}

const sayings: Readonly<Record<AwsFault, string>> = {
  throttled: 'was throttled',
  denied: 'was denied',
  gone: 'found nothing',
  conflicting: 'met another change',
  invalid: 'was refused as invalid',
  unavailable: 'got no answer',
  unknown: 'failed in a way Ripcord does not know',
};

// Codes come from the wire with or without the `Exception` suffix, depending on the service; here they stand without.
const codes: Readonly<Record<string, AwsFault>> = Object.fromEntries(([
  ['throttled', ['BandwidthLimitExceeded', 'EC2Throttled', 'LimitExceeded', 'PriorRequestNotComplete', 'ProvisionedThroughputExceeded', 'RequestLimitExceeded',
    'RequestThrottled', 'SlowDown', 'Throttled', 'Throttling', 'TooManyRequests', 'TransactionInProgress']],
  ['denied', ['AccessDenied', 'AuthFailure', 'ExpiredToken', 'InvalidClientTokenId', 'InvalidSignature', 'IncompleteSignature', 'KMSAccessDenied',
    'MissingAuthenticationToken', 'NotAuthorized', 'OptInRequired', 'SignatureDoesNotMatch', 'Unauthorized', 'UnauthorizedOperation', 'UnrecognizedClient',
    'CredentialsProviderError']],
  ['gone', ['ServiceNotActive', 'IAMRoleRequired']],
  ['conflicting', ['Conflict', 'ConditionalCheckFailed', 'DeploymentAlreadyCompleted', 'DeploymentAlreadyStarted', 'DeploymentIsNotInReadyState',
    'DeploymentLimitExceeded', 'PreconditionFailed', 'ResourceConflict', 'ResourceInUse', 'TooManyUpdates', 'UpdateInProgress']],
  ['invalid', ['Client', 'OperationNotPermitted', 'TargetGroupAssociationLimit', 'UnsupportedActionForDeploymentType', 'Validation', 'ValidationError',
    'MalformedQueryString', 'AlarmsLimitExceeded', 'DescriptionTooLong']],
  ['unavailable', ['AbortError', 'InternalError', 'InternalFailure', 'InternalServerError', 'InternalServiceError', 'InternalService', 'RequestAbortedError',
    'RequestTimeout', 'Server', 'Service', 'ServiceUnavailable', 'TimeoutError', 'EAI_AGAIN', 'ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND',
    'EPIPE', 'ETIMEDOUT']],
] as const satisfies readonly (readonly [AwsFault, readonly string[]])[]).flatMap(([fault, names]) => names.map((name) => [name, fault])));

/** Families of codes that AWS names by one rule. Asked only for codes that the table does not hold. */
const families: readonly (readonly [RegExp, AwsFault])[] = [
  [/NotFound$|DoesNotExist$|^NoSuch|NotFoundFault$/, 'gone'],
  [/^Invalid|^TooMany|RequiredParameter|Required$/, 'invalid'],
];

/** Wire code or SDK name without its suffix: `RuleNotFoundException` and `RuleNotFound` are one. */
export function awsCodeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'Unknown';
  const socket = (error as Error & { code?: unknown }).code;
  const name = (error.name === 'Error' || error.name === 'AggregateError') && typeof socket === 'string' ? socket : error.name;
  return name.length > 'Exception'.length ? name.replace(/Exception$/, '') : name;
}

function faultOf(error: unknown, code: string): AwsFault {
  if (Object.hasOwn(codes, code)) return codes[code] as AwsFault;
  const family = families.find(([pattern]) => pattern.test(code));
  if (family !== undefined) return family[1];
  const status = (error as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata?.httpStatusCode ?? 0;
  if (status === 429) return 'throttled';
  return status >= 500 ? 'unavailable' : 'unknown';
}

/** Translates; an error that was translated before, or is not an error of a call at all (a bug of ours), comes back as it is. */
export function awsErrorOf(error: unknown, action: string): Error {
  if (error instanceof RipcordError) return error;
  if (error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError) return error;
  const awsCode = awsCodeOf(error);
  return new AwsCallError(faultOf(error, awsCode), { action, awsCode, text: error instanceof Error ? error.message : String(error) }, error);
}

/**
 * Makes one AWS call.
 * @param action IAM action of the call, for the message and for the reader of the audit.
 * @throws AwsCallError
 */
export async function calling<Answer>(action: string, call: Promise<Answer>): Promise<Answer> {
  try {
    return await call;
  } catch (error) {
    throw awsErrorOf(error, action);
  }
}

export const isFault = (error: unknown, ...faults: readonly AwsFault[]): error is AwsCallError => error instanceof AwsCallError && faults.includes(error.fault);
