// The users of a weighted DNS name as one local address: each request asks a caching resolver and goes where the answer points.
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MetricsPort } from '../aws/world.ts';
import { steadyNow } from '../steady-time.ts';
import type { Resolver } from './resolver.ts';

export interface DnsFrontParts {
  readonly resolver: Resolver;
  readonly metrics: MetricsPort;
  readonly namespace: string;
  /** Base URL of the load balancer that has the address. */
  readonly urlOf: (address: string) => string;
}

export class DnsFront {
  readonly #parts: DnsFrontParts;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  readonly #server: http.Server;
  #port = 0;

  constructor(parts: DnsFrontParts) {
    this.#parts = parts;
    this.#server = http.createServer((request, response) => this.#serve(request, response));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => this.#server.once('error', reject).listen(0, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  #serve(request: http.IncomingMessage, response: http.ServerResponse): void {
    const startedAt = steadyNow();
    const base = this.#base();
    if (base === null) return this.#fail(request, response);
    const { host: _host, connection: _connection, ...headers } = request.headers;
    const onward = http.request(`${base}${request.url ?? '/'}`, { method: request.method, headers, agent: this.#agent }, (answer) => {
      const status = answer.statusCode ?? 502;
      this.#count(status, (steadyNow() - startedAt) / 1000);
      response.writeHead(status, answer.headers);
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    onward.on('error', () => (response.headersSent ? void response.destroy() : this.#fail(request, response)));
    request.pipe(onward);
  }

  #base(): string | null {
    try {
      return this.#parts.urlOf(this.#parts.resolver.resolve());
    } catch {
      return null;
    }
  }

  #fail(request: http.IncomingMessage, response: http.ServerResponse): void {
    request.resume();
    this.#count(502, 0);
    response.writeHead(502).end();
  }

  #count(status: number, seconds: number): void {
    const { metrics, namespace } = this.#parts;
    const record = (name: string, value: number, unit: string): void => metrics.record({ namespace, name, dimensions: {}, value, unit });
    record('Requests', 1, 'Count');
    record('Latency', seconds, 'Seconds');
    if (status >= 500) record('Errors', 1, 'Count');
  }
}
