// One function: its configuration, its processes kept warm, its log, and the mischief a scenario asks of it.
import { randomUUID } from 'node:crypto';
import { AwsError } from '../../aws/world.ts';
import { pending } from '../../pending.ts';
import type { Concurrency, Scaling, Slots } from './concurrency.ts';
import { LogRing } from './log-ring.ts';
import { Worker, type Answer, type WorkerParts } from './worker.ts';

export interface FunctionSpec {
  readonly name: string;
  readonly arn: string;
  /** For example `index.handler`. */
  readonly handler: string;
  readonly runtime: string;
  /** Folder with the code as it would be uploaded. */
  readonly codeDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly roleArn: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  /** Null: no limit of its own. 0 is AWS's switch-off. */
  readonly reservedConcurrency: number | null;
  readonly description: string;
}

export interface FunctionParts {
  readonly spec: FunctionSpec;
  readonly time: WorkerParts['time'];
  /** Variables that Lambda itself sets, among them this function's own credentials. */
  readonly systemEnvironment: () => Readonly<Record<string, string>>;
  /** Real milliseconds an invocation gets. */
  readonly realTimeoutMs: number;
  /** Waits for a free process slot of the whole sandbox. */
  readonly slots: Slots;
  readonly concurrency: Concurrency;
  readonly scaling: Scaling;
  readonly logFile: string | null;
  /** Asked at each invocation. */
  readonly onlooker: () => Onlooker | null;
  /** Takes processes from there, and gives each back after its invocation; null: keeps its own. */
  readonly borrow: Borrowing | null;
}

/** One invocation, before it begins. */
export interface Begun {
  /** Name of the function. */
  readonly name: string;
  /** Counts the invocations of this function from 1; a second delivery of the same one has the same number. */
  readonly nth: number;
  /** JSON text. */
  readonly payload: string;
  /** X-Ray trace header with which it makes its AWS calls. */
  readonly traceId: string;
}

/** The same, when it is over. */
export interface Ended extends Begun {
  readonly answer: Answer;
  /** Sandbox times, epoch milliseconds. */
  readonly startedAt: number;
  readonly endedAt: number;
}

/** Sees every invocation, and may answer in a process's stead. */
export interface Onlooker {
  /** @returns null: a process has to do it. */
  instead(begun: Begun): Promise<Answer | null>;
  ended(done: Ended): void;
}

/** Where a function borrows its processes. */
export interface Borrowing {
  take(log: (line: string) => void): Promise<Worker>;
  give(worker: Worker): void;
}

export class LambdaFunction {
  readonly spec: FunctionSpec;
  readonly log: LogRing;
  readonly lastModified = new Date();
  #parts: FunctionParts;
  readonly #idle: Worker[] = [];
  readonly #workers = new Set<Worker>();
  #running = 0;
  #paused: { promise: Promise<void>; resume: () => void } | null = null;
  #twice: { readonly how: 'side-by-side' | 'lost-answer'; readonly at: number } | null = null;
  #refusal: { readonly error: AwsError; readonly from: number; readonly to: number } | null = null;
  #invoked = 0;
  #longest = 0;
  #killAfterCalls: number | null = null;
  #stopped = false;

  constructor(parts: FunctionParts) {
    this.spec = parts.spec;
    this.#parts = parts;
    this.log = new LogRing(parts.logFile);
  }

  /**
   * Runs one synchronous invocation.
   * @throws AwsError TooManyRequestsException beyond the reserved concurrency.
   */
  async invoke(payload: string): Promise<Answer> {
    const limit = this.spec.reservedConcurrency;
    if (limit !== null && this.#running >= limit) throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', { status: 429 });
    this.#running += 1;
    try {
      while (this.#paused !== null) await this.#paused.promise;
      const twice = this.#whetherTwice();
      const begun = { name: this.spec.name, nth: this.#invoked, payload, traceId: newTrace() };
      const told = await this.#parts.onlooker()?.instead(begun) ?? null;
      if (told !== null) return told;
      if (this.#refusal !== null && begun.nth >= this.#refusal.from && begun.nth <= this.#refusal.to) throw this.#refusal.error;
      if (twice === null) return await this.#once(begun);
      const again = { ...begun, traceId: newTrace() };
      if (twice === 'side-by-side') return (await Promise.all([this.#once(begun), this.#once(again)]))[0];
      await this.#once(begun);
      return await this.#once(again);
    } finally {
      this.#running -= 1;
    }
  }

  /** Starts one process ahead of the first invocation. */
  async warmUp(): Promise<void> {
    this.#idle.push(await this.#start());
  }

  /** Invocations wait until the returned function is called. */
  pause(): () => void {
    const { promise, resolve } = pending<void>();
    this.#paused = { promise, resume: () => resolve() };
    return () => {
      if (this.#paused?.promise === promise) this.#paused = null;
      resolve();
    };
  }

  /** Delivers the next invocation (or the n-th from now) twice: both at once, or once more after a first whose answer got lost. */
  deliverTwice(how: 'side-by-side' | 'lost-answer', nth = 1): void {
    this.#twice = { how, at: this.#invoked + nth };
  }

  /** Lambda refuses the n-th invocation from now, and all up to another one, with this error: no process hears of them. */
  refuse(error: AwsError, nth = 1, last = nth): void {
    this.#refusal = { error, from: this.#invoked + nth, to: this.#invoked + last };
  }

  /** How many invocations it had. */
  get invocations(): number {
    return this.#invoked;
  }

  /** Wall milliseconds that its longest invocation took, from its delivery to a process on. */
  get longestMilliseconds(): number {
    return this.#longest;
  }

  /** Whether any invocation is at work or waits for a process. */
  get isBusy(): boolean {
    return this.#running > 0;
  }

  /** How many invocations are at work, or wait for a process. */
  get running(): number {
    return this.#running;
  }

  /** Kills the process right after its n-th AWS call from now. */
  killAfterCall(count: number): void {
    this.#killAfterCalls = count;
  }

  /** Tells the function that one of its AWS calls is done. */
  onAwsCall(): void {
    if (this.#killAfterCalls === null) return;
    this.#killAfterCalls -= 1;
    if (this.#killAfterCalls > 0) return;
    this.#killAfterCalls = null;
    for (const worker of this.#workers) worker.kill();
  }

  /** Kills every process; invocations in flight end as a crash. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#paused?.resume();
    await Promise.all([...this.#workers].map((worker) => worker.stop()));
  }

  #whetherTwice(): 'side-by-side' | 'lost-answer' | null {
    this.#invoked += 1;
    if (this.#twice?.at !== this.#invoked) return null;
    const { how } = this.#twice;
    this.#twice = null;
    return how;
  }

  async #once(begun: Begun): Promise<Answer> {
    const { slots, concurrency, scaling } = this.#parts;
    await slots.take();
    try {
      concurrency.enter();
      try {
        scaling.enter();
        try {
          return await this.#runOn(await this.#worker(), begun);
        } finally {
          scaling.leave();
        }
      } finally {
        concurrency.leave();
      }
    } finally {
      slots.give();
    }
  }

  async #runOn(worker: Worker, begun: Begun): Promise<Answer> {
    const requestId = randomUUID();
    const { realTimeoutMs, time, onlooker } = this.#parts;
    const [startedAt, beganAt] = [performance.now(), time.now()];
    this.log.add(`START RequestId: ${requestId} Version: $LATEST`);
    const answer = await worker.run({ requestId, payload: begun.payload, milliseconds: realTimeoutMs, functionArn: this.spec.arn, traceId: begun.traceId }, this.spec.timeoutSeconds);
    this.#longest = Math.max(this.#longest, performance.now() - startedAt);
    onlooker()?.ended({ ...begun, answer, startedAt: beganAt, endedAt: time.now() });
    this.log.add(`END RequestId: ${requestId}`);
    this.log.add(`REPORT RequestId: ${requestId} Duration: ${(performance.now() - startedAt).toFixed(2)} ms Memory Size: ${this.spec.memoryMb} MB`);
    if (worker.isGone || this.#parts.borrow !== null) this.#workers.delete(worker);
    else this.#idle.push(worker);
    this.#parts.borrow?.give(worker);
    return answer;
  }

  async #worker(): Promise<Worker> {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) if (!idle.isGone) return idle;
    return this.#start();
  }

  async #start(): Promise<Worker> {
    if (this.#stopped) throw new AwsError('ServiceException', 'the sandbox has stopped', { status: 500 });
    const { spec, time, systemEnvironment, borrow } = this.#parts;
    if (borrow !== null) {
      const borrowed = await borrow.take((line) => this.log.add(line));
      this.#workers.add(borrowed);
      return borrowed;
    }
    const worker: Worker = new Worker({
      environment: { ...spec.environment, ...systemEnvironment() },
      codeDirectory: spec.codeDirectory,
      memoryMb: spec.memoryMb,
      time,
      log: (line) => this.log.add(line),
      onGone: () => this.#workers.delete(worker),
    });
    this.#workers.add(worker);
    await worker.start();
    return worker;
  }
}

function newTrace(): string {
  const second = Math.floor((performance.timeOrigin + performance.now()) / 1000);
  return `Root=1-${second.toString(16)}-${randomUUID().replaceAll('-', '').slice(0, 24)};Sampled=0`;
}
