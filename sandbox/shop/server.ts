// One instance of the shop: a real HTTP server on its own port, well or sick by the version it runs.
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SandboxClock } from '../aws/world.ts';
import { steadySleep } from '../steady-time.ts';
import type { Backend } from './backend.ts';
import type { ShopVersion, Sickness } from './version.ts';

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const catalogue = [{ id: 'tea', cents: 450 }, { id: 'cup', cents: 1200 }, { id: 'pot', cents: 3900 }];
const most = 2000;

/** Carts are shared by the instances of one shop, as they would be in its database. */
export type Carts = Map<string, { readonly id: string; readonly items: readonly string[] }>;

export interface InstanceParts {
  readonly clock: SandboxClock;
  readonly backend: Backend;
  readonly carts: Carts;
  /** Answers instead of the shop, for a fleet that stands for another service. */
  readonly respond?: (request: http.IncomingMessage, version: ShopVersion) => { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string };
}

export class ShopInstance {
  readonly #parts: InstanceParts;
  #version: ShopVersion;
  #server: http.Server | null = null;
  #port = 0;
  #startedAt = 0;
  /** Of errors that come evenly: what has added up since the last one. */
  #owedErrors = 0;

  constructor(version: ShopVersion, parts: InstanceParts) {
    this.#version = version;
    this.#parts = parts;
  }

  get version(): ShopVersion {
    return this.#version;
  }

  /** 0 before the first start; kept over restarts. */
  get port(): number {
    return this.#port;
  }

  get isRunning(): boolean {
    return this.#server !== null;
  }

  async start(): Promise<void> {
    if (this.#server !== null) return;
    const server = http.createServer({ keepAliveTimeout: 10_000 }, (request, response) => void this.#serve(request, response));
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(this.#port, '127.0.0.1', resolve));
    const address = server.address() as AddressInfo;
    this.#server = server;
    this.#port = address.port;
    this.#startedAt = this.#parts.clock.now();
  }

  /** Open requests are cut off, as by a killed process. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }

  /** Stops, installs the version and starts again on the same port. */
  async install(version: ShopVersion): Promise<void> {
    await this.stop();
    this.#version = version;
    await this.start();
  }

  #sickness(): Sickness {
    const sickness = this.#version.sickness ?? {};
    return this.#parts.clock.now() - this.#startedAt >= (sickness.afterMilliseconds ?? 0) ? sickness : {};
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const body = await textOf(request);
    const sickness = this.#sickness();
    const given = this.#parts.respond?.(request, this.#version);
    if (given !== undefined) {
      if (sickness.latencyMilliseconds !== undefined) await steadySleep(sickness.latencyMilliseconds);
      response.writeHead(given.status, { ...given.headers, 'x-shop-version': this.#version.name }).end(given.body);
      return;
    }
    const route = `${request.method ?? ''} ${new URL(request.url ?? '/', 'http://shop').pathname}`;
    const answer = await this.#answer(route, { body, sickness });
    if (sickness.latencyMilliseconds !== undefined) await steadySleep(sickness.latencyMilliseconds);
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
    response.writeHead(answer.status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), 'x-shop-version': this.#version.name });
    response.end(text);
  }

  async #answer(route: string, { body, sickness }: { body: string; sickness: Sickness }): Promise<Answer> {
    if (route === 'GET /health') return sickness.health === 'fails' ? { status: 500, body: { status: 'sick' } } : { status: 200, body: { status: 'ok', version: this.#version.name } };
    if (await this.#parts.backend.fails()) return { status: 502, body: { error: 'the backend does not answer' } };
    if (route === 'POST /checkout') return this.#checkout(body, sickness.checkout);
    if (this.#fails(sickness)) return { status: 500, body: { error: 'internal error' } };
    if (route === 'GET /catalogue' || route === 'GET /') return { status: 200, body: { items: catalogue, version: this.#version.name } };
    if (route === 'POST /cart') return this.#newCart(body);
    const cart = this.#parts.carts.get(/^GET \/cart\/(.+)$/.exec(route)?.[1] ?? '');
    return cart === undefined ? { status: 404, body: { error: 'not found' } } : { status: 200, body: cart };
  }

  #fails({ errorRate = 0, areErrorsEven }: Sickness): boolean {
    if (areErrorsEven !== true) return Math.random() < errorRate;
    this.#owedErrors += errorRate;
    if (this.#owedErrors < 1) return false;
    this.#owedErrors -= 1;
    return true;
  }

  #newCart(body: string): Answer {
    const { items } = fields(body);
    const cart = { id: randomUUID(), items: Array.isArray(items) ? items.map(String) : [] };
    this.#parts.carts.set(cart.id, cart);
    const oldest = this.#parts.carts.keys().next();
    if (this.#parts.carts.size > most && oldest.done !== true) this.#parts.carts.delete(oldest.value);
    return { status: 201, body: cart };
  }

  #checkout(body: string, sickness: Sickness['checkout']): Answer {
    const { cartId } = fields(body);
    const cart = this.#parts.carts.get(typeof cartId === 'string' ? cartId : '');
    if (cart === undefined) return { status: 404, body: { error: 'no such cart' } };
    if (sickness === 'fails') return { status: 500, body: { error: 'checkout failed' } };
    if (sickness === 'wrong-json') return { status: 200, body: '<html>order placed</html>' };
    const order = { status: 'confirmed', cartId: cart.id, totalCents: cart.items.reduce((sum, item) => sum + (catalogue.find(({ id }) => id === item)?.cents ?? 0), 0) };
    return { status: 200, body: sickness === 'missing-field' ? order : { ...order, orderId: randomUUID() } };
  }
}

async function textOf(request: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    // The caller hung up; there is nobody to answer.
  }
  return Buffer.concat(chunks).toString();
}

function fields(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
