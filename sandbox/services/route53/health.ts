// Route 53 health checks: real HTTP at an interval, or a switch that a scenario turns.
import http from 'node:http';
import type { SandboxClock } from '../../aws/world.ts';

export interface HealthCheckOptions {
  readonly id: string;
  /** Loopback URL that must answer 2xx or 3xx; absent: only `setHealth` changes the state. */
  readonly url?: string;
  /** Sandbox seconds, default 30. */
  readonly intervalSeconds?: number;
  /** Results in a row that change the state, default 3. */
  readonly failureThreshold?: number;
}

interface Check {
  readonly options: HealthCheckOptions;
  healthy: boolean;
  report: string;
  checkedAt: number;
  differing: number;
}

export class HealthChecks {
  readonly #clock: SandboxClock;
  readonly #checks = new Map<string, Check>();
  readonly #stops: (() => void)[] = [];

  constructor(clock: SandboxClock) {
    this.#clock = clock;
  }

  create(options: HealthCheckOptions): void {
    const check: Check = { options, healthy: true, report: 'Success: HTTP Status Code 200, OK', checkedAt: this.#clock.now(), differing: 0 };
    this.#checks.set(options.id, check);
    const { url } = options;
    if (url !== undefined) this.#stops.push(this.#clock.every((options.intervalSeconds ?? 30) * 1000, async () => this.#take(check, await probe(url))));
  }

  has(id: string): boolean {
    return this.#checks.has(id);
  }

  /** An unknown id counts as healthy, as a record without a health check does. */
  isHealthy(id: string | undefined): boolean {
    return id === undefined || (this.#checks.get(id)?.healthy ?? true);
  }

  setHealth(id: string, healthy: boolean): void {
    const check = this.#checks.get(id);
    if (check === undefined) throw new Error(`there is no health check ${id}`);
    check.healthy = healthy;
    check.report = healthy ? 'Success: HTTP Status Code 200, OK' : 'Failure: HTTP Status Code 500, Internal Server Error';
    check.checkedAt = this.#clock.now();
  }

  status(id: string): { report: string; checkedAt: number } | null {
    return this.#checks.get(id) ?? null;
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  #take(check: Check, { ok, report }: { ok: boolean; report: string }): void {
    check.report = report;
    check.checkedAt = this.#clock.now();
    check.differing = ok === check.healthy ? 0 : check.differing + 1;
    if (check.differing >= (check.options.failureThreshold ?? 3)) {
      check.healthy = ok;
      check.differing = 0;
    }
  }
}

function probe(url: string): Promise<{ ok: boolean; report: string }> {
  return new Promise((resolve) => {
    const request = http.get(url, { timeout: 2000, agent: false }, (response) => {
      response.resume();
      const status = response.statusCode ?? 0;
      const ok = status >= 200 && status < 400;
      resolve({ ok, report: `${ok ? 'Success' : 'Failure'}: HTTP Status Code ${status}, ${response.statusMessage ?? ''}` });
    });
    request.on('timeout', () => request.destroy(new Error('timed out')));
    request.on('error', ({ message }) => resolve({ ok: false, report: `Failure: ${message}` }));
  });
}
