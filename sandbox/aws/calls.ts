// Every AWS call the sandbox saw, and the rules of the world that are checked after each one that changes something.
import type { CallRecord, Invariant } from './world.ts';

export interface CallFilter {
  /** IAM prefix, for example `elasticloadbalancing`. */
  readonly service?: string;
  readonly operation?: string;
  /** Name of the calling role. */
  readonly role?: string;
  readonly mutating?: boolean;
  /** Only calls with a greater sequence number. */
  readonly after?: number;
  readonly where?: (call: CallRecord) => boolean;
}

/** An invariant that did not hold, and after what. */
export interface Breach {
  readonly invariant: string;
  readonly problem: string;
  /** Null when the change came from a service itself, for example a traffic shift in time. */
  readonly call: CallRecord | null;
  readonly cause: string;
}

export type CallWithoutVerdict = Omit<CallRecord, 'sequence' | 'broken'>;

// A sandbox that is kept up for days must not grow without end. Invariants and listeners see every call.
const defaultLength = 50_000;

export class Calls {
  readonly #records: CallRecord[] = [];
  readonly #invariants: Invariant[] = [];
  readonly #listeners = new Set<(call: CallRecord) => void>();
  readonly #breaches: Breach[] = [];
  readonly #length: number;
  #sequence = 0;

  /** @param length how many calls are kept to be listed, the newest. */
  constructor(length = defaultLength) {
    this.#length = length;
  }

  /** From now on the invariant is checked after every mutating call. */
  addInvariant(invariant: Invariant): void {
    this.#invariants.push(invariant);
  }

  /** Hears of every call, in order of their ends, until the returned function is called. */
  onCall(listener: (call: CallRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  add(call: CallWithoutVerdict): CallRecord {
    const breaches = call.mutating ? this.#check() : [];
    const record = { ...call, sequence: ++this.#sequence, broken: breaches.map(({ invariant, problem }) => `${invariant}: ${problem}`) };
    const cause = `${call.service}:${call.operation} by ${call.caller.arn}`;
    for (const breach of breaches) this.#breaches.push({ ...breach, call: record, cause });
    this.#records.push(record);
    // Seldom, and many at once: to shift thousands at each call is what a call would cost most.
    if (this.#records.length > this.#length * 1.25) this.#records.splice(0, this.#records.length - this.#length);
    for (const listener of this.#listeners) listener(record);
    return record;
  }

  /** For changes that no call made, for example a deployment that shifts traffic as time goes by. */
  checkInvariants(cause: string): readonly Breach[] {
    const breaches = this.#check().map((breach) => ({ ...breach, call: null, cause }));
    this.#breaches.push(...breaches);
    return breaches;
  }

  /** Calls in the order in which they ended. */
  list(filter: CallFilter = {}): readonly CallRecord[] {
    return this.#records.filter((call) => matches(call, filter));
  }

  get last(): number {
    return this.#sequence;
  }

  /** Every broken invariant since the start; a scenario fails unless this is empty. */
  get breaches(): readonly Breach[] {
    return this.#breaches;
  }

  /** Calls for something that the sandbox does not have. */
  get unsupported(): readonly CallRecord[] {
    return this.#records.filter((call) => call.status === 501);
  }

  #check(): { invariant: string; problem: string }[] {
    return this.#invariants.flatMap((invariant) => {
      const problem = invariant.check();
      return problem === null ? [] : [{ invariant: invariant.name, problem }];
    });
  }
}

function matches(call: CallRecord, filter: CallFilter): boolean {
  return (
    (filter.service === undefined || call.service === filter.service) &&
    (filter.operation === undefined || call.operation === filter.operation) &&
    (filter.role === undefined || (call.caller.kind === 'role' && call.caller.roleName === filter.role)) &&
    (filter.mutating === undefined || call.mutating === filter.mutating) &&
    (filter.after === undefined || call.sequence > filter.after) &&
    (filter.where === undefined || filter.where(call))
  );
}
