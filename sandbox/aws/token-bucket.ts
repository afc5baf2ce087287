// A bucket of tokens that fills as sandbox time goes by: the form in which AWS grants rates.
export interface Rate {
  /** Tokens in a full bucket. */
  readonly burst: number;
  readonly perSecond: number;
}

export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #filledAt: number;

  /** Full at first. @param now sandbox time, epoch milliseconds. */
  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#filledAt = now;
  }

  /** @param now sandbox time, epoch milliseconds. */
  has(tokens: number, now: number): boolean {
    const { burst, perSecond } = this.#rate;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1000) * perSecond);
    this.#filledAt = now;
    return this.#tokens >= tokens;
  }

  /** Only after `has` said that they are there. */
  take(tokens: number): void {
    this.#tokens -= tokens;
  }
}
