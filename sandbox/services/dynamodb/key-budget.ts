// What DynamoDB lets be written to one partition key, whatever the table as a whole may take.
import { AwsError } from '../../aws/world.ts';

/** Write units (1 kB each) a second for one partition key; no burst goes beyond it. DynamoDB developer guide, "Designing partition keys". */
export const unitsPerSecond = 1000;

/** What DynamoDB says when a key is spent. */
export const spentMessage = 'Throughput exceeds the current capacity of your table or index: one partition key takes 1,000 write units a second.';

// More keys than these are forgotten: by then each has long been filled up again.
const remembered = 10_000;

interface Bucket {
  units: number;
  filledAt: number;
}

export class KeyBudget {
  readonly #buckets = new Map<string, Bucket>();

  /**
   * Makes a write that counts against its key. What it takes is known only when it is done, so a bucket may go below zero, and then lets nobody through.
   * @param now sandbox time, epoch milliseconds. @param write tells how many units it took. @throws AwsError ThrottlingException
   */
  async spend<Result>(key: string, now: number, write: () => Promise<{ readonly result: Result; readonly units: number }>): Promise<Result> {
    if (this.isSpent(key, now)) throw new AwsError('ThrottlingException', spentMessage);
    try {
      const { result, units } = await write();
      this.take(key, now, units);
      return result;
    } catch (error) {
      // A condition that fails costs a unit as well.
      this.take(key, now, 1);
      throw error;
    }
  }

  /** @param now sandbox time, epoch milliseconds. */
  isSpent(key: string, now: number): boolean {
    return this.#filled(key, now).units <= 0;
  }

  /** Counts what was written already. @param now sandbox time, epoch milliseconds. @param units may be more than there are. */
  take(key: string, now: number, units: number): void {
    this.#filled(key, now).units -= units;
  }

  #filled(key: string, now: number): Bucket {
    const bucket = this.#buckets.get(key) ?? { units: unitsPerSecond, filledAt: now };
    bucket.units = Math.min(unitsPerSecond, bucket.units + ((now - bucket.filledAt) / 1000) * unitsPerSecond);
    bucket.filledAt = now;
    // The last one used is the last one forgotten.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > remembered) this.#buckets.delete(this.#buckets.keys().next().value ?? '');
    return bucket;
  }
}
