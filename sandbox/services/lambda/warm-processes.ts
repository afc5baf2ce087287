// Function processes that outlive a sandbox: many short sandboxes with the same functions start none of their own.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { secretsOfKey } from '../../aws/iam.ts';
import { readCredential } from '../../aws/signature.ts';
import type { ToldTime } from './runtime-api.ts';
import { Worker } from './worker.ts';

/** The part of a sandbox that a process talks to while it works for it. */
export interface AwsEndpoint {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/** Who needs a process, and what for. */
export interface Wanted {
  /** Without credentials and endpoint: those are the process's own. */
  readonly environment: Readonly<Record<string, string>>;
  readonly codeDirectory: string;
  readonly memoryMb: number;
  readonly endpoint: AwsEndpoint;
  readonly time: ToldTime;
  readonly log: (line: string) => void;
  /** The access key with which the process will call: it stands for the function's role from now on. */
  readonly adopt: (accessKeyId: string) => void;
}

/** How a call fails. */
export interface Struck {
  readonly isThrottled?: boolean;
  readonly isLost?: boolean;
  readonly isOnce?: boolean;
}

interface Warm {
  readonly worker: Worker;
  readonly kind: string;
  readonly accessKeyId: string;
  bound: Wanted | null;
  /** What its client may still use up in retries, as far as is known from outside; with few left it goes to no other sandbox, where they would be missed. */
  retryTokens: number;
  /** Which sandbox it worked for last, and the traces of its invocations there. */
  world: number;
  traces: Set<string>;
}

// What a client of the SDK may use up in retries (`Retry` in @smithy/core): so much for each, and one comes back with each call that succeeds. Well before there are
// none left a new process takes over.
const allTokens = 500;
const fewTokens = 150;
const retryCost = { throttled: 5, otherwise: 14 } as const;

// Nine times V8's own: machine code for what is called seldom costs more than it brings where many short runs share their processes.
const seldomOptimized = ['--interrupt-budget=600000'];

// More that wait than work at once would only fill the memory.
const idleOfOneKind = 8;

export class WarmProcesses {
  readonly #server: Server;
  readonly #idle = new Map<string, Warm[]>();
  readonly #all = new Map<string, Warm>();
  readonly #worlds = new WeakMap<AwsEndpoint, number>();
  readonly #givenUp = new WeakMap<AwsEndpoint, number>();
  #newest = 0;
  #started = 0;

  constructor() {
    this.#server = createServer((request, response) => void this.#route(request, response));
    this.#server.keepAliveTimeout = 120_000;
  }

  /** @returns itself, listening on 127.0.0.1. */
  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  /** How many processes were started so far. */
  get started(): number {
    return this.#started;
  }

  /** A process for one invocation, bound to this sandbox until it is given back. */
  async take(wanted: Wanted): Promise<Worker> {
    const kind = `${wanted.codeDirectory} ${JSON.stringify(wanted.environment)}`;
    const idle = this.#idle.get(kind) ?? [];
    let warm = idle.pop();
    while (warm?.worker.isGone === true) warm = idle.pop();
    warm ??= this.#make(kind, wanted);
    const world = this.#worldOf(wanted.endpoint);
    if (warm.world !== world) Object.assign(warm, { world, traces: new Set<string>() });
    warm.bound = wanted;
    wanted.adopt(warm.accessKeyId);
    if (!warm.worker.isStarted) await warm.worker.start();
    return warm.worker;
  }

  give(worker: Worker): void {
    const warm = [...this.#all.values()].find((one) => one.worker === worker);
    if (warm === undefined || worker.isGone) return;
    warm.bound = null;
    warm.traces.add(worker.traceId);
    const idle = this.#idle.get(warm.kind) ?? [];
    if (warm.retryTokens < fewTokens || idle.length >= idleOfOneKind) return void worker.stop();
    this.#idle.set(warm.kind, [...idle, warm]);
  }

  /** The process with this key dies at once, as if the machine under it had gone. */
  kill(accessKeyId: string): void {
    this.#all.get(accessKeyId)?.worker.kill();
  }

  /**
   * A call of the process with this key fails in a way after which its client retries: ended before it has no retries left for others.
   * @param isThrottled it is refused as too many.
   * @param isLost its client gets no reply, on purpose.
   * @param isOnce its next attempt will go well: the SDK then gives back what that attempt cost.
   */
  strike(accessKeyId: string, { isThrottled = false, isLost = false, isOnce = false }: Struck = {}): void {
    const warm = this.#all.get(accessKeyId);
    if (warm === undefined) return;
    if (!isOnce) warm.retryTokens -= isThrottled ? retryCost.throttled : retryCost.otherwise;
    if (isLost && warm.bound !== null) this.#countGivenUp(warm.bound.endpoint, -1);
  }

  /** Replies for which clients of this sandbox no longer waited, besides those lost on purpose: the machine was slower than AWS may be. */
  givenUp(endpoint: AwsEndpoint): number {
    return this.#givenUp.get(endpoint) ?? 0;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#all.values()].map(({ worker }) => worker.stop()));
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #make(kind: string, wanted: Wanted): Warm {
    this.#started += 1;
    const accessKeyId = `ASIAWARM${String(process.pid).padStart(7, '0').slice(-7)}${String(this.#started).padStart(7, '0')}`;
    const { secretAccessKey, sessionToken } = secretsOfKey(accessKeyId);
    const made: Warm = {
      kind, accessKeyId, bound: wanted, retryTokens: allTokens, world: 0, traces: new Set(),
      worker: new Worker({
        environment: {
          ...wanted.environment, AWS_ENDPOINT_URL: this.#endpoint, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken,
        },
        codeDirectory: wanted.codeDirectory,
        memoryMb: wanted.memoryMb,
        time: { now: () => made.bound?.time.now() ?? Date.now(), get isHeld() { return made.bound?.time.isHeld ?? false; } },
        log: (line) => made.bound?.log(line),
        onGone: () => this.#all.delete(accessKeyId),
        flags: seldomOptimized,
      }),
    };
    this.#all.set(accessKeyId, made);
    return made;
  }

  get #endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const warm = this.#all.get(readCredential(request.headers)?.accessKeyId ?? '');
    const bound = warm?.bound ?? null;
    // Whoever calls after its invocation was over has nobody to talk to.
    if (warm === undefined || bound === null || isLeftOver(warm, request)) return void request.socket.destroy();
    warm.retryTokens = Math.min(allTokens, warm.retryTokens + 1);
    response.once('close', () => {
      if (response.writableFinished || warm.worker.isGone) return;
      // It retries, whoever made it wait.
      warm.retryTokens -= retryCost.otherwise;
      this.#countGivenUp(bound.endpoint, 1);
    });
    await bound.endpoint.handle(request, response);
  }

  #countGivenUp(endpoint: AwsEndpoint, change: number): void {
    this.#givenUp.set(endpoint, this.givenUp(endpoint) + change);
  }

  #worldOf(endpoint: AwsEndpoint): number {
    const world = this.#worlds.get(endpoint) ?? (this.#newest += 1);
    this.#worlds.set(endpoint, world);
    return world;
  }
}

/** A call that an earlier invocation left behind, in another sandbox: Lambda would let it go on in its own account, never in somebody else's. The SDK sends the trace of the invocation that the call belongs to. */
function isLeftOver({ worker, traces }: Warm, { headers }: IncomingMessage): boolean {
  const trace = headers['x-amzn-trace-id'];
  return typeof trace === 'string' && trace !== worker.traceId && !traces.has(trace);
}
