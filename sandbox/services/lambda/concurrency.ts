// How many invocations AWS lets work at once, and how many this machine does.
import { type Rate, TokenBucket } from '../../aws/token-bucket.ts';
import { AwsError } from '../../aws/world.ts';

/** New execution environments of one function: 1,000 every ten seconds (Lambda developer guide, "Lambda function scaling"). */
export const environmentsRate: Rate = { burst: 1000, perSecond: 100 };

/** What an account may have at work at once, over all its functions. Waiting for a process of this machine is not AWS's business and does not count. */
export class Concurrency {
  readonly #limit: number;
  #atWork = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @throws AwsError TooManyRequestsException */
  enter(): void {
    if (this.#atWork >= this.#limit) throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', { status: 429, fields: { Reason: 'ConcurrentInvocationLimitExceeded' } });
    this.#atWork += 1;
  }

  leave(): void {
    this.#atWork -= 1;
  }
}

/** How many function processes may work at the same time; the rest waits in line. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** How many wait. */
  get queued(): number {
    return this.#waiting.length;
  }

  async take(): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}

/** How fast one function may grow: more at work at once than ever before takes new execution environments. Those it once had it keeps. */
export class Scaling {
  readonly #bucket: TokenBucket;
  readonly #now: () => number;
  #environments = 0;
  #atWork = 0;

  /** @param now sandbox time, epoch milliseconds. */
  constructor(rate: Rate, now: () => number) {
    this.#bucket = new TokenBucket(rate, now());
    this.#now = now;
  }

  /** @throws AwsError TooManyRequestsException */
  enter(): void {
    if (this.#atWork >= this.#environments) {
      if (!this.#bucket.has(1, this.#now())) throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', { status: 429, fields: { Reason: 'FunctionInvocationRateLimitExceeded' } });
      this.#bucket.take(1);
      this.#environments += 1;
    }
    this.#atWork += 1;
  }

  leave(): void {
    this.#atWork -= 1;
  }
}
