// The closed set of error kinds: each says what the workflow does next, and carries the name that the state machine matches.

/** `retry`: the same call may work in a moment. `stop`: it never will; report and page. `ask`: only a person can decide. */
export type ErrorKind = 'retry' | 'stop' | 'ask';

const names = { retry: 'Retryable', stop: 'Stopped', ask: 'NeedsPerson' } as const satisfies Record<ErrorKind, string>;

/**
 * An error that the workflow understands. Lambda reports `name` as the error's type, and the state machine retries `Retryable`;
 * `code` is fixed text for machines, `message` a sentence for people. The original error is kept as `cause`.
 */
export class RipcordError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;

  constructor(kind: ErrorKind, code: string, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.kind = kind;
    this.code = code;
    // Set as text: the name of a class does not survive minification.
    this.name = names[kind];
  }
}

/** The input was refused: nothing was read or changed beyond what the sentence says. Named `Refused` in the state machine. */
export class Refusal extends RipcordError {
  constructor(code: string, message: string, options: { cause?: unknown } = {}) {
    super('stop', code, message, options);
    this.name = 'Refused';
  }
}

export const isRefusal = (error: unknown): error is Refusal => error instanceof Error && error.name === 'Refused';
