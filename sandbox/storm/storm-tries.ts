// How often the same call or step of a storm was tried, and how long each waited in between: who asks on and on gets through as well, and makes the storm worse.
import type { CallRecord } from '../aws/world.ts';
import type { HistoryEvent } from '../services/states/history.ts';
import { callLimitMs, type LimitOf, stepLimitMs, Waits } from './storm-waits.ts';

/** Tries of one call by one invocation: those of the SDK, which Ripcord gives three, and Route 53, with five calls a second for an account, six. */
const callTries = (what: string): number => (what.startsWith('route53:') ? 6 : 3);
/** Tries of one step by the workflow while it is refused: the first and five more. */
const stepTries = 6;
/** One that was refused, so far. */
interface Refused {
  tries: number;
  at: number;
}

/** Tries of calls, or of steps. */
export class Tries {
  /** Name of a call or step, and how often one was tried at most; of those that were refused at all. */
  readonly most = new Map<string, number>();
  readonly waits: Waits;

  constructor(limitOf: LimitOf) {
    this.waits = new Waits(limitOf);
  }

  refused(what: string, one: Refused, at: number): void {
    Object.assign(one, { tries: one.tries + 1, at });
    this.#tried(what, one.tries);
  }

  /** It is tried once more, whatever comes of it. */
  again(what: string, one: Refused, at: number): void {
    this.#tried(what, one.tries + 1);
    this.waits.add(one.tries + 1, at - one.at);
  }

  #tried(what: string, times: number): void {
    this.most.set(what, Math.max(this.most.get(what) ?? 0, times));
  }
}

/** Calls of functions, told apart by the invocation that makes them and by all they ask. */
export class CallTries extends Tries {
  /** By invocation and operation, then by what it asks. */
  readonly #open = new Map<string, Map<string, Refused>>();

  constructor() {
    super(callLimitMs);
  }

  /** @param at when the call had ended, in milliseconds on the wall: a function's timers are real while sandbox time goes slower. */
  call({ service, operation, trace, input }: Pick<CallRecord, 'service' | 'operation' | 'trace' | 'input'>, isThrottled: boolean, at: number): void {
    if (trace === null) return;
    const what = `${service}:${operation}`;
    const place = `${trace} ${what}`;
    const open = this.#open.get(place);
    if (open === undefined && !isThrottled) return;
    const asked = askedIn(input);
    const one = open?.get(asked);
    if (one !== undefined) this.again(what, one, at);
    if (!isThrottled) return this.#close(place, asked);
    const refused = one ?? { tries: 0, at: 0 };
    this.refused(what, refused, at);
    this.#open.set(place, (open ?? new Map<string, Refused>()).set(asked, refused));
    this.#forget();
  }

  #close(place: string, asked: string): void {
    const open = this.#open.get(place);
    open?.delete(asked);
    if (open?.size === 0) this.#open.delete(place);
  }

  /** What was given up is never closed. */
  #forget(): void {
    for (const place of this.#open.keys()) {
      if (this.#open.size <= 5000) return;
      this.#open.delete(place);
    }
  }
}

/** The same call has the same input, but for the name that a transaction gets anew. */
const askedIn = (input: unknown): string => JSON.stringify({ ...(input as object | null), ClientRequestToken: undefined });

/** Steps of executions, each from when its state is entered. */
export class StepTries extends Tries {
  constructor() {
    super(stepLimitMs);
  }

  execution(events: readonly HistoryEvent[]): void {
    const lines = new Map<number, { readonly state: string; readonly one: Refused }>();
    for (const event of events) {
      const entered = (event['stateEnteredEventDetails'] as { readonly name?: string } | undefined)?.name;
      const line = entered === undefined ? lines.get(event.previousEventId) : { state: entered, one: { tries: 0, at: 0 } };
      if (line === undefined) continue;
      lines.set(event.id, line);
      if (isRefusal(event)) this.refused(line.state, line.one, event.timestamp.getTime());
      else if (event.type === 'TaskScheduled' && line.one.tries > 0) this.again(line.state, line.one, event.timestamp.getTime());
    }
  }
}

/** With which errors tasks failed that were not tried again for being refused: each error, and how often. */
export function failuresIn(events: readonly HistoryEvent[], counts: Map<string, number>): void {
  for (const event of events) {
    if (!/^Task(Failed|TimedOut)$/.test(event.type) || isRefusal(event)) continue;
    const { error = 'unknown', cause = '' } = (event['taskFailedEventDetails'] ?? event['taskTimedOutEventDetails'] ?? {}) as { readonly error?: string; readonly cause?: string };
    const what = `${error}: ${cause.slice(0, 120)}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
}

/** A task that is tried again because a call was throttled or broke, or because Lambda had no room. */
export const isRefusal = ({ type, taskFailedEventDetails: details }: HistoryEvent): boolean =>
  type === 'TaskFailed' && /Retryable|TooManyRequests/.test((details as { readonly error?: string } | undefined)?.error ?? '');

/** What was tried too often, and steps that were tried again too soon; of too few waits nothing is said. How long calls wait shows only where none is given up meanwhile: of those the short waits are left. */
export function hotTries(calls: Tries, steps: Tries): string[] {
  const often = (tries: Tries, boundOf: (what: string) => number): string[] =>
    [...tries.most].filter(([what, times]) => times > boundOf(what)).map(([what, times]) => `${what} was tried ${times} times, and ${boundOf(what)} may be`);
  return [...often(calls, callTries), ...often(steps, () => stepTries), ...steps.waits.problems('steps')];
}
