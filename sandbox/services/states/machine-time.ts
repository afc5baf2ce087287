// Pauses and deadlines in sandbox time that end early when an execution is interrupted.
import type { SandboxClock } from '../../aws/world.ts';
import { Interrupted } from './errors.ts';

/** Calls back once after so many sandbox milliseconds, unless the returned function is called before. */
export function after(clock: SandboxClock, milliseconds: number, run: () => void): () => void {
  const cancel = clock.every(Math.max(1, milliseconds), () => {
    cancel();
    run();
  });
  return cancel;
}

/** @throws Interrupted when the signal aborts first. */
export function pause(clock: SandboxClock, milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Interrupted());
    const onAbort = (): void => {
      cancel();
      reject(new Interrupted());
    };
    const cancel = after(clock, milliseconds, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** The work's outcome, or Interrupted as soon as the signal aborts; the work itself goes on, as in AWS. */
export function orInterrupted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new Interrupted());
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
