// Which failures are worth another try by the state machine: throttled, unavailable, cut off.

/** AWS error codes and SDK error names that say "later", never "no". */
const retryableNames = new Set([
  'BandwidthLimitExceeded', 'EC2ThrottledException', 'InternalError', 'InternalFailure', 'InternalServerError', 'InternalServerErrorException',
  'InternalServiceError', 'InternalServiceFault', 'LimitExceededException', 'PriorRequestNotComplete', 'ProvisionedThroughputExceededException',
  'RequestLimitExceeded', 'RequestThrottled', 'RequestThrottledException', 'RequestTimeout', 'RequestTimeoutException', 'ServiceUnavailable',
  'ServiceUnavailableException', 'SlowDown', 'ThrottledException', 'Throttling', 'ThrottlingException', 'TimeoutError', 'TooManyRequestsException',
  'TransactionInProgressException', 'Retryable',
]);

const retryableCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** The state machine retries this error by its name. */
export class Retryable extends Error {
  override readonly name = 'Retryable';
}

/** True when the same call may succeed in a moment: throttling, a 5xx answer, a broken connection. */
export function isRetryable(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every((one) => isRetryable(one));
  if (!(error instanceof Error)) return false;
  if (retryableNames.has(error.name)) return true;
  const { code, $metadata } = error as Error & { code?: unknown; $metadata?: { httpStatusCode?: number } };
  if (typeof code === 'string' && retryableCodes.has(code)) return true;
  const status = $metadata?.httpStatusCode ?? 0;
  return status === 429 || status >= 500;
}

/** The error as the state machine has to see it: `Retryable` for what passes, everything else unchanged. */
export function asWorkflowError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  if (error.name === 'Retryable' || !isRetryable(error)) return error;
  return new Retryable(`${error.name}: ${error.message}`, { cause: error });
}
