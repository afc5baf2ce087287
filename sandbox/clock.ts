// Sandbox time: faster than the wall clock while everybody waits, as fast as it while functions work.
import { performance } from 'node:perf_hooks';
import type { SandboxClock } from './aws/world.ts';
import { steadyNow } from './steady-time.ts';

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
  /** Time is held from the start, until what `hold` returns is called; default false. */
  readonly isHeld?: boolean;
  /** Hears of an error thrown by an `every` callback; default: it is thrown as an uncaught exception. */
  readonly onError?: (error: unknown) => void;
}

interface Timer {
  readonly dueAt: number;
  readonly fire: () => void;
  handle: NodeJS.Timeout | undefined;
}

// Whoever was woken has gone on to the next wait, or begun to work, after this many turns of the event loop: all that lies between is promises.
const turnsToSettle = 4;

// setTimeout fires at once for anything longer than this.
const longestTimeout = 2_147_483_647;

export class SpedUpClock implements SandboxClock {
  readonly speed: number;
  readonly #timers = new Set<Timer>();
  readonly #cancels = new Set<() => void>();
  readonly #onError: (error: unknown) => void;
  #rate: number;
  /** Milliseconds on the wall; without stalls where time is faster than that, as a minute of it would be gone in a stall, and nobody served. */
  #wall: () => number;
  #base: number;
  #since: number;
  #workers = 0;
  #haste = 1;
  #held = false;
  #rested: (() => void)[] = [];
  #slowest = 1;
  #stopped = false;
  #hasStepped = false;

  constructor(options: ClockOptions = {}) {
    this.speed = options.speed ?? 1;
    if (!(this.speed > 0) || !Number.isFinite(this.speed)) throw new RangeError(`speed must be greater than 0, got ${this.speed}`);
    this.#held = options.isHeld ?? false;
    this.#rate = this.#held ? 0 : this.speed;
    this.#wall = wallFor(this.#rate);
    this.#since = this.#wall();
    this.#base = options.startAt ?? performance.timeOrigin + performance.now();
    this.#onError = options.onError ?? rethrow;
  }

  /** Time goes by in steps and by `advance` alone. */
  get isHeld(): boolean {
    return this.#held;
  }

  now(): number {
    return this.#base + (this.#wall() - this.#since) * this.#rate;
  }

  /**
   * Until the returned function is called, a sandbox second lasts a wall second (or longer, where the clock is slower):
   * work is real, so it must take real time, or a busy machine would look like a slow Ripcord.
   */
  work(): () => void {
    let done = false;
    this.#workers += 1;
    this.#setRate(Math.min(this.#slowest, this.speed));
    if (this.#hasStepped) this.#rearm();
    this.#hasStepped = false;
    return () => {
      if (done) return;
      done = true;
      this.#workers -= 1;
      if (this.#workers > 0) return;
      this.#setRate(this.speed);
      for (const resume of this.#rested.splice(0)) resume();
    };
  }

  /**
   * Waits until nobody works, then goes at once to the next moment for which anybody waits: a wait costs no time at all, and one that
   * goes step by step is the same on a busy machine. For a clock with speed 1, whose time passes in steps and in work only.
   * @returns false when nobody waits for anything.
   */
  async step(): Promise<boolean> {
    for (let quiet = 0; quiet < turnsToSettle; quiet += 1) {
      if (this.#workers > 0) {
        await new Promise<void>((resolve) => this.#rested.push(resolve));
        quiet = 0;
      }
      await new Promise((resolve) => { setImmediate(resolve); });
    }
    const next = this.#next();
    if (next === undefined || this.#workers > 0) return next !== undefined;
    this.#fire(next);
    return true;
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    // Of several at one moment the first that began to wait.
    for (const timer of this.#timers) if (next === undefined || timer.dueAt < next.dueAt) next = timer;
    return next;
  }

  /** It is the moment for which this one waits. */
  #fire(timer: Timer): void {
    this.#base += Math.max(0, timer.dueAt - this.now());
    this.#hasStepped = true;
    clearTimeout(timer.handle);
    this.#timers.delete(timer);
    timer.fire();
  }

  /** Until the returned function is called, waiting goes so many times faster than it does anyway; work stays real. */
  hurry(times: number): () => void {
    const set = (haste: number): void => {
      this.#haste = haste;
      this.#setRate(this.#workers > 0 ? Math.min(this.#slowest, this.speed) : this.speed);
    };
    set(times);
    return () => set(1);
  }

  /** Until the returned function is called, time goes by in steps and by `advance` alone, whatever works meanwhile. */
  hold(): () => void {
    const set = (held: boolean): void => {
      this.#held = held;
      this.#setRate(this.#workers > 0 ? Math.min(this.#slowest, this.speed) : this.speed);
    };
    set(true);
    return () => set(false);
  }

  /** Goes on to this moment, epoch milliseconds of sandbox time, unless it is past; whoever waits for a moment before it is woken at that moment, one after the other. For a clock that is held. */
  async advance(to: number): Promise<void> {
    for (let next = this.#next(); next !== undefined && next.dueAt <= to; next = this.#next()) {
      this.#fire(next);
      for (let turn = 0; turn < turnsToSettle; turn += 1) await new Promise((resolve) => { setImmediate(resolve); });
    }
    this.#base += Math.max(0, to - this.now());
  }

  /** From now on a sandbox second of work lasts `1 / rate` wall seconds: for a machine that is slower than what it plays. */
  slow(rate: number): void {
    if (!(rate > 0) || rate > 1) throw new RangeError(`a rate must be above 0 and at most 1, got ${rate}`);
    this.#slowest = rate;
    if (this.#workers > 0) this.#setRate(Math.min(this.#slowest, this.speed));
  }

  /** @throws ClockStopped when the clock is, or gets, stopped. */
  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#stopped) return reject(new ClockStopped());
      const cancel = (): void => {
        drop();
        reject(new ClockStopped());
      };
      const drop = this.#at(this.now() + milliseconds, () => {
        this.#cancels.delete(cancel);
        resolve();
      });
      this.#cancels.add(cancel);
    });
  }

  /** A run that takes longer than the period is not overlapped: the beats that it missed are left out. */
  every(milliseconds: number, run: () => void | Promise<void>): () => void {
    if (!(milliseconds > 0)) throw new RangeError(`a period must be greater than 0 ms, got ${milliseconds}`);
    if (this.#stopped) return () => undefined;
    let next = this.now() + milliseconds;
    let cancelled = false;
    const beat = async (): Promise<void> => {
      try {
        await run();
      } catch (error) {
        if (!(error instanceof ClockStopped)) this.#onError(error);
      }
      next += milliseconds * Math.max(1, Math.ceil((this.now() - next) / milliseconds));
      if (!cancelled) drop = this.#at(next, () => void beat());
    };
    let drop = this.#at(next, () => void beat());
    const cancel = (): void => {
      cancelled = true;
      drop();
      this.#cancels.delete(cancel);
    };
    this.#cancels.add(cancel);
    return cancel;
  }

  /** Ends every pending sleep and every repetition; the clock itself goes on telling the time. */
  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }

  #setRate(rate: number): void {
    const hasty = this.#held ? 0 : this.#workers > 0 ? rate : rate * this.#haste;
    if (hasty === this.#rate) return;
    this.#base = this.now();
    this.#wall = wallFor(hasty);
    this.#since = this.#wall();
    this.#rate = hasty;
    this.#rearm();
  }

  /** After steps the timers' real timeouts come too late. */
  #rearm(): void {
    for (const timer of this.#timers) this.#arm(timer);
  }

  #at(dueAt: number, fire: () => void): () => void {
    const timer: Timer = { dueAt, fire, handle: undefined };
    this.#timers.add(timer);
    this.#arm(timer);
    return () => {
      clearTimeout(timer.handle);
      this.#timers.delete(timer);
    };
  }

  #arm(timer: Timer): void {
    clearTimeout(timer.handle);
    const left = Math.max(0, timer.dueAt - this.now());
    // Held time never comes to it: a step does, or `advance`.
    const wall = left === 0 ? 0 : Math.min(longestTimeout, left / this.#rate);
    timer.handle = setTimeout(() => {
      // Node's timers may fire a little early, and a far one only in several turns.
      if (timer.dueAt > this.now()) return this.#arm(timer);
      this.#timers.delete(timer);
      timer.fire();
    }, wall);
  }
}

const wallFor = (rate: number): (() => number) => (rate > 1 ? steadyNow : () => performance.now());

function rethrow(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
