// The events of one execution, in the shapes GetExecutionHistory returns.

export interface HistoryEvent {
  readonly id: number;
  readonly previousEventId: number;
  readonly timestamp: Date;
  readonly type: string;
  readonly [details: string]: unknown;
}

// AWS fails an execution that reaches this many events.
const eventLimit = 25_000;

export class History {
  readonly events: HistoryEvent[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get isFull(): boolean {
    return this.events.length >= eventLimit - 1;
  }

  add(type: string, previousEventId: number, details: Record<string, unknown> = {}): number {
    const id = this.events.length + 1;
    this.events.push({ id, previousEventId, timestamp: new Date(this.#now()), type, ...details });
    return id;
  }
}

/** One line of events: the main line, or one branch or iteration; each event names the one before it on its line. */
export class Thread {
  readonly history: History;
  #last: number;

  constructor(history: History, last = 0) {
    this.history = history;
    this.#last = last;
  }

  add(type: string, details: Record<string, unknown> = {}): void {
    this.#last = this.history.add(type, this.#last, details);
  }

  fork(): Thread {
    return new Thread(this.history, this.#last);
  }
}

export const whole = { truncated: false } as const;
