// How an error leaves a handler: `Retryable` for what passes by itself, everything else under its own name.
import { awsErrorOf } from '../adapters/aws-errors.ts';
import { RipcordError } from '../domain/errors.ts';

/** True when the same call may work in a moment: throttling, a 5xx answer, a broken connection; several at once only when all of them may. */
export function isRetryable(error: unknown): boolean {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every((one) => isRetryable(one));
  const known = awsErrorOf(error, 'the call');
  return known instanceof RipcordError && known.kind === 'retry';
}

/** The error as the state machine has to see it; the original is kept as `cause`. */
export function asWorkflowError(error: unknown): Error {
  if (error instanceof RipcordError) return error;
  const given = error instanceof Error ? error : new Error(String(error));
  return isRetryable(error) ? new RipcordError('retry', 'unavailable', `${given.name}: ${given.message}`, { cause: given }) : given;
}
