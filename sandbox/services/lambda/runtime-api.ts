// The Lambda runtime API of one function process: hands out invocations, takes answers and errors.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Delivery {
  readonly requestId: string;
  readonly payload: string;
  /** Real milliseconds it may take from the moment the process gets it. */
  readonly milliseconds: number;
  readonly functionArn: string;
  readonly traceId: string;
}

/** What a process is told of sandbox time with each invocation. */
export interface ToldTime {
  /** Epoch milliseconds. */
  now(): number;
  /** It does not go by while functions work. */
  readonly isHeld: boolean;
}

export interface RuntimeEvents {
  /** `functionError` null for an answer; the payload is JSON text. */
  onAnswer(requestId: string, payload: string, functionError: string | null): void;
  onInitError(payload: string): void;
  /** The process has taken the invocation: its time runs from now. */
  onTaken(): void;
}

const version = '/2018-06-01/runtime';
// AWS: a synchronous answer has at most 6 MB.
const answerLimitBytes = 6 * 1024 * 1024;

export class RuntimeApi {
  readonly #server: Server;
  readonly #events: RuntimeEvents;
  readonly #time: ToldTime;
  #waiting: ServerResponse | null = null;
  #pending: Delivery | null = null;

  constructor(time: ToldTime, events: RuntimeEvents) {
    this.#time = time;
    this.#events = events;
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.keepAliveTimeout = 0;
  }

  /** @returns `host:port` for AWS_LAMBDA_RUNTIME_API. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  deliver(delivery: Delivery): void {
    this.#pending = delivery;
    this.#flush();
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    if (request.method === 'GET' && path === `${version}/invocation/next`) {
      this.#waiting = response;
      return this.#flush();
    }
    const body = await bodyOf(request);
    const matched = /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/.exec(path);
    if (request.method === 'POST' && path === `${version}/init/error`) this.#events.onInitError(body);
    else if (request.method === 'POST' && matched !== null) this.#answered(matched[1] ?? '', matched[2] ?? '', body);
    else return void response.writeHead(404).end();
    response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"OK"}');
  }

  #answered(requestId: string, kind: string, body: string): void {
    const size = Buffer.byteLength(body);
    if (size > answerLimitBytes) {
      const errorMessage = `Response payload size exceeded maximum allowed payload size (${answerLimitBytes} bytes).`;
      return this.#events.onAnswer(requestId, JSON.stringify({ errorType: 'Function.ResponseSizeTooLarge', errorMessage }), 'Unhandled');
    }
    this.#events.onAnswer(requestId, body, kind === 'error' ? 'Unhandled' : null);
  }

  #flush(): void {
    if (this.#waiting === null || this.#pending === null) return;
    const { requestId, payload, milliseconds, functionArn, traceId } = this.#pending;
    this.#waiting.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': requestId,
      // For the clock shim; Lambda itself has no such headers.
      'sandbox-now-ms': String(this.#time.now()),
      'sandbox-time-held': String(this.#time.isHeld),
      'lambda-runtime-deadline-ms': String(Math.floor(performance.timeOrigin + performance.now() + milliseconds)),
      'lambda-runtime-invoked-function-arn': functionArn,
      'lambda-runtime-trace-id': traceId,
    });
    this.#waiting.end(payload);
    this.#waiting = null;
    this.#pending = null;
    this.#events.onTaken();
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
