// The errors a state can end with, and which of them a Retry or Catch may match.

/** What a failed state reports: `name` is what Retry and Catch match, `cause` is text for people. */
export class StateError extends Error {
  readonly error: string;
  override readonly cause: string;
  constructor(error: string, cause: string) {
    super(`${error}: ${cause}`);
    this.name = 'StateError';
    this.error = error;
    this.cause = cause;
  }
}

/** Ends an execution from outside; no Retry and no Catch ever sees it. */
export class Interrupted extends Error {
  constructor() {
    super('the execution was interrupted');
    this.name = 'Interrupted';
  }
}

// AWS: States.ALL does not catch these two; a Catch may still name States.DataLimitExceeded.
const notCaughtByAll = new Set(['States.DataLimitExceeded', 'States.Runtime']);
const timeouts = new Set(['States.Timeout', 'States.HeartbeatTimeout']);

/** Whether one `ErrorEquals` list matches an error's name. */
export function matchesError(errorEquals: readonly string[], error: string): boolean {
  if (error === 'States.Runtime') return false;
  return errorEquals.some((wanted) => {
    if (wanted === error) return true;
    if (wanted === 'States.ALL') return !notCaughtByAll.has(error);
    if (wanted === 'States.TaskFailed') return !timeouts.has(error) && !notCaughtByAll.has(error);
    return wanted === 'States.Timeout' && timeouts.has(error);
  });
}

/** Any thrown thing as a StateError; what nobody expected is States.Runtime, which nothing catches. */
export function asStateError(thrown: unknown): StateError {
  if (thrown instanceof StateError) return thrown;
  return new StateError('States.Runtime', thrown instanceof Error ? thrown.message : String(thrown));
}

const payloadLimitBytes = 256 * 1024;

/**
 * Serializes one payload.
 * @throws StateError States.DataLimitExceeded beyond 256 KiB.
 */
export function limited(value: unknown, what: string): string {
  const text = JSON.stringify(value) ?? 'null';
  if (Buffer.byteLength(text) > payloadLimitBytes)
    throw new StateError('States.DataLimitExceeded', `${what} has a size exceeding the maximum number of bytes service limit (${payloadLimitBytes}).`);
  return text;
}
