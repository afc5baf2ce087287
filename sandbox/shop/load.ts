// Open-loop load: so many requests a minute of sandbox time whether or not the answers come, counted by second and by version.
import http from 'node:http';
import type { SandboxClock } from '../aws/world.ts';
import { steadyNow } from '../steady-time.ts';

export interface LoadSecond {
  /** Sandbox time when this wall-clock second began, epoch milliseconds. */
  readonly at: number;
  ok: number;
  failed: number;
  /** Real milliseconds, summed over all answers. */
  latencyMilliseconds: number;
  /** Version (header `x-shop-version`; `none` when nobody answered) to its answers. */
  readonly versions: Record<string, { ok: number; failed: number }>;
}

export interface LoadTotals {
  readonly ok: number;
  readonly failed: number;
}

export interface LoadOptions {
  readonly clock: SandboxClock;
  /** Base URL of the next request, without a trailing slash; may throw, which counts as a failed request. */
  readonly target: () => string;
  /** Per real second in which time goes as fast as the clock's speed says, and in a minute as many where functions work and it is slower; default 40, at most 500. */
  readonly requestsPerSecond?: number;
}

const secondsKept = 3600;
const mostOpen = 200;
const timeoutMilliseconds = 5000;
const tick = 25;
const product = JSON.stringify({ items: ['tea', 'pot'] });

export class Load {
  readonly #options: LoadOptions;
  #perSecond: number;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  readonly #seconds: LoadSecond[] = [];
  #timer: NodeJS.Timeout | null = null;
  #open = 0;
  #sent = 0;
  #lastCart: string | null = null;
  #totals = { ok: 0, failed: 0 };

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#perSecond = Math.min(500, options.requestsPerSecond ?? 40);
  }

  get totals(): LoadTotals {
    return { ...this.#totals };
  }

  /** The last hour of real seconds, oldest first. */
  get seconds(): readonly LoadSecond[] {
    return this.#seconds;
  }

  /** @param requestsPerSecond as in the options. */
  pace(requestsPerSecond: number): void {
    const isRunning = this.#timer !== null;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#perSecond = Math.min(500, requestsPerSecond);
    if (isRunning) this.start();
  }

  start(): void {
    if (this.#timer !== null) return;
    const { clock } = this.#options;
    let [at, real, due] = [clock.now(), steadyNow(), 0];
    this.#timer = setInterval(() => {
      const passed = Math.min((clock.now() - at) / clock.speed, steadyNow() - real);
      [at, real] = [clock.now(), steadyNow()];
      for (due += (passed / 1000) * this.#perSecond; due >= 1; due -= 1) this.#next();
    }, tick);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#agent.destroy();
  }

  // The mix of a shop: mostly looking, some carts, and a checkout of the last cart now and then.
  #next(): void {
    const turn = this.#sent++ % 10;
    if (turn === 4) return this.#send('POST', '/cart', product);
    if (turn === 7 && this.#lastCart !== null) return this.#send('POST', '/checkout', JSON.stringify({ cartId: this.#lastCart }));
    this.#send('GET', '/catalogue', null);
  }

  #send(method: 'GET' | 'POST', path: string, body: string | null): void {
    const startedAt = steadyNow();
    const done = (ok: boolean, version: string): void => this.#count({ ok, version, milliseconds: steadyNow() - startedAt });
    const base = this.#base();
    if (base === null || this.#open >= mostOpen) return done(false, 'none');
    this.#open += 1;
    let finished = false;
    const finish = (ok: boolean, version: string): void => {
      if (finished) return;
      finished = true;
      this.#open -= 1;
      done(ok, version);
    };
    const request = http.request(`${base}${path}`, { method, agent: this.#agent, timeout: timeoutMilliseconds, headers: body === null ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } }, (response) => {
      const version = String(response.headers['x-shop-version'] ?? 'none');
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => finish(this.#isGood(path, response.statusCode ?? 0, text), version));
      response.on('error', () => finish(false, version));
    });
    request.on('timeout', () => request.destroy(new Error('timed out')));
    request.on('error', () => finish(false, 'none'));
    request.end(body ?? undefined);
  }

  #base(): string | null {
    try {
      return this.#options.target();
    } catch {
      return null;
    }
  }

  // A user notices an order without a number as much as an error page.
  #isGood(path: string, status: number, text: string): boolean {
    if (status >= 400) return false;
    try {
      const answer = JSON.parse(text) as { id?: unknown; orderId?: unknown };
      if (path === '/cart') this.#lastCart = typeof answer.id === 'string' ? answer.id : null;
      return path !== '/checkout' || typeof answer.orderId === 'string';
    } catch {
      return false;
    }
  }

  #count({ ok, version, milliseconds }: { ok: boolean; version: string; milliseconds: number }): void {
    const second = this.#second();
    const key = ok ? 'ok' : 'failed';
    second[key] += 1;
    second.latencyMilliseconds += milliseconds;
    const counts = (second.versions[version] ??= { ok: 0, failed: 0 });
    counts[key] += 1;
    this.#totals[key] += 1;
  }

  #second(): LoadSecond {
    const now = this.#options.clock.now();
    const last = this.#seconds.at(-1);
    if (last !== undefined && now - last.at < 1000 * this.#options.clock.speed) return last;
    const fresh: LoadSecond = { at: now, ok: 0, failed: 0, latencyMilliseconds: 0, versions: {} };
    this.#seconds.push(fresh);
    if (this.#seconds.length > secondsKept) this.#seconds.shift();
    return fresh;
  }
}
