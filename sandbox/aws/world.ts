// The seams between the parts of the sandbox: one clock, one identity, one bus, and how one service reaches another.

/** Sandbox time runs `speed` times as fast as the wall clock, so that a ten-minute bake takes seconds. */
export interface SandboxClock {
  readonly speed: number;
  /** Sandbox time in epoch milliseconds. */
  now(): number;
  /** Resolves after so many sandbox milliseconds; rejects when the sandbox stops. */
  sleep(milliseconds: number): Promise<void>;
  /** Calls back each time so many sandbox milliseconds passed, until the returned function is called or the sandbox stops. */
  every(milliseconds: number, run: () => void | Promise<void>): () => void;
}

export interface Place {
  readonly account: string;
  readonly region: string;
  readonly partition: 'aws';
}

/** Who calls. `root` is the person at the keyboard with any unknown access key: everything is allowed. */
export type Principal =
  | { readonly kind: 'root'; readonly arn: string }
  | { readonly kind: 'user'; readonly arn: string; readonly accessKeyId: string }
  | { readonly kind: 'role'; readonly arn: string; readonly roleName: string; readonly sessionName: string; readonly accessKeyId: string; /** Calls over plain HTTP, to see who takes that. */ readonly isUnencrypted?: true }
  /** An AWS service acting for itself, for example events.amazonaws.com; `sourceArn` is what it acts for (a rule, a topic): `aws:SourceArn`. */
  | { readonly kind: 'service'; readonly arn: string; readonly service: string; readonly sourceArn?: string };

export interface AwsEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

/** One AWS call as the sandbox saw it, for counting, for IAM, and for the invariants. */
export interface CallRecord {
  /** Place among all calls, in the order in which they ended. */
  readonly sequence: number;
  /** Place of the last call that had ended when this one began: time may stand still meanwhile, order does not. */
  readonly began: number;
  /** Sandbox times, epoch milliseconds. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** IAM prefix, for example `elasticloadbalancing`. */
  readonly service: string;
  readonly operation: string;
  readonly caller: Principal;
  readonly input: unknown;
  /** What the operation did, also when its answer got lost or was an error after the effect; null when it did not run. */
  readonly output: unknown;
  readonly status: number;
  readonly errorCode: string | null;
  /** What else the error says, as JSON. */
  readonly errorDetail: string | null;
  readonly mutating: boolean;
  readonly requestId: string;
  /** Region that the request was signed for. */
  readonly region: string;
  /** Every permission the call took, and which statement gave it (null: a root, user or service principal needs none, or it was denied). */
  readonly permissions: readonly Permission[];
  /** X-Ray trace header of the invocation that called; null: none was sent. */
  readonly trace: string | null;
  /** Names of the faults that were injected into this call. */
  readonly faults: readonly string[];
  /** What the invariants said after this call. */
  readonly broken: readonly string[];
}

/** One decision of IAM. */
export interface Permission {
  readonly action: string;
  readonly resource: string;
  readonly allowed: boolean;
  /** `<policy name>/<Sid or index>` of the statement that allowed or denied. */
  readonly statement: string | null;
}

/** A rule of the world that must hold after every mutating call; returns what is broken, or null. */
export interface Invariant {
  readonly name: string;
  check(): string | null;
}

/** How one IAM decision is asked for. */
export interface Authorization {
  /** For example `elasticloadbalancing:ModifyRule`. */
  readonly action: string;
  /** ARNs the call touches; `['*']` where the action has no resource-level permissions. */
  readonly resources: readonly string[];
  /** Condition keys and their values in this request. */
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
}

export interface OperationContext {
  readonly caller: Principal;
  /** With the Region that the request was signed for. */
  readonly place: Place;
  readonly clock: SandboxClock;
  readonly requestId: string;
}

/** One AWS operation of a fake service: which permissions it takes, whether it changes anything, what it does. */
export interface Operation<Input = never, Output = unknown> {
  readonly mutating: boolean;
  authorize(input: Input, context: OperationContext): readonly Authorization[];
  run(input: Input, context: OperationContext): Promise<Output> | Output;
}

/**
 * One fake AWS service. Operations are keyed by the name of the API, for example `DescribeRules`. Input and output are the shapes of the
 * SDK's commands (without `$metadata`); the server checks both against the schema: a missing required member of an output, or one that AWS does not
 * know, is an error of the sandbox. Errors are thrown as `AwsError`. `schemas` is the namespace import of the SDK's client, from which the wire protocol is driven. */
export interface AwsService {
  /** Name in the SigV4 credential scope, for example `monitoring` for CloudWatch. */
  readonly signingName: string;
  /** IAM prefix, for example `cloudwatch`. */
  readonly iamPrefix: string;
  readonly schemas: Readonly<Record<string, unknown>>;
  readonly operations: Readonly<Record<string, Operation>>;
  /** Operations that answer for every Region, each with what is in it; `all` for a service without Regions. Of any other Region than the sandbox's own the rest is refused. Default: none. */
  readonly inEveryRegion?: 'all' | readonly string[];
  /** Wire codes where they differ from the dialect's habit (JSON: AccessDeniedException and ThrottlingException, XML: AccessDenied and Throttling). */
  readonly errorCodes?: { readonly accessDenied?: string; readonly throttled?: string };
}

/** A modelled AWS error: `code` is the wire code, for example `RuleNotFound`; `name` in the SDK may be `RuleNotFoundException`. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  readonly fields: Readonly<Record<string, unknown>>;
  constructor(code: string, message: string, options: { status?: number; fields?: Record<string, unknown> } = {}) {
    super(message);
    this.name = 'AwsError';
    this.code = code;
    this.status = options.status ?? 400;
    this.fields = options.fields ?? {};
  }
}

// ---- Ports: what a service offers to the others inside the sandbox -----------------------------------------------------------

export interface EventBusPort {
  /** Puts one event on the default bus; rules that match deliver it. */
  put(event: { source: string; 'detail-type': string; detail: Record<string, unknown>; resources?: string[] }): AwsEvent;
}

export interface LambdaPort {
  /** Invokes a function and waits; `functionError` as the Lambda API reports it. */
  invoke(functionArn: string, payload: unknown): Promise<{ payload: unknown; functionError: string | null }>;
}

export interface StatesPort {
  startExecution(stateMachineArn: string, input: unknown, name?: string): { executionArn: string; name: string };
}

export interface MetricsPort {
  /** Adds one observation; `at` is sandbox time in epoch milliseconds, default now. */
  record(datum: { namespace: string; name: string; dimensions: Record<string, string>; value: number; unit?: string; at?: number }): void;
}
