// Sandbox time: the wall clock, sped up, with sleeps that end when the sandbox stops.
import { performance } from 'node:perf_hooks';
import type { SandboxClock } from './aws/world.ts';

/** Rejects a pending sleep when the sandbox stops. */
export class ClockStopped extends Error {
  constructor() {
    super('the sandbox clock was stopped');
    this.name = 'ClockStopped';
  }
}

export interface ClockOptions {
  /** Sandbox seconds per wall second, greater than 0; default 1. */
  readonly speed?: number;
  /** Sandbox time at the start, epoch milliseconds; default the wall clock's. */
  readonly startAt?: number;
  /** Hears of an error thrown by an `every` callback; default: it is thrown as an uncaught exception. */
  readonly onError?: (error: unknown) => void;
}

// setTimeout fires at once for anything longer than this.
const longestTimeout = 2_147_483_647;

export class SpedUpClock implements SandboxClock {
  readonly speed: number;
  /** Sandbox time when the clock was made, epoch milliseconds: child processes need it to run at the same time. */
  readonly startedAt: number;
  /** The wall clock's time at that moment, epoch milliseconds. */
  readonly wallStartedAt: number;
  readonly #origin = performance.now();
  readonly #pending = new Set<() => void>();
  readonly #onError: (error: unknown) => void;
  #stopped = false;

  constructor(options: ClockOptions = {}) {
    this.speed = options.speed ?? 1;
    if (!(this.speed > 0) || !Number.isFinite(this.speed)) throw new RangeError(`speed must be greater than 0, got ${this.speed}`);
    this.wallStartedAt = performance.timeOrigin + this.#origin;
    this.startedAt = options.startAt ?? this.wallStartedAt;
    this.#onError = options.onError ?? rethrow;
  }

  now(): number {
    return this.startedAt + (performance.now() - this.#origin) * this.speed;
  }

  /** @throws ClockStopped when the clock is, or gets, stopped. */
  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#stopped) return reject(new ClockStopped());
      const cancel = (): void => {
        clearTimeout(timer);
        reject(new ClockStopped());
      };
      const timer = setTimeout(() => {
        this.#pending.delete(cancel);
        resolve();
      }, this.#wall(milliseconds));
      this.#pending.add(cancel);
    });
  }

  /** A run that takes longer than the period is not overlapped: the beats that it missed are left out. */
  every(milliseconds: number, run: () => void | Promise<void>): () => void {
    if (!(milliseconds > 0)) throw new RangeError(`a period must be greater than 0 ms, got ${milliseconds}`);
    if (this.#stopped) return () => undefined;
    let timer: NodeJS.Timeout;
    let next = this.now() + milliseconds;
    let cancelled = false;
    const cancel = (): void => {
      cancelled = true;
      clearTimeout(timer);
      this.#pending.delete(cancel);
    };
    const beat = async (): Promise<void> => {
      try {
        await run();
      } catch (error) {
        if (!(error instanceof ClockStopped)) this.#onError(error);
      }
      next += milliseconds * Math.max(1, Math.ceil((this.now() - next) / milliseconds));
      if (!cancelled) timer = setTimeout(() => void beat(), this.#wall(next - this.now()));
    };
    timer = setTimeout(() => void beat(), this.#wall(milliseconds));
    this.#pending.add(cancel);
    return cancel;
  }

  /** Ends every pending sleep and every repetition; the clock itself goes on telling the time. */
  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#pending) cancel();
    this.#pending.clear();
  }

  #wall(milliseconds: number): number {
    return Math.min(longestTimeout, Math.max(0, milliseconds / this.speed));
  }
}

function rethrow(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
