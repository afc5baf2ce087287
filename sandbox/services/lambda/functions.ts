// All functions of the sandbox: created from specs, invoked by ARN or name, synchronously or asynchronously with retries.
import path from 'node:path';
import { AwsError, type LambdaPort, type MetricsPort, type Place } from '../../aws/world.ts';
import type { Rate } from '../../aws/token-bucket.ts';
import type { SpedUpClock } from '../../clock.ts';
import type { IssuedKey } from '../../aws/iam.ts';
import { asyncDefaults, type AsyncSettings, type Outcome, runUntilDone } from './async-invocations.ts';
import { Concurrency, environmentsRate, Scaling, Slots } from './concurrency.ts';
import { LambdaFunction, type Borrowing, type FunctionSpec, type Onlooker } from './lambda-function.ts';
import type { AwsEndpoint, WarmProcesses } from './warm-processes.ts';

export interface FunctionsParts {
  readonly clock: SpedUpClock;
  readonly place: Place;
  /** The sandbox's endpoint, for AWS_ENDPOINT_URL. */
  readonly endpoint: () => string;
  readonly issueKey: (roleArn: string, sessionName: string) => IssuedKey;
  /** Asked before each invocation: throws where the role does not trust Lambda; absent: every role does. */
  readonly assume?: (roleArn: string, functionArn: string) => void;
  /** Sends the record of a failed asynchronous invocation to a queue, topic, bus or function. */
  readonly destination: (functionArn: string, targetArn: string, record: Record<string, unknown>) => Promise<void>;
  /** For the metrics that Lambda sends of each function. */
  readonly metrics?: MetricsPort;
  /** Folder for log files; null: in memory only. */
  readonly logDirectory?: string | null;
  /** Real milliseconds that Lambda work always gets, however fast sandbox time runs; default 10000. */
  readonly graceMs?: number;
  /** Function processes at work at the same time; default 12. */
  readonly processes?: number;
  /** Processes shared with other sandboxes; absent: each function starts its own. */
  readonly warm?: { readonly processes: WarmProcesses; readonly endpoint: AwsEndpoint; readonly adopt: (roleArn: string, accessKeyId: string) => void };
  /** Invocations at work at once in the account; default 1000. */
  readonly concurrency?: number;
  /** How fast each function may grow; default as Lambda lets it. */
  readonly scaling?: Rate;
}

interface Entry {
  readonly fn: LambdaFunction;
  readonly key: IssuedKey;
  async: AsyncSettings;
  /** Versions and aliases by which it may be called, besides $LATEST. */
  readonly qualifiers: Set<string>;
}

export class Functions implements LambdaPort {
  readonly #parts: FunctionsParts;
  readonly #slots: Slots;
  readonly #concurrency: Concurrency;
  readonly #entries = new Map<string, Entry>();
  #onlooker: Onlooker | null = null;
  #kept = 0;
  #stopped = false;

  constructor(parts: FunctionsParts) {
    this.#parts = parts;
    this.#slots = new Slots(parts.processes ?? 12);
    this.#concurrency = new Concurrency(parts.concurrency ?? 1000);
  }

  create(input: Omit<FunctionSpec, 'arn'>): LambdaFunction {
    const { clock, graceMs, logDirectory } = this.#parts;
    const spec: FunctionSpec = { ...input, arn: this.arnOf(input.name) };
    const key = this.#parts.issueKey(spec.roleArn, spec.name);
    const realTimeout = spec.timeoutSeconds * 1000;
    const fn = new LambdaFunction({
      spec,
      time: clock,
      systemEnvironment: () => this.#systemEnvironment(spec, key),
      realTimeoutMs: Math.max(realTimeout / clock.speed, Math.min(realTimeout, graceMs ?? 10_000)),
      slots: this.#slots,
      borrow: this.#borrowing(spec),
      onlooker: () => this.#onlooker,
      concurrency: this.#concurrency,
      scaling: new Scaling(this.#parts.scaling ?? environmentsRate, () => clock.now()),
      logFile: logDirectory === undefined || logDirectory === null ? null : path.join(logDirectory, `${spec.name}.log`),
    });
    this.#entries.set(spec.name, { fn, key, async: asyncDefaults, qualifiers: new Set() });
    return fn;
  }

  /** From now on it sees every invocation of every function. */
  watchedBy(onlooker: Onlooker): void {
    this.#onlooker = onlooker;
  }

  /** Invocations that wait for a process of this machine: what it is slower by than AWS. */
  get queued(): number {
    return this.#slots.queued;
  }

  /** Asynchronous invocations that Lambda keeps: at work, or waiting to be tried again. */
  get kept(): number {
    return this.#kept;
  }

  arnOf(name: string): string {
    const { partition, region, account } = this.#parts.place;
    return `arn:${partition}:lambda:${region}:${account}:function:${name}`;
  }

  list(): LambdaFunction[] {
    return [...this.#entries.values()].map(({ fn }) => fn);
  }

  addQualifier(name: string, qualifier: string): void {
    this.#entry(name).qualifiers.add(qualifier);
  }

  configureAsync(name: string, settings: Partial<AsyncSettings>): void {
    const entry = this.#entry(name);
    entry.async = { ...entry.async, ...settings };
  }

  has(nameOrArn: string): boolean {
    return this.#entries.has(nameOf(nameOrArn));
  }

  /** @throws AwsError ResourceNotFoundException */
  find(nameOrArn: string): LambdaFunction {
    return this.#entry(nameOrArn).fn;
  }

  /** @throws AwsError ResourceNotFoundException, TooManyRequestsException, AccessDeniedException */
  async invoke(functionArn: string, payload: unknown): Promise<{ payload: unknown; functionError: string | null }> {
    const { fn } = this.#entry(functionArn);
    this.#assume(fn.spec);
    const startedAt = performance.now();
    const rest = this.#parts.clock.work();
    const answer = await fn.invoke(JSON.stringify(payload) ?? 'null').catch((error: unknown) => {
      // A fault of Lambda's own is no throttle, and no error of the function: it is in no metric of it.
      if (error instanceof AwsError && error.status === 429) this.#count(fn, 'Throttles', 1);
      throw error;
    }).finally(rest);
    this.#count(fn, 'Invocations', 1);
    this.#count(fn, 'Errors', answer.functionError === null ? 0 : 1);
    this.#count(fn, 'Duration', performance.now() - startedAt);
    return { payload: answer.payload === '' ? null : (JSON.parse(answer.payload) as unknown), functionError: answer.functionError };
  }

  /**
   * Queues an asynchronous invocation: tried again as Lambda does, then sent to the failure destination.
   * @throws AwsError ResourceNotFoundException
   */
  invokeLater(functionArn: string, payload: unknown): Promise<void> {
    const { fn, async: settings } = this.#entry(functionArn);
    const running = runUntilDone({
      clock: this.#parts.clock, settings, functionArn: fn.spec.arn, payload,
      invoke: () => this.invoke(functionArn, payload).catch(refusal),
      isStopped: () => this.#stopped,
      dropped: async (record) => {
        if (settings.onFailureArn !== null) await this.#parts.destination(fn.spec.arn, settings.onFailureArn, record);
        this.#count(fn, 'AsyncEventsDropped', 1);
      },
    });
    this.#kept += 1;
    running.catch(() => undefined).finally(() => { this.#kept -= 1; });
    return running;
  }

  /** Tells which function's AWS call has just been done, by its access key. */
  onAwsCall(accessKeyId: string): void {
    for (const { fn, key } of this.#entries.values()) if (key.accessKeyId === accessKeyId) fn.onAwsCall();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.list().map((fn) => fn.stop()));
  }

  /** Such an invocation counts neither as one nor as an error. AWS publishes no text of its own for it: this is what CreateFunction says. */
  #assume({ roleArn, arn }: FunctionSpec): void {
    try {
      this.#parts.assume?.(roleArn, arn);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      throw new AwsError('AccessDeniedException', 'The role defined for the function cannot be assumed by Lambda.', { status: 403 });
    }
  }

  #count(fn: LambdaFunction, name: string, value: number): void {
    this.#parts.metrics?.record({ namespace: 'AWS/Lambda', name, dimensions: { FunctionName: fn.spec.name }, value, unit: name === 'Duration' ? 'Milliseconds' : 'Count' });
  }

  #entry(nameOrArn: string): Entry {
    const name = nameOf(nameOrArn);
    const entry = this.#entries.get(name);
    const qualifier = qualifierOf(nameOrArn);
    if (entry === undefined || (qualifier !== null && qualifier !== '$LATEST' && !entry.qualifiers.has(qualifier)))
      throw new AwsError('ResourceNotFoundException', `Function not found: ${this.arnOf(name)}${qualifier === null ? '' : `:${qualifier}`}`, { status: 404, fields: { Type: 'User' } });
    return entry;
  }

  #borrowing(spec: FunctionSpec): Borrowing | null {
    const { warm, clock } = this.#parts;
    if (warm === undefined) return null;
    const { processes, endpoint, adopt } = warm;
    const { codeDirectory, memoryMb, roleArn } = spec;
    const environment = { ...spec.environment, ...this.#invariantEnvironment(spec) };
    return {
      take: (log) => processes.take({ environment, codeDirectory, memoryMb, endpoint, time: clock, log, adopt: (accessKeyId) => adopt(roleArn, accessKeyId) }),
      give: (worker) => processes.give(worker),
    };
  }

  #systemEnvironment(spec: FunctionSpec, key: IssuedKey): Record<string, string> {
    return {
      ...this.#invariantEnvironment(spec),
      AWS_ENDPOINT_URL: this.#parts.endpoint(),
      AWS_ACCESS_KEY_ID: key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
      AWS_SESSION_TOKEN: key.sessionToken,
    };
  }

  #invariantEnvironment(spec: FunctionSpec): Record<string, string> {
    return {
      _HANDLER: spec.handler,
      LAMBDA_TASK_ROOT: spec.codeDirectory,
      AWS_REGION: this.#parts.place.region,
      AWS_DEFAULT_REGION: this.#parts.place.region,
      AWS_EXECUTION_ENV: `AWS_Lambda_${spec.runtime}`,
      AWS_LAMBDA_FUNCTION_NAME: spec.name,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(spec.memoryMb),
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${spec.name}`,
      AWS_LAMBDA_LOG_STREAM_NAME: '[$LATEST]sandbox',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      _X_AMZN_TRACE_ID: '',
      // The sandbox may run on an older Node than Lambda does; the SDK's warning would only fill the logs.
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      TZ: ':UTC',
      LANG: 'en_US.UTF-8',
    };
  }
}

const nameOf = (nameOrArn: string): string => (nameOrArn.startsWith('arn:') ? (nameOrArn.split(':')[6] ?? '') : (nameOrArn.split(':')[0] ?? ''));
const qualifierOf = (nameOrArn: string): string | null => nameOrArn.split(':')[nameOrArn.startsWith('arn:') ? 7 : 1] ?? null;

const refusal = (error: unknown): Outcome => ({ refused: error instanceof AwsError ? error : new AwsError('ServiceException', String(error), { status: 500 }) });
