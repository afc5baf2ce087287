// What every version of the shop depends on; when it fails, no release is to blame.
export class Backend {
  #failureRate = 0;

  /** Share of the calls that fail from now on, 0 to 1; 0 heals it. */
  fail(rate: number): void {
    this.#failureRate = rate;
  }

  /** Whether this call fails. */
  fails(): boolean {
    return this.#failureRate > 0 && Math.random() < this.#failureRate;
  }
}
