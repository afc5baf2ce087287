// Small builders for Amazon States Language in JSONata: one Lambda call, its retries, and what happens to an error.

/** One state of a definition. Plain data, so that a test can read it and the console shows exactly this. */
export type State = { readonly Type: string; readonly Comment: string } & Readonly<Record<string, unknown>>;

export interface Definition {
  readonly Comment: string;
  readonly QueryLanguage: 'JSONata';
  readonly TimeoutSeconds: number;
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

export const jsonata = (expression: string): string => `{% ${expression} %}`;

interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds: number;
  readonly BackoffRate: number;
  readonly MaxAttempts: number;
  readonly MaxDelaySeconds: number;
  readonly JitterStrategy: 'FULL';
}

const retrier = (errors: readonly string[], attempts: number, maxDelaySeconds: number): Retrier => ({
  ErrorEquals: errors,
  IntervalSeconds: 1,
  BackoffRate: 2,
  MaxAttempts: attempts,
  MaxDelaySeconds: maxDelaySeconds,
  JitterStrategy: 'FULL',
});

/** `Retryable` is thrown by our handlers for a throttled or broken AWS call; the others are Lambda's own. */
const neverRan = [
  'Lambda.ServiceException', 'Lambda.AWSLambdaException', 'Lambda.SdkClientException', 'Lambda.TooManyRequestsException', 'Retryable',
] as const;

/** The function may have done its work before it was cut off. Retried all the same: every verb is safe to run twice. */
const unknownOutcome = ['Lambda.Unknown', 'Sandbox.Timedout'] as const;

export const retries = (maxDelaySeconds = 8): readonly Retrier[] => [
  retrier(neverRan, 5, maxDelaySeconds),
  retrier(unknownOutcome, 2, maxDelaySeconds),
];

/** A task that hangs beyond its function's own timeout is asked again once; never so for a task that waits for a person. */
const retriesOfCall = (maxDelaySeconds?: number): readonly Retrier[] => [
  ...retries(maxDelaySeconds),
  retrier(['States.Timeout'], 1, 1),
];

export interface Catcher {
  readonly ErrorEquals: readonly string[];
  readonly Next: string;
  readonly Assign?: Readonly<Record<string, unknown>>;
  readonly Output?: unknown;
}

/** Every error that a state can catch. `States.DataLimitExceeded` is not among them, so payloads are kept small. */
export const onError = (next: string, then: { assign?: Record<string, unknown>; output?: unknown } = {}): Catcher => ({
  ErrorEquals: ['States.ALL'],
  ...(then.assign === undefined ? {} : { Assign: then.assign }),
  ...(then.output === undefined ? {} : { Output: then.output }),
  Next: next,
});

export interface Call {
  readonly comment: string;
  /** ARN, or an expression that looks it up. */
  readonly functionArn: string;
  readonly functionTimeoutSeconds: number;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly assign?: Readonly<Record<string, unknown>>;
  readonly output?: unknown;
  readonly caught?: readonly Catcher[];
  readonly maxDelaySeconds?: number;
  /** Absent: the state ends its branch. */
  readonly next?: string;
}

/** One Lambda call with a direct payload. */
export const call = (options: Call): State => ({
  Type: 'Task',
  Comment: options.comment,
  Resource: 'arn:aws:states:::lambda:invoke',
  Arguments: { FunctionName: options.functionArn, Payload: options.payload },
  TimeoutSeconds: options.functionTimeoutSeconds + 5,
  Retry: retriesOfCall(options.maxDelaySeconds),
  ...(options.caught === undefined ? {} : { Catch: options.caught }),
  ...(options.assign === undefined ? {} : { Assign: options.assign }),
  // Results live in variables; passing them on as well would write each of them into the history twice.
  Output: options.output ?? {},
  ...(options.next === undefined ? { End: true } : { Next: options.next }),
});

export interface Rule {
  readonly Condition: string;
  readonly Next: string;
  readonly Assign?: Readonly<Record<string, unknown>>;
}

export const rule = (condition: string, next: string, assign?: Record<string, unknown>): Rule => ({
  Condition: jsonata(condition),
  ...(assign === undefined ? {} : { Assign: assign }),
  Next: next,
});

export const choice = (comment: string, rules: readonly Rule[], otherwise: { next: string; assign?: Record<string, unknown> }): State => ({
  Type: 'Choice',
  Comment: comment,
  Choices: rules,
  ...(otherwise.assign === undefined ? {} : { Assign: otherwise.assign }),
  Default: otherwise.next,
});

export const pass = (comment: string, then: { assign?: Record<string, unknown>; output?: unknown; next?: string }): State => ({
  Type: 'Pass',
  Comment: comment,
  ...(then.assign === undefined ? {} : { Assign: then.assign }),
  ...(then.output === undefined ? {} : { Output: then.output }),
  ...(then.next === undefined ? { End: true } : { Next: then.next }),
});

/** Waits so many whole seconds; a negative or broken number of a handler becomes 0. */
export const wait = (comment: string, seconds: string, next: string): State => ({
  Type: 'Wait',
  Comment: comment,
  Seconds: jsonata(`$max([0, $ceil(${seconds})])`),
  Next: next,
});

export interface Each {
  readonly comment: string;
  readonly items: string;
  readonly startAt: string;
  readonly states: Readonly<Record<string, State>>;
  readonly assign?: Readonly<Record<string, unknown>>;
  readonly output?: unknown;
  readonly caught?: readonly Catcher[];
  readonly next?: string;
}

/** An inline Map. `[…]` around the items: JSONata turns a list of one into its only element, and an empty one into nothing. */
export const each = (options: Each): State => ({
  Type: 'Map',
  Comment: options.comment,
  Items: jsonata(`[${options.items}]`),
  ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, StartAt: options.startAt, States: options.states },
  ...(options.caught === undefined ? {} : { Catch: options.caught }),
  ...(options.assign === undefined ? {} : { Assign: options.assign }),
  ...(options.output === undefined ? {} : { Output: options.output }),
  ...(options.next === undefined ? { End: true } : { Next: options.next }),
});

/** What went wrong, as a person reads it: a Lambda error's Cause is JSON, of which only the message matters. */
export const errorText = jsonata([
  `$states.errorOutput.Error & ': ' & $substring(`,
  `$contains($string($states.errorOutput.Cause), '"errorMessage":"')`,
  ` ? $substringBefore($substringAfter($states.errorOutput.Cause, '"errorMessage":"'), '"')`,
  ` : $string($states.errorOutput.Cause), 0, 500)`,
].join(''));
