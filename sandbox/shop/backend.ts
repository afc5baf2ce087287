// What every version of the shop depends on; when it fails, no release of the shop is to blame.
import http from 'node:http';

/** A call that takes longer has failed, real milliseconds: less than a user of the shop waits. */
const patience = 2000;

export class Backend {
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  #failureRate = 0;
  #service: (() => string) | null = null;

  /** Share of the calls that fail from now on, 0 to 1; 0 heals it. */
  fail(rate: number): void {
    this.#failureRate = rate;
  }

  /** From now on each call is a real request to another service, and fails as that does. @param url its base URL now */
  callsTo(url: () => string): void {
    this.#service = url;
  }

  /** Whether this call fails. */
  async fails(): Promise<boolean> {
    if (this.#failureRate > 0 && Math.random() < this.#failureRate) return true;
    return this.#service !== null && !(await this.#isAnswered(this.#service));
  }

  stop(): void {
    this.#agent.destroy();
  }

  async #isAnswered(url: () => string): Promise<boolean> {
    // While everything is being stopped it has no address any more.
    const base = await Promise.resolve().then(url).catch(() => null);
    return base !== null && new Promise((resolve) => {
      const request = http.get(`${base}/catalogue`, { agent: this.#agent, timeout: patience }, (response) => {
        response.on('error', () => resolve(false)).on('end', () => resolve((response.statusCode ?? 500) < 500)).resume();
      });
      request.on('timeout', () => request.destroy(new Error('timed out'))).on('error', () => resolve(false));
    });
  }
}
