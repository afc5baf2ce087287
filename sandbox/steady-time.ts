// Real time without stalls: while a busy machine lets this process wait, or one of its turns takes long, it stands still.
import { performance } from 'node:perf_hooks';

const beatMilliseconds = 10;
/** The most of it that counts; the timers of a computer with nothing else to do are a millisecond or two late. */
const longestBeat = 12;

let counted = 0;
let lastBeat: number | null = null;

/**
 * Milliseconds since some moment: as many as went by on the wall, but of each stall the first few only. For what must not look slow because the
 * computer is: answers that are timed, and sandbox time that is faster than the wall's.
 */
export function steadyNow(): number {
  lastBeat ??= begin();
  return counted + Math.min(longestBeat, performance.now() - lastBeat);
}

/** Wakes when so many steady milliseconds went by. */
export function steadySleep(milliseconds: number): Promise<void> {
  const end = steadyNow() + milliseconds;
  return new Promise((resolve) => {
    const look = (): void => {
      const left = end - steadyNow();
      if (left <= 0) resolve();
      else setTimeout(look, left);
    };
    look();
  });
}

function begin(): number {
  setInterval(() => {
    counted = steadyNow();
    lastBeat = performance.now();
  }, beatMilliseconds).unref();
  return performance.now();
}
