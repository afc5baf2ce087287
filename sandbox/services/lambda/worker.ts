// One process of one function: started cold, kept warm, killed when it runs too long.
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { RuntimeApi, type Delivery, type ToldTime } from './runtime-api.ts';

export interface WorkerParts {
  readonly environment: Readonly<Record<string, string>>;
  readonly codeDirectory: string;
  readonly memoryMb: number;
  readonly time: ToldTime;
  readonly log: (line: string) => void;
  readonly onGone: () => void;
  /** For Node.js, beside those that every process gets. */
  readonly flags?: readonly string[];
}

export interface Answer {
  /** JSON text. */
  readonly payload: string;
  readonly functionError: string | null;
}

interface Running {
  readonly delivery: Delivery;
  readonly timeoutSeconds: number;
  readonly resolve: (answer: Answer) => void;
  timer: NodeJS.Timeout;
}

// AWS gives a function ten seconds to start, besides its own timeout; a busy computer takes longer to start a process.
const startLimitMs = 30_000;
const here = (name: string): URL => new URL(name, import.meta.url);

export class Worker {
  readonly #parts: WorkerParts;
  readonly #api: RuntimeApi;
  #child: ChildProcess | null = null;
  #running: Running | null = null;
  #initError: string | null = null;
  #gone = false;
  #doomed = false;
  #traceId = '';

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#api = new RuntimeApi(parts.time, {
      onTaken: () => this.#limit(this.#running?.delivery.milliseconds ?? 0),
      onAnswer: (requestId, payload, functionError) => {
        if (this.#running?.delivery.requestId === requestId) this.#settle({ payload, functionError });
      },
      onInitError: (payload) => {
        this.#initError = payload;
        this.#doomed = true;
        this.#settle({ payload, functionError: 'Unhandled' });
      },
    });
  }

  /** True as soon as no further invocation may go to it. */
  get isGone(): boolean {
    return this.#gone || this.#doomed;
  }

  /** Whether `start` was called. */
  get isStarted(): boolean {
    return this.#child !== null || this.isGone;
  }

  /** Of its newest invocation. */
  get traceId(): string {
    return this.#traceId;
  }

  async start(): Promise<void> {
    const { environment, codeDirectory, memoryMb, time, log } = this.#parts;
    const runtimeApi = await this.#api.listen();
    if (this.#doomed) return this.#api.close();
    const shim = here('clock-shim.mjs');
    shim.searchParams.set('now', String(time.now()));
    // Many processes on few cores, most of them for a short time: helper threads and code that is never called cost more than they bring.
    const flags = ['--single-threaded', '--max-lazy', ...this.#parts.flags ?? [], `--max-old-space-size=${Math.max(64, Math.floor(memoryMb * 0.9))}`, '--import', shim.href, '--enable-source-maps'];
    const child = spawn(process.execPath, [...flags, here('bootstrap.mjs').pathname], {
      cwd: codeDirectory,
      env: { PATH: process.env['PATH'], ...environment, AWS_LAMBDA_RUNTIME_API: runtimeApi },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', log);
    child.on('exit', (code, signal) => this.#exited(signal === null ? `exit status ${code}` : `signal: ${signal === 'SIGKILL' ? 'killed' : signal}`));
    child.on('error', (error) => this.#exited(error.message));
  }

  /** Runs one invocation; a start that it waits for has a time of its own. Never rejects. */
  run(delivery: Delivery, timeoutSeconds: number): Promise<Answer> {
    this.#traceId = delivery.traceId;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#timeout(), startLimitMs);
      this.#running = { delivery, timeoutSeconds, resolve, timer };
      if (this.#gone) return this.#settle(exitError(delivery.requestId, 'exit status 1'));
      if (this.#initError !== null) return this.#settle({ payload: this.#initError, functionError: 'Unhandled' });
      this.#api.deliver(delivery);
    });
  }

  kill(): void {
    this.#doomed = true;
    this.#child?.kill('SIGKILL');
  }

  /** Kills the process and waits until it is gone. */
  async stop(): Promise<void> {
    this.#doomed = true;
    const child = this.#child;
    if (child === null || this.#gone) return this.#api.close();
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
  }

  #limit(milliseconds: number): void {
    const running = this.#running;
    if (running === null) return;
    clearTimeout(running.timer);
    running.timer = setTimeout(() => this.#timeout(), milliseconds);
  }

  #timeout(): void {
    const running = this.#running;
    if (running === null) return;
    const errorMessage = `RequestId: ${running.delivery.requestId} Error: Task timed out after ${running.timeoutSeconds.toFixed(2)} seconds`;
    this.#parts.log(errorMessage);
    this.#settle({ payload: JSON.stringify({ errorType: 'Sandbox.Timedout', errorMessage }), functionError: 'Unhandled' });
    this.kill();
  }

  #exited(how: string): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#api.close();
    const running = this.#running;
    if (running !== null) {
      this.#parts.log(`RequestId: ${running.delivery.requestId} Error: Runtime exited with error: ${how}`);
      this.#settle(exitError(running.delivery.requestId, how));
    }
    this.#parts.onGone();
  }

  #settle(answer: Answer): void {
    const running = this.#running;
    if (running === null) return;
    clearTimeout(running.timer);
    this.#running = null;
    running.resolve(answer);
  }
}

const exitError = (requestId: string, how: string): Answer => ({
  payload: JSON.stringify({ errorType: 'Runtime.ExitError', errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: ${how}` }),
  functionError: 'Unhandled',
});
